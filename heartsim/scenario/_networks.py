"""What fronts run on: the muscle, and the Purkinje trees of a scenario joined to it."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from heartsim.mesh import Mesh, read_mesh
from heartsim.tissue import NEVER, Front, front, purkinje

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


def paths_of(scenario: Scenario, inner: Mesh) -> Paths:
    """The conductive part of the mesh with the scenario's trees; ValueError names the tree."""
    if not scenario.purkinje:
        geometry = front(inner)
        return Paths(geometry, None, np.full(len(geometry.points), NEVER))
    trees = [_tree(number, one) for number, one in enumerate(scenario.purkinje, start=1)]
    roots = [_root(one, tree) for one, tree in zip(scenario.purkinje, trees, strict=True)]
    ends = [tree.node_sets.get("junctions") for tree in trees]
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
    return Paths(geometry, delay, np.asarray(network.root_times(geometry, onset)))


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
