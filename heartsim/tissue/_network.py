"""Purkinje networks: trees of fibres that conduct both ways, joined to the muscle at their ends."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy import sparse, spatial
from scipy.sparse import csgraph

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, edge_lengths, nearest_cells, unique_edges

from ._checks import require_velocities
from ._front import Front, Links
from ._local import NEVER
from ._sources import DETOUR

REACH = 2.0
"""How far from a junction straight rays lead into the muscle, in mean edges of the mesh. In slabs
(0.6, 0.4 and 0.2 mm/ms) the mean error of the times after one junction is 0.6 to 0.7 of that with
the nearest cell alone; 3.5 would leave 0.45, but trusts two cells' fibres over half a wall. Out of
the muscle more rays gain nothing: the nearest cell is enough."""


class Network(eqx.Module):
    """Trees of fibres beside a mesh; a pytree. Give `links` and `points` to `front`.

    Nodes are numbered as `arrival` returns them: the mesh's, then those of the trees in turn.
    Links are the fibres from first to second node, the fibres back, the ways from junctions into
    the muscle, and those ways back.
    """

    points: Float[AnyArray, "more 3"]  # mm
    links: Links
    root: Int[AnyArray, " trees"]  # node
    junction: Int[AnyArray, " junctions"]  # node
    length: Float[AnyArray, " fibres"]  # mm
    into: Int[AnyArray, " ways"]  # junction, by its place in the list, of each way to the muscle
    back: Int[AnyArray, " ways_back"]  # and of each way back

    def delay(
        self,
        velocity: Float[AnyArray, " fibres"] | Float[AnyArray, ""] | float,
        orthograde: Float[AnyArray, " junctions"] | Float[AnyArray, ""] | float,
        retrograde: Float[AnyArray, " junctions"] | Float[AnyArray, ""] | float,
    ) -> Float[Array, " links"]:
        """Delay [ms] of each link, for `arrival`: fibres conduct at `velocity` [mm/ms] both ways;
        junctions wait `orthograde` ms into the muscle, `retrograde` ms out of it. Differentiable.
        """
        require_velocities(fibres=velocity)
        fibre = jnp.asarray(self.length, float) / jnp.asarray(velocity, float)
        into, back = (
            jnp.broadcast_to(jnp.asarray(wait, float), self.junction.shape)[way]
            for wait, way in ((orthograde, self.into), (retrograde, self.back))
        )
        return jnp.concatenate([fibre, fibre, into, back])

    def root_times(self, front: Front, onset: Float[AnyArray, " trees"]) -> Float[Array, " inner"]:
        """Start times [ms] by inner number where only the roots start, each at its onset; join
        other sources by `jnp.minimum`."""
        never = jnp.full(len(front.points), NEVER, float)
        return never.at[jnp.asarray(front.place)[self.root]].set(jnp.asarray(onset, float))


def purkinje(
    mesh: Mesh,
    *trees: Mesh,
    roots: Sequence[int] | None = None,
    ends: Sequence[Int[AnyArray, " _ends"] | None] | None = None,
    reach: float = REACH,
) -> Network:
    """The network of one or more trees, each a mesh of lines, joined to the muscle of `mesh`.

    `roots` is the node of each tree where it is entered, 0 if not given; `ends` are the nodes of
    each tree at its junctions, if not given (None) those of one fibre only, but for the root. From
    a junction straight rays lead to the nodes of the nearest cell and to those within `reach` mean
    edges to which edges lead on ways of DETOUR times the ray at most, half of them in the tensor of
    that cell and half in that of the node's; back from that cell's nodes. ValueError where a tree
    hangs in several parts, or a junction lies more than a mean edge from the muscle.
    """
    if not trees:
        raise ValueError("purkinje: no tree is given; read one by mesh.read_mesh.")
    roots = [0] * len(trees) if roots is None else roots
    given = [None] * len(trees) if ends is None else ends
    first = mesh.n_nodes + np.cumsum([0] + [tree.n_nodes for tree in trees[:-1]])
    tips = [
        _tips(tree, k, root, end)
        for k, (tree, root, end) in enumerate(zip(trees, roots, given, strict=True))
    ]
    x = np.concatenate([np.asarray(part.points, float) for part in (mesh, *trees)])
    fibres = np.concatenate([tree.cells + n for tree, n in zip(trees, first, strict=True)])
    junction = np.concatenate([tip + n for tip, n in zip(tips, first, strict=True)])
    nearest = _nearest_cells(mesh, x[junction])
    into, node = _nodes_near(mesh, x[junction], nearest, reach * _mean_edge(mesh))
    back = np.repeat(np.arange(len(junction)), mesh.dim + 1)
    out = np.stack([junction[into], node], axis=1)
    home = np.stack([np.asarray(mesh.cells)[nearest].ravel(), junction[back]], axis=1)
    # fibres come first: where a junction ties with a fibre, at a delay of zero, the fibre is taken
    both = np.concatenate([fibres, fibres[:, ::-1]])
    ways = np.concatenate([both, out, home])
    ray = x[ways[:, 1]] - x[ways[:, 0]]
    length = np.linalg.norm(ray[: len(fibres)], axis=1)
    ray[: len(both)] = 0.0
    cell = np.concatenate([np.zeros(len(both), int), nearest[into], nearest[back]])
    beyond = cell.copy()
    beyond[len(both) : len(both) + len(into)] = _toward(mesh, node, x[junction[into]])
    root = np.asarray(roots) + first
    links = Links(ways, ray, np.stack([cell, beyond], axis=1))
    return Network(x[mesh.n_nodes :], links, root, junction, length, into, back)


def _mean_edge(mesh: Mesh) -> float:
    return float(edge_lengths(mesh).mean())


def _tips(tree: Mesh, number: int, root: int, ends) -> Int[np.ndarray, " ends"]:
    """Nodes of a tree where it meets the muscle; ValueError where it is none, or in parts."""
    if tree.dim != 1:
        raise ValueError(
            f"purkinje: tree {number} has cells of {tree.dim + 1} nodes; a mesh of lines is wanted."
        )
    a, b = np.asarray(tree.cells).T
    graph = sparse.coo_array((np.ones(len(a)), (a, b)), shape=2 * (tree.n_nodes,))
    parts, label = csgraph.connected_components(graph, directed=False)
    if parts > 1:
        lost = (label != label[root]).sum()
        raise ValueError(
            f"purkinje: tree {number} hangs in {parts} parts, and {lost} of its {tree.n_nodes} "
            "nodes do not hang on the root; give each part as a tree with a root of its own, or "
            "join nodes that lie in one place."
        )
    return tree_ends(tree, root) if ends is None else np.asarray(ends, int)


def tree_ends(tree: Mesh, root: int) -> Int[np.ndarray, " ends"]:
    """Nodes of one fibre only, but for the root: the junctions of a tree that names none."""
    tips = np.flatnonzero(np.bincount(np.asarray(tree.cells).ravel(), minlength=tree.n_nodes) == 1)
    return tips[tips != root]


def _nearest_cells(
    mesh: Mesh, junctions: Float[np.ndarray, "junctions 3"]
) -> Int[np.ndarray, " junctions"]:
    """The cell nearest to each junction; ValueError where one lies far from all."""
    cell, closest = nearest_cells(mesh, junctions)
    distance, edge = np.linalg.norm(junctions - closest, axis=1), _mean_edge(mesh)
    far = np.count_nonzero(distance > edge)
    if far:
        k = distance.argmax()
        at = ", ".join(f"{x:.1f}" for x in junctions[k])
        raise ValueError(
            f"purkinje: {far} of {len(junctions)} junctions lie more than one mean edge "
            f"({edge:.1f} mm) from the muscle, junction {k} at ({at}) mm the farthest, "
            f"{distance[k]:.1f} mm; move the tree onto the mesh, check the unit (mm), or say which "
            "of its nodes are junctions (ends)."
        )
    return cell


def _nodes_near(
    mesh: Mesh,
    junctions: Float[np.ndarray, "junctions 3"],
    nearest: Int[np.ndarray, " junctions"],
    reach: float,
) -> tuple[Int[np.ndarray, " ways"], Int[np.ndarray, " ways"]]:
    """Junction and mesh node of each way into the muscle: not through a cavity nor around a scar,
    for edges lead from the nearest cell to the node."""
    x, graph, edge = np.asarray(mesh.points, float), _edges(mesh), _mean_edge(mesh)
    around = spatial.KDTree(x).query_ball_point(junctions, reach)
    way: list[int] = []
    node: list[int] = []
    for k, (cell, ball) in enumerate(zip(nearest, around, strict=True)):
        seeds = np.asarray(mesh.cells)[cell]
        own = np.union1d(seeds, ball).astype(int)
        straight = np.linalg.norm(x[own] - junctions[k], axis=1)
        along = csgraph.dijkstra(graph[own][:, own], indices=np.searchsorted(own, seeds))
        along += np.linalg.norm(x[seeds] - junctions[k], axis=1)[:, None]
        near = along.min(axis=0) <= DETOUR * straight + edge / 2
        found = own[near | np.isin(own, seeds)]
        node += found.tolist()
        way += [k] * len(found)
    return np.array(way, int), np.array(node, int)


def _edges(mesh: Mesh) -> sparse.csr_array:
    """The length of the edge between any two nodes [mm]."""
    a, b = np.asarray(unique_edges(mesh.cells)).T
    both = np.concatenate([a, b]), np.concatenate([b, a])
    length = np.linalg.norm(np.asarray(mesh.points, float)[a] - mesh.points[b], axis=1)
    return sparse.csr_array((np.tile(length, 2), both), shape=2 * (mesh.n_nodes,))


def _toward(
    mesh: Mesh, nodes: Int[np.ndarray, " ways"], places: Float[np.ndarray, "ways 3"]
) -> Int[np.ndarray, " ways"]:
    """Of the cells around each node the one whose middle is nearest to its place."""
    corners = np.asarray(mesh.cells)
    middle = np.asarray(mesh.points, float)[corners].mean(axis=1)
    order = np.argsort(corners, axis=None, kind="stable")
    count = np.bincount(corners.ravel(), minlength=mesh.n_nodes)
    first, ways = np.cumsum(count) - count, np.repeat(np.arange(len(nodes)), count[nodes])
    begin = np.cumsum(count[nodes]) - count[nodes]
    cell = order[first[nodes[ways]] + np.arange(len(ways)) - begin[ways]] // corners.shape[1]
    away = np.linalg.norm(middle[cell] - places[ways], axis=1)
    return cell[np.lexsort((away, ways))[begin]]
