"""Functions of voltage that jump: as published, or led over."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import Parameter
from .._safe import sigmoid

Nodes = Float[Array, "..."]


def joined(
    V: Nodes, below: Nodes | float, above: Nodes | float, at: Parameter, width: Parameter | None
) -> Nodes:
    """`below` under `at` [mV], `above` from there on; a sigmoid leads over if it has a width."""
    if width is None:
        return jnp.where(at > V, below, above)
    past = (V - at) / width
    return sigmoid(-past) * below + sigmoid(past) * above  # 1 - sigmoid would lose all its digits
