"""Many cells at once, trains of beats and limit cycles: against one cell, fixed steps, exact
numbers."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    AbstractIonicModel,
    Adaptive,
    Pacing,
    Rates,
    Relaxation,
    RushLarsenMidpoint,
    by_name,
    flat,
    markers,
    pace,
    pace_cells,
    scaled,
    settle,
    train,
    variables,
)
from heartsim.ionic import _train as trains
from heartsim.ionic._markers import beat_markers
from tests.published import filled

FACTORS = {"g_K": np.array([1.0, 0.6, 1.5]), "g_CaL": np.array([1.0, 1.0, 0.7])}
PACING = Pacing(cycle_length=500.0, dt=0.02)


def one_of(name, cell):
    """The cell with its own parameters."""
    return scaled(by_name(name), {key: x[cell] for key, x in FACTORS.items()})


@pytest.fixture(scope="module", params=[1, 4])
def together(request):
    """Three cells of Luo and Rudy, each with its own parameters, after so many beats."""
    with jax.enable_x64(True):
        model = scaled(by_name("luo_rudy_1991"), {k: jnp.asarray(x) for k, x in FACTORS.items()})
        pacing = dataclasses.replace(PACING, beats=request.param)
        return pacing, pace_cells(model, 3, pacing, every=0.5)


@pytest.mark.parametrize("cell", [0, 1, 2])
def test_each_cell_does_what_it_does_alone(x64, together, cell):
    """The first beat is the same arithmetic, kept every 0.5 ms: to rounding. Beats before it are
    stepped together, 0.01 mV a substep: 0.1 mV away from the upstroke. Numbers: a straight line
    over 0.5 ms is 0.01 ms off where 90 % are gone; the onset is that of a step's middle, not of its
    end (0.01 ms); and the steepest step is at most 3 % above the mean of two."""
    pacing, found = together
    alone = pace(one_of("luo_rudy_1991", cell), pacing)
    V = alone.V[::25]
    assert found.V.shape == (len(V), 3)
    late = found.time > 5.0
    close = 1e-9 if pacing.beats == 1 else 0.1
    assert np.abs(found.V[:, cell] - V)[late].max() < close
    read, wanted = found.markers(), markers(alone)
    for name in ("rest_mV", "peak_mV", "amplitude_mV"):
        assert read[name][cell] == pytest.approx(wanted[name], abs=max(close, 1e-6))
    for name in ("apd90_ms", "apd70_ms", "apd50_ms", "triangulation_ms"):
        assert read[name][cell] == pytest.approx(wanted[name], abs=0.05 if close < 0.1 else 0.1)
    assert wanted["upstroke_mV_ms"] <= read["upstroke_mV_ms"][cell] * (1 + 1e-9)
    assert read["upstroke_mV_ms"][cell] == pytest.approx(wanted["upstroke_mV_ms"], rel=0.03)
    assert float(found.end[0][cell]) == pytest.approx(float(alone.end[0][0]), abs=close)


def test_the_three_cells_differ(together):
    """So that none of them passes for another: durations differ by more than 10 ms."""
    apd = np.sort(together[1].markers()["apd90_ms"])
    assert (np.diff(apd) > 10.0).all()


def test_cells_that_are_lost_are_counted():
    """A million times the sodium current runs away in steps of 0.02 ms."""
    model = scaled(by_name("luo_rudy_1991"), {"g_Na": jnp.array([1.0, 1e6, 1.0, 1e6])})
    with pytest.raises(ValueError, match=r"the voltage of 2 of 4 cells is not finite; .*0\.02 ms"):
        pace_cells(model, 4, Pacing(cycle_length=20.0, dt=0.02))


def test_charge_and_calcium_are_those_of_every_step(x64):
    """The second of two cells, with half of i_Kr: the six currents of qNet taken from the voltage
    and state of `pace` and summed by hand, to rounding. Kept every 0.5 ms, as it is by default,
    qNet is a sum of rectangles that misses what happens within: 1.1 %; calcium is 0.1 % off."""
    pacing = Pacing(cycle_length=400.0, dt=0.02)
    name = "ohara_rudy_cipa_2017_endo"
    alone = scaled(by_name(name), {"g_Kr": 0.5})
    two = scaled(by_name(name), {"g_Kr": jnp.array([1.0, 0.5])})
    beat = pace(alone, pacing, keep=variables(alone))
    state = filled(alone.initial(len(beat.V))[1], dict(beat.state))
    i = alone.currents(jnp.asarray(beat.V), state)
    by_hand = float(jnp.sum(i.CaL + i.NaL + i.Kr + i.Ks + i.K1 + i.to)) * 0.02 / 1000
    assert by_hand > 0.01
    fine, coarse = (pace_cells(two, 2, pacing, every=dt) for dt in (0.02, 0.5))
    assert fine.markers()["qnet_uC_uF"][1] == pytest.approx(by_hand, rel=1e-9)
    assert coarse.markers()["qnet_uC_uF"][1] == pytest.approx(by_hand, rel=0.02)
    assert fine.charge[0] != pytest.approx(by_hand, rel=0.05)
    rise = 1000 * float(np.ptp(beat.state["Ca_i"]))
    assert fine.markers()["calcium_uM"][1] == pytest.approx(rise, rel=1e-9)
    assert coarse.markers()["calcium_uM"][1] == pytest.approx(rise, rel=1e-3)
    np.testing.assert_allclose(fine.calcium[:, 1], beat.state["Ca_i"], rtol=1e-9)


def test_what_a_model_lacks_is_not_made_up():
    """No calcium and no currents of qNet in two variables."""
    found = pace_cells(by_name("mitchell_schaeffer_2003"), 2, Pacing(cycle_length=10.0, dt=0.1))
    assert found.calcium is None
    assert found.charge is None
    assert not {"calcium_uM", "qnet_uC_uF"} & set(found.markers())


def test_afterdepolarisations_of_voltages_that_are_known_exactly():
    """All fire at 10 ms from -80 to 20 mV and have their corners at samples: plain; a rise of 15 mV
    from 200 ms; the same before 110 ms, too early; one after 90 % are gone, too late; two, of which
    the larger counts, from the lowest before; one that never ends."""
    t = np.arange(0.0, 600.0, 0.5)
    start = [(0.0, -80.0), (10.0, -80.0), (10.5, 20.0)]
    plain = [(300.0, -80.0), (600.0, -80.0)]
    V = np.stack(
        [
            np.interp(t, *np.transpose([*start, *corners]))
            for corners in (
                [(200.0, 0.0), *plain],
                [(200.0, -20.0), (240.0, -5.0), *plain],
                [(60.0, -20.0), (100.0, -5.0), (200.0, -10.0), *plain],
                [*plain[:1], (400.0, -80.0), (420.0, -75.0), (450.0, -80.0), (600.0, -80.0)],
                [(150.0, -10.0), (160.0, -4.0), (200.0, -30.0), (220.0, -12.0), *plain],
                [(200.0, -30.0), (600.0, -7.0)],
            )
        ],
        axis=1,
    )
    same = np.ones(V.shape[1])
    found = beat_markers(t, V, 10.25 * same, 200.0 * same, 20.0 * same)
    last = -30.0 + 23.0 * (t[-1] - 200.0) / 400.0  # of the last cell's samples
    wanted = [0.0, 15.0, 0.0, 0.0, 18.0, last + 30.0]
    np.testing.assert_allclose(found["ead_mV"], wanted, atol=1e-12)
    np.testing.assert_array_equal(np.isnan(found["apd90_ms"]), [False] * 5 + [True])
    ends = found["apd90_ms"][:5] + 10.25
    np.testing.assert_allclose(ends[:2], [287.5, 300.0 - 60.0 * 10.0 / 75.0], atol=1e-12)


def test_a_train_approaches_fixed_fine_steps_as_its_tolerance_falls(x64, monkeypatch):
    """Three beats of ten Tusscher 2006 every 300 ms, so that the last ends on the flank of the
    action potential, where V shows all error in duration: at 1 mV/ms, 0.3 mV are 0.3 ms. Fixed
    steps of 0.01 ms are within 0.001 mV there of steps of half the length. At the tolerance that
    trains have (0.01 mV a substep) concentrations that are carried on are within 5e-4."""
    model = by_name("ten_tusscher_2006_epi")
    per_mV = 185.0 / (16404.0 * 96.4853415)  # mM of potassium with 1 mV of charge: C / (V_c F)

    @jax.jit
    def fine(cell):
        def one(k, cell):
            i_stim = jnp.where(jnp.mod(k, 30_000) < 100, 40.0, 0.0)
            V, state = RushLarsenMidpoint()(model, *cell, 0.01, i_stim)
            return V, state._replace(K_i=state.K_i + 0.01 * per_mV * i_stim)

        return jax.lax.fori_loop(0, 90_000, one, cell)

    V, state = fine(model.initial(1))
    wanted = {"V": V} | flat(state)
    off = []
    for tolerance in (0.1, 0.01, 0.001):
        monkeypatch.setattr(trains, "STEP", Adaptive(tolerance))
        trains._run.clear_cache()
        V, state = train(model, model.initial(1), Pacing(cycle_length=300.0), 3)
        found = {"V": V} | flat(state)
        off.append({k: float(np.abs(found[k] - x)[0]) for k, x in wanted.items()})
    trains._run.clear_cache()
    V = [one["V"] for one in off]
    assert V[2] < 0.5 * V[1] < 0.45 * V[0]
    assert V[1] < 0.4
    for name in ("Na_i", "K_i", "Ca_sr"):
        assert off[1][name] < 5e-4 * float(wanted[name][0])
        assert off[2][name] < 0.5 * off[1][name]


class Slow(AbstractIonicModel):
    """dV/dt = i_stim, and two variables that settle within 1 and within 5000 ms."""

    def rates(self, V, state):
        one = jnp.ones_like(V)
        return Rates(0 * one, {"fast": Relaxation(one, one), "slow": Relaxation(one, one / 5000)})

    def rest(self):
        return jnp.array(-80.0), {"fast": jnp.array(0.5), "slow": jnp.array(0.5)}


@pytest.mark.parametrize("asked", [1e-2, 1e-3, 1e-4])
def test_a_cell_settles_where_its_drift_falls_below_what_was_asked(x64, asked):
    """The slow variable is 1 - exp(-t / 5000 ms) / 2 exactly, so is its change over ten beats of
    100 ms, and when that falls below."""
    at = 1 - 0.5 * np.exp(-10 * 100.0 / 5000.0 * np.arange(60))
    drifts = np.diff(at) / at[:-1] / 10
    looks = int(np.argmax(drifts <= asked)) + 1
    found = settle(Slow(), Pacing(cycle_length=100.0, stimulus=0.0), drift=asked)
    assert found.beats == 10 * looks
    assert found.drift == pytest.approx(drifts[looks - 1], rel=1e-9)
    assert found.variable == "slow"
    assert float(found.end[1]["slow"][0]) == pytest.approx(at[looks], rel=1e-12)


def test_a_cell_that_does_not_settle_stops_after_the_most_beats(x64):
    """Of many cells the worst counts: the second starts at half, the first is there."""
    V, _ = Slow().initial(2)
    start = (V, {"fast": jnp.ones(2), "slow": jnp.array([1.0, 0.5])})
    found = settle(Slow(), Pacing(cycle_length=100.0, stimulus=0.0), start, drift=1e-9, most=25)
    assert found.beats == 25
    assert found.variable == "slow"
    done, before = (1 - 0.5 * np.exp(-t / 5000.0) for t in (2500.0, 2000.0))
    assert found.drift == pytest.approx((done - before) / before / 5, rel=1e-9)


def test_a_cell_that_loses_its_voltage_does_not_settle():
    with pytest.raises(ValueError, match=r"V.* not finite after 10 beats"):
        settle(Slow(), Pacing(cycle_length=2.0, stimulus=np.inf))


def test_a_beat_ends_where_its_cycle_does_however_often_it_is_kept(x64):
    """350.3 ms are no multiple of 0.5: V at the end is that of one cell, to rounding."""
    model, pacing = by_name("luo_rudy_1991"), Pacing(cycle_length=350.3, dt=0.02)
    many = pace_cells(model, 1, pacing, every=0.5).end[0]
    assert float(many[0]) == pytest.approx(float(pace(model, pacing).end[0][0]), abs=1e-9)


def test_the_charge_of_a_calcium_current_in_two_places_is_that_of_both(x64):
    """ToR-ORd's: by hand over its currents at the samples."""
    model, pacing = by_name("tor_ord_dyncl_2020_endo"), Pacing(cycle_length=20.0, dt=0.05)
    cells = pace_cells(model, 1, pacing, every=0.05)
    keep = variables(model)
    beat = pace(model, pacing, keep=keep)
    _, like = model.initial(len(beat.time))
    i = model.currents(jnp.asarray(beat.V), filled(like, dict(beat.state)))
    net = i.CaL_i + i.CaL_ss + i.NaL + i.Kr + i.Ks + i.K1 + i.to
    assert float(cells.charge[0]) == pytest.approx(float(net.sum()) * 0.05 / 1000, rel=1e-9)
