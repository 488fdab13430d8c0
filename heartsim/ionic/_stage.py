"""A stage of a membrane's step, stored, and its derivative."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PyTree

from heartsim._linear import linear
from heartsim._loops import kept, stored

from ._model import AbstractIonicModel

WHAT = "what a membrane's step depends on"


class Setting(NamedTuple):
    """What all of a stage reads."""

    model: AbstractIonicModel
    dt: ArrayLike  # ms
    i_stim: ArrayLike = 0.0  # mV/ms


@eqx.filter_custom_jvp
def by_voltage(stage: Callable, setting: Setting, V: Float[Array, "..."], at: Any) -> Any:
    """stage(setting, V, at), stored: a pair in the structures of V and `at`. Where it says nothing
    of a leaf of `at`, that is handed on: what a reverse sweep has of it is so added in the stage.

    `at` is a pair: what the step computes, which a reverse sweep keeps, and what loops store.
    """
    V, said = stored(lambda now: stage(setting, *now), (V, at))
    return V, eqx.combine(said, at)


@by_voltage.def_jvp
def _along(given, along):
    stage, at, d = given[0], tuple(given[1:]), tuple(along[1:])
    out = by_voltage(*given)
    # by names that nothing else reads: what else is read JAX puts through `reduce_precision`
    at = at[0], kept(at[1]), (kept(at[2][0]), at[2][1])
    moving, still = eqx.partition(at, jax.tree.map(lambda d: d is not None, d, is_leaf=none))
    place = moving, still
    if len(jax.tree.leaves(d[1:])) == len(jax.tree.leaves(at[1:])):
        of = linear(partial(_pushed, stage), partial(_pulled, stage), place, d, WHAT)[1:]
    else:  # as in the first step of a run; JAX transposes
        of = _pushed(stage, place, d)[1:]
    return out, (None if out[0] is None else of[0], of[1])


def _pushed(stage, place, d):
    """The change of what the stage says, in the place of what moves."""
    moving, still = place

    def of(at):
        return jax.jvp(lambda moving: stage(*eqx.combine(moving, still)), at[:1], at[1:])[1]

    change = stored(of, (moving, d))
    zero = jax.tree.map(jnp.zeros_like, d[:2])
    return zero[0], eqx.combine(change[0], zero[1]), eqx.combine(change[1], d[2])


def _pulled(stage, place, cotangent):
    """The cotangents of what moves: transposes `_pushed`.

    By two calls, as all of a membrane depends on V: in one call XLA would store what both need,
    some 60 arrays (docs/performance.md).
    """
    (setting, V, at), still = place
    _, of_V, of_at = cotangent

    def by(V, rest):
        return stage(*eqx.combine((rest[0], V, rest[1]), still))

    V_said, said = jax.eval_shape(by, V, (setting, at))
    of_said = None if V_said is None else of_V, _where(lambda one: one is not None, said, of_at)
    handed_on = _where(none, said, of_at)

    def by_V(now):
        V, rest, of_said = now
        return jax.vjp(lambda V: by(V, rest), V)[1](of_said)[0]

    def by_rest(now):
        V, rest, of_said, handed_on = now
        of_setting, of_at = jax.vjp(lambda rest: by(V, rest), rest)[1](of_said)[0]
        return of_setting, jax.tree.map(lambda x, y: x if y is None else x + y, of_at, handed_on)

    rest = setting, at
    of_V = stored(by_V, (V, rest, of_said))
    of_setting, of_at = stored(by_rest, (V, rest, of_said, handed_on))
    return of_setting, of_V, of_at


def _where(so, said, tree):
    return jax.tree.map(lambda one, x: x if so(one) else None, said, tree, is_leaf=none)


def nothing(tree: PyTree) -> PyTree:
    """None at each leaf: nothing is said of it."""
    return jax.tree.map(lambda _: None, tree)


def none(x: Any) -> bool:
    """Whether a leaf is left out."""
    return x is None
