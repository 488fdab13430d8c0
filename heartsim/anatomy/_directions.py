"""Which way a field grows in each cell, also in those that lie on the surface it starts from."""

import numpy as np
from jaxtyping import Float
from scipy import sparse

from heartsim.fem import basis_gradients
from heartsim.mesh import Mesh

LAYERS = 5  # of cells without a direction of their own that are filled; enough on Rodero 01


def directions(mesh: Mesh, field: Float[np.ndarray, " nodes"]) -> Float[np.ndarray, "cells 3"]:
    """Gradient [1/mm] of a nodal field in each triangle or tetrahedron, `filled`."""
    cells = np.asarray(mesh.cells)
    return filled(
        mesh, np.einsum("cvd,cv->cd", basis_gradients(mesh.points, cells)[0], field[cells])
    )


def filled(mesh: Mesh, v: Float[np.ndarray, "cells 3"]) -> Float[np.ndarray, "cells 3"]:
    """Vectors; where they vanish, as between nodes of one surface, the mean of those around, layer
    by layer."""
    cells = np.asarray(mesh.cells)
    none = 1e-6 * np.median(np.linalg.norm(v, axis=1))
    of_cell = np.repeat(np.arange(mesh.n_cells), cells.shape[1])
    touch = sparse.csr_array(
        (np.ones(cells.size), (of_cell, cells.reshape(-1))), shape=(mesh.n_cells, mesh.n_nodes)
    )
    for _ in range(LAYERS):
        lost = np.linalg.norm(v, axis=1) <= none
        if not lost.any():
            break
        v = np.where(lost[:, None], touch @ (touch.T @ v), v)
    return v
