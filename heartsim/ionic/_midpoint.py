"""A membrane's step by rates at the half step, and its derivative."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from heartsim._linear import linear
from heartsim._loops import kept, stored

from ._model import AbstractIonicModel
from ._rates import rates
from ._relax import relax

Cell = tuple[Float[Array, "..."], Any]
"""V [mV] and the state."""


class Given(NamedTuple):
    """What is the same for both stages of a step."""

    model: AbstractIonicModel
    dt: ArrayLike  # ms
    i_stim: ArrayLike  # mV/ms


@eqx.filter_custom_jvp
def midpoint(given: Given, now: Cell) -> tuple[Cell, Float[Array, "..."]]:
    """V and the state after dt by rates at the half step, and i_ion now, which derivatives take as
    constant.

    The half step is stored, not computed again for every gate of the second stage.
    """
    half, i_ion = _first(given, now)
    return _second(given, now, half), i_ion


@midpoint.def_jvp
def _along(at, along):
    """A reverse sweep keeps what stands before either stage and no more."""
    half, i_ion = _first(*at)
    new = _second(*at, half)
    changing = jax.tree.map(lambda d: d is not None, along, is_leaf=lambda d: d is None)
    moving, still = eqx.partition(at, changing)
    # by a name that nothing else reads: what else is read JAX puts through `reduce_precision`
    half = kept(half)
    place = moving, still, half
    if all(jax.tree.leaves(changing[1])):
        _, change = linear(_pushed, _pulled, place, along, "what a midpoint step depends on")
    else:  # as in the first step of a run; JAX transposes
        _, change = _pushed(place, along)
    return (new, i_ion), (change, jnp.zeros_like(i_ion))


def _first(given: Given, now: Cell) -> tuple[Cell, Float[Array, "..."]]:
    return stored(lambda now: _stage(given, now, now, 0.5), now)


def _second(given: Given, now: Cell, half: Cell) -> Cell:
    return stored(lambda at: _stage(given, at[0], at[1], 1.0)[0], (half, now))


@eqx.filter_jit  # traced once, for all that asks for it
@eqx.filter_checkpoint
def _stage(given: Given, at: Cell, start: Cell, share: float) -> tuple[Cell, Float[Array, "..."]]:
    """`start` a share of dt later by the rates of `at`, and i_ion there.

    A checkpoint, or the gradient of a loop would have what is the same for all its steps computed
    before it: the numbers of a membrane, each as an array of all nodes.
    """
    V, state = start
    now, h = rates(given.model, *at), share * given.dt
    return (V + h * (given.i_stim - now.i_ion), relax(state, now.changes, h)), now.i_ion


def _stages(still):
    """What moves through either stage: `first` from (V, (given, state)) to the half step, `second`
    from (V at the half step, (the state there, what moves)) to the cell after the step."""

    def first(V, rest):
        given, now = eqx.combine((rest[0], (V, rest[1])), still)
        return _stage(given, now, now, 0.5)[0]

    def second(V, rest):
        given, now = eqx.combine(rest[1], still)
        return _stage(given, (V, rest[0]), now, 1.0)[0]

    return first, second


def _pushed(place, along):
    """The change of the cell after the step, from those of what moves; nothing of what is given."""
    moving, still, half = place
    first, second = _stages(still)

    def of_first(at):
        return jax.jvp(lambda given, now: first(now[0], (given, now[1])), *at)[1]

    def of_second(at):
        return jax.jvp(lambda half, moving: second(half[0], (half[1], moving)), *at)[1]

    d_half = stored(of_first, (moving, along))
    change = stored(of_second, ((half, moving), (d_half, along)))
    return jax.tree.map(jnp.zeros_like, along[0]), change


def _pulled(place, cotangent):
    """The cotangents of what moves, from that of the cell after the step: transposes `_pushed`."""
    moving, still, half = place
    first, second = _stages(still)
    of_V, (of_state, so_far) = of_stage(second, half[0], (half[1], moving), cotangent[1])
    given, (V, state) = moving
    of_given, of_now = so_far
    V, (given, state) = of_stage(
        first, V, (given, state), (of_V, of_state), (of_now[0], (of_given, of_now[1]))
    )
    return given, (V, state)


def of_stage(stage: Callable, V: Any, rest: Any, cotangent: Any, so_far: Any = (None, None)):
    """The cotangents of V and of the rest, and what there was of them so far.

    By two calls, as all of a membrane depends on V: in one call XLA would store what both need,
    some 60 arrays (docs/performance.md).
    """

    def of_V(at):
        V, rest, cotangent, so_far = at
        return _sum(so_far, jax.vjp(lambda V: stage(V, rest), V)[1](cotangent)[0])

    def of_rest(at):
        V, rest, cotangent, so_far = at
        return _sum(so_far, jax.vjp(lambda rest: stage(V, rest), rest)[1](cotangent)[0])

    return (
        stored(of_V, (V, rest, cotangent, so_far[0])),
        stored(of_rest, (V, rest, cotangent, so_far[1])),
    )


def _sum(so_far, more):
    """What there was and what comes to it, leaf by leaf; None for nothing."""
    if so_far is None:
        return more
    return jax.tree.map(lambda x, y: x if y is None else x + y, more, so_far)
