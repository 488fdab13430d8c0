"""Functions that meet 0/0 or overflow, written once so that value and gradient stay exact."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._exp_log import exp


@jax.custom_jvp
def sigmoid(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + exp(-x))


@sigmoid.defjvp
def _(at, along):
    y = sigmoid(*at)
    return y, along[0] * (y * (1 - y))


def x_over_expm1(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """x / (exp(x) - 1), which is 1 at 0 with slope -1/2; both hold exactly.

    Below |x| = 0.1 the Taylor series to x⁶ (Bernoulli numbers): its next term, x⁸/1209600, is
    1e-14 there, and the quotient's derivative would lose digits as 1/x². Beyond it exp(x) - 1 loses
    one digit, and costs a fifth of expm1.
    """
    near = jnp.abs(x) < 0.1
    far = jnp.where(near, 1.0, x)  # keeps the unused branch, and its gradient, finite
    xx = x * x
    series = 1.0 - x / 2 + xx / 12 * (1.0 - xx / 60 * (1.0 - xx / 42))
    return jnp.where(near, series, far / (exp(far) - 1.0))
