"""A linear map whose transpose is written apart."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import PyTree


@eqx.filter_custom_jvp
def linear(
    of: Callable[[Any, PyTree], PyTree],
    transposed: Callable[[Any, PyTree], PyTree],
    at: Any,
    x: PyTree,
) -> PyTree:
    """of(at, x), linear in x and of its shapes, of which a reverse sweep takes `transposed`.

    `custom_linear_solve` of the identity is the one transformation that carries a transpose of our
    own and batches too (`linear_call` does not batch). Second derivatives go through `of`.
    """

    def solve(_, x):
        return of(at, x)

    def solve_transposed(_, y):
        return transposed(at, y)

    return lax.custom_linear_solve(lambda x: x, x, solve, solve_transposed)


@linear.def_jvp
def _along(primals, tangents):
    of, transposed, at, x = primals
    _, _, d_at, d_x = tangents
    y = linear(of, transposed, at, x)
    if jax.tree.leaves(d_at):
        _, d_y = eqx.filter_jvp(lambda at: of(at, x), (at,), (d_at,))
    else:
        d_y = jax.tree.map(jnp.zeros_like, y)
    if jax.tree.leaves(d_x):
        d_y = jax.tree.map(jnp.add, d_y, linear(of, transposed, at, d_x))
    return y, d_y
