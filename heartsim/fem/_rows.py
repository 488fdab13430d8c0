"""A symmetric sparse matrix as padded rows, and its product with a vector."""

from collections.abc import Sequence
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray

from ._spread import AbstractSpread, Whole, strips


class Rows(eqx.Module):
    """A symmetric matrix: its diagonal, and the off-diagonal entries of each row by slot."""

    neighbour: Int[AnyArray, "slots nodes"]
    off: Float[Array, "slots nodes"]
    diagonal: Float[Array, " nodes"]
    spread: AbstractSpread = Whole()

    def __matmul__(self, x: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
        """y_i = a_ii x_i + Σ_j a_ij x_j."""
        return self.diagonal * x + off_product(self.spread, self.off, self.neighbour, x)

    def plus(self, factor: Float[Array, ""] | float, other: "Rows") -> "Rows":
        """self + factor · other, on the same pattern."""
        return Rows(
            self.neighbour,
            self.off + factor * other.off,
            self.diagonal + factor * other.diagonal,
            self.spread,
        )

    def scaled(self, s: Float[Array, " nodes"]) -> "Rows":
        """S A S with S = diag(s); symmetric as A is."""
        beside = self.spread.around(jnp.asarray(s))[self.neighbour]
        return Rows(self.neighbour, self.off * s * beside, self.diagonal * s**2, self.spread)

    def over(self, devices: Sequence[jax.Device]) -> "Rows":
        """The same matrix in strips, one a device; ValueError as `strips` has it."""
        cut = strips(self.neighbour, devices)
        nodes, width = self.diagonal.size, self.diagonal.size // len(devices)
        first = np.arange(nodes) // width * width - cut.halo
        near = (np.asarray(self.neighbour) - first).astype(np.int32)
        return cut.placed(Rows(near, self.off, self.diagonal, cut))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def off_product(
    spread: AbstractSpread,
    off: Float[Array, "slots nodes"],
    neighbour: Int[AnyArray, "slots nodes"],
    x: Float[Array, " nodes"],
) -> Float[Array, " nodes"]:
    """y_i = Σ_s off_si x_neighbour(s,i) of a symmetric matrix, unrolled over the slots.

    The adjoint of a gather is a scatter, which is slow on a GPU; as the matrix is symmetric
    the product is its own adjoint, and says so here. First derivatives only.
    """
    return _gather_sum(spread, off, neighbour, x)


def _gather_sum(spread, off, neighbour, x):
    x = spread.around(jnp.asarray(x))
    neighbour = jnp.asarray(neighbour)
    y = off[0] * x.at[neighbour[0]].get(mode="promise_in_bounds")
    for s in range(1, neighbour.shape[0]):
        y = y + off[s] * x.at[neighbour[s]].get(mode="promise_in_bounds")
    return y


@off_product.defjvp
def _off_product_jvp(spread, primals, tangents):
    off, neighbour, x = primals
    d_off, _, d_x = tangents
    change = _own_adjoint(spread, off, neighbour, d_x) + _gather_sum(spread, d_off, neighbour, x)
    return off_product(spread, off, neighbour, x), change


def _own_adjoint(spread, off, neighbour, v):
    """The product as a linear map of v whose transpose is itself; `off` is constant here.

    `custom_linear_solve` of the identity is the one transformation that carries a transpose
    of our own and batches too (`linear_call` does not batch).
    """
    off = first_order_only(off, "a matrix (conductivity)")
    return lax.custom_linear_solve(
        lambda u: u, v, lambda _, b: _gather_sum(spread, off, neighbour, b), symmetric=True
    )


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
