"""Laplace's equation in the wall: harmonic fields, and which chamber a cell belongs to."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from heartsim._types import AnyArray
from heartsim.fem import stiffness_matrix
from heartsim.mesh import Mesh, parts_of

from ._surfaces import Surfaces

LV, RV, SEPTUM = 1, 2, 3


class Nearness(NamedTuple):
    """For each node the chance that a random walk through the wall ends at each surface: harmonic,
    1 there and 0 at the two others. They sum to 1."""

    lv: Float[np.ndarray, " nodes"]
    rv: Float[np.ndarray, " nodes"]
    epi: Float[np.ndarray, " nodes"]


def laplacian(mesh: Mesh) -> sparse.csr_array:
    """The stiffness matrix for diffusivity 1."""
    return stiffness_matrix(mesh, np.broadcast_to(np.eye(3), (mesh.n_cells, 3, 3)))


def harmonic(K: sparse.csr_array, given: Float[AnyArray, " nodes"]) -> Float[np.ndarray, " nodes"]:
    """The harmonic field with the values that are `given` (NaN: free), to 1e-6 of its range."""
    free = np.isnan(given)
    inner: sparse.csr_array = K[free][:, free]
    b = -(K[free][:, ~free] @ given[~free])
    scale = sparse.diags_array(1 / inner.diagonal())
    x, unfinished = sparse.linalg.cg(inner, b, rtol=1e-8, M=scale, maxiter=10_000)
    if unfinished:
        raise ValueError("harmonic: the field was not found in 10 000 iterations.")
    out = np.array(given, float)
    out[free] = x
    return out


def nearness(K: sparse.csr_array, surfaces: Surfaces) -> Nearness:
    """Of each node to the cavities and the epicardium."""

    def field(one: str) -> Float[np.ndarray, " nodes"]:
        given = np.full(K.shape[0], np.nan)
        for name in ("epi", "rv_endo", "lv_endo"):
            if name in surfaces.faces:
                given[surfaces.nodes(name)] = float(name == one)
        return np.clip(harmonic(K, given), 0.0, 1.0)

    lv = field("lv_endo")
    rv = field("rv_endo") if "rv_endo" in surfaces.faces else np.zeros_like(lv)
    return Nearness(lv, rv, np.clip(1 - lv - rv, 0.0, 1.0))


def chambers(mesh: Mesh, near: Nearness) -> Int[np.ndarray, " cells"]:
    """LV, RV or septum for each cell, by the surface it has least to do with: the right
    endocardium, the left one, or the epicardium. Each of right and left (with septum) is made
    one piece: specks go to the other."""
    cells = np.asarray(mesh.cells)
    rv, lv, epi = (field[cells].mean(axis=1) for field in (near.rv, near.lv, near.epi))
    if not near.rv.any():
        return np.full(len(cells), LV, np.int32)
    right = _largest(cells, (lv < rv) & (lv < epi))
    right = ~_largest(cells, ~right)
    return np.where(right, RV, np.where(epi < rv, SEPTUM, LV)).astype(np.int32)


def _largest(
    cells: Int[np.ndarray, "cells 4"], own: Bool[np.ndarray, " cells"]
) -> Bool[np.ndarray, " cells"]:
    """The largest part of these cells that hangs together."""
    part = parts_of(cells[own], int(cells.max()) + 1)[cells[own, 0]]
    out = own.copy()
    out[own] = part == np.bincount(part).argmax()
    return out
