"""In which cell a point lies, and which is nearest."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import spatial

from heartsim._types import AnyArray

from ._mesh import Mesh


def locate_points(
    mesh: Mesh, points: Float[AnyArray, "points 3"], slack: float = 1e-9
) -> tuple[Int[np.ndarray, " points"], Float[np.ndarray, "points 4"]]:
    """For each point the tetrahedron that holds it (-1: none) and its barycentric weights there.

    A point outside a cell by less than `slack` of a barycentric coordinate counts as inside, so
    that nodes and faces of the mesh belong to it. Cells are tried by the distance of their
    middles, nearest first, as far as the largest cell reaches.
    """
    points = np.asarray(points, np.float64).reshape(-1, 3)
    corners = np.asarray(mesh.points, np.float64)[np.asarray(mesh.cells)]
    middle = corners.mean(axis=1)
    reach = np.linalg.norm(corners - middle[:, None], axis=2).max(axis=1)
    tree = spatial.KDTree(middle)
    found = np.full(len(points), -1)
    weights = np.zeros((len(points), 4))
    open_, tried = np.arange(len(points)), 0
    while open_.size and tried < mesh.n_cells:
        # the first few nearest middles hold most points; then all that are left, 4 times as many
        count = min(8 if tried == 0 else 4 * tried, mesh.n_cells)
        distance, near = tree.query(points[open_], k=np.arange(tried + 1, count + 1))
        for k in range(near.shape[1]):
            left = (found[open_] < 0) & (distance[:, k] <= reach[near[:, k]] * (1 + 4 * slack))
            cell = near[left, k]
            w = _barycentric(corners[cell], points[open_[left]])
            inside = w.min(axis=1) >= -slack
            found[open_[left][inside]] = cell[inside]
            weights[open_[left][inside]] = w[inside]
        open_ = open_[(found[open_] < 0) & (distance[:, -1] <= reach.max() * (1 + 4 * slack))]
        tried = count
    return found, weights


def nearest_cells(
    mesh: Mesh, points: Float[AnyArray, "points 3"]
) -> tuple[Int[np.ndarray, " points"], Float[np.ndarray, "points 3"]]:
    """For each point the cell nearest to it, and the nearest point of that cell: the point itself
    where it lies in the mesh."""
    import pyvista

    kind = {1: pyvista.CellType.LINE, 2: pyvista.CellType.TRIANGLE, 3: pyvista.CellType.TETRA}
    grid = pyvista.UnstructuredGrid(
        {kind[mesh.dim]: np.asarray(mesh.cells)}, np.asarray(mesh.points, float)
    )
    found: Any = grid.find_closest_cell(np.asarray(points, float), return_closest_point=True)
    return np.atleast_1d(found[0]), np.atleast_2d(found[1])


def _barycentric(
    corners: Float[np.ndarray, "points 4 3"], x: Float[np.ndarray, "points 3"]
) -> Float[np.ndarray, "points 4"]:
    edges = np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)
    w = np.linalg.solve(edges, (x - corners[:, 0])[:, :, None])[:, :, 0]
    return np.concatenate([1 - w.sum(axis=1, keepdims=True), w], axis=1)
