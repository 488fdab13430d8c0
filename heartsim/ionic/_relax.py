"""How a state advances at frozen rates."""

from typing import Any

import jax
from jax.typing import ArrayLike
from jaxtyping import PyTree

from ._exchange import coupled_in, exchanged
from ._exp_log import exp
from ._model import Coupled, Relaxation, Slope


def relax(state: PyTree, changes: PyTree, dt: ArrayLike) -> PyTree:
    """Advance each leaf by `dt` at frozen rates: exactly if it relaxes, by the implicit midpoint
    rule if it is coupled to others, else by forward Euler."""

    def advance(change, x):
        if isinstance(change, dict):
            rows = coupled_in(change)
            rest = {name: one for name, one in change.items() if name not in rows}
            return relax({name: x[name] for name in rest}, rest, dt) | exchanged(x, rows, dt)
        if isinstance(change, Relaxation):
            return change.limit + (x - change.limit) * exp(-dt * change.rate)
        return x + dt * change.value

    def whole(x: Any) -> bool:
        return is_change(x) or (isinstance(x, dict) and bool(coupled_in(x)))

    return jax.tree.map(advance, changes, state, is_leaf=whole)


def is_change(x: Any) -> bool:
    """Tell a change from the containers around it."""
    return isinstance(x, Relaxation | Slope | Coupled)
