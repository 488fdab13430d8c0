"""Linear maps whose transpose is written apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from heartsim._linear import linear


def scaled(at, x):
    return at * x


@jax.custom_jvp
def sine(x):
    """Its slope is held by its derivative."""
    return jnp.sin(x)


@sine.defjvp
def _along(at, along):
    return sine(*at), linear(scaled, scaled, jnp.cos(*at), *along, "the angle")


@pytest.mark.parametrize("outer", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("inner", [jax.jacfwd, jax.jacrev])
def test_second_derivatives_by_what_is_held_are_refused_in_a_loop_too(outer, inner):
    """There JAX drops the rule of a `custom_jvp` before it differentiates a reverse sweep, and this
    value's would be those of a line."""

    def value(x):
        return (lax.scan(lambda x, _: (sine(x), None), x, length=3)[0] ** 2).sum()

    with pytest.raises(NotImplementedError, match="with respect to the angle are not available"):
        outer(inner(value))(jnp.array([0.3, 0.5]))


def test_second_derivatives_by_what_is_linear_are_right():
    """The value is half of x·a⁶x, in a loop and a batch."""
    a = jnp.array([0.5, 2.0])

    def value(x):
        end, _ = lax.scan(lambda x, _: (linear(scaled, scaled, a, x, "a"), None), x, length=3)
        return 0.5 * (end**2).sum()

    for inner in (jax.jacfwd, jax.jacrev):
        found = jax.vmap(jax.jacfwd(inner(value)))(jnp.ones((3, 2)))
        np.testing.assert_allclose(found, np.stack(3 * [np.diag(a**6)]), rtol=1e-5)
