"""Derivatives of a series of diffusion steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from heartsim import fem, mesh
from heartsim.tissue._diffusion import crank_nicolson

BODY = mesh.slab((6.0, 3.0, 2.0), 0.5)
LEAD = np.cos(BODY.points[:, 0])
STEPS = 40


def diffusion(factor, solver):
    """Steps of 0.5 ms, and a lead that sees them."""
    parts = fem.elements(BODY)
    D = np.broadcast_to(np.diag([0.1, 0.03, 0.03]), (BODY.n_cells, 3, 3))
    M, floor = parts.mass(1.0), parts.mass_floor(1.0)
    return crank_nicolson(parts.stiffness(factor * D), M, floor, solver, 0.5)


def diffused(V, factor, solver, series):
    """Mean square of a lead over a series of steps, whose solves tell the next something or not."""
    step = diffusion(factor, solver)

    def one(so_far, _):
        V, past = so_far
        dV, past = step(V, past)
        return (V + dV, past), LEAD @ V

    start = (V, solver.fresh(V, STEPS) if series else None)
    return (lax.scan(one, start, length=STEPS)[1] ** 2).mean()


def seen_by():
    """By NumPy, dense: of V, the lead in each step."""
    step = diffusion(1.0, fem.ConjugateGradients())
    unit = jnp.eye(BODY.n_nodes)
    A, K = np.asarray(jax.vmap(step.matrix)(unit)), np.asarray(jax.vmap(step.K.__matmul__)(unit))
    onward = np.eye(BODY.n_nodes) - 0.5 * np.linalg.solve(A, K)
    return np.stack([LEAD @ np.linalg.matrix_power(onward, k) for k in range(STEPS)])


def front():
    return 40 * jnp.tanh(jnp.asarray(BODY.points[:, 0] - 2))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("derivative", [jax.jacrev, jax.jacfwd])
def test_solves_for_derivatives_start_from_and_do_what_the_one_before_left(derivative):
    """Against dense matrices. With two products a solve, a series has a tenth at most of the error
    that solves each for itself have; seen are 2e-6 in place of 2e-3 in reverse, 1e-4 in place of
    1e-2 forward."""

    def error(series):
        solver = fem.ConjugateGradients(1e-6, max_steps=2)
        return np.linalg.norm(derivative(diffused)(front(), 1.0, solver, series) - exact)

    seen = seen_by()
    exact = 2 / STEPS * seen.T @ (seen @ front())
    assert error(True) <= 0.1 * error(False)
    assert error(True) <= 1e-3 * np.linalg.norm(exact)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("series", [False, True])
@pytest.mark.parametrize("inner", [jax.jacfwd, jax.jacrev])
def test_second_derivatives_by_the_voltage_are_those_of_dense_matrices(inner, series):
    """Along two fields; the solves are to 1e-6, and 9e-8 was seen."""
    fields = jnp.stack([front(), jnp.cos(3 * jnp.asarray(BODY.points[:, 1]))])

    def value(p):
        return diffused(p @ fields, 1.0, fem.ConjugateGradients(1e-6), series)

    seen = seen_by() @ fields.T
    exact = 2 / STEPS * seen.T @ seen
    found = jax.jacfwd(inner(value))(jnp.array([1.0, 5.0]))
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6 * np.abs(exact).max())


@pytest.mark.parametrize("series", [False, True])
@pytest.mark.parametrize("outer", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("inner", [jax.jacfwd, jax.jacrev])
def test_second_derivatives_by_conductivity_are_refused(inner, outer, series):
    """Of a series, too, whose solves JAX takes to be linear."""

    def value(factor):
        return diffused(front(), factor, fem.ConjugateGradients(), series)

    with pytest.raises(NotImplementedError, match="conductivity"):
        outer(inner(value))(1.0)
