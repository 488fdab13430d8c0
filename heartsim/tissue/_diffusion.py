"""Diffusion over a step, and its derivative."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int

from heartsim._linear import linear
from heartsim._loops import kept
from heartsim._types import Nodal, Time
from heartsim.fem import AbstractLinearSolve, Past, Rows, ScaledMatrix, scaled_matrix

DIFFUSION = "what diffusion depends on (conductivity, mass, dt)"


class CrankNicolson(eqx.Module):
    """Diffusion over one dt: (M + dt/2 K) dV = -dt K V, second order, unconditionally stable."""

    K: Rows
    M: Rows
    scaled: ScaledMatrix  # M + dt/2 K as the iterations use it
    solver: AbstractLinearSolve
    dt: Time  # ms

    def __call__(self, V: Nodal, past: Past | None = None) -> tuple[Nodal, Past | None]:
        """The change of V, and what to tell the next step, from what the step before told."""
        return _change(self, V, past)

    def solve(
        self, V: Nodal, past: Past | None = None
    ) -> tuple[Nodal, Int[Array, ""], Past | None]:
        """The same without a derivative, and the products with the matrix that it took."""
        return self.solver.after(self.scaled, -self.dt * (self.K @ V), past)

    def matrix(self, x: Nodal) -> Nodal:
        """(M + dt/2 K) x."""
        return self.M @ x + self.dt / 2 * (self.K @ x)


def crank_nicolson(
    K: Rows, M: Rows, mass_floor: float, solver: AbstractLinearSolve, dt: Time
) -> CrankNicolson:
    """The diffusion step of length dt; `mass_floor` as `fem.scaled_matrix` has it."""
    scaled = lax.stop_gradient(scaled_matrix(M.plus(dt / 2, K), M, mass_floor))
    return CrankNicolson(K, M, scaled, solver, dt)


@eqx.filter_custom_jvp
def _change(step: CrankNicolson, V: Nodal, past: Past | None) -> tuple[Nodal, Past | None]:
    dV, _, past = step.solve(V, past)
    return dV, past


@_change.def_jvp
def _along(at, along):
    """Of what dV leaves of its equation, -dt K (V + dV/2) - M dV = 0, in which each matrix stands
    once: a reverse sweep takes one product with its change, not one for each side. Whoever asks for
    derivatives gets both solves to the tolerance, whatever others may leave to the next.

    What a solve for a derivative tells the next goes with it as the derivative of `past`: forwards
    as a tangent, and in a reverse sweep as a cotangent, to the step before.
    """
    step, V, past = at
    dV, _, new = step.solve(V, None if past is None else past.alone())
    dV = kept(dV)

    def left(step, middle):
        return -step.dt * (step.K @ middle) - step.M @ dV

    _, change = eqx.filter_jvp(left, (step, kept(V + dV / 2)), along[:2])
    change, solver = jnp.asarray(change), step.solver.closer(V.dtype)
    fresh = None if past is None else solver.fresh(change, 1)
    if fresh is None:
        d_dV = solver(step.matrix, step.scaled, change)[0]
        return (dV, new), (d_dV, jax.tree.map(jnp.zeros_like, past))
    told = eqx.combine(along[2], fresh)
    solved = linear(_solved, _solved, (solver, step), (change, told), DIFFUSION)
    # JAX fails at a second derivative where some of what goes in have none: here all get one
    return (dV, new), lax.optimization_barrier(solved)


def _solved(at, given):
    """The solution, and what to tell the next; its own transpose, as the matrix is symmetric."""
    solver, step = at
    b, past = given
    x, _, past = solver.after(step.scaled, b, past)
    return x, past
