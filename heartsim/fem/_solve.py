"""One linear solve: conjugate gradients."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from ._rows import Rows, off_product


class ScaledMatrix(eqx.Module):
    """A symmetric positive matrix under its Jacobi scaling, S A S with unit diagonal."""

    rows: Rows
    scale: Float[Array, " nodes"]  # S = diag(A)^-1/2

    def __matmul__(self, x: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
        """S A S x."""
        return x + off_product(self.rows.spread, self.rows.off, self.rows.neighbour, x)


def scaled_matrix(A: Rows) -> ScaledMatrix:
    """A under its Jacobi scaling."""
    scale = 1 / jnp.sqrt(A.diagonal)
    return ScaledMatrix(A.scaled(scale), scale)


class ConjugateGradients(eqx.Module):
    """Solve S A S x = b until |b - S A S x| ≤ rtol |b|, at most `max_steps` iterations.

    Hestenes and Stiefel (1952), J. Res. Nat. Bur. Stand. 49, 409-436. It starts from zero: a
    start from the last solutions saves two iterations of six and costs more than they do, see
    docs/performance.md. The default tolerance moves activation times by 0.004 ms at most and
    gradients by 5e-4 of their size (docs/numerics.md).
    """

    rtol: float = eqx.field(static=True, default=1e-3)
    max_steps: int = eqx.field(static=True, default=200)

    def __call__(
        self, A: ScaledMatrix, b: Float[Array, " nodes"]
    ) -> tuple[Float[Array, " nodes"], Int[Array, ""]]:
        """The solution, and the iterations taken.

        The derivative of the solve is one more solve, to the same tolerance (implicit function
        theorem): A dx = db - dA x, which transposes as A is symmetric.
        """

        def solve(matvec, b):
            return self._iterate(matvec, A.rows.spread.total, b)

        return lax.custom_linear_solve(A.__matmul__, b, solve, symmetric=True, has_aux=True)

    def _iterate(self, matvec, total, b):
        def unfinished(c):
            return (c[3] > enough) & (c[4] < self.max_steps)

        def iterate(c):
            x, r, p, rr, k = c
            Ap = matvec(p)
            alpha = rr / total(p @ Ap)
            x, r = x + alpha * p, r - alpha * Ap
            rr, old = total(r @ r), rr
            return x, r, r + rr / old * p, rr, k + 1

        bb = total(b @ b)
        enough = self.rtol**2 * bb
        start = (jnp.zeros_like(b), b, b, bb, jnp.int32(0))
        x, _, _, _, steps = lax.while_loop(unfinished, iterate, start)
        return x, steps
