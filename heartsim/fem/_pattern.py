"""Which nodes are neighbours, and which cells feed each pair: the skeleton of every matrix."""

from itertools import combinations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray


class Pattern(eqx.Module):
    """Neighbours of every node, padded to a common number of slots.

    A matrix on it keeps one number per mesh edge; rows gather from edges, and edges gather
    from cells, so that assembly never scatters. Padding points at a zero behind the end.
    """

    neighbour: Int[AnyArray, "slots nodes"]  # node in each slot; padded with the node itself
    edge: Int[AnyArray, "slots nodes"]  # edge in each slot; padded with the number of edges
    source: Int[AnyArray, "edges shares"]  # place in the flattened (cells, pairs), padded

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
    cells = np.asarray(cells, dtype=np.int64)
    ends = np.sort(cells[:, vertex_pairs(cells.shape[1])].reshape(-1, 2), axis=1)
    keys, edge_of_pair = np.unique(ends[:, 0] * n_nodes + ends[:, 1], return_inverse=True)
    low, high = np.divmod(keys, n_nodes)
    edge = np.arange(keys.size)
    return Pattern(
        neighbour=_ragged(np.r_[low, high], np.r_[high, low], n_nodes, np.arange(n_nodes)).T,
        edge=_ragged(np.r_[low, high], np.r_[edge, edge], n_nodes, np.full(n_nodes, keys.size)).T,
        source=_ragged(
            edge_of_pair, np.arange(len(ends)), keys.size, np.full(keys.size, len(ends))
        ),
    )


def _ragged(
    row: Int[np.ndarray, " n"], value: Int[np.ndarray, " n"], rows: int, fill: Int[np.ndarray, " m"]
) -> Int[np.ndarray, "m slots"]:
    """Values collected by row, each row padded with its `fill`; order of values is kept."""
    order = np.lexsort((value, row))
    row, value = row[order], value[order]
    count = np.bincount(row, minlength=rows)
    slot = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    table = np.repeat(fill[:, None], count.max(initial=1), axis=1)
    table[row, slot] = value
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
