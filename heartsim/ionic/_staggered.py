"""A membrane's step with its gates half a step beside the rest, and its derivative."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PyTree

from heartsim._linear import linear
from heartsim._loops import kept, stored

from ._midpoint import of_stage
from ._model import AbstractIonicModel, Slope
from ._rates import rates
from ._relax import is_change, relax
from ._sides import Sides, sides


class Told(eqx.Module):
    """What a step tells the next of its series."""

    left: Int[Array, ""]  # steps to come
    ago: Float[Array, ""]  # steps from what follows to the coming half step: 1, at first 1/2
    i_ion: Float[Array, " nodes"]  # mV/ms
    slopes: PyTree  # per ms, of what is no gate; None of gates
    sides: Sides = eqx.field(static=True)


class Setting(NamedTuple):
    """What all of a stage reads."""

    model: AbstractIonicModel
    dt: ArrayLike  # ms


def parted(setting: Setting, V: Float[Array, "..."], state: Any, steps: ArrayLike):
    """The state with its gates half a step ahead, and what the first of so many steps is told."""
    of = sides(setting.model, V, state)
    i_ion, (_, said) = _by_voltage(partial(_start, of), setting, V, (None, state))
    gates, slopes = _parts(of, said)
    told = Told(jnp.asarray(steps, jnp.int32), jnp.asarray(0.5, V.dtype), i_ion, slopes, of)
    return eqx.combine(gates, state), told


def whole_step(
    setting: Setting, V: Float[Array, "..."], state: Any, told: Told, i_stim: ArrayLike
) -> tuple[Float[Array, "..."], Any, Float[Array, "..."], PyTree]:
    """V and the state with all but its gates dt later, and i_ion and the slopes at the half step,
    where gates stand."""
    dt = setting.dt
    gates, rest = _parts(told.sides, state)
    V_half, half = V + dt / 2 * (i_stim - told.i_ion), moved(rest, told.slopes, dt / 2)
    at = half, (gates, _only(told.sides.settles, state))
    i_ion, (slopes, (gates, _)) = _by_voltage(partial(_currents, told.sides), setting, V_half, at)
    return V + dt * (i_stim - i_ion), eqx.combine(gates, moved(rest, slopes, dt)), i_ion, slopes


def gates_moved(setting: Setting, V: Float[Array, "..."], state: Any, told: Told) -> Any:
    """The state with its gates dt later, V and all else staying as they are."""
    gates, rest = _parts(told.sides, state)
    read = _only(told.sides.moves_gates, rest)
    like = tuple((x.shape, x.dtype) for x in jax.tree.leaves(state))
    stage = partial(_gates, told.sides, like)
    _, (read, gates) = _by_voltage(stage, setting, V, (read, gates))
    return eqx.combine(gates, read, rest)


def moved(rest: Any, slopes: Any, dt: ArrayLike) -> Any:
    """What is no gate, dt later."""
    return jax.tree.map(lambda x, slope: x + dt * slope, rest, slopes)


@eqx.filter_jit  # traced once, for all that asks for it
@eqx.filter_checkpoint
def _start(of, setting, V, at):
    _, state = at
    now = rates(setting.model, V, state)
    gates = _only(of.gate, relax(state, now.changes, setting.dt / 2))
    return now.i_ion, (None, eqx.combine(gates, _slopes(of, now.changes, state, setting.dt)))


@eqx.filter_jit
@eqx.filter_checkpoint
def _currents(of, setting, V, at):
    half, (gates, start) = at
    state = eqx.combine(gates, half)
    now = rates(setting.model, V, state)
    slopes = _slopes(of, now.changes, eqx.combine(start, state), setting.dt)
    return now.i_ion, (slopes, (_nothing(gates), _nothing(start)))


@eqx.filter_jit
@eqx.filter_checkpoint
def _gates(of, like, setting, V, at):
    read, gates = at
    known, structure = jax.tree.flatten(eqx.combine(gates, read), is_leaf=_none)
    each = zip(known, like, strict=True)  # of what is not read any number does
    state = structure.unflatten(jnp.zeros(*one) if x is None else x for x, one in each)
    changes = rates(setting.model, V, state).changes
    return None, (_nothing(read), _only(of.gate, relax(state, changes, setting.dt)))


def _slopes(of, changes, state, dt):
    """Of what is no gate; mean slopes over dt of what settles."""

    def slope(change, new, old):
        return change.value if isinstance(change, Slope) else (new - old) / dt

    each = jax.tree.map(slope, changes, relax(state, changes, dt), state, is_leaf=is_change)
    return _parts(of, each)[1]


def _only(which, tree):
    leaves, structure = jax.tree.flatten(tree, is_leaf=_none)
    return structure.unflatten(x if yes else None for yes, x in zip(which, leaves, strict=True))


def _parts(of, tree):
    """The gates, and the rest."""
    return _only(of.gate, tree), _only([not gate for gate in of.gate], tree)


@eqx.filter_custom_jvp
def _by_voltage(stage: Callable, setting: Setting, V: Float[Array, "..."], at: Any) -> Any:
    """stage(setting, V, at), stored: a pair in the structures of V and `at`. Where it says nothing
    of a leaf of `at`, that is handed on: what a reverse sweep has of it is so added in the stage.

    `at` is a pair: what the step computes, which a reverse sweep keeps, and what loops store.
    """
    V, said = stored(lambda now: stage(setting, *now), (V, at))
    return V, eqx.combine(said, at)


@_by_voltage.def_jvp
def _along(given, along):
    stage, at, d = given[0], tuple(given[1:]), tuple(along[1:])
    out = _by_voltage(*given)
    # by names that nothing else reads: what else is read JAX puts through `reduce_precision`
    at = at[0], kept(at[1]), (kept(at[2][0]), at[2][1])
    moving, still = eqx.partition(at, jax.tree.map(lambda d: d is not None, d, is_leaf=_none))
    place = moving, still
    if len(jax.tree.leaves(d[1:])) == len(jax.tree.leaves(at[1:])):
        pushed, pulled = partial(_pushed, stage), partial(_pulled, stage)
        of = linear(pushed, pulled, place, d, "what a membrane's step depends on")[1:]
    else:  # as in the first step of a run; JAX transposes
        of = _pushed(stage, place, d)[1:]
    return out, (None if out[0] is None else of[0], of[1])


def _pushed(stage, place, d):
    """The change of what the stage says, in the place of what moves."""
    moving, still = place

    def of(at):
        return jax.jvp(lambda moving: stage(*eqx.combine(moving, still)), at[:1], at[1:])[1]

    change = stored(of, (moving, d))
    nothing = jax.tree.map(jnp.zeros_like, d[:2])
    return nothing[0], eqx.combine(change[0], nothing[1]), eqx.combine(change[1], d[2])


def _pulled(stage, place, cotangent):
    """The cotangents of what moves: transposes `_pushed`."""
    (setting, V, at), still = place
    _, of_V, of_at = cotangent

    def by(V, rest):
        return stage(*eqx.combine((rest[0], V, rest[1]), still))

    V_said, said = jax.eval_shape(by, V, (setting, at))
    of_said = None if V_said is None else of_V, _where(lambda one: one is not None, said, of_at)
    handed_on = _where(lambda one: one is None, said, of_at)
    so_far = None, (_nothing(setting), handed_on)
    of_V, (of_setting, of_at) = of_stage(by, V, (setting, at), of_said, so_far)
    return of_setting, of_V, of_at


def _where(so, said, tree):
    return jax.tree.map(lambda one, x: x if so(one) else None, said, tree, is_leaf=_none)


def _nothing(tree):
    return jax.tree.map(lambda _: None, tree)


def _none(x):
    return x is None
