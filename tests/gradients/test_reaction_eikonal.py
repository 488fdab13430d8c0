"""Derivatives through the foot current, in both modes, against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim import fem, ionic, mesh, tissue

CABLE = mesh.cable(6.0, 0.5)
X = CABLE.points[:, 0]
LEADS = np.random.default_rng(0).normal(size=(2, CABLE.n_nodes))


def simulated(cell, T, charge, diffusion):
    """12 ms on a cable: mean voltage, leads and an activation time in one number."""
    solver = fem.ConjugateGradients(rtol=1e-12)
    D = jnp.broadcast_to(0.1 * jnp.eye(3), (CABLE.n_cells, 3, 3))
    muscle = (
        tissue.monodomain(CABLE, D, cell, lumped=1.0, solver=solver)
        if diffusion
        else tissue.Isolated(cell, CABLE.n_nodes)
    )
    carry, samples = tissue.simulate(
        muscle,
        [tissue.FootCurrent(T, charge=charge)],
        dt=0.05,
        steps=240,
        sample_every=20,
        leads=jnp.asarray(LEADS),
    )
    return (
        carry.events.V.mean()
        + (samples.leads**2).mean() / 1e3
        + tissue.activation_time(carry, 0.05)[5]
    )


def mitchell_schaeffer(p, diffusion):
    """Velocity, one node's own time, charge, and two of the membrane, all relative."""
    T = jnp.asarray(0.51 + X / 1.03) / p[0]
    T = T.at[4].multiply(p[1])
    cell = ionic.MitchellSchaeffer(tau_in=0.3 * p[3], tau_close=150.0 * p[4])
    return simulated(cell, T, 35.0 * p[2], diffusion)


def ten_tusscher(p, diffusion):
    """The same with two conductances."""
    T = jnp.asarray(0.51 + X / 1.03) / p[0]
    T = T.at[4].multiply(p[1])
    cell = ionic.smoothed(ionic.by_name("ten_tusscher_2006_epi"))
    cell = ionic.scaled(cell, {"g_Na": p[3], "g_CaL": p[4]})
    return simulated(cell, T, 35.0 * p[2], diffusion)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("diffusion", [False, True], ids=["R-E-", "R-E+"])
@pytest.mark.parametrize(
    "value", [mitchell_schaeffer, pytest.param(ten_tusscher, marks=pytest.mark.long)]
)
def test_both_modes_agree_with_finite_differences(value, diffusion):
    """1e-5 is asked for; the best of three steps is good to about 1e-7. A larger step may carry T
    over the edge of a time step, where the derivative of the mean current has a corner."""
    p = jnp.ones(5)
    run = jax.jit(lambda p: value(p, diffusion))
    reverse = np.asarray(jax.jit(jax.grad(run))(p))
    forward = np.asarray(jax.jit(jax.jacfwd(run))(p))
    assert forward == pytest.approx(reverse, rel=1e-8)
    for k in range(5):
        e = jnp.zeros(5).at[k].set(1.0)
        differences = [float(run(p + h * e) - run(p - h * e)) / (2 * h) for h in (1e-4, 1e-5, 1e-6)]
        nearest = min(differences, key=lambda d: abs(d - reverse[k]))
        assert reverse[k] == pytest.approx(nearest, rel=1e-5)
        assert abs(reverse[k]) > 1e-3  # each parameter does matter


@pytest.mark.usefixtures("x64")
def test_velocity_and_onset_reach_the_voltage_through_the_eikonal_times():
    """From a velocity and an onset to the voltage of a membrane, with arrival in between."""
    f = tissue.front(CABLE)

    @jax.jit
    def value(p):
        M = tissue.slowness(CABLE, *(0.8 * p[:1].repeat(3)))
        source = tissue.Sources(jnp.array([[0.2, 0.0, 0.0]]), 0.63 * p[1:])
        T = tissue.arrival(f, M, tissue.source_times(f, M, source))
        return simulated(ionic.MitchellSchaeffer(), T, 35.0, diffusion=False)

    p = jnp.ones(2)
    slope = np.asarray(jax.jit(jax.grad(value))(p))
    for k in range(2):
        e = jnp.zeros(2).at[k].set(1e-6)
        assert slope[k] == pytest.approx(float(value(p + e) - value(p - e)) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("diffusion", [False, True], ids=["R-E-", "R-E+"])
def test_run_and_gradient_compile_for_cuda(diffusion):
    """Both lower for CUDA on a machine without one, with no call back to the host."""

    def run(p):
        return mitchell_schaeffer(p, diffusion)

    for program in (run, jax.grad(run)):
        exported = jax.export.export(jax.jit(program), platforms=["cuda"])(jnp.ones(5))
        assert "callback" not in exported.mlir_module()
