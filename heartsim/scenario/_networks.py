"""What fronts run on: the muscle, and the Purkinje trees of a scenario joined to it."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim.mesh import Mesh, nearest_cells, read_mesh
from heartsim.tissue import NEVER, Front, front, purkinje, tree_ends

from ._front_schema import Purkinje
from ._read import locate
from ._schema import Scenario


class Paths(NamedTuple):
    """Where fronts run, beside the velocities of the muscle."""

    front: Front
    delay: Float[Array, " links"] | None
    """ms, of the fibres and junctions of trees; None without."""
    roots: Float[np.ndarray, " inner"]
    """Start times [ms] of the trees' roots by inner number, NEVER elsewhere."""
    notes: tuple[str, ...] = ()


def paths_of(scenario: Scenario, mesh: Mesh, inner: Mesh) -> Paths:
    """The conductive part of the mesh, `inner`, with the scenario's trees, but for their junctions
    with muscle that does not conduct; ValueError names the tree."""
    if not scenario.purkinje:
        geometry = front(inner)
        return Paths(geometry, None, np.full(len(geometry.points), NEVER))
    trees = [_tree(number, one) for number, one in enumerate(scenario.purkinje, start=1)]
    roots = [_root(one, tree) for one, tree in zip(scenario.purkinje, trees, strict=True)]
    ends, notes = zip(
        *(_ends(k, *of, mesh, inner) for k, of in enumerate(zip(trees, roots, strict=True), 1)),
        strict=True,
    )
    try:
        network = purkinje(inner, *trees, roots=roots, ends=ends)
    except ValueError as error:
        raise ValueError(f"[[purkinje]]: {str(error).removeprefix('purkinje: ')}") from None
    geometry = front(inner, links=network.links, network=network.points)
    each = scenario.purkinje
    last = inner.n_nodes + np.cumsum([tree.n_nodes for tree in trees])
    of = np.searchsorted(last, network.junction, side="right")  # the tree of each junction
    delay = network.delay(
        np.repeat([one.velocity_m_s for one in each], [tree.n_cells for tree in trees]),
        np.array([one.orthograde_ms for one in each])[of],
        np.array([one.retrograde_ms for one in each])[of],
    )
    onset = jnp.asarray([NEVER if one.start_ms is None else one.start_ms for one in each], float)
    start = np.asarray(network.root_times(geometry, onset))
    return Paths(geometry, delay, start, tuple(note for note in notes if note))


def _ends(
    number: int, tree: Mesh, root: int, mesh: Mesh, inner: Mesh
) -> tuple[Int[np.ndarray, " ends"], str]:
    """The junctions of a tree that lie in muscle that conducts, and how many do not."""
    ends, note = np.asarray(tree.node_sets.get("junctions", tree_ends(tree, root)), int), ""
    if inner.n_cells == mesh.n_cells:
        return ends, note
    places = np.asarray(tree.points, float)[ends]
    away, near = (
        np.linalg.norm(nearest_cells(of, places)[1] - places, axis=1) for of in (inner, mesh)
    )
    dead = away > near + 1e-6
    if dead.any() and not dead.all():
        note = (
            f"[[purkinje]] {number}: {dead.sum()} of {len(ends)} junctions lie at muscle that does "
            "not conduct, and are left out"
        )
        ends = ends[~dead]
    return ends, note


def _tree(number: int, one: Purkinje) -> Mesh:
    tree = read_mesh(locate(one.tree))
    if tree.dim != 1:
        raise ValueError(
            f"[[purkinje]] {number}: {one.tree} has no lines; wanted a tree of lines, as from "
            "heartsim purkinje."
        )
    return tree


def _root(one: Purkinje, tree: Mesh) -> int:
    if one.root is not None:
        if not 0 <= one.root < tree.n_nodes:
            raise ValueError(
                f"[[purkinje]] root = {one.root} is not a node of {one.tree}, which has 0 to "
                f"{tree.n_nodes - 1}."
            )
        return one.root
    return int(np.asarray(tree.node_sets.get("root", [0]))[0])
