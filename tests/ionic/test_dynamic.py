"""Dynamic restitution: against each cycle length paced by hand, and where alternans begins."""

import dataclasses

import numpy as np
import pytest

from heartsim.ionic import (
    Dynamic,
    Pacing,
    by_name,
    dynamic_restitution,
    markers,
    pace,
    s1s2,
    scaled,
)

MODEL = by_name("mitchell_schaeffer_2003")
PACING = Pacing(beats=40, dt=0.02)
CYCLES = np.array([275.0, 280.0, 300.0, 400.0])
"""ms: every other stimulus is blocked, beats still alternate, and two of equal beats."""


@pytest.fixture(scope="module")
def found():
    return dynamic_restitution(MODEL, CYCLES, PACING)


def beats_by_hand(model, cycle, pacing=PACING):
    """The two beats after the train, each as the last of so many of `pace`."""
    each = (pacing.beats + 1, pacing.beats + 2)
    return [
        pace(model, dataclasses.replace(pacing, cycle_length=cycle, beats=beats)) for beats in each
    ]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_durations_are_those_of_beats_paced_by_hand(found, k):
    """APD90 from samples 0.1 ms apart, the slope between neighbours of which may put the onset 0.1
    ms earlier."""
    wanted = [markers(beat)["apd90_ms"] for beat in beats_by_hand(MODEL, CYCLES[k])]
    np.testing.assert_allclose(found.apd90[k], wanted, atol=0.15)


def test_a_blocked_beat_has_no_duration(found):
    """Of two beats by hand the second, in the tail of the first, does not come half as high above
    -80 mV; the first agrees."""
    first, second = beats_by_hand(MODEL, CYCLES[0])
    assert first.V.max() > 0.0
    assert second.V.max() < -30.0
    assert np.isnan(markers(second)["apd90_ms"])
    assert found.apd90[0, 0] == pytest.approx(markers(first)["apd90_ms"], abs=0.15)
    assert np.isnan(found.apd90[0, 1])
    assert np.isnan(found.alternans[0])


def test_a_beat_that_outlasts_its_cycle_has_no_duration():
    """A gate that closes slower: what fires at 300 ms lasts longer than that, by hand too."""
    model = scaled(MODEL, {"tau_close": 1.3})
    first, _ = beats_by_hand(model, 300.0)
    assert np.isnan(markers(first)["apd90_ms"])
    assert np.isnan(dynamic_restitution(model, np.array([300.0]), PACING).apd90).all()


def test_what_is_read_from_two_beats():
    two = Dynamic(np.array([300.0, 400.0]), np.array([[210.0, 180.5], [250.0, np.nan]]))
    np.testing.assert_array_equal(two.diastolic, [90.0, 150.0])
    np.testing.assert_array_equal(two.alternans, [29.5, np.nan])


def test_a_flat_restitution_has_no_alternans():
    """With τ_close 60 and τ_open 192 ms the slope that Mitchell and Schaeffer estimate,
    τ_close/τ_open q / (1 - q) with q = (1 - h_min) exp(-DI/τ_open), is below 1 at all diastolic
    intervals here, from 53 ms on: beats are equal, in 40 beats to 0.01 ms, and longer at longer
    cycles."""
    model = scaled(MODEL, {"tau_close": 0.4, "tau_open": 1.6})
    found = dynamic_restitution(model, np.array([120.0, 160.0, 220.0, 300.0]), PACING)
    q = 0.8 * np.exp(-found.diastolic / 192.0)
    assert (60.0 / 192.0 * q / (1 - q) < 0.7).all()
    assert (found.alternans < 0.01).all()
    assert (np.diff(found.apd90[:, 1]) > 5.0).all()


def test_alternans_begins_where_restitution_gets_steeper_than_one(x64):
    """With τ_close 195 ms. A cell with one slow gate remembers nothing but its diastolic interval,
    so S1S2 restitution gives where alternans begins: at slope 1, which the paper's estimate puts at
    DI = τ_open ln((1 - h_min) (1 + τ_close/τ_open)), 89 ms (to 5 %: APD90 ends later than its
    APD). 2 ms below that cycle length beats alternate by more than 100 ms, 10 ms above by less than
    1 ms; the last beats of another way of pacing, one by one, do so too."""
    model = scaled(by_name("mitchell_schaeffer_2003"), {"tau_close": 1.3})
    curve = s1s2(model, np.arange(340.0, 460.0, 2.0), Pacing(600.0, beats=5, dt=0.05))
    fires = ~np.isnan(curve.apd90)
    diastolic, apd = curve.diastolic[fires], curve.apd90[fires]
    slope = np.gradient(apd, diastolic)
    k = int(np.flatnonzero(slope > 1.0)[-1])
    at = np.interp(-1.0, -slope[k : k + 2], diastolic[k : k + 2])
    assert at == pytest.approx(120.0 * np.log(0.8 * (1 + 195.0 / 120.0)), rel=0.05)
    cycle = round(at + np.interp(at, diastolic, apd))
    pacing = dataclasses.replace(PACING, beats=100)
    found = dynamic_restitution(model, np.array([cycle - 2.0, cycle + 10.0]), pacing)
    assert found.alternans[0] > 100.0
    assert found.alternans[1] < 1.0
    apart = [markers(beat)["apd90_ms"] for beat in beats_by_hand(model, cycle - 2.0, pacing)]
    assert abs(apart[1] - apart[0]) == pytest.approx(found.alternans[0], abs=0.5)


@pytest.mark.parametrize("cycles", [[], [300.0, 0.5]])
def test_cycles_within_a_stimulus_are_refused(cycles):
    with pytest.raises(ValueError, match="wanted cycle lengths above 1 ms"):
        dynamic_restitution(MODEL, np.array(cycles), PACING)
