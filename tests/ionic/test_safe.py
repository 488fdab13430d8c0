"""The removable 0/0 of x / (exp(x) - 1)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import sigmoid, x_over_expm1


def test_value_and_slope_are_exact_at_zero():
    value, slope = jax.value_and_grad(x_over_expm1)(jnp.array(0.0))
    assert (value, slope) == (1.0, -0.5)


def test_value_and_slope_agree_with_long_arithmetic(x64):
    """Against np.longdouble, away from 0 where the quotient is safe; 1e-12 is the series' end."""
    x = np.concatenate([-np.logspace(-3, 2, 101), np.logspace(-3, 2, 101)])
    e = np.expm1(x.astype(np.longdouble))
    exact = x / e
    slope = (e - x * (e + 1)) / e**2
    got, got_slope = jax.vmap(jax.value_and_grad(x_over_expm1))(jnp.asarray(x))
    np.testing.assert_allclose(got, exact.astype(float), rtol=1e-13)
    np.testing.assert_allclose(got_slope, slope.astype(float), rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("x", [-80.0, 80.0])
def test_single_precision_does_not_overflow(x):
    x = jnp.array(x, jnp.float32)
    assert jnp.isfinite(jax.grad(x_over_expm1)(x))
    assert jnp.isfinite(sigmoid(20 * x))
