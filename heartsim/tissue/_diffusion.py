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
    middle, solver = kept(V + dV / 2), step.solver.closer(V.dtype)

    def left(step):
        return -step.dt * (step.K @ middle) - step.M @ dV

    moves = bool(jax.tree.leaves(along[0]))
    given = along[1], eqx.filter_jvp(left, (step,), along[:1])[1] if moves else None
    fresh = None if past is None else solver.fresh(V, 1)
    told = None if fresh is None else eqx.combine(along[2], fresh)
    solved, told = linear(_solved, _transposed, (solver, step), (given, told), DIFFUSION)
    if fresh is None:
        told = jax.tree.map(jnp.zeros_like, past)
    # JAX fails at a second derivative where some of what goes in have none: here all get one
    return (dV, new), lax.optimization_barrier((jax.tree.leaves(solved)[0], told))


def _solved(at, given):
    """The change of dV, in the first place of what changes V and what changes the right-hand side,
    and what to tell the next."""
    (solver, step), ((V, change), past) = at, given
    sides = [] if V is None else [-step.dt * (step.K @ V)]
    b = sum(sides if change is None else [*sides, change])
    x, _, past = solver.after(step.scaled, b, past)
    nothing = None if change is None else jnp.zeros_like(x)
    return ((None, x) if V is None else (x, nothing)), past


def _transposed(at, given):
    """With A x = (M + dt/2 K) x known, -dt K x is 2 (M x - A x): a product less, where M is
    diagonal. It is then what A holds beside dt/2 K there, rounded as the solve has A; what is left
    of rounding is some 1e-7 of x a step, in float32."""
    (solver, step), ((V, change), past) = at, given
    x, _, past = solver.after(step.scaled, change if V is None else V, past)
    if V is None:
        return (None, x), past
    if past is None or len(step.M.off):
        of_V = -step.dt * (step.K @ x)
    else:
        M = 1 / step.scaled.scale**2 - step.dt / 2 * step.K.diagonal
        of_V = 2 * (M * x - past.Ax / step.scaled.scale)
    return (of_V, None if change is None else x), past
