"""Which nodes are neighbours, and which cells feed each pair: the skeleton of every matrix."""

from itertools import combinations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from jaxtyping import Array, Float, Int

from heartsim._sizes import roomy
from heartsim._types import AnyArray

from ._long import Long, long_rows

SLOTS_PER_OCTAVE = 4
"""Numbers of slots that meshes without order share: 16, 20, 24, 28, 32 for tetrahedra."""


class Pattern(eqx.Module):
    """Neighbours of every node, padded to a common number of slots, one at least.

    A matrix on it keeps one number per mesh edge; rows gather from edges, and edges gather
    from cells, so that assembly never scatters. Padding points at a zero behind the end.
    """

    neighbour: Int[AnyArray, "slots nodes"]  # node in each slot; padded with the node itself
    edge: Int[AnyArray, "slots nodes"]  # edge in each slot; padded with the number of edges
    source: Int[AnyArray, "edges shares"]  # place in the flattened (cells, pairs), padded
    shifts: tuple[int, ...] | None = eqx.field(static=True)  # as `shifts` has it, one a slot
    long: Long | None  # rows that products take apart, where there are no shifts

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return self.neighbour.shape[1]

    def gather_edges(self, pairs: Float[AnyArray, "cells pairs"]) -> Float[Array, " edges"]:
        """Sum of the cells' contributions to each edge."""
        return jnp.append(pairs.ravel(), 0.0)[self.source].sum(axis=1)

    def gather_rows(self, edges: Float[Array, " edges"]) -> Float[Array, "slots nodes"]:
        """Off-diagonal entries of every row, from one value an edge."""
        return jnp.append(edges, 0.0)[self.edge]


def vertex_pairs(vertices: int) -> Int[np.ndarray, "pairs 2"]:
    """The edges of a simplex as pairs of local vertex numbers."""
    return np.array(list(combinations(range(vertices), 2)))


def pattern(cells: Int[AnyArray, "cells vertices"], n_nodes: int) -> Pattern:
    """The pattern of a mesh, built on the host."""
    low, high, source = _edges(cells, n_nodes)
    row, near = np.r_[low, high], np.r_[high, low]
    edge = np.tile(np.arange(low.size), 2)
    shift = _few(low, high)
    slot = _rank(row, near) if shift is None else np.searchsorted(shift, near - row)
    slots = int(slot.max(initial=0)) + 1
    if shift is None:
        slots = roomy(slots, SLOTS_PER_OCTAVE)
    neighbour = _table(slots, slot, row, near, np.arange(n_nodes))
    return Pattern(
        neighbour=neighbour,
        edge=_table(slots, slot, row, edge, np.full(n_nodes, low.size)),
        source=source,
        shifts=shift,
        long=long_rows(neighbour) if shift is None else None,
    )


def shifts(cells: Int[AnyArray, "cells vertices"], n_nodes: int) -> tuple[int, ...] | None:
    """By how much the numbers of neighbours differ, where so few differences occur that slots for
    them are at most twice as many as for the longest row, or None.

    So it is with grids numbered line by line. Neighbours of consecutive nodes are then consecutive,
    and need no gather.
    """
    cells = np.asarray(cells)
    pairs = vertex_pairs(cells.shape[1])
    some = np.unique(np.abs(np.diff(cells[:10_000, pairs])))
    if some.size > (cells.shape[1] - 1) * np.bincount(cells.ravel()).max(initial=0):
        return None  # more than any row can be long: spares the work below on most meshes
    return _few(*np.divmod(np.unique(_keys(cells, n_nodes)), n_nodes))


def _few(low: Int[np.ndarray, " edges"], high: Int[np.ndarray, " edges"]) -> tuple[int, ...] | None:
    """`shifts` of edges."""
    longest = np.bincount(np.r_[low, high], minlength=1).max()
    found = np.unique(high - low)
    if not 0 < found.size <= longest:
        return None
    return tuple(map(int, np.r_[-found[::-1], found]))


def _edges(
    cells: Int[AnyArray, "cells vertices"], n_nodes: int
) -> tuple[Int[np.ndarray, " edges"], Int[np.ndarray, " edges"], Int[np.ndarray, "edges shares"]]:
    """Both ends of every edge of the mesh, the lower number first, and its places in the flattened
    (cells, pairs), padded with their number."""
    keys = _keys(cells, n_nodes)
    order = np.argsort(keys, kind="stable").astype(np.int32)
    keys = keys[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    count = np.diff(np.append(first, len(keys)))
    source = np.full((len(first), count.max(initial=1)), len(keys), np.int32)
    source[np.arange(source.shape[1]) < count[:, None]] = order
    return *np.divmod(keys[first], n_nodes), source


def _keys(cells: Int[AnyArray, "cells vertices"], n_nodes: int) -> Int[np.ndarray, " shares"]:
    """One number for both ends of each pair of each cell, ascending with the lower, then the
    higher."""
    cells = np.asarray(cells)
    a, b = (cells[:, ends].ravel() for ends in vertex_pairs(cells.shape[1]).T)
    return np.minimum(a, b) * np.int64(n_nodes) + np.maximum(a, b)


def _rank(row: Int[np.ndarray, " n"], value: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The place of each value among those of its row, in their order."""
    order = np.lexsort((value, row))
    count = np.bincount(row)
    rank = np.empty_like(order)
    rank[order] = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    return rank


def _table(
    slots: int,
    slot: Int[np.ndarray, " n"],
    row: Int[np.ndarray, " n"],
    value: Int[np.ndarray, " n"],
    fill: Int[np.ndarray, " rows"],
) -> Int[np.ndarray, "slots rows"]:
    """Values in their slots, and each row's `fill` where it has none."""
    table = np.repeat(fill[None], slots, axis=0)
    table[slot, row] = value
    return table.astype(np.int32)


def bandwidth_order(
    cells: Int[AnyArray, "cells vertices"], n_nodes: int
) -> Int[np.ndarray, " nodes"]:
    """Reverse Cuthill-McKee order: entry k is the old number of the new node k.

    Neighbours then lie close in memory, which the sparse product lives on.
    Cuthill and McKee (1969), Proc. 24th ACM Nat. Conf., 157-172 (SciPy's implementation).
    """
    ends = np.asarray(cells)[:, vertex_pairs(np.shape(cells)[1])].reshape(-1, 2)
    graph = scipy.sparse.csr_matrix(
        (np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(n_nodes, n_nodes)
    )
    return scipy.sparse.csgraph.reverse_cuthill_mckee((graph + graph.T).tocsr(), True)
