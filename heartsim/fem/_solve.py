"""One linear solve: conjugate gradients, or Chebyshev's iteration."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._loops import few_passes
from heartsim._types import Nodal

from ._rows import Rows

TREND = 0.7
"""Of the last change of the solution, how much the next is taken to have. With the whole of it the
rounding of A x, which is handed on from solve to solve, would grow as the 1.5th power of their
number n; so it is eps √n / (1 - TREND) of b at most."""
SERIES = 64
"""Solves that start one from another; then one starts from zero."""
CLOSER = 0.3
"""Of the tolerance, for derivatives: what their solves leave undone has one sign, and adds up over
the steps of a run (docs/performance.md)."""
LEFT = 10.0
"""Times the tolerance may be left undone by a solve whose residual the next one gets: so a series
is as exact as of solves to the tolerance (docs/performance.md)."""


class ScaledMatrix(eqx.Module):
    """A symmetric positive matrix under its Jacobi scaling, S A S with unit diagonal, and bounds
    of its eigenvalues."""

    rows: Rows
    scale: Float[Array, " nodes"]  # S = diag(A)^-1/2
    least: Float[Array, ""]
    greatest: Float[Array, ""]

    def __matmul__(self, x: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
        """S A S x."""
        return self.times(self.rows.around(x))

    def times(self, around: Float[Array, " around"]) -> Float[Array, " nodes"]:
        """S A S x from `rows.around(x)`."""
        return self.rows.within(around) + self.rows.beside_from(around)


def scaled_matrix(A: Rows, part: Rows, floor: Float[Array, ""] | float) -> ScaledMatrix:
    """A under its Jacobi scaling. `part` is a positive matrix, A - `part` has no negative
    eigenvalue, and `floor` is the least that `part` has under its own Jacobi scaling.

    No eigenvalue is farther from 1 than the greatest sum of |entries| beside the diagonal
    (Gershgorin), none is below floor · min(part_ii / A_ii).
    """
    scale = 1 / jnp.sqrt(A.diagonal)
    rows = A.scaled(scale)
    beside = A.spread.greatest(jnp.abs(rows.off).sum(axis=0))
    share = -A.spread.greatest(-part.diagonal / A.diagonal)
    return ScaledMatrix(rows, scale, jnp.maximum(1 - beside, floor * share), 1 + beside)


class Past(eqx.Module):
    """The last two of a series of solves with one matrix, whose solutions change little by little
    and matter by their sum; zeros before the first."""

    ahead: Float[Array, ""]  # how many solves are to come
    known: Float[Array, ""]  # how many there were, of `SERIES`
    x: Float[Array, " nodes"]
    x_before: Float[Array, " nodes"]
    Ax: Float[Array, " nodes"]
    Ax_before: Float[Array, " nodes"]
    left: Float[Array, " nodes"]
    """The residual of the last, which is added to the next right-hand side: so nothing is left
    undone for longer than a step, and what may be left is more."""

    def guess(self) -> tuple[Float[Array, " nodes"], Float[Array, " nodes"]]:
        """The next x as the last two have it, and A x."""
        last, trend = 1.0 * (self.known > 0), TREND * (self.known > 1)
        return (
            last * self.x + trend * (self.x - self.x_before),
            last * self.Ax + trend * (self.Ax - self.Ax_before),
        )

    def alone(self) -> "Past":
        """Told that no other solve will do what is left."""
        return dataclasses.replace(self, ahead=jnp.zeros_like(self.ahead))

    def tolerance(self, rtol: float) -> Float[Array, ""]:
        """Of the next: the last has no other that would do what it leaves."""
        return jnp.where(self.ahead > 1, LEFT * rtol, rtol)

    def then(
        self, x: Float[Array, " nodes"], b: Float[Array, " nodes"], left: Float[Array, " nodes"]
    ) -> "Past":
        """After one more solve, of A x = b but for a residual `left`."""
        return Past(self.ahead - 1, (self.known + 1) % SERIES, x, self.x, b - left, self.Ax, left)


class AbstractLinearSolve(eqx.Module):
    """Solves A x = b by iterating on S A S until |S (b - A x)| ≤ rtol |S b|."""

    rtol: eqx.AbstractVar[float]

    def __call__(
        self, A: Callable[[Nodal], Nodal], scaled: ScaledMatrix, b: Nodal
    ) -> tuple[Nodal, Int[Array, ""]]:
        """The solution, and the products with the matrix that it took; `scaled` is A as they use
        it.

        Its derivative is one more solve, to the same tolerance (implicit function theorem):
        A dx = db - dA x, with dA from `A` alone, and transposed the same, as A is symmetric.
        """
        scaled = lax.stop_gradient(scaled)

        def solve(_, b):
            return self.after(scaled, b, None)[:2]

        return lax.custom_linear_solve(A, b, solve, symmetric=True, has_aux=True)

    def closer(self, dtype: jnp.dtype) -> "AbstractLinearSolve":
        """The one that derivatives take, in numbers of that type: the same, where it is linear."""
        return self

    def fresh(self, b: Nodal, solves: Int[Array, ""] | int) -> Past | None:
        """What the first of a series of so many solves is told of those before."""
        return None

    def after(
        self, scaled: ScaledMatrix, b: Nodal, past: Past | None
    ) -> tuple[Nodal, Int[Array, ""], Past | None]:
        """The solution of one of a series, the products that it took, and what to tell the next.
        Without a derivative."""
        x, products, past = self.iterate(scaled, scaled.scale * b, past)
        return scaled.scale * x, products, past

    @abstractmethod
    def iterate(
        self, A: ScaledMatrix, b: Nodal, past: Past | None = None
    ) -> tuple[Nodal, Int[Array, ""], Past | None]:
        """x with A x = b, the products taken, and the past with it."""


class ConjugateGradients(AbstractLinearSolve):
    """Until the residual is small, or `max_steps` times.

    Hestenes and Stiefel (1952), J. Res. Nat. Bur. Stand. 49, 409-436. It starts where the solves
    before point to, and does what the last one left. The default tolerance moves activation times
    by 0.01 ms at most and gradients by 1e-3 of their size (docs/numerics.md).
    """

    rtol: float = eqx.field(static=True, default=1e-3)
    max_steps: int = eqx.field(static=True, default=200)

    def closer(self, dtype):
        """To CLOSER of the tolerance, or as near as rounding allows."""
        near = max(CLOSER * self.rtol, 10 * float(jnp.finfo(dtype).eps))
        return dataclasses.replace(self, rtol=min(self.rtol, near))

    def fresh(self, b, solves):
        """Nothing, where rounding that solves hand on would be more than a tenth of rtol."""
        if jnp.finfo(b.dtype).eps * SERIES**0.5 / (1 - TREND) > self.rtol / 10:
            return None
        ahead, zero = jnp.asarray(solves, b.dtype), jnp.zeros_like(b)
        return Past(ahead, 0 * ahead, *5 * [zero])

    def iterate(self, A, b, past=None):
        """See AbstractLinearSolve."""
        total, around, within = A.rows.spread.total, A.rows.around, A.rows.within

        def unfinished(c):
            return (c[3] > enough) & (c[5] < self.max_steps)

        def iterate(c):
            x, r, p, rr, beta, k = c
            p = around(r) + beta * p  # with what is around it: to add that apart is one more loop
            Ap = A.times(p)
            alpha = rr / total(r @ Ap)  # r·Ap is p·Ap, as the p before is orthogonal to Ap
            x, r = x + alpha * within(p), r - alpha * Ap
            rr, old = total(r @ r), rr
            return x, r, p, rr, rr / old, k + 1

        x, r, rtol = jnp.zeros_like(b), b, self.rtol
        if past is not None:
            b, rtol = b + past.left, past.tolerance(rtol)
            x, Ax = past.guess()
            r = b - Ax
        rr, least = total(r @ r), 100 * jnp.finfo(b.dtype).tiny  # that r·Ap can be divided by
        enough = jnp.maximum(rtol**2 * total(b @ b), least)
        start = (x, r, jnp.zeros_like(around(b)), rr, jnp.zeros_like(rr), jnp.int32(0))
        x, r, *_, products = lax.while_loop(unfinished, iterate, start)
        return x, products, None if past is None else past.then(x, b, r)


class Chebyshev(AbstractLinearSolve):
    """By the polynomial that is best between the ends of A's spectrum, of a degree fixed in
    advance: no dot products, so that devices exchange nothing but halos and a GPU never waits for
    a decision. Made by `planned` for matrices that are known, it holds for those near them; far
    from them the tolerance is missed, and nothing tells.

    After k terms the residual is at most 1/T_k(θ/δ) of b, with the spectrum in [θ - δ, θ + δ]:
    Saad (2003), Iterative Methods for Sparse Linear Systems, 2nd ed., section 12.3 (page not
    checked).
    """

    rtol: float = eqx.field(static=True)
    terms: int = eqx.field(static=True)
    down: Float[Array, ""]
    """How far below 1 the spectrum reaches, as a share of how far its bound does."""
    up: Float[Array, ""]
    """The same above 1."""

    def ends(self, A: ScaledMatrix) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """θ and δ."""
        least = 1 - lax.stop_gradient(self.down) * (1 - A.least)
        greatest = 1 + lax.stop_gradient(self.up) * (A.greatest - 1)
        return (greatest + least) / 2, (greatest - least) / 2

    def iterate(self, A, b, past=None):
        """See AbstractLinearSolve."""
        theta, delta = self.ends(A)
        around, within = A.rows.around, A.rows.within

        def add(carry, _):
            x, r, d, old = carry
            r = r - A.times(d)
            new = 1 / (2 * theta - delta**2 * old)  # ρ/δ of Saad's
            d = around(2 * new * r) + new * delta**2 * old * d
            return (x + within(d), r, d, new), None

        first = b / theta
        products = jnp.arange(self.terms - 1)
        (x, *_), _ = few_passes(add, (first, b, around(first), 1 / theta), products)
        return x, jnp.int32(self.terms - 1), past
