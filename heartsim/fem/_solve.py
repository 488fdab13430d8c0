"""One linear solve: conjugate gradients."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._types import Nodal

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
    """Solve A x = b by iterating on S A S until |S (b - A x)| ≤ rtol |S b|, or `max_steps` times.

    Hestenes and Stiefel (1952), J. Res. Nat. Bur. Stand. 49, 409-436. It starts from zero: a
    start from the last solutions saves two iterations of six and costs more than they do, see
    docs/performance.md. The default tolerance moves activation times by 0.004 ms at most and
    gradients by 5e-4 of their size (docs/numerics.md).
    """

    rtol: float = eqx.field(static=True, default=1e-3)
    max_steps: int = eqx.field(static=True, default=200)

    def __call__(
        self, A: Callable[[Nodal], Nodal], scaled: ScaledMatrix, b: Nodal
    ) -> tuple[Nodal, Int[Array, ""]]:
        """The solution, and the iterations taken; `scaled` is A as they use it.

        Its derivative is one more solve, to the same tolerance (implicit function theorem):
        A dx = db - dA x, with dA from `A` alone, and transposed the same, as A is symmetric.
        """
        scaled = lax.stop_gradient(scaled)

        def solve(_, b):
            x, steps = self._iterate(scaled, scaled.scale * b)
            return scaled.scale * x, steps

        return lax.custom_linear_solve(A, b, solve, symmetric=True, has_aux=True)

    def _iterate(self, A: ScaledMatrix, b: Nodal) -> tuple[Nodal, Int[Array, ""]]:
        total = A.rows.spread.total

        def unfinished(c):
            return (c[3] > enough) & (c[4] < self.max_steps)

        def iterate(c):
            x, r, p, rr, k = c
            Ap = A @ p
            alpha = rr / total(p @ Ap)
            x, r = x + alpha * p, r - alpha * Ap
            rr, old = total(r @ r), rr
            return x, r, r + rr / old * p, rr, k + 1

        bb = total(b @ b)
        enough = self.rtol**2 * bb
        start = (jnp.zeros_like(b), b, b, bb, jnp.int32(0))
        x, _, _, _, steps = lax.while_loop(unfinished, iterate, start)
        return x, steps
