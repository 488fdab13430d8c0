"""Measures on beats whose answer is known exactly."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from heartsim import ecg
from heartsim.ecg import LEADS, Recording, measure

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def bump(t, start, end):
    """sin² between start and end, zero outside: onset and offset are exact."""
    inside = (t >= start) & (t <= end)
    return np.where(inside, np.sin(np.pi * (t - start) / (end - start)) ** 2, 0.0)


def window(t, start, end):
    """A Gaussian of ±3 standard deviations, lowered to zero at both ends."""
    middle, deviation = (start + end) / 2, (end - start) / 6
    return np.maximum(np.exp(-0.5 * ((t - middle) / deviation) ** 2) - np.exp(-4.5), 0.0)


def twelve(eight):
    """All twelve leads, in the order of LEADS, from I, II, V1 to V6."""
    one, two, *chest = eight
    return np.stack(
        [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2, *chest], 1
    )


def beat_at(t, start, shape=bump, scale=1.0):
    """A P wave, qRS of 90 ms from `start` that begins in one lead and ends in another, and T."""
    q = shape(t, start, start + 30)
    r = shape(t, start + 15, start + 65)
    s = shape(t, start + 50, start + 90)
    p = bump(t, start - 150, start - 50)
    wave = bump(t, start + 180, start + 340)
    rows = [
        -0.1 * q + 0.8 * r,
        0.9 * r - 0.2 * s,
        0.2 * r - 0.9 * s,
        0.4 * r - 1.5 * s,
        0.7 * r - 0.8 * s,
        -0.1 * q + 1.4 * r - 0.4 * s,
        -0.2 * q + 1.2 * r - 0.2 * s,
        -0.1 * q + 1.0 * r - 0.1 * s,
    ]
    weights = [0.2, 0.3, -0.1, 0.4, 0.4, 0.3, 0.3, 0.2]
    return scale * twelve([x + 0.1 * p + w * wave for x, w in zip(rows, weights, strict=True)])


@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0, 2000.0])
@pytest.mark.parametrize("scale", [1.0, 0.01])
@pytest.mark.parametrize("shape", [bump, window])
def test_onset_offset_and_t_are_where_they_were_put(rate, scale, shape):
    """±2 ms, the half width of the slope, for QRS (a Gaussian rises late: 3 ms; at 250 Hz a sample
    is 4 ms); T ends where its tangent does: sin² of width w falls steepest, by π/w, at half
    height, w/4 after its peak, so the tangent meets zero w/4 + w/(2π) after it. 3 ms for
    smoothing by 8 ms."""
    t = np.arange(0, 700, 1000 / rate)
    v = measure(Recording(beat_at(t, 250.0, shape, scale), rate, LEADS)).values
    slack = max(2.0 if shape is bump else 3.0, 1000 / rate)
    assert v["qrs_onset_ms"] == pytest.approx(250, abs=slack)
    assert v["qrs_offset_ms"] == pytest.approx(340, abs=slack)
    assert v["t_peak_ms"] == pytest.approx(510, abs=2)
    tail = 160 / 4 + 160 / (2 * np.pi)
    assert v["tpeak_tend_ms"] == pytest.approx(tail, abs=3)
    assert v["qt_ms"] == pytest.approx(510 + tail - 250, abs=4)


@pytest.mark.parametrize("start", [0.0, 1.0, 5.0, 40.0])
def test_a_qrs_may_begin_with_the_record(start):
    """As on a simulated beat, which has no P wave and no past."""
    t = np.arange(0.0, 450.0)
    v = measure(Recording(beat_at(t, start) - beat_at(t, start)[0], 1000.0, LEADS)).values
    assert v["qrs_onset_ms"] == pytest.approx(start, abs=2)
    assert v["qrs_duration_ms"] == pytest.approx(90, abs=3)


def test_a_beat_without_t_wave_says_so():
    t = np.arange(0.0, 450.0)
    m = measure(Recording(beat_at(np.minimum(t, 150.0), 20.0), 1000.0, LEADS))
    assert np.isnan(m.values["qt_ms"])
    assert m.rows()["qt_ms"]["value"] is None
    assert m.rows()["qrs_duration_ms"]["unit"] == "ms"
    assert json.loads(json.dumps(m.rows())) == m.rows()


def test_waves_of_a_lead_are_named_and_measured():
    """q 0.2 of 30 ms, R 1.2 and S 0.2 overlap, so amplitudes of q and S lose little: 5 %."""
    t = np.arange(0.0, 700.0)
    per_lead = measure(Recording(beat_at(t, 250.0), 1000.0, LEADS)).per_lead
    v5, v1 = per_lead["V5"], per_lead["V1"]
    assert v5.pattern == "qRs"
    assert v1.pattern == "rS"
    assert v5.r == pytest.approx(1.2, rel=0.02)
    assert v5.r_peak_time == pytest.approx(40, abs=3)
    assert v1.s == pytest.approx(0.9, rel=0.02)
    assert v1.t_amplitude == pytest.approx(-0.1, rel=0.1)
    below = np.flatnonzero(beat_at(t, 250.0)[250:341, 6] < 0)
    assert v1.s_duration == pytest.approx(len(below), abs=3)
    assert per_lead["I"].qrs_offset < per_lead["V2"].qrs_offset - 20


@pytest.mark.parametrize("angle", [-135.0, -60.0, 0.0, 47.0, 90.0, 170.0])
def test_axis_of_a_vector_that_keeps_its_direction(angle):
    """I = E cos α, II = E cos(α - 60°): exact but for what is lost at the ends of the QRS."""
    t = np.arange(0.0, 400.0)
    size = bump(t, 100.0, 190.0)
    one, two = (np.cos(np.radians(angle - lead)) * size for lead in (0.0, 60.0))
    m = measure(Recording(twelve([one, two] + [0.3 * size] * 6), 1000.0, LEADS))
    assert m.values["qrs_axis_deg"] == pytest.approx(angle, abs=0.1)


def test_r_wave_progression_and_transition():
    """R grows by 0.2 a lead from 0.3, S falls by 0.2 from 1.0: they are equal at lead 2.75."""
    t = np.arange(0.0, 400.0)
    r, s = bump(t, 100.0, 140.0), bump(t, 140.0, 180.0)
    chest = [(0.3 + 0.2 * k) * r - (1.0 - 0.2 * k) * s for k in range(6)]
    m = measure(Recording(twelve([r, r, *chest]), 1000.0, LEADS))
    assert m.values["r_transition"] == pytest.approx(2.75, abs=0.02)
    assert m.per_lead["V3"].r == pytest.approx(0.7, abs=0.01)
    assert m.per_lead["V3"].s == pytest.approx(0.6, abs=0.01)
    late = measure(Recording(twelve([r, r] + [0.3 * r - s] * 6), 1000.0, LEADS))
    assert np.isnan(late.values["r_transition"])


def test_qrs_area_of_analytic_waves():
    """∫ sin² over w is w/2; opposite waves cancel; √(3² + 4²) = 5. The trapezoid is exact here."""
    t = np.arange(0.0, 101.0)
    x, y = 3 * bump(t, 0.0, 100.0), 4 * bump(t, 0.0, 100.0)
    z = bump(t, 0.0, 50.0) - bump(t, 50.0, 100.0)
    assert ecg.qrs_area(np.stack([x, y, z], 1), 1000.0) == pytest.approx(250, rel=1e-12)
    t2 = np.arange(0.0, 100.5, 0.5)
    finer = np.stack([3 * bump(t2, 0.0, 100.0), 4 * bump(t2, 0.0, 100.0), 0 * t2], 1)
    assert ecg.qrs_area(finer, 2000.0) == pytest.approx(250, rel=1e-12)


def test_area_in_a_measurement_is_that_of_the_matrix():
    """Lead I alone as a bump of 100 ms and 1 mV: area 50 |(0.38, -0.07, 0.11)|."""
    t = np.arange(0.0, 400.0)
    zero = 0 * t
    m = measure(Recording(twelve([bump(t, 100, 200), *[zero] * 7]), 1000.0, LEADS))
    exact = 50 * np.linalg.norm(ecg.KORS["I"])
    assert m.values["qrs_area_uVs"] == pytest.approx(exact, rel=0.002)


def test_correction_by_rate():
    """RR of 640 ms: Bazett divides by 0.8, Fridericia by 0.64^(1/3)."""
    m = measure(strip(640.0, 12))
    qt = m.values["qt_ms"]
    assert m.values["rr_ms"] == pytest.approx(640, abs=1)
    assert m.values["heart_rate_per_min"] == pytest.approx(93.75, abs=0.2)
    assert m.values["qtc_bazett_ms"] == pytest.approx(qt / 0.8, rel=2e-3)
    assert m.values["qtc_fridericia_ms"] == pytest.approx(qt / 0.64 ** (1 / 3), rel=2e-3)


def strip(rr, beats, noise=0.0, rate=500.0, wander=0.0, hum=0.0):
    """A recording of equal beats, with noise, wander and 50 Hz hum [mV] where asked."""
    t = np.arange(0, rr * beats, 1000 / rate)
    signal = sum(beat_at(t, 200.0 + rr * k) for k in range(beats))
    noisy = noise * np.random.default_rng(0).normal(size=signal.shape)
    slow = wander * np.sin(2 * np.pi * 0.15 * t / 1000)[:, None]
    mains = hum * np.sin(2 * np.pi * 50 * t / 1000)[:, None]
    return Recording(signal + noisy + slow + mains, rate, LEADS)


@pytest.mark.parametrize(
    "worse", [{}, {"noise": 0.02}, {"wander": 0.5}, {"hum": 0.1}, {"noise": 0.01, "wander": 0.3}]
)
def test_median_beat_withstands_noise(worse):
    """QRS within 8 ms (90 ± 8, as between cardiographs), T end within 10 ms, R within 3 %:
    20 µV of noise are 7 µV in the median of 11 beats, on slow starts of the waves."""
    m = measure(strip(800.0, 12, **worse))
    assert m.values["ecg_beats"] == 12
    assert m.values["ecg_beats_used"] >= 10
    assert m.values["qrs_duration_ms"] == pytest.approx(90, abs=8)
    assert m.values["qt_ms"] == pytest.approx(325.5, abs=12)
    assert m.per_lead["V5"].r == pytest.approx(1.2, rel=0.03)


def test_ectopic_beats_are_left_out():
    """Wide early beats of another shape among twelve: the median is as without them."""
    plain = strip(800.0, 12)
    signal = np.array(plain.signal)
    t = plain.time
    for k in (3, 8):
        at = 200.0 + 800.0 * k
        own = beat_at(t, at)
        signal += -own + 2 * bump(t, at - 250, at - 80)[:, None] * np.linspace(-1, 1, 12)
    m = measure(Recording(signal, 500.0, LEADS))
    clean = measure(plain)
    assert m.values["ecg_beats"] == 12
    assert m.values["ecg_beats_used"] <= 10
    assert m.values["qrs_duration_ms"] == pytest.approx(clean.values["qrs_duration_ms"], abs=2)
    assert m.values["qt_ms"] == pytest.approx(clean.values["qt_ms"], abs=3)


def test_notch_and_slur_are_told_apart():
    """A dip of 20 % amid R; a shoulder without a turn; a plain R; a dip that comes too early."""
    t = np.arange(0.0, 400.0)
    plain = bump(t, 100.0, 250.0)
    dip = plain - 0.35 * bump(t, 160.0, 190.0)
    early = plain + 0.3 * bump(t, 102.0, 130.0)
    shoulder = bump(t, 100.0, 200.0) + 0.45 * bump(t, 145.0, 245.0)
    m = measure(Recording(twelve([dip, shoulder, plain, early, *[plain] * 4]), 1000.0, LEADS))
    assert (m.per_lead["I"].notches, m.per_lead["I"].slurs) == (1, 0)
    assert m.per_lead["II"].notches == 0
    assert m.per_lead["II"].slurs == 1
    assert (m.per_lead["V1"].notches, m.per_lead["V1"].slurs) == (0, 0)
    assert m.per_lead["V2"].notches == 0


def test_single_precision_on_the_device_measures_the_same():
    """As a simulation gives it: 32 bits, in JAX. Slopes of 1e-7 mV are far below any threshold."""
    t = np.arange(0.0, 700.0)
    double = measure(Recording(beat_at(t, 250.0), 1000.0, LEADS)).values
    single = measure(Recording(jnp.asarray(beat_at(t, 250.0), jnp.float32), 1000.0, LEADS)).values
    for name, value in double.items():
        assert single[name] == pytest.approx(value, rel=1e-4, nan_ok=True)


def test_a_measure_needs_its_leads():
    t = np.arange(0.0, 700.0)
    whole = Recording(beat_at(t, 250.0), 1000.0, LEADS)
    two = Recording(whole.signal[:, 1:2], 1000.0, ("II",))
    v = measure(two).values
    assert v["qrs_duration_ms"] == pytest.approx(90, abs=30)  # II neither begins nor ends it
    assert np.isnan(v["qrs_axis_deg"])
    assert np.isnan(v["qrs_area_uVs"])
    assert v["rbbb_aha"] is None
    with pytest.raises(ValueError, match="lead I, V1, V2, V3, V4, V5, V6 is missing"):
        ecg.kors(two)


def test_bad_recordings():
    with pytest.raises(ValueError, match="no QRS complex"):
        measure(Recording(np.zeros((1000, 12)), 500.0, LEADS))
    holed = np.zeros((1000, 12))
    holed[5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        measure(Recording(holed, 500.0, LEADS))
    with pytest.raises(ValueError, match="does not fit 2 leads"):
        Recording(np.zeros((10, 12)), 500.0, ("I", "II"))
    with pytest.raises(ValueError, match="lead V9 is not recorded; there are I, II"):
        Recording(np.zeros((10, 2)), 500.0, ("I", "II")).lead("V9")
    with pytest.raises(ValueError, match="sex is 'x'"):
        measure(Recording(beat_at(np.arange(0.0, 700.0), 250.0), 1000.0, LEADS), sex="x")


def test_too_few_samples_are_refused():
    recording = ecg.Recording(np.zeros((100, 12)), 40.0, ecg.LEADS)
    with pytest.raises(ValueError, match="40 samples a second are too few; wanted 100 or more"):
        ecg.median_beat(recording)
