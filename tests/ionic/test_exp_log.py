"""The exponential and the logarithm that membranes use."""

import jax
import jax.numpy as jnp
import numpy as np

from heartsim.ionic._exp_log import exp, log

RANGE = np.linspace(-86.5, 87.5, 200_001, dtype=np.float32)


def test_single_precision_is_as_good_as_its_argument():
    """3e-7: 1.1e-7 of the series and three roundings; 6e-8 |x|: half a digit of x."""
    exact = np.exp(RANGE.astype(float))
    error = np.abs(np.asarray(jax.jit(exp)(RANGE), float) / exact - 1)
    assert (error < 3e-7 + 6e-8 * np.abs(RANGE)).all()


def test_it_stays_finite_and_lets_nan_through():
    x = jnp.array([-jnp.inf, -1e30, -0.0, 0.0, 1e30, jnp.inf, jnp.nan], jnp.float32)
    tiny, less, one, also, large, more, nan = exp(x)
    assert 0 <= tiny == less < 2e-38
    assert one == also == 1
    assert 1e38 < large == more < jnp.inf
    assert jnp.isnan(nan)


def test_its_derivatives_are_itself():
    x = jnp.array(1.7, jnp.float32)
    assert exp(x) == jax.grad(exp)(x) == jax.grad(jax.grad(exp))(x) == jax.jvp(exp, (x,), (1.0,))[1]


def test_the_logarithm_is_good_to_its_last_digit():
    """1.5e-7: 3e-8 of the series, one rounding of the sum (6e-8) and a few within."""
    x = np.exp(np.linspace(-87, 88, 200_001)).astype(np.float32)
    x = np.concatenate([x, 1 + np.linspace(-0.5, 1, 100_001, dtype=np.float32)])
    exact = np.log(x.astype(float))
    error = np.abs(np.asarray(jax.jit(log)(x), float) - exact)
    assert (error <= 1.5e-7 * np.abs(exact)).all()


def test_no_number_has_the_logarithm_of_what_is_not_above_zero():
    assert jnp.isnan(log(jnp.array([-jnp.inf, -1.0, -0.0, 0.0, jnp.nan], jnp.float32))).all()


def test_the_logarithm_s_derivatives():
    x = jnp.array(1.7, jnp.float32)
    assert jax.grad(log)(x) == 1 / x == jax.jvp(log, (x,), (jnp.ones_like(x),))[1]
    assert jax.grad(jax.grad(log))(x) == -1 / x**2


def test_double_precision_is_that_of_the_library(x64):
    x = RANGE.astype(float)
    assert (exp(jnp.asarray(x)) == jnp.exp(x)).all()
    assert (log(jnp.exp(x)) == jnp.log(jnp.exp(x))).all()
