"""Renumber a mesh so that neighbours lie close in memory."""

import equinox as eqx
import numpy as np
from jaxtyping import Int

from heartsim.mesh import Mesh

from ._pattern import bandwidth_order


def compact(mesh: Mesh) -> tuple[Mesh, Int[np.ndarray, " nodes"]]:
    """The mesh in reverse Cuthill-McKee order, and the old number of each new node."""
    order = bandwidth_order(mesh.cells, mesh.n_nodes)
    new_number = np.empty_like(order)
    new_number[order] = np.arange(len(order), dtype=order.dtype)
    moved = eqx.tree_at(
        lambda m: (m.points, m.cells, m.node_sets, m.point_data),
        mesh,
        (
            np.asarray(mesh.points)[order],
            new_number[mesh.cells].astype(np.int32),
            {k: np.sort(new_number[v]).astype(np.int32) for k, v in mesh.node_sets.items()},
            {k: np.asarray(v)[order] for k, v in mesh.point_data.items()},
        ),
    )
    return moved, order
