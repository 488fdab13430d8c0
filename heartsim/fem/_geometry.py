"""Linear (P1) basis functions on lines, triangles in space and tetrahedra."""

from math import factorial

import numpy as np
from jaxtyping import Float, Int

from heartsim._types import AnyArray

BLOCK = 1 << 14  # cells at a time: what lies between takes less memory than the result


def basis_gradients(
    points: Float[AnyArray, "nodes 3"], cells: Int[AnyArray, "cells vertices"]
) -> tuple[Float[np.ndarray, "cells vertices 3"], Float[np.ndarray, " cells"]]:
    """Gradients of the barycentric functions [1/mm] and measure of each cell [mm^dim].

    With the edge matrix J = (x_1 - x_0, ..., x_d - x_0), the gradients of λ_1..λ_d are the
    columns of J (JᵀJ)⁻¹, λ_0 closes the sum, and the measure is √det(JᵀJ) / d!. The same
    formula serves lines and triangles that lie in space.
    """
    points, cells = np.asarray(points, dtype=np.float64), np.asarray(cells)
    gradients, measure = np.empty((*cells.shape, 3)), np.empty(len(cells))
    for start in range(0, len(cells), BLOCK):
        some = slice(start, start + BLOCK)
        gradients[some], measure[some] = _of_block(points[cells[some]])
    flat = np.flatnonzero(~(measure > 0))
    if flat.size:
        raise ValueError(
            f"cell {flat[0]} is flat (measure 0), as are {flat.size - 1} others; "
            "remove flat cells, `heartsim mesh info` lists them."
        )
    return gradients, measure


def _of_block(
    corners: Float[np.ndarray, "some vertices 3"],
) -> tuple[Float[np.ndarray, "some vertices 3"], Float[np.ndarray, " some"]]:
    """Flat cells have measure 0 and no gradients."""
    J = np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)
    gram = np.swapaxes(J, 1, 2) @ J
    measure = np.sqrt(np.linalg.det(gram)) / factorial(J.shape[2])
    gram[~(measure > 0)] = np.nan
    inner = np.swapaxes(J @ np.linalg.inv(gram), 1, 2)
    return np.concatenate([-inner.sum(1, keepdims=True), inner], axis=1), measure
