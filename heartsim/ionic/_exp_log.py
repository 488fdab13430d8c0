"""The exponential and the logarithm of membranes.

On a processor the exponential takes half the time of XLA's in float32. XLA gives each of its own
logarithms a loop of its own, on one core; these become part of the loop that asks for them.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

WHOLE = 1.5 * 2**23 + 127  # a float32 near it ends in the bits of k + 127, the exponent of 2ᵏ
SERIES = (0.00831252, 0.04189016, 0.16667115, 0.49999231, 1.0, 1.0)
"""Of exp(r) for |r| <= ln 2 / 2, highest power first, relative error 1.1e-7: the two lowest as
they are, the others by least squares weighted until the error was equal all over (Lawson)."""

ROOT_HALF = np.float32(math.sqrt(0.5)).view(np.int32)
BEYOND = (
    0.08734841,
    -0.14307521,
    0.14917974,
    -0.16570508,
    0.19962072,
    -0.25001755,
    0.33333950,
    -0.49999992,
)
"""Of (log(1 + f) - f) / f² for √½ <= 1 + f <= √2, highest power first, made like SERIES: relative
error of the logarithm 3e-8."""


@jax.custom_jvp
def exp(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """exp(x). In float32 2ᵏ exp(r), x = k ln 2 + r, from e⁻⁸⁷ to e⁸⁸ and no farther; its relative
    error is 3e-7 + 6e-8 |x| at most, of which the rounding of x alone is the second part."""
    if x.dtype != jnp.float32:
        return jnp.exp(x)
    x = jnp.clip(x, -87.0, 88.0)
    k = lax.round(x * math.log2(math.e), lax.RoundingMethod.TO_NEAREST_EVEN)
    r = x - k * math.log(2)
    power = jnp.full_like(x, SERIES[0])
    for coefficient in SERIES[1:]:
        power = power * r + coefficient
    bits = lax.bitcast_convert_type(k + WHOLE, jnp.int32) << 23
    return power * lax.bitcast_convert_type(bits, jnp.float32)


@exp.defjvp
def _(at, along):
    y = exp(*at)
    return y, along[0] * y


@jax.custom_jvp
def log(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """log(x). In float32 k ln 2 + log(1 + f), x = 2ᵏ (1 + f), for normal numbers, to 1.5e-7 of the
    logarithm; NaN for 0 and less."""
    if x.dtype != jnp.float32:
        return jnp.log(x)
    bits = lax.bitcast_convert_type(x, jnp.int32) - ROOT_HALF
    k = (bits >> 23).astype(x.dtype)
    f = lax.bitcast_convert_type((bits & 0x7FFFFF) + ROOT_HALF, x.dtype) - 1
    beyond = jnp.full_like(x, BEYOND[0])
    for coefficient in BEYOND[1:]:
        beyond = beyond * f + coefficient
    return jnp.where(x > 0, k * math.log(2) + (f + f * f * beyond), jnp.nan)


@log.defjvp
def _(at, along):
    return log(*at), along[0] / at[0]
