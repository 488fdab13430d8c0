"""Activation, repolarisation and APD from voltages that are known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim import mesh, tissue

DT = 0.1  # ms


def watch(V_of_t, steps, detector=None):
    detector = tissue.Detector() if detector is None else detector
    events = detector.start(jnp.atleast_1d(V_of_t(0.0)))
    update = eqx.filter_jit(detector)
    for k in range(steps):
        events = update(events, jnp.atleast_1d(V_of_t((k + 1) * DT)), jnp.int32(k), DT)
    return events


def trapezium(t, period=1000.0):
    """-80 mV; at 10.03 ms up by 100 mV/ms for 1 ms; from 111.03 ms down by 1 mV/ms."""
    t = t % period
    return jnp.interp(
        t, jnp.array([0, 10.03, 11.03, 111.03, 211.03]), jnp.array([-80, -80, 20, 20, -80.0])
    )


@pytest.mark.usefixtures("x64")
def test_crossings_of_straight_flanks_are_exact():
    """The flanks are linear, so that interpolation is exact: up through -40 at 10.43 ms, down
    through 20 - 0.9 x 100 = -70 at 201.03 ms."""
    events = watch(trapezium, 2500)
    assert events.activation.time(DT) == pytest.approx(10.43)
    assert events.repolarisation.time(DT) == pytest.approx(201.03)
    assert events.duration(DT) == pytest.approx(190.6)


@pytest.mark.usefixtures("x64")
def test_the_last_beat_counts_and_an_open_one_has_no_duration():
    second = watch(lambda t: trapezium(t, 300.0), 5500)
    assert second.activation.time(DT) == pytest.approx(310.43)
    assert second.duration(DT) == pytest.approx(190.6)
    assert np.isnan(watch(trapezium, 500).duration(DT))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("start", [6.0, 8.5])
def test_a_dip_before_the_wave_is_no_rest(start):
    """20 mV for 1.5 ms, within a span and across the border of two, as consistent mass makes on
    edges of 2 mm: rest stays -80 mV, where the least V would put the level at 20 - 0.9 x 120 =
    -88 mV, which is never reached again. Deeper rest that lasts is rest: from 260 ms on, -90 mV."""

    def dips(t):
        dip = jnp.where((t > start) & (t < start + 1.5), -20.0, 0.0)
        return trapezium(t) + dip - 10.0 * (t > 260.0)

    events = watch(dips, 2500)
    assert events.activation.time(DT) == pytest.approx(10.43)
    assert events.duration(DT) == pytest.approx(190.6)
    assert events.low == pytest.approx(-80.0)
    assert watch(dips, 2800).low == pytest.approx(-90.0)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("rise", "counts"), [(55.0, False), (62.0, True)])
def test_a_wave_into_recovering_tissue_counts_after_50_ms(rise, counts):
    """Up through -40 at 10.43 ms and from 20 mV at 11.03 ms down by 1.5 mV/ms: below -40 mV from
    51.03 ms, repolarised (-70 mV) at 71.03. At `rise` up again by 100 mV/ms to 20, down as before:
    44.7 ms after the first activation the beat goes on, 51.7 ms after it there is a second. Its
    peak lies between two steps: what is not seen of it moves repolarisation by less than one."""
    found = 20.0 - 1.5 * (rise - 11.03)
    peak = rise + (20.0 - found) / 100.0

    def waves(t):
        down = 20.0 - 1.5 * (t - peak)
        first = jnp.interp(t, jnp.array([0, 10.03, 11.03]), jnp.array([-80, -80, 20.0]))
        first = first - 1.5 * jnp.maximum(t - 11.03, 0.0)
        second = jnp.maximum(jnp.minimum(found + 100.0 * (t - rise), down), -80.0)
        return jnp.where(t > rise, second, first)

    at = rise + (-40.0 - found) / 100.0 if counts else 10.43
    open_yet, events = watch(waves, 700), watch(waves, 1500)
    assert events.activation.time(DT) == pytest.approx(at)
    assert np.isnan(open_yet.duration(DT))
    assert events.repolarisation.time(DT) == pytest.approx(peak + 60.0, abs=DT)
    assert events.duration(DT) == pytest.approx(peak + 60.0 - at, abs=DT)


def test_never_is_nan():
    events = watch(lambda t: -80.0 + 0 * t, 50)
    assert np.isnan(events.activation.time(DT))
    assert np.isnan(events.duration(DT))


def test_pulses_deliver_their_exact_charge_in_float32():
    """Onset and duration off the grid of steps, and the 5000th beat at 10 Hz as exact as the
    first: the cycle is counted in steps. 1e-5 is float32's sum of ten shares."""
    pulse = tissue.Stimulus(
        site=np.array([True, False]),
        start=0.013,
        duration=0.571,
        strength=10.0,
        cycle_steps=1000,
        beats=5000,
    )
    for beat in (0, 4999):
        steps = jnp.arange(10, dtype=jnp.int32) + 1000 * beat
        charge = jax.vmap(lambda k: pulse(k, DT))(steps).sum(axis=0) * DT
        assert charge == pytest.approx([5.71, 0.0], rel=1e-5)
    slope = jax.grad(
        lambda d: tissue.Stimulus(site=np.ones(1, bool), duration=d)(jnp.int32(2), DT)[0]
    )
    assert slope(0.25) == pytest.approx(50.0 / DT, rel=1e-5)


def test_whole_steps():
    assert tissue.whole_steps(800.0, 0.05, "cycle_ms") == 16000
    with pytest.raises(
        ValueError, match=r"cycle_ms = 0\.12 ms is not a whole number of steps of 0\.05 ms"
    ):
        tissue.whole_steps(0.12, 0.05, "cycle_ms")


def test_a_mesh_without_fibres_takes_one_value_only():
    body = mesh.cable(1.0, 0.5)
    bare = mesh.Mesh(body.points, body.cells, body.regions)
    with pytest.raises(ValueError, match="the mesh has no fibres"):
        tissue.tensor(bare, 0.2, 0.1, 0.1)
    per_cell = np.full(body.n_cells, 0.1)
    for three in (np.array([0.1, 0.1, 0.1]), jnp.array([0.1, 0.1, 0.1]), (0.1, per_cell, 0.1)):
        assert tissue.tensor(bare, *three)[0] == pytest.approx(0.1 * np.eye(3))


def test_traced_values_without_fibres_must_be_one():
    body = mesh.cable(1.0, 0.5)
    bare = mesh.Mesh(body.points, body.cells, body.regions)
    one = jax.jit(lambda x: tissue.tensor(bare, x, x, x))(0.1)
    assert one[0] == pytest.approx(0.1 * np.eye(3))
    with pytest.raises(ValueError, match="the mesh has no fibres"):
        jax.jit(lambda x: tissue.tensor(bare, x, x, 1.0 * x))(0.1)


def test_series_conductivities_are_the_benchmarks():
    """Niederer (2011): harmonic means of the intra- and extracellular values."""
    assert tissue.monodomain_conductivity(0.17, 0.62) == pytest.approx(0.1334, abs=5e-5)
    assert tissue.monodomain_conductivity(0.019, 0.24) == pytest.approx(0.0176, abs=5e-5)
    assert tissue.diffusivity(0.14) == pytest.approx(0.1)
