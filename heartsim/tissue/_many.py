"""Several bodies in one program: padded to one size, stacked, and run under `jax.vmap`."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from heartsim.fem import Chebyshev, Rows, Whole
from heartsim.ionic import Patchwork

from ._local import NEVER
from ._monodomain import AbstractTissue, Monodomain
from ._stimulus import AbstractStimulus


def stacked(
    tissues: Sequence[AbstractTissue], stimuli: Sequence[Sequence[AbstractStimulus]]
) -> tuple[AbstractTissue, list[AbstractStimulus]]:
    """Bodies and the stimuli of each, with a first axis for `jax.vmap`:

        tissue, pulses = stacked(bodies, pulses_of_each)
        runs, _ = jax.vmap(lambda t, p: simulate(t, p, dt=0.05, steps=2000, sample_every=20))(
            tissue, pulses
        )

    Meshes may differ: all get the nodes and slots of the largest, and a node of padding has no
    neighbour, no stimulus, and stays at rest. Grids keep their shorter products where all are
    numbered alike. The bodies must be of one kind: membrane, scheme,
    and number of stimuli. ValueError where they are not, for a body spread over devices, and
    where patchworks, or membranes without diffusion, differ in size.
    """
    if not all(isinstance(t.spread, Whole) for t in tissues):
        raise ValueError("stacked: wanted bodies on one device each.")
    alike = _with_one_plan(tissues)
    if len({t.K.shifts for t in alike if isinstance(t, Monodomain)}) > 1:
        alike = [gathered(t) for t in alike]
    same: list[Any] = [(t, list(pulses)) for t, pulses in zip(alike, stimuli, strict=True)]
    if len({str(jax.tree.map(np.shape, each)) for each in same}) > 1:
        same = _padded(same)
    if len({str(jax.tree.structure(each)) for each in same}) > 1:
        raise ValueError(
            "stacked: the bodies differ in membrane, scheme or stimuli; wanted bodies that differ "
            "in their numbers only."
        )
    return jax.tree.map(lambda *x: jnp.stack(x), *same)


def gathered(tissue: AbstractTissue) -> AbstractTissue:
    """The same tissue, for which it does not matter whether its mesh is a grid."""
    if not isinstance(tissue, Monodomain):
        return tissue
    return dataclasses.replace(tissue, K=tissue.K.gathered(), M=tissue.M.gathered())


def _with_one_plan(tissues: Sequence[AbstractTissue]) -> list[AbstractTissue]:
    """The bodies, with as many terms for all whose linear solves were planned one by one as the
    longest plan has; each keeps the ends of its own spectrum."""
    bodies = [(t, t.solver) for t in tissues if isinstance(t, Monodomain)]
    plans = [(t, plan) for t, plan in bodies if isinstance(plan, Chebyshev)]
    if len(plans) < len(tissues):
        return list(tissues)
    most = max(plan.terms for _, plan in plans)
    return [dataclasses.replace(t, solver=dataclasses.replace(p, terms=most)) for t, p in plans]


def _padded(bodies: list[tuple[Monodomain, list[AbstractStimulus]]]) -> list[Any]:
    """Bodies and stimuli with the nodes and slots of the largest; times at padding are NEVER."""
    if any(isinstance(t.ionic, Patchwork) or not isinstance(t, Monodomain) for t, _ in bodies):
        raise ValueError(
            "stacked: the bodies differ in size, or in kind; wanted bodies of one membrane each, "
            "with diffusion, or all of one size."
        )
    nodes = max(t.K.diagonal.shape[0] for t, _ in bodies)
    slots = [max(len(of(t).off) for t, _ in bodies) for of in (lambda t: t.K, lambda t: t.M)]
    return [
        (_body(tissue, slots, nodes), [_nodal(p, tissue, nodes, NEVER) for p in pulses])
        for tissue, pulses in bodies
    ]


def _body(tissue: Monodomain, slots: Sequence[int], nodes: int) -> Monodomain:
    return eqx.tree_at(
        lambda t: (t.K, t.M, t.ionic),
        tissue,
        (
            _rows(tissue.K, slots[0], nodes, 0.0),
            _rows(tissue.M, slots[1], nodes, 1.0),
            _nodal(tissue.ionic, tissue, nodes),
        ),
    )


def _rows(rows: Rows, slots: int, nodes: int, alone: float) -> Rows:
    """The matrix with rows of diagonal `alone` behind, and slots that point at their own node."""
    there = rows.off.shape
    more = ((0, slots - there[0]), (0, nodes - there[1]))
    neighbour = np.broadcast_to(np.arange(nodes, dtype=np.int32), (slots, nodes)).copy()
    neighbour[: there[0], : there[1]] = rows.neighbour
    diagonal = jnp.pad(rows.diagonal, more[1], constant_values=alone)
    return Rows(jnp.asarray(neighbour), jnp.pad(rows.off, more), diagonal)


def _nodal(tree: Any, tissue: Monodomain, nodes: int, fill: float | None = None) -> Any:
    """What has a value at each node with False behind, or `fill`; without that, numbers repeat
    their last."""
    there = tissue.K.diagonal.shape

    def longer(x):
        if np.shape(x) != there:
            return jnp.asarray(x)
        x, more = jnp.asarray(x), (0, nodes - there[0])
        if x.dtype == bool or fill is not None:
            return jnp.pad(x, more, constant_values=False if x.dtype == bool else fill)
        return jnp.pad(x, more, mode="edge")

    return jax.tree.map(longer, tree)
