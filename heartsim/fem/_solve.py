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
        return x + off_product(self.rows.off, self.rows.neighbour, x)


def scaled_matrix(A: Rows) -> ScaledMatrix:
    """A under its Jacobi scaling."""
    scale = 1 / jnp.sqrt(A.diagonal)
    return ScaledMatrix(A.scaled(scale), scale)


class ConjugateGradients(eqx.Module):
    """Solve S A S x = b until |b - S A S x| ≤ rtol |b|, at most `max_steps` iterations.

    Hestenes and Stiefel (1952), J. Res. Nat. Bur. Stand. 49, 409-436. The start is the
    combination of the last solutions nearest to x in the energy norm (Fischer 1998, Comput.
    Methods Appl. Mech. Eng. 163, 193-204; pages not checked); their products are known, so
    that it costs dot products only. The tolerance is relative and the start is a projection,
    so that tangents and cotangents of any size are solved as well as the values.
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

    def _iterate(self, matvec, b, past):
        x, r = _projection(past, b)
        enough = self.rtol**2 * (b @ b)

        def unfinished(c):
            return (c[3] > enough) & (c[4] < self.max_steps)

        def iterate(c):
            x, r, p, rr, k = c
            Ap = matvec(p)
            alpha = rr / (p @ Ap)
            x, r = x + alpha * p, r - alpha * Ap
            rr, old = r @ r, rr
            return x, r, r + rr / old * p, rr, k + 1

        x, r, _, _, steps = lax.while_loop(unfinished, iterate, (x, r, r, r @ r, jnp.int32(0)))
        return x, r, steps


@jax.custom_jvp
def _solved(solver, A, b, past):
    x, r, steps = solver._iterate(A.__matmul__, b, past)
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
        lambda matvec, b: solver._iterate(matvec, b, past)[0],
        symmetric=True,
    )
    return (x, Ax, steps), (dx, jnp.zeros_like(Ax), np.zeros((), jax.dtypes.float0))


def _push(past: Past, x, Ax) -> Past:
    kept = len(past.x)
    return Past(
        jnp.concatenate([x[None], past.x])[:kept], jnp.concatenate([Ax[None], past.Ax])[:kept]
    )


def _projection(past: Past, b):
    """The combination x of past solutions nearest in energy, and its residual b - A x.

    Modified Gram-Schmidt in the energy product; a direction that adds nothing is left out.
    """
    x, r = jnp.zeros_like(b), b
    basis: list[tuple] = []
    for u, Au in zip(past.x, past.Ax, strict=True):
        whole = u @ Au
        for v, Av, vAv in basis:
            share = jnp.where(vAv > 0, (u @ Av) / jnp.where(vAv > 0, vAv, 1.0), 0.0)
            u, Au = u - share * v, Au - share * Av
        uAu = u @ Au
        uAu = jnp.where(uAu > 100 * jnp.finfo(b.dtype).eps * whole, uAu, 0.0)
        weight = jnp.where(uAu > 0, (u @ r) / jnp.where(uAu > 0, uAu, 1.0), 0.0)
        x, r = x + weight * u, r - weight * Au
        basis.append((u, Au, uAu))
    return x, r
