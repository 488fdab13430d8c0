"""Renumber a mesh for the solver."""

import equinox as eqx
import numpy as np
from jaxtyping import Int

from heartsim.mesh import Mesh

from ._pattern import bandwidth_order

MULTIPLE = 64
"""Nodes are padded to a multiple of this. Where XLA splits a CPU loop among cores, odd lengths are
several times slower: the midpoint TTP06 step took 515 ns a node at 38 117 nodes and 138 at 38 144
on two cores; on one core there is no difference beyond noise."""


def compact(mesh: Mesh, parts: int = 1) -> tuple[Mesh, Int[np.ndarray, " nodes"]]:
    """The mesh in reverse Cuthill-McKee order, padded, and the old number of each new node.

    With `parts` the nodes part evenly into so many strips, for as many devices.
    Padding nodes stand behind the end, belong to no cell, and repeat the last node's place and
    data; the order names real nodes only, so that `full[order] = values[: len(order)]` brings
    nodal values home.
    """
    order = bandwidth_order(mesh.cells, mesh.n_nodes)
    new_number = np.empty_like(order)
    new_number[order] = np.arange(len(order), dtype=order.dtype)
    padded = np.pad(order, (0, -len(order) % (MULTIPLE * parts)), mode="edge")
    moved = eqx.tree_at(
        lambda m: (m.points, m.cells, m.node_sets, m.point_data),
        mesh,
        (
            np.asarray(mesh.points)[padded],
            new_number[mesh.cells].astype(np.int32),
            {k: np.sort(new_number[v]).astype(np.int32) for k, v in mesh.node_sets.items()},
            {k: np.asarray(v)[padded] for k, v in mesh.point_data.items()},
        ),
    )
    return moved, order
