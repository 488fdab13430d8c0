"""A membrane's step by rates at the half step."""

from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from ._rates import rates
from ._relax import relax
from ._stage import Setting, by_voltage, nothing


def midpoint(
    setting: Setting, V: Float[Array, "..."], state: Any
) -> tuple[Float[Array, "..."], Any, Float[Array, "..."]]:
    """V and the state after dt by rates at the half step, and V at the half step.

    The half step is stored, not computed again for every gate of the second stage.
    """
    V_half, (_, half) = by_voltage(_first, setting, V, (None, state))
    V_new, (_, (_, new)) = by_voltage(_second, setting, V_half, (half, (V, state)))
    return V_new, new, V_half


@eqx.filter_jit  # traced once, for all that asks for it
@eqx.filter_checkpoint
def _first(setting, V, at):
    V, state = _moved(setting, V, at[1], V, at[1], 0.5)
    return V, (None, state)


@eqx.filter_jit
@eqx.filter_checkpoint
def _second(setting, V, at):
    half, (V_start, start) = at
    V, state = _moved(setting, V, half, V_start, start, 1.0)
    return V, (nothing(half), (None, state))


def _moved(setting, V, state, V_start, start, share):
    """The start a share of dt later by the rates of V and the state.

    Stages are checkpoints, or the gradient of a loop would have what is the same for all its steps
    computed before it: the numbers of a membrane, each as an array of all nodes.
    """
    now, h = rates(setting.model, V, state), share * setting.dt
    return V_start + h * (setting.i_stim - now.i_ion), relax(start, now.changes, h)
