"""Levenberg-Marquardt against problems whose answer is exact."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.fit import levenberg_marquardt


def of(residual):
    """`residual` and its linear form, as the search wants them."""
    r = jax.jit(residual)

    @jax.jit
    def linear(x):
        value, push = jax.linearize(residual, x)
        return value, jax.vmap(push)(jnp.eye(len(x)))

    return r, linear


def test_a_linear_problem_is_solved_exactly(x64):
    """|r|² has sixteen digits, so that its minimum is seen to eight."""
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(20, 4)), rng.normal(size=20)
    found = levenberg_marquardt(*of(lambda x: A @ x - b), np.zeros(4), steps=8, rtol=0.0)
    exact, rest, *_ = np.linalg.lstsq(A, b)
    np.testing.assert_allclose(found.theta, exact, rtol=1e-8)
    assert found.cost == pytest.approx(rest[0], rel=1e-12)


def test_rosenbrocks_valley_is_walked_to_its_end(x64):
    """Rosenbrock (1960): r = (10 (y - x²), 1 - x), zero at (1, 1)."""
    valley = of(lambda p: jnp.stack([10 * (p[1] - p[0] ** 2), 1 - p[0]]))
    found = levenberg_marquardt(*valley, np.array([-1.2, 1.0]), steps=100)
    np.testing.assert_allclose(found.theta, 1.0, atol=1e-9)  # the last step squares the error
    short = levenberg_marquardt(*valley, np.array([-1.2, 1.0]), steps=3)
    assert short.steps == 3
    assert not short.converged


def test_steps_are_shortened_as_a_whole_and_a_dead_unknown_stays(x64):
    line = of(lambda p: jnp.stack([p[0] - 30.0, 2 * (p[1] - 30.0), 0.0 * p[2]]))
    one = levenberg_marquardt(*line, np.zeros(3), steps=1, longest=np.array([3.0, 1.0, 1.0]))
    np.testing.assert_allclose(one.theta, [1.0, 1.0, 0.0], rtol=1e-12)  # both would go 30
    done = levenberg_marquardt(*line, np.array([0.0, 0.0, 7.0]), steps=20)
    np.testing.assert_allclose(done.theta, [30.0, 30.0, 7.0], rtol=1e-9)


def test_a_step_that_is_no_number_is_not_taken(x64):
    """log falls off at 0, where the first step from 3 would land."""
    found = levenberg_marquardt(*of(lambda x: jnp.log(x / 0.5)), np.array([3.0]), steps=30)
    np.testing.assert_allclose(found.theta, 0.5, rtol=1e-9)
