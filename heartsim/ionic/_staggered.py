"""A membrane's step with its gates half a step beside the rest."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PyTree

from ._model import Slope
from ._rates import rates
from ._relax import is_change, relax
from ._sides import Sides, only, parts, sides
from ._stage import Setting, by_voltage, none, nothing


class Told(eqx.Module):
    """What a step tells the next of its series."""

    left: Int[Array, ""]  # steps to come
    ago: Float[Array, ""]  # steps from what follows to the coming half step: 1, at first 1/2
    i_ion: Float[Array, " nodes"]  # mV/ms
    slopes: PyTree  # per ms, of what is no gate, in the half step to come; None of gates
    sides: Sides = eqx.field(static=True)


def parted(setting: Setting, V: Float[Array, "..."], state: Any, steps: ArrayLike):
    """The state with its gates half a step ahead, and what the first of so many steps is told."""
    of = sides(setting.model, V, state)
    i_ion, (_, said) = by_voltage(partial(_start, of), setting, V, (None, state))
    gates, slopes = parts(of, said)
    told = Told(jnp.asarray(steps, jnp.int32), jnp.asarray(0.5, V.dtype), i_ion, slopes, of)
    return eqx.combine(gates, state), told


def whole_step(
    setting: Setting, V: Float[Array, "..."], state: Any, told: Told, i_stim: ArrayLike
) -> tuple[Float[Array, "..."], Any, Float[Array, "..."], PyTree]:
    """V and the state with all but its gates dt later, i_ion at the half step, where gates stand,
    and slopes of the half step to come."""
    dt = setting.dt
    gates, rest = parts(told.sides, state)
    V_half, half = V + dt / 2 * (i_stim - told.i_ion), moved(rest, told.slopes, dt / 2)
    at = half, (gates, only(told.sides.settles, state))
    stage = partial(_currents, told.sides)
    i_ion, (slopes, (gates, coming)) = by_voltage(stage, setting, V_half, at)
    state = eqx.combine(gates, moved(rest, slopes, dt))
    return V + dt * (i_stim - i_ion), state, i_ion, eqx.combine(coming, slopes)


def gates_moved(of: Sides, setting: Setting, V: Float[Array, "..."], state: Any) -> Any:
    """The state with its gates dt later, V and all else staying as they are."""
    gates, rest = parts(of, state)
    read = only(of.moves_gates, rest)
    like = tuple((x.shape, x.dtype) for x in jax.tree.leaves(state))
    stage = partial(_gates, of, like)
    _, (read, gates) = by_voltage(stage, setting, V, (read, gates))
    return eqx.combine(gates, read, rest)


def moved(rest: Any, slopes: Any, dt: ArrayLike) -> Any:
    """What is no gate, dt later."""
    return jax.tree.map(lambda x, slope: x + dt * slope, rest, slopes)


@eqx.filter_jit  # traced once, for all that asks for it
@eqx.filter_checkpoint
def _start(of, setting, V, at):
    _, state = at
    now = rates(setting.model, V, state)
    h = setting.dt / 2
    gates = only(of.gate, relax(state, now.changes, h))
    return now.i_ion, (None, eqx.combine(gates, slopes_over(of, now.changes, state, h)))


@eqx.filter_jit
@eqx.filter_checkpoint
def _currents(of, setting, V, at):
    half, (gates, start) = at
    state, dt = eqx.combine(gates, half), setting.dt
    now = rates(setting.model, V, state)
    slopes = slopes_over(of, now.changes, eqx.combine(start, state), dt)
    # what settles goes on as these rates have it: by its last slope it would overshoot its limit
    # and blow up, where it is fast (calcium of Fabbri 2017 under the membrane, 18 per ms)
    end = eqx.combine(moved(start, only(of.settles, slopes), dt), state)
    coming = only(of.settles, slopes_over(of, now.changes, end, dt / 2))
    return now.i_ion, (slopes, (nothing(gates), coming))


@eqx.filter_jit
@eqx.filter_checkpoint
def _gates(of, like, setting, V, at):
    read, gates = at
    known, structure = jax.tree.flatten(eqx.combine(gates, read), is_leaf=none)
    each = zip(known, like, strict=True)  # of what is not read any number does
    state = structure.unflatten(jnp.zeros(*one) if x is None else x for x, one in each)
    changes = rates(setting.model, V, state).changes
    return None, (nothing(read), only(of.gate, relax(state, changes, setting.dt)))


def slopes_over(of: Sides, changes: PyTree, state: Any, dt: ArrayLike) -> PyTree:
    """Of what is no gate; mean slopes over dt of what settles."""

    def slope(change, new, old):
        return change.value if isinstance(change, Slope) else (new - old) / dt

    each = jax.tree.map(slope, changes, relax(state, changes, dt), state, is_leaf=is_change)
    return parts(of, each)[1]
