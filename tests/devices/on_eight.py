"""Run by test_on_eight.py in a process that has eight devices: one against many."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered, random_tets, shuffled
from scipy.spatial import Delaunay

from heartsim import fem, ionic, mesh, tissue

DT = 0.05
RNG = np.random.default_rng(7)
SHEET = mesh.sheet((16.0, 6.0), 0.5)
BODY, _ = fem.compact(shuffled(jittered(SHEET, 0.2, 7)), parts=8)  # a grid no more
LEADS = RNG.normal(size=(3, BODY.n_nodes))
SITE = np.asarray(BODY.points)[:, 0] < 1.6


def muscle(model=None, rtol=1e-4):
    model = ionic.MitchellSchaeffer() if model is None else model
    D = jnp.broadcast_to(0.1 * jnp.eye(3), (BODY.n_cells, 3, 3))
    return tissue.monodomain(BODY, D, model, solver=fem.ConjugateGradients(rtol=rtol))


def simulated(muscle, begun=None, **pulse):
    """150 steps with everything that is kept."""
    stimulus = tissue.Stimulus(site=SITE, **pulse)
    return tissue.simulate(
        muscle,
        [stimulus],
        dt=DT,
        steps=150,
        sample_every=50,
        leads=jnp.asarray(LEADS),
        keep_V=True,
        start=begun,
    )


def patches():
    """Three membranes along the sheet, so that no strip of eight has all of them; one with a
    parameter of its own at every node."""
    depth = np.asarray(BODY.points)[:, 0] / 16.0
    slow = ionic.MitchellSchaeffer(tau_close=jnp.linspace(100.0, 200.0, int((depth < 0.3).sum())))
    fast = ionic.MitchellSchaeffer(tau_in=jnp.asarray(0.2))
    return ionic.layers(depth, slow, ionic.MitchellSchaeffer(), fast, mid_from=0.3, epi_from=0.7)


def test_there_are_eight():
    assert jax.device_count() == 8


def delaunay(seed):
    """A mesh of random points."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(60, 400))
    points = np.c_[rng.uniform(0, [40.0, 4.0], (count, 2)), np.zeros(count)]
    cells = Delaunay(points[:, :2]).simplices.astype(np.int32)
    return mesh.Mesh(points, cells, regions=np.ones(len(cells), np.int32))


TETS = [random_tets(seed, 200 + 150 * seed, (60.0, 3.0, 3.0)) for seed in range(5)]
"""Whole, each has rows that are kept apart; strips have none."""


@pytest.mark.parametrize(
    "body", [*map(delaunay, range(6)), *TETS, SHEET, mesh.slab((20.0, 2.0, 2.0), 1.0)]
)
def test_products_are_the_same_in_strips(body):
    """Of random meshes and of grids, numbered line by line: K x, S K S x and sums, to rounding of
    the last."""
    rng = np.random.default_rng(0)
    body, _ = fem.compact(body, parts=8)
    parts = fem.most_strips(body.cells, body.n_nodes, 8)
    assert parts > 1
    K = fem.elements(body).stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
    x, s = (jnp.asarray(rng.normal(size=body.n_nodes), jnp.float32) for _ in range(2))

    def products(K, x, s):
        return K @ x, K.scaled(s) @ x, K.spread.total(x @ x)

    cut = K.over(jax.devices()[:parts])
    out = (fem.split(1), fem.split(1), fem.REPEATED)
    many = jax.jit(lambda *a: cut.spread.run(products, out, *a))(cut, x, s)
    for one, other in zip(jax.jit(products)(K, x, s), many, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6 * float(jnp.abs(one).max()))


@pytest.mark.parametrize("count", [2, 3, 8])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_run_is_the_same_on_many_devices(count, precision):
    """To the rounding of sums, which the solver's tolerance multiplies: 1e-4 of the change of a
    step in float32; the tolerance is 1e-12 in float64."""
    with jax.enable_x64(precision == "float64"):
        rtol, near = {"float32": (1e-4, 2e-2), "float64": (1e-12, 1e-7)}[precision]
        model = patches()
        body, devices = muscle(model, rtol), jax.devices()[:count]
        if BODY.n_nodes % count:
            with pytest.raises(ValueError, match="parts=3"):
                body.over(devices)
            return
        (a, kept_a), (b, kept_b) = simulated(body), simulated(body.over(devices))
        np.testing.assert_allclose(a.state.V, b.state.V, atol=near)
        np.testing.assert_allclose(kept_a.V, kept_b.V, atol=near)
        np.testing.assert_allclose(kept_a.leads, kept_b.leads, atol=50 * near)
        times = [np.asarray(tissue.activation_time(c, DT)) for c in (a, b)]
        assert np.isfinite(times[0]).sum() > 100
        np.testing.assert_allclose(*times, atol=near / 10)


def test_a_planned_run_is_the_same_on_many_devices():
    """To rounding alone: no sum over devices decides anything."""
    body = muscle(patches()).planned([DT])
    (a, kept_a), (b, kept_b) = simulated(body), simulated(body.over(jax.devices()))
    np.testing.assert_allclose(a.state.V, b.state.V, atol=2e-3)
    np.testing.assert_allclose(kept_a.V, kept_b.V, atol=2e-3)
    unplanned, _ = simulated(muscle(patches()))
    times = [np.asarray(tissue.activation_time(c, DT)) for c in (a, unplanned)]
    np.testing.assert_allclose(*times, atol=2e-3)  # both solve to 1e-4


def test_isolated_membranes_are_spread_too():
    single = tissue.Isolated(patches(), BODY.n_nodes)
    (a, _), (b, _) = simulated(single), simulated(single.over(jax.devices()))
    np.testing.assert_allclose(a.state.V, b.state.V, atol=1e-3)


@pytest.mark.parametrize("node", [3, 130, BODY.n_nodes - 70])
def test_the_guard_names_the_node_that_broke(node):
    """Membranes that touch nobody, so that one NaN stays one."""
    single = tissue.Isolated(ionic.MitchellSchaeffer(), BODY.n_nodes)
    carry = tissue.begin(single, DT, tissue.Detector())
    broken = carry.state.V.at[node].set(jnp.nan)
    _, kept = simulated(
        single.over(jax.devices()), carry._replace(state=carry.state._replace(V=broken))
    )
    assert np.isnan(kept.V_worst).all()
    assert (np.asarray(kept.worst) == node).all()


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("value", [np.nan, 400.0])
@pytest.mark.parametrize("node", [3, 130, 400])
def test_the_guard_of_a_wave_names_the_node_that_one_device_names(node, value, planned):
    """Where nodes are coupled. A solve that watches its residual ends at a NaN, which stays alone;
    a planned one hands it on, and the first is named. 400 mV, after which the next steps go to
    -1e3 and -1e6, agree to 1e-4, as good as the solve of a step is."""
    one = muscle().planned([DT]) if planned else muscle()
    carry = tissue.begin(one, DT, tissue.Detector())
    broken = carry.state._replace(V=carry.state.V.at[node].set(value))
    (_, a), (_, b) = (
        tissue.simulate(
            body,
            [],
            dt=DT,
            steps=2,
            sample_every=1,
            keep_V=True,
            start=carry._replace(state=broken),
        )
        for body in (one, one.over(jax.devices()))
    )
    handed_on = planned and np.isnan(value)
    named = np.isnan(a.V).argmax(axis=1) if handed_on else node
    assert (np.asarray(a.worst) == named).all()
    np.testing.assert_array_equal(a.worst, b.worst)
    np.testing.assert_array_equal(np.isnan(a.V), np.isnan(b.V))
    assert (np.isnan(a.V).sum(axis=1) > 9).all() == handed_on
    np.testing.assert_allclose(a.V_worst, b.V_worst, rtol=1e-4)
    assert (~(np.abs(a.V_worst) <= 200.0)).all()  # of a scenario, which then stops


def test_gradients_are_the_same_in_both_modes():
    """Conductivity, a membrane's parameter, strength and onset; relative to the largest."""
    with jax.enable_x64(True):
        base = muscle(rtol=1e-12)
        many = base.over(jax.devices())

        def value(p, body):
            K = body.K.with_entries(p[0] * body.K.off, p[0] * body.K.diagonal)
            model = ionic.MitchellSchaeffer(tau_in=0.3 * p[1])
            body = dataclasses.replace(body, K=K, ionic=model)
            carry, kept = simulated(body, strength=50.0 * p[2], start=0.53 * p[3])
            return (kept.leads**2).mean() / 1e3 + carry.events.V.mean()

        p = jnp.ones(4)
        one = jax.jit(jax.grad(value))(p, base)
        for derivative in (jax.grad, jax.jacfwd):
            other = jax.jit(derivative(value))(p, many)
            np.testing.assert_allclose(one, other, rtol=1e-7)
        assert (np.abs(one) > 1e-3).all()


def test_run_and_gradient_compile_for_several_gpus():
    """The program of eight CUDA devices, value and gradient, with no call back to the host and in
    the run, as it is planned, no loop but those of steps and samples."""
    many = muscle().planned([DT]).over(jax.devices())

    def value(strength):
        return (simulated(many, strength=strength)[1].leads ** 2).mean()

    for program, loops in ((value, 2), (jax.grad(value), None)):
        exported = jax.export.export(jax.jit(program), platforms=["cuda"])(jnp.asarray(50.0))
        assert exported.nr_devices == 8
        assert loops in (None, exported.mlir_module().count("stablehlo.while"))
        assert "callback" not in exported.mlir_module()


def test_a_mesh_out_of_order_or_too_small_is_refused():
    order = RNG.permutation(BODY.n_nodes).astype(np.int32)
    cells = np.argsort(order).astype(np.int32)[BODY.cells]
    K = fem.elements(dataclasses.replace(BODY, points=BODY.points[order], cells=cells)).mass(0.0)
    with pytest.raises(ValueError, match=r"use fewer devices, or order the mesh with fem\.compact"):
        K.over(jax.devices())
    assert fem.most_strips(cells, BODY.n_nodes, 8) == 1
