"""S1S2 restitution: against the same beats paced one after another; what is read from curves."""

import dataclasses

import numpy as np
import pytest

from heartsim.ionic import Pacing, Restitution, by_name, markers, pace, s1s2

MODEL = by_name("mitchell_schaeffer_2003")
PACING = Pacing(cycle_length=600.0, beats=3, dt=0.1)


@pytest.fixture(scope="module")
def curve():
    return s1s2(MODEL, np.arange(240.0, 620.0, 20.0), PACING)


def test_s2_after_a_cycle_is_one_more_beat(curve):
    """At an interval of the cycle length it is the next S1: APD90 to a step, as both are measured
    from a sample."""
    fourth = markers(pace(MODEL, dataclasses.replace(PACING, beats=4)))
    at = np.flatnonzero(curve.interval == 600.0)[0]
    assert curve.apd90[at] == pytest.approx(fourth["apd90_ms"], abs=0.3)
    third = markers(pace(MODEL, PACING))
    assert curve.diastolic[at] == pytest.approx(600.0 - third["apd90_ms"], abs=2.0)  # the upstroke


def test_an_early_s2_is_paced_by_hand(curve):
    """S2 of 400 ms: two beats of 600 ms, one of 400 ms and what follows it."""
    two = pace(MODEL, dataclasses.replace(PACING, beats=2)).end
    third = pace(MODEL, Pacing(400.0, dt=0.1), start=two)
    last = pace(MODEL, Pacing(600.0, dt=0.1), start=third.end)
    rest, V = float(third.V[0]), last.V.astype(float)
    level = V.max() - 0.9 * (V.max() - rest)
    end = last.time[np.flatnonzero(level < V)[-1]]
    onset = last.time[int(np.argmax(np.diff(V)))]
    at = np.flatnonzero(curve.interval == 400.0)[0]
    assert curve.apd90[at] == pytest.approx(end - onset, abs=0.3)


def test_the_curve_rises_and_ends_at_the_refractory_period(curve):
    fires = ~np.isnan(curve.apd90)
    assert not fires[0]
    assert fires[-1]
    assert (np.diff(curve.apd90[fires]) > 0).all()
    assert curve.refractory == curve.interval[~fires].max()
    assert (curve.diastolic[fires] > 0).all()
    assert 0 < curve.steepest < 3


def test_a_beat_of_the_cell_itself_is_not_that_of_s2():
    """A Purkinje fibre that fires again some 900 ms later: APD90 at both intervals alike."""
    found = s1s2(by_name("stewart_2009"), np.array([500.0, 900.0]), Pacing(1500.0, beats=2))
    assert found.fires.all()
    # beats alone have 260 to 304 ms; with the one that follows they had 1400
    assert found.apd90 == pytest.approx(280.0, abs=40.0)


def test_a_train_whose_last_beat_does_not_end_is_refused():
    with pytest.raises(ValueError, match="does not end in 150 ms, the longest interval"):
        s1s2(MODEL, np.array([100.0, 150.0]), PACING)


def test_what_did_not_fire_has_no_duration():
    weak = markers(pace(MODEL, dataclasses.replace(PACING, stimulus=5.0)))
    assert weak["amplitude_mV"] < 60
    assert np.isnan([weak[k] for k in ("apd90_ms", "apd50_ms", "triangulation_ms")]).all()


def test_what_is_read_from_a_curve():
    nan = np.nan
    known = Restitution(
        np.array([300.0, 320, 340, 360]),
        np.array([-5.0, 15, 35, 55]),
        np.array([nan, 150, nan, 180]),
        np.array([False, True, True, True]),
    )
    assert known.refractory == 300.0
    assert known.steepest == pytest.approx(0.75)
    none = Restitution(known.interval, known.diastolic, np.full(4, nan), np.zeros(4, bool))
    assert np.isnan(none.steepest)
    assert none.refractory == 360.0


def test_intervals_within_a_stimulus_are_refused():
    with pytest.raises(ValueError, match="wanted intervals longer than a stimulus, 1 ms"):
        s1s2(MODEL, np.array([0.5]), PACING)
