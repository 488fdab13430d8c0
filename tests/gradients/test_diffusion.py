"""Derivatives of a series of diffusion steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from heartsim import fem, mesh
from heartsim.tissue._diffusion import crank_nicolson

BODY = mesh.slab((6.0, 3.0, 2.0), 0.5)
STEPS = 40


def diffused(V, factor, solver, series):
    """Mean square of a lead over a series of steps, whose solves tell the next something or not."""
    parts = fem.elements(BODY)
    D = np.broadcast_to(np.diag([0.1, 0.03, 0.03]), (BODY.n_cells, 3, 3))
    M, floor = parts.mass(1.0), parts.mass_floor(1.0)
    diffusion = crank_nicolson(parts.stiffness(factor * D), M, floor, solver, 0.5)
    lead = jnp.cos(BODY.points[:, 0])

    def one(so_far, _):
        V, past = so_far
        dV, past = diffusion(V, past)
        return (V + dV, past), lead @ V

    start = (V, solver.fresh(V, STEPS) if series else None)
    return (lax.scan(one, start, length=STEPS)[1] ** 2).mean()


def front():
    return 40 * jnp.tanh(jnp.asarray(BODY.points[:, 0] - 2))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("derivative", [jax.jacrev, jax.jacfwd])
def test_solves_for_derivatives_start_from_and_do_what_the_one_before_left(derivative):
    """With two products a solve, a series has a tenth at most of the error that solves each for
    itself have; seen are 2e-6 in place of 2e-3 in reverse, 1e-4 in place of 1e-2 forward."""

    def error(series):
        solver = fem.ConjugateGradients(1e-6, max_steps=2)
        return jnp.linalg.norm(derivative(diffused)(front(), 1.0, solver, series) - exact)

    exact = jax.grad(diffused)(front(), 1.0, fem.ConjugateGradients(1e-10), False)
    assert error(True) <= 0.1 * error(False)
    assert error(True) <= 1e-3 * jnp.linalg.norm(exact)


@pytest.mark.parametrize("series", [False, True])
@pytest.mark.parametrize("outer", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("inner", [jax.jacfwd, jax.jacrev])
def test_second_derivatives_by_conductivity_are_refused(inner, outer, series):
    """Of a series, too, whose solves JAX takes to be linear."""

    def value(factor):
        return diffused(front(), factor, fem.ConjugateGradients(), series)

    with pytest.raises(NotImplementedError, match="conductivity"):
        outer(inner(value))(1.0)
