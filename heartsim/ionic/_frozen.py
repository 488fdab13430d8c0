"""A membrane's step at rates that are frozen where it starts."""

from functools import partial
from typing import Any

import equinox as eqx
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from ._rates import rates
from ._relax import relax
from ._sides import parts, sides
from ._stage import Setting, by_voltage, nothing
from ._staggered import gates_moved, moved, slopes_over


def frozen(
    setting: Setting, V: Float[Array, "..."], state: Any, i_stim: ArrayLike
) -> tuple[Float[Array, "..."], Any]:
    """V and the state after dt.

    In one program a processor keeps the old gates for whoever may still read them, and copies all
    of a state at each step, on one core; a GPU makes few kernels of it, which read the state once.
    """
    in_calls, at_once = partial(_in_calls, setting), partial(_at_once, setting)
    i_ion, state = lax.platform_dependent(V, state, cpu=in_calls, default=at_once)
    return V + setting.dt * (i_stim - i_ion), state


def _at_once(setting, V, state):
    now = rates(setting.model, V, state)
    return now.i_ion, relax(state, now.changes, setting.dt)


def _in_calls(setting, V, state):
    """The first says i_ion and what is no gate; gates, of which the second waits for V from the
    first, are then moved where they stand."""
    of = sides(setting.model, V, state)
    gates, rest = parts(of, state)
    stage = partial(_currents, of)
    i_ion, (slopes, (_, V_start)) = by_voltage(stage, setting, V, (rest, (gates, V)))
    state = gates_moved(of, setting, V_start, state)
    rest = moved(parts(of, state)[1], slopes, setting.dt)
    return i_ion, eqx.combine(rest, state)


@eqx.filter_jit
@eqx.filter_checkpoint
def _currents(of, setting, V, at):
    rest, (gates, V_start) = at
    state = eqx.combine(gates, rest)
    now = rates(setting.model, V, state)
    return now.i_ion, (slopes_over(of, now.changes, state, setting.dt), (nothing(gates), V_start))
