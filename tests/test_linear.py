"""A linear map whose transpose is written apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim._linear import linear

X = np.array([1.0, -2.0, 5.0])


def place(scale=2.0):
    return {"scale": jnp.asarray(scale), "k": jnp.arange(3), "name": "text"}


def ours(x, scale=2.0):
    return linear(of, thrice, place(scale), jnp.asarray(x), "its scale")


def of(at, x):
    return jnp.sin(at["scale"]) * jnp.roll(x, 1) * at["k"]


def thrice(at, y):
    """Not the transpose, so that a reverse sweep shows whom it asked."""
    return 3 * jnp.sin(at["scale"]) * jnp.roll(y * at["k"], -1)


def test_forward_takes_the_map_and_reverse_the_transpose(x64):
    y = np.cos(X)
    np.testing.assert_array_equal(ours(X), of(place(), X))
    np.testing.assert_array_equal(jax.jvp(ours, (X,), (y,))[1], of(place(), y))
    np.testing.assert_array_equal(jax.vjp(ours, X)[1](y)[0], thrice(place(), y))


def test_it_batches_in_both_modes(x64):
    many = np.stack([X, 2 * X])
    np.testing.assert_array_equal(jax.vmap(ours)(many), [of(place(), x) for x in many])
    np.testing.assert_array_equal(jax.jacrev(ours)(X), 3 * jax.jacfwd(ours)(X))


@pytest.mark.parametrize("outer", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("inner", [jax.jacfwd, jax.jacrev])
def test_a_derivative_by_what_it_depends_on_is_refused(x64, outer, inner):
    with pytest.raises(NotImplementedError, match=r"respect to its scale .* Gauss-Newton"):
        outer(inner(ours), argnums=1)(X, 2.0)
