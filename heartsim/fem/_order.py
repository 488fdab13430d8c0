"""Renumber a mesh for the solver."""

import equinox as eqx
import numpy as np
from jaxtyping import Int

from heartsim._sizes import nodal, up
from heartsim.mesh import Mesh

from ._pattern import bandwidth_order, shifts

MULTIPLE = 64
"""Nodes are padded to a multiple of this. Where XLA splits a CPU loop among cores, odd lengths are
several times slower: the midpoint TTP06 step took 515 ns a node at 38 117 nodes and 138 at 38 144
on two cores; on one core there is no difference beyond noise."""


def compact(mesh: Mesh, parts: int = 1) -> tuple[Mesh, Int[np.ndarray, " nodes"]]:
    """The mesh renumbered and padded, and the old number of each new node: a grid line by line, any
    other mesh in reverse Cuthill-McKee order, with room to share programs.

    With `parts` the nodes part evenly into so many strips, for as many devices.
    Padding nodes stand behind the end, belong to no cell, and repeat the last node's place and
    data; the order names real nodes only, so that `full[order] = values[: len(order)]` brings
    nodal values home.
    """
    multiple = MULTIPLE * parts
    order, size = _grid_order(mesh), up(mesh.n_nodes, multiple)
    if order is None:  # grids share no programs, as their shifts differ
        order = bandwidth_order(mesh.cells, mesh.n_nodes)
        size = nodal(mesh.n_nodes, multiple)
    padded = np.pad(order, (0, size - len(order)), mode="edge")
    new = _inverse(order)
    moved = eqx.tree_at(
        lambda m: (m.points, m.cells, m.node_sets, m.point_data),
        mesh,
        (
            np.asarray(mesh.points)[padded],
            new[mesh.cells],
            {k: np.sort(new[v]) for k, v in mesh.node_sets.items()},
            {k: np.asarray(v)[padded] for k, v in mesh.point_data.items()},
        ),
    )
    return moved, order


def _grid_order(mesh: Mesh) -> Int[np.ndarray, " nodes"] | None:
    """Of a grid along its axes, lines along the shortest side first, which makes halos least; as it
    is numbered, where that is line by line; None for any other mesh."""
    points = np.asarray(mesh.points, float)
    sides = np.ptp(points, axis=0)
    grid = np.rint(points / (1e-5 * sides.max()))
    for order in (np.lexsort(grid[:, np.argsort(sides)].T), np.arange(mesh.n_nodes)):
        if shifts(_inverse(order)[mesh.cells], mesh.n_nodes) is not None:
            return order
    return None


def _inverse(order: Int[np.ndarray, " nodes"]) -> Int[np.ndarray, " nodes"]:
    new = np.empty(len(order), np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    return new
