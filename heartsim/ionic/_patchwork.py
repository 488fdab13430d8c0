"""Several membranes in one tissue, each on its own nodes."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim._depth import no_depth
from heartsim._sizes import nodal
from heartsim._types import AnyArray

from ._model import AbstractIonicModel, Parameter, Rates
from ._orders import Orders, in_mesh_order, in_patches
from ._rates import rates

MULTIPLE = 8
"""A patch is padded to a multiple of this many nodes, by repeating its last node: at odd
lengths XLA's CPU loops are several times slower where they are split among cores."""


class Patchwork(AbstractIonicModel):
    """Models side by side: `models[k]` rules the nodes `nodes[k]`, and every node has one ruler.

    Each model is evaluated on its own nodes only. V keeps the order of the mesh; the state is a
    tuple with one state for each model, in the order of `nodes[k]`, padding included.
    Voltages are gathered from the mesh's order and currents back; nothing is scattered, nor in
    derivatives.
    """

    models: tuple[AbstractIonicModel, ...]
    nodes: tuple[Int[Array, "..."], ...]
    place: Int[Array, " nodes"]  # where each node of the mesh stands in the joined patches

    def __init__(self, models: Sequence[AbstractIonicModel], nodes: Sequence[Int[AnyArray, "..."]]):
        """Join `models`, each on its own node numbers; together they hold each of 0..n-1 once."""
        if not models or len(models) != len(nodes):
            raise ValueError(
                f"Patchwork: {len(models)} models and {len(nodes)} node sets were given; "
                "give one set of node numbers for each model."
            )
        joined = np.concatenate([np.asarray(own) for own in nodes])
        count = np.bincount(joined[joined >= 0], minlength=len(joined))
        wrong = np.flatnonzero(count[: len(joined)] != 1)
        if len(wrong):
            raise ValueError(
                f"Patchwork: node {wrong[0]} is in {count[wrong[0]]} of the node sets; "
                f"together they must hold each node from 0 to {len(joined) - 1} once."
            )
        padded = [np.pad(own, (0, _room(own)), mode="edge") for own in map(np.asarray, nodes)]
        _, first = np.unique(np.concatenate(padded), return_index=True)
        self.models = tuple(_padded(model, own) for model, own in zip(models, nodes, strict=True))
        self.nodes = tuple(jnp.asarray(own, dtype=jnp.int32) for own in padded)
        self.place = jnp.asarray(first, dtype=jnp.int32)

    @property
    def by_node(self) -> bool:
        """No: each patch has its own nodes."""
        return False

    def rates(self, V: Float[Array, " nodes"], state: Any) -> Rates:
        """Return the current [mV/ms] in the mesh's order and each patch's changes, at V [mV]."""
        each = zip(self.models, in_patches(self._orders, V), state, strict=True)
        parts = [rates(model, own, patch) for model, own, patch in each]
        i_ion = in_mesh_order(self._orders, [p.i_ion for p in parts])
        return Rates(i_ion, tuple(p.changes for p in parts))

    def rest(self) -> tuple[Parameter, Any]:
        """Return V [mV] in the mesh's order and the state of each patch."""
        parts = [m.initial(len(own)) for m, own in zip(self.models, self.nodes, strict=True)]
        V = in_mesh_order(self._orders, [V for V, _ in parts])
        return V, tuple(state for _, state in parts)

    def plain(self, state: Any) -> Any:
        """See AbstractIonicModel."""
        return tuple(model.plain(own) for model, own in zip(self.models, state, strict=True))

    def origin(self) -> Any:
        """See AbstractIonicModel."""
        return tuple(model.origin() for model in self.models)

    def in_strips(self, parts: int) -> "Patchwork":
        """See AbstractIonicModel. Each strip holds every patch, with as many nodes as the fullest
        strip needs; what it does not need repeats a node, and no node asks for it."""
        width = len(self.place) // parts
        patch, slot = self.slots()
        models, nodes = [], []
        place = np.empty(len(patch), np.int32)
        offset = 0  # of a patch in the joined patches of a strip
        for k, model in enumerate(self.models):
            own = np.flatnonzero(patch == k)
            strip, first = own // width, np.searchsorted(own, width * np.arange(parts))
            longest = nodal(int(np.bincount(strip).max()), MULTIPLE)
            place[own] = offset + np.arange(len(own)) - first[strip]
            picked = np.minimum(first[:, None] + np.arange(longest), len(own) - 1).ravel()
            here = own[picked] - np.repeat(width * np.arange(parts), longest)
            nodes.append(jnp.asarray(np.where((here < 0) | (here >= width), 0, here), jnp.int32))
            models.append(_picked(model, slot[own[picked]], len(self.nodes[k])))
            offset += longest
        return eqx.tree_at(
            lambda p: (p.models, p.nodes, p.place),
            self,
            (tuple(models), tuple(nodes), jnp.asarray(place)),
        )

    def slots(self, parts: int = 1) -> tuple[Int[np.ndarray, " nodes"], Int[np.ndarray, " nodes"]]:
        """Which model rules each node, and where the node stands in that model's arrays, when the
        nodes are cut into so many strips."""
        lengths = np.array([len(own) // parts for own in self.nodes])
        starts = np.cumsum(lengths) - lengths
        place = np.asarray(self.place)
        patch = np.searchsorted(starts, place, side="right") - 1
        strip = np.arange(len(place)) // (len(place) // parts)
        return patch, place - starts[patch] + strip * lengths[patch]

    @property
    def _orders(self) -> Orders:
        return self.nodes, self.place


def layers(
    transmural: Float[AnyArray, " nodes"],
    endo: AbstractIonicModel,
    mid: AbstractIonicModel,
    epi: AbstractIonicModel,
    *,
    mid_from: float,
    epi_from: float,
) -> Patchwork:
    """Three layers by depth: `transmural` is 0 on the endocardium and 1 on the epicardium.

    `endo` rules where transmural < mid_from, `epi` where transmural >= epi_from, `mid` between.
    """
    depth = np.asarray(transmural)
    node = no_depth(depth)
    if node is not None:
        raise ValueError(
            f"layers: transmural is {depth[node]:g} at node {node}; give 0 to 1 everywhere."
        )
    if not mid_from <= epi_from:
        raise ValueError(
            f"layers: {mid_from=} lies beyond {epi_from=}; wanted mid_from <= epi_from."
        )
    layer = np.digitize(depth, [mid_from, epi_from])
    given = [(m, np.flatnonzero(layer == k)) for k, m in enumerate((endo, mid, epi))]
    given = [(m, own) for m, own in given if len(own)]
    return Patchwork([m for m, _ in given], [own for _, own in given])


def _padded(model: AbstractIonicModel, own: Int[AnyArray, "..."]) -> AbstractIonicModel:
    """The model with its parameters per node repeated for the padding of its patch."""
    wide = (0, _room(own))
    return jax.tree.map(lambda x: jnp.pad(x, wide, "edge") if x.shape == (len(own),) else x, model)


def _room(own: Int[AnyArray, "..."]) -> int:
    """How many nodes pad a patch."""
    return nodal(len(own), MULTIPLE) - len(own)


def _picked(model: AbstractIonicModel, at: Int[np.ndarray, "..."], length: int):
    """The model with its parameters per node taken at these places of `length`."""
    return jax.tree.map(lambda x: x[at] if x.shape == (length,) else x, model)
