"""A linear map whose transpose is written apart."""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, PyTree


def linear(
    of: Callable[[Any, PyTree], PyTree],
    transposed: Callable[[Any, PyTree], PyTree],
    at: Any,
    x: PyTree,
    what: str,
) -> PyTree:
    """of(at, x), linear in x and of its shapes, of which a reverse sweep takes `transposed`. First
    derivatives only: one by `at` is refused as a second one with respect to `what`.

    `custom_linear_solve` of the identity is the one transformation that carries a transpose of our
    own and batches too (`linear_call` does not batch).
    """

    def guarded(leaf):
        return first_order_only(leaf, what) if eqx.is_inexact_array(leaf) else leaf

    at = jax.tree.map(guarded, at)

    def solve(_, x):
        return of(at, x)

    def solve_transposed(_, y):
        return transposed(at, y)

    return lax.custom_linear_solve(lambda x: x, x, solve, solve_transposed)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def first_order_only(x: Array, what: str) -> Array:
    """x, which a rule of ours holds constant: a second derivative, which would come out wrong, is
    refused by NotImplementedError and named as one with respect to `what`."""
    return x


def _refuse_second_order(what, primals, tangents):
    if not isinstance(tangents[0], jax.custom_derivatives.SymbolicZero):
        raise NotImplementedError(
            f"second derivatives with respect to {what} are not available: "
            "use Gauss-Newton, which needs first derivatives only."
        )
    return primals[0], jnp.zeros_like(primals[0])


first_order_only.defjvp(_refuse_second_order, symbolic_zeros=True)
