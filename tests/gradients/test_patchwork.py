"""Derivatives of a heart with layers, and what its loops are made of on a GPU."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered, shuffled
from compiled import scattered_in_loops

from heartsim import fem, ionic, mesh, tissue

BODY = shuffled(jittered(mesh.slab((2.0, 1.5, 1.0), 0.5), 0.1, 3))
LEADS = np.random.default_rng(0).normal(size=(2, BODY.n_nodes))
PARTS = fem.elements(BODY)
D = tissue.tensor(BODY, 0.1, 0.02, 0.02)
DEPTH = BODY.points[:, 0] / 2.0
FACTORS = 1.0 + 0.2 * DEPTH
"""Of a parameter that differs from node to node."""
SECOND = [jax.jacfwd, jax.grad]


def one(p):
    return ionic.MitchellSchaeffer(tau_in=0.3 * p[1], tau_close=150.0 * p[2])


def three(p):
    """Closing times of the inner layer differ from node to node; the middle one has padding."""
    own = np.flatnonzero(DEPTH < 0.3)
    inner = ionic.MitchellSchaeffer(tau_in=0.3 * p[1], tau_close=150.0 * p[2] * FACTORS[own])
    rest = [np.flatnonzero((DEPTH >= 0.3) & (DEPTH < 0.7)), np.flatnonzero(DEPTH >= 0.7)]
    models = [inner, ionic.MitchellSchaeffer(tau_in=0.2 * p[1]), ionic.MitchellSchaeffer()]
    return ionic.Patchwork(models, [own, *rest])


def simulated(membrane, p, rtol=1e-3, steps=8):
    """Mean squared leads by conductivity and two parameters of a membrane, relative."""
    solver = fem.ConjugateGradients(rtol=rtol)
    muscle = tissue.monodomain(BODY, jnp.asarray(D), membrane(p), solver=solver)
    muscle = dataclasses.replace(muscle, K=PARTS.stiffness(p[0] * D))
    pulse = tissue.Stimulus(site=np.arange(BODY.n_nodes) < 9)
    _, kept = tissue.simulate(
        muscle, [pulse], dt=0.05, steps=steps, sample_every=4, leads=jnp.asarray(LEADS)
    )
    return (kept.leads**2).mean() / 1e3


@pytest.mark.parametrize("membrane", [one, three])
@pytest.mark.parametrize("mode", ["run", "reverse", "forward"])
def test_no_gpu_scatters_in_the_time_loop(membrane, mode):
    def run(p):
        return simulated(membrane, p)

    program = {"run": run, "reverse": jax.grad(run), "forward": jax.jacfwd(run)}[mode]
    text = jax.export.export(jax.jit(program), platforms=["cuda"])(jnp.ones(3)).mlir_module()
    assert "stablehlo.while" in text
    assert not scattered_in_loops(text)


def test_a_scatter_in_a_loop_is_seen():
    place = np.array([0, 2, 1, 0])

    def value(x):
        return jax.lax.fori_loop(0, 9, lambda _, x: jnp.sin(x[place]), x).sum()

    program = jax.export.export(jax.jit(jax.grad(value)), platforms=["cuda"])
    assert scattered_in_loops(program(jnp.ones(4)).mlir_module())


@pytest.mark.usefixtures("x64")
def test_both_modes_agree_with_finite_differences():
    @jax.jit
    def run(p):
        return simulated(three, p, rtol=1e-12, steps=120)

    p, h = jnp.ones(3), 1e-5
    reverse, forward = jax.jit(jax.grad(run))(p), jax.jit(jax.jacfwd(run))(p)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8)
    found = [float(run(p + h * e) - run(p - h * e)) / (2 * h) for e in jnp.eye(3)]
    np.testing.assert_allclose(reverse, found, rtol=1e-5)
    assert (np.abs(reverse) > 1e-3).all()


@pytest.mark.long
@pytest.mark.usefixtures("x64")
def test_padding_and_batches_keep_their_derivatives():
    """Padding repeats a node, on whose voltage hangs what its gates do; in a batch, too, and with
    second derivatives."""
    patches = three(jnp.ones(3))
    V, state = patches.initial(BODY.n_nodes)
    V = V + 30.0 * jnp.sin(jnp.arange(len(V)))

    def value(V):
        new = ionic.RushLarsen()(patches, V, state, 0.1)
        return sum((x**2).sum() for x in jax.tree.leaves(new[1])) + (new[0] ** 2).sum()

    reverse, forward = jax.grad(value)(V), jax.jacfwd(value)(V)
    np.testing.assert_allclose(reverse, forward, rtol=1e-12)
    last, h = int(patches.nodes[1][-1]), 1e-5
    up, down = value(V.at[last].add(h)), value(V.at[last].add(-h))
    assert reverse[last] == pytest.approx(float(up - down) / (2 * h), rel=1e-6)
    batch = jax.vmap(jax.grad(value))(jnp.stack([V, V + 1.0]))
    np.testing.assert_allclose(batch[0], reverse, rtol=1e-12)
    stacked = jax.tree.map(lambda x: jnp.stack([x, x]), eqx.filter(patches, eqx.is_array))

    def slope(own, V):
        return jax.grad(lambda V: own.rates(V, state).i_ion.sum())(V)

    slopes = slope(patches, V)
    batch = jax.vmap(slope, (0, None))(stacked, V)
    np.testing.assert_allclose(batch[1], slopes, rtol=1e-12)
    curved = [second(lambda V: slope(patches, V)[last])(V)[last] for second in SECOND]
    up, down = slope(patches, V.at[last].add(h)), slope(patches, V.at[last].add(-h))
    assert curved == pytest.approx(2 * [float(up[last] - down[last]) / (2 * h)], rel=1e-6)
