"""A linear map whose transpose is written apart."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
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

    return _together(lax.custom_linear_solve(lambda x: x, _together(x), solve, solve_transposed))


def first_order_only(x: Array, what: str) -> Array:
    """x, which a rule of ours holds constant: a second derivative, which would come out wrong, is
    refused by NotImplementedError and named as one with respect to `what`."""
    return _held.bind(x, what=what)


def _refuse_second_order(primals, tangents, *, what):
    if not isinstance(tangents[0], ad.Zero):
        raise NotImplementedError(
            f"second derivatives with respect to {what} are not available: "
            "use Gauss-Newton, which needs first derivatives only."
        )
    return _held.bind(primals[0], what=what), tangents[0]


# a primitive, as of a `custom_jvp` in a loop's body JAX drops the rule before it differentiates the
# reverse sweep
_held = Primitive("first_order_only")
_held.def_impl(lambda x, *, what: x)
_held.def_abstract_eval(lambda x, *, what: x)
ad.primitive_jvps[_held] = _refuse_second_order
batching.defvectorized(_held)
mlir.register_lowering(_held, lambda _, x, *, what: [x])


def _together(x: PyTree) -> PyTree:
    """x, of which all has a derivative where some has: else `custom_linear_solve` fails."""
    leaves, structure = jax.tree.flatten(x)
    return jax.tree.unflatten(structure, _moving.bind(*leaves))


def _move(primals, tangents):
    return _moving.bind(*primals), _moving.bind(*map(ad.instantiate_zeros, tangents))


def _back(cotangents, *xs):
    each = zip(_moving.bind(*map(ad.instantiate_zeros, cotangents)), xs, strict=True)
    return [cotangent if ad.is_undefined_primal(x) else None for cotangent, x in each]


_moving = Primitive("moving")
_moving.multiple_results = True
_moving.def_impl(lambda *xs: list(xs))
_moving.def_abstract_eval(lambda *xs: list(xs))
ad.primitive_jvps[_moving] = _move
ad.primitive_transposes[_moving] = _back
batching.primitive_batchers[_moving] = lambda xs, axes: (_moving.bind(*xs), axes)
mlir.register_lowering(_moving, lambda _, *xs: list(xs))
