"""One linear solve: conjugate gradients with a start taken from the last solutions."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from ._rows import Rows, off_product


class Past(NamedTuple):
    """The last solutions x and their products A x, newest first."""

    x: Float[Array, "past nodes"]
    Ax: Float[Array, "past nodes"]


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

    Hestenes and Stiefel (1952), J. Res. Nat. Bur. Stand. 49, 409-436. The start is the
    combination of the last solutions nearest to x in the energy norm (Fischer 1998, Comput.
    Methods Appl. Mech. Eng. 163, 193-204; pages not checked). Its residual is computed afresh:
    taken from the products known, rounding would add up from step to step, unseen by the
    iteration (in float32 the residual grew past 1e-4 in 2000 steps). The tolerance is relative
    and the start is a projection, so that tangents and cotangents of any size are solved as well
    as the values.
    """

    rtol: float = eqx.field(static=True, default=1e-4)
    max_steps: int = eqx.field(static=True, default=200)
    past: int = eqx.field(static=True, default=2)

    def start(self, n_nodes: int, dtype) -> Past:
        """No past yet."""
        zeros = jnp.zeros((self.past, n_nodes), dtype)
        return Past(zeros, zeros)

    def __call__(
        self, A: ScaledMatrix, b: Float[Array, " nodes"], past: Past
    ) -> tuple[Float[Array, " nodes"], Past, Int[Array, ""]]:
        """The solution, the past to hand to the next solve, and the iterations taken.

        The derivative of the solve is one more solve (implicit function theorem).
        """
        x, Ax, steps = _solved(self, A, b, lax.stop_gradient(past))
        return x, lax.stop_gradient(_push(past, x, Ax)), steps

    def _iterate(self, matvec, total, b, past):
        x, bb = _projection(past, b, total)
        r = b - matvec(x)
        enough = self.rtol**2 * bb

        def unfinished(c):
            return (c[3] > enough) & (c[4] < self.max_steps)

        def iterate(c):
            x, r, p, rr, k = c
            Ap = matvec(p)
            alpha = rr / total(p @ Ap)
            x, r = x + alpha * p, r - alpha * Ap
            rr, old = total(r @ r), rr
            return x, r, r + rr / old * p, rr, k + 1

        x, r, _, _, steps = lax.while_loop(
            unfinished, iterate, (x, r, r, total(r @ r), jnp.int32(0))
        )
        return x, r, steps


@jax.custom_jvp
def _solved(solver, A, b, past):
    x, r, steps = solver._iterate(A.__matmul__, A.rows.spread.total, b, past)
    return x, b - r, steps


@_solved.defjvp
def _solved_jvp(primals, tangents):
    """A dx = db - dA x: one more solve, which transposes as A is symmetric. The product and the
    count have no tangents: they only start the next solve."""
    solver, A, b, past = primals
    _, dA, db, _ = tangents
    x, Ax, steps = _solved(solver, A, b, past)
    _, dA_x = jax.jvp(lambda A: A @ x, (A,), (dA,))
    dx = lax.custom_linear_solve(
        A.__matmul__,
        db - dA_x,
        lambda matvec, b: solver._iterate(matvec, A.rows.spread.total, b, past)[0],
        symmetric=True,
    )
    return (x, Ax, steps), (dx, jnp.zeros_like(Ax), np.zeros((), jax.dtypes.float0))


def _push(past: Past, x, Ax) -> Past:
    kept = len(past.x)
    return Past(
        jnp.concatenate([x[None], past.x])[:kept], jnp.concatenate([Ax[None], past.Ax])[:kept]
    )


def _projection(past: Past, b, total):
    """The combination of past solutions nearest in energy to the new one, and b · b.

    Gram-Schmidt in the energy product on coefficients, so that all products of vectors are
    summed over the devices at once; a direction that adds nothing is left out.
    """
    k = len(past.x)
    products = [u @ Av for u in past.x for Av in past.Ax] + [u @ b for u in past.x] + [b @ b]
    *numbers, bb = total(jnp.stack(products))
    energy, c = jnp.asarray(numbers[: k * k]).reshape(k, k), jnp.asarray(numbers[k * k :])
    weights = jnp.zeros_like(c)
    basis: list[tuple] = []
    for v, column in zip(jnp.eye(k, dtype=b.dtype), energy.T, strict=True):
        whole = v @ column
        for w, ww in basis:
            v = v - _share(w @ column, ww) * w
        vv = v @ energy @ v
        vv = jnp.where(vv > 100 * jnp.finfo(b.dtype).eps * whole, vv, 0.0)
        weights = weights + _share(v @ c, vv) * v
        basis.append((v, vv))
    x = sum((weight * u for weight, u in zip(weights, past.x, strict=True)), jnp.zeros_like(b))
    return x, bb


def _share(part, whole):
    """part / whole, and 0 where there is no whole."""
    return jnp.where(whole > 0, part / jnp.where(whole > 0, whole, 1.0), 0.0)
