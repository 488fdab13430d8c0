"""A membrane's rates, with the derivative that a reverse sweep wants."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._model import AbstractIonicModel, Rates


def rates(model: AbstractIonicModel, V: Float[Array, "..."], state: Any) -> Rates:
    """`model.rates(V, state)`, whose slopes by V are computed forward in either mode.

    What a node's membrane says depends on one voltage, that of the node. So one forward direction,
    1 at every node, gives all slopes by V, and a reverse sweep adds up slope times cotangent. Left
    to itself it goes back through each gate on its own, which takes half as long again.
    """
    return _by_voltage(model, V, state) if model.by_node else model.rates(V, state)


@eqx.filter_custom_jvp
def _by_voltage(model, V, state):
    return model.rates(V, state)


@_by_voltage.def_jvp
def _along(at, along):
    model, V, state = at
    d_model, d_V, d_state = along
    now, change = eqx.filter_jvp(
        lambda model, state: model.rates(V, state), (model, state), (d_model, d_state)
    )
    if d_V is None:
        return now, change
    _, slopes = jax.jvp(lambda V: model.rates(V, state), (V,), (jnp.ones_like(V),))

    def total(change, slope):
        return slope * d_V if change is None else change + slope * d_V

    return now, jax.tree.map(total, change, slopes, is_leaf=lambda x: x is None)
