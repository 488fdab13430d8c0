"""Adaptive steps against the fixed ones that they replace."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim import fem, ionic, mesh, tissue

BODY, _ = fem.compact(mesh.slab((12.0, 3.0, 2.0), 0.5))
DT = 0.05
LEADS = np.random.default_rng(3).normal(size=(2, BODY.n_nodes)) / BODY.n_nodes


def muscle(model, **options):
    D = jnp.broadcast_to(0.15 * jnp.eye(3), (BODY.n_cells, 3, 3))
    return tissue.monodomain(BODY, D, model, lumped=1.0, **options)


def beat(muscle, stepping, duration, start=None, pulses=(0.0,)):
    site = np.asarray(BODY.points)[:, 0] < 1.6
    return tissue.simulate(
        muscle,
        [tissue.Stimulus(site=site, start=jnp.asarray(at)) for at in pulses],
        dt=DT,
        steps=round(duration / DT),
        sample_every=20,
        leads=jnp.asarray(LEADS),
        start=start,
        stepping=stepping,
    )


def strides(muscle, duration, **options):
    """The stride of each millisecond."""
    carry, seen = None, []
    for _ in range(round(duration)):
        carry, _ = beat(muscle, tissue.Adaptive(), 1.0, carry, **options)
        seen.append(int(carry.stride))
    return np.array(seen)


@pytest.mark.parametrize(
    ("name", "duration"), [("mitchell_schaeffer_2003", 450.0), ("ten_tusscher_2006_epi", 380.0)]
)
def test_a_beat_is_that_of_the_fixed_step(name, duration):
    """Activation within 0.1 ms is asked for: while something fires base steps are taken, so that
    it is the same to the rounding of another program. APD within 0.2 ms, 0.1 is seen."""
    heart = muscle(ionic.by_name(name))
    (a, kept_a), (b, kept_b) = (
        beat(heart, s, duration) for s in (tissue.Fixed(), tissue.Adaptive())
    )
    times = [np.asarray(tissue.activation_time(c, DT)) for c in (a, b)]
    assert np.isfinite(times[0][: BODY.n_nodes]).mean() > 0.9
    np.testing.assert_allclose(*times, atol=2e-3)
    apd = [np.asarray(c.events.duration(DT)) for c in (a, b)]
    assert np.isfinite(apd[0]).mean() > 0.9
    np.testing.assert_allclose(*apd, atol=0.2)
    scale = float(jnp.abs(kept_a.leads).max())
    np.testing.assert_allclose(kept_a.leads, kept_b.leads, atol=5e-3 * scale)


def test_steps_are_long_in_the_plateau_and_short_where_something_fires():
    """Two pulses, the second in the plateau of the first: base steps again while it acts."""
    seen = strides(muscle(ionic.MitchellSchaeffer()), 120.0, pulses=(0.0, 90.5))
    assert (seen[:20] == 1).all()
    assert (seen[60:90] == 10).all()
    assert (seen[90:92] == 1).all()


def test_a_wave_that_no_stimulus_announces_is_met_with_base_steps():
    """Half of the tissue is set above threshold in the midst of the longest steps."""
    heart = muscle(ionic.MitchellSchaeffer())
    rest, _ = beat(heart, tissue.Adaptive(), 30.0, pulses=())
    assert int(rest.stride) == 10
    V = jnp.where(jnp.asarray(BODY.points)[:, 0] < 3.0, -20.0, rest.events.V)
    lit = rest._replace(state=rest.state._replace(V=V), events=rest.events._replace(V=V))
    on, _ = beat(heart, tissue.Adaptive(), 30.0, lit, pulses=())
    off, _ = beat(heart, tissue.Fixed(), 30.0, lit, pulses=())  # goes on by base steps
    assert int(off.stride) == 1
    assert int(off.k) == int(lit.k) + 600
    times = [np.asarray(tissue.activation_time(c, DT)) for c in (on, off)]
    assert np.isfinite(times[1]).mean() > 0.7  # the others were lit, and crossed nothing
    np.testing.assert_allclose(*times, atol=0.1)


@pytest.mark.usefixtures("x64")
def test_forward_mode_passes_through_the_steps_that_were_taken():
    def value(tau_close):
        heart = muscle(
            ionic.MitchellSchaeffer(tau_close=tau_close), solver=fem.ConjugateGradients(rtol=1e-11)
        )
        return beat(heart, tissue.Adaptive(), 100.0)[1].leads.sum()

    value = jax.jit(value)
    _, slope = jax.jvp(value, (150.0,), (1.0,))
    difference = (value(150.0 + 1e-3) - value(150.0 - 1e-3)) / 2e-3
    assert float(slope) == pytest.approx(float(difference), rel=1e-5)


def test_a_step_without_an_estimate_is_refused():
    heart = muscle(ionic.MitchellSchaeffer(), membrane_step=ionic.RushLarsen())
    with pytest.raises(ValueError, match="use RushLarsenStaggered or"):
        beat(heart, tissue.Adaptive(), 1.0)


@pytest.mark.parametrize("stepping", [tissue.Fixed(), tissue.Adaptive()], ids=["fixed", "adaptive"])
def test_numpy_scalars_run_as_pythons_do(stepping):
    """By one program: to the bit."""
    D = jnp.broadcast_to(0.15 * jnp.eye(3), (BODY.n_cells, 3, 3))
    V = []
    for real, whole in ((float, int), (np.float64, np.int64)):
        heart = tissue.monodomain(BODY, D, ionic.MitchellSchaeffer(), lumped=real(0.5))
        pulse = tissue.Stimulus(site=np.asarray(BODY.points)[:, 0] < 1.6)
        steps = {"steps": whole(20), "sample_every": whole(10)}
        carry, _ = tissue.simulate(heart, [pulse], dt=real(0.1), stepping=stepping, **steps)
        V.append(np.asarray(carry.events.V))
    assert V[0].max() > 0
    np.testing.assert_array_equal(*V)


def test_a_traced_dt_is_for_fixed_steps():
    heart = muscle(ionic.MitchellSchaeffer())

    def run(dt, stepping):
        return tissue.simulate(heart, [], dt=dt, steps=2, sample_every=2, stepping=stepping)[0].k

    assert jax.jit(lambda dt: run(dt, tissue.Fixed()))(DT) == 2
    with pytest.raises(ValueError, match=r"Adaptive: dt is .* give a plain number"):
        jax.jit(lambda dt: run(dt, tissue.Adaptive()))(DT)


def test_a_planned_run_has_no_loops_but_steps_and_samples_on_a_gpu():
    """Others would wait for the host at every pass: conjugate gradients do in a step, before the
    first one, and where steps change their length."""
    body = muscle(ionic.by_name("ten_tusscher_2006_epi"))
    for each, loops in ((body, 5), (body.planned([DT]), 2)):
        run = jax.jit(lambda t: beat(t, tissue.Fixed(), 2.0)[0].state.V)
        exported = jax.export.export(run, platforms=["cuda"])(each)
        assert exported.mlir_module().count("stablehlo.while") == loops


@pytest.mark.parametrize("stepping", [tissue.Fixed(), tissue.Adaptive()], ids=["fixed", "adaptive"])
def test_a_planned_run_is_the_unplanned_one(stepping):
    """To 5e-3 ms: both solve to 1e-3, which moves activation by 4e-3 at most (docs/numerics.md)."""
    body = muscle(ionic.by_name("mitchell_schaeffer_2003"))
    ready = body.planned([DT, stepping.longest_step(DT)])
    times = [
        np.asarray(tissue.activation_time(beat(t, stepping, 60.0)[0], DT)) for t in (body, ready)
    ]
    assert np.isfinite(times[0]).sum() > 0.9 * BODY.n_nodes
    np.testing.assert_allclose(*times, atol=5e-3)
