"""One beat for many: QRS detection, alignment, and the median over the beats of one kind."""

from typing import NamedTuple

import equinox as eqx
import numpy as np
import scipy
from jaxtyping import Float, Int

from heartsim._types import AnyArray

from ._recording import Recording

BAND = (0.5, 150.0)
"""Pass band of the median beat, Hz: second-order Butterworth, forwards and backwards, so that no
wave is shifted."""
ALIKE = 0.9
"""Least correlation of a beat's QRS with the median's; below it a beat is of another kind."""
LEAST_RATE = 100.0
"""Hz, of a record that can be measured: QRS is told by 5 to 30 Hz. Ours."""
EARLY = 0.8
"""A beat is early when its RR interval is less than this share of the median RR."""


class Rhythm(NamedTuple):
    """When the ventricles beat, and which of the beats the median is made of."""

    peaks: Int[np.ndarray, " beats"]  # sample of the greatest spatial speed of each QRS
    used: Int[np.ndarray, " beats"]  # 1 where the beat is in the median
    rr: float  # ms, mean RR interval before the used beats; NaN if there is one beat
    rate: float  # 1/min, mean over all beats; NaN if there is one beat


class Beat(eqx.Module):
    """One beat in every lead, from before its P wave to after its T wave where recorded."""

    recording: Recording  # of this one beat
    peak: float = eqx.field(static=True)  # ms in this beat, greatest spatial speed of the QRS
    rhythm: Rhythm


def speed(signal: Float[AnyArray, "samples leads"], rate: float) -> Float[np.ndarray, " samples"]:
    """Spatial speed [mV/ms]: root mean square over leads of the slope over ±2 ms."""
    h = max(1, round(0.002 * rate))
    padded = np.pad(np.asarray(signal, np.float64), ((h, h), (0, 0)), mode="edge")
    slope = (padded[2 * h :] - padded[: -2 * h]) / (2 * h * 1000.0 / rate)
    return np.sqrt((slope**2).mean(axis=1))


def qrs_peaks(signal: Float[AnyArray, "samples leads"], rate: float) -> Int[np.ndarray, " beats"]:
    """Samples at which QRS complexes are fastest.

    The leads pass 5 to 30 Hz; the root mean square of their slopes is averaged over 100 ms. A QRS
    is a peak of that of at least 0.35 of its usual greatest value (the median over stretches of
    2 s), 250 ms or more from a greater one, and no T wave: one within 400 ms of the QRS before
    and of less than 0.6 of its height is dropped, and so is one of less than 0.8 that from 10 to
    30 Hz has less than 0.45: T has 0.2 to 0.4 of that even of a slow QRS of a paced wall, second
    beats have 0.6 and more. After Pan and Tompkins (1985), IEEE Trans. Biomed. Eng. 32, 230-236
    (page not checked), with all leads at once and numbers of our own.
    """
    energy, sharp = (_energy(signal, rate, (low, 30.0)) for low in (5.0, 10.0))
    width = round(2 * rate)
    stretches = [energy[k : k + width] for k in range(0, len(energy), width)]
    tops = [s.max() for s in stretches if len(s) > width / 2] or [energy.max()]
    height = 0.35 * np.median(tops)
    if not height > 0:
        return np.zeros(0, int)
    padded = np.pad(energy, 1)  # so that a QRS at the very end of the record is a peak too
    peaks = (
        scipy.signal.find_peaks(padded, height=height, distance=max(1, round(0.25 * rate)))[0] - 1
    )
    kept: list[int] = []
    for peak in peaks:
        if kept and peak - kept[-1] < 0.4 * rate:
            share, edge = energy[peak] / energy[kept[-1]], sharp[peak] / sharp[kept[-1]]
            if share < 0.6 or (share < 0.8 and edge < 0.45):
                continue
        kept.append(int(peak))
    return np.array(kept, int)


def _energy(signal, rate: float, band: tuple[float, float]):
    """Speed of the leads in a band of frequencies, averaged over 100 ms."""
    narrow = speed(_pass(signal, rate, band), rate)
    return scipy.ndimage.uniform_filter1d(narrow, max(1, round(0.1 * rate)), mode="nearest")


def median_beat(recording: Recording) -> Beat:
    """The median over the beats of the commonest kind.

    1. QRS complexes are found (`qrs_peaks`); the record is filtered (`BAND`), and mains are
       notched out where they stand out (`without_mains`).
    2. Beats are aligned by the shift, up to ±40 ms, of greatest correlation of all leads over
       ±100 ms with a template: first the beat most like the others that is not early, then the
       median of its like.
    3. Left out: a QRS that correlates with the template by less than `ALIKE` (ectopic, or
       noise), a beat whose RR is less than `EARLY` of the median RR (unless fewer than three
       would be left), and beats not wholly recorded.
    4. The median at each sample, from 0.35 RR (350 ms at most) before to 0.65 RR (650 ms at most)
       after the QRS.

    A record with one or two beats, as simulated ones are, is taken as it stands: its last beat,
    without a filter. ValueError if the record holds no QRS.
    """
    signal = np.asarray(recording.signal, np.float64)
    if not np.isfinite(signal).all():
        raise ValueError("recording: some samples are NaN; cut the record or fill them in.")
    rate = recording.rate
    if rate < LEAST_RATE:
        raise ValueError(
            f"recording: {rate:g} samples a second are too few; wanted {LEAST_RATE:g} or more (of "
            f"a run, [output] sample_ms of {1000 / LEAST_RATE:g} or less)."
        )
    peaks = qrs_peaks(signal, rate)
    if len(peaks) == 0:
        raise ValueError("recording: no QRS complex was found; all leads are flat or too short.")
    if len(peaks) < 3:
        return _last_beat(recording, peaks)
    signal = without_mains(_pass(signal, rate, BAND), rate)
    intervals = np.diff(peaks)
    before, after = _window(np.median(intervals) * 1000 / rate, rate)
    late = np.concatenate([[True], intervals >= EARLY * np.median(intervals)])
    at, correlation = _align(signal, peaks, late, rate)
    whole = (at >= before) & (at + after <= len(signal))
    used = whole & (correlation >= ALIKE)
    if (used & late).sum() >= 3:
        used &= late
    if not used.any():
        raise ValueError(
            f"recording: of {len(peaks)} beats no two are alike; it is too noisy or too short."
        )
    beats = np.stack([signal[k - before : k + after] for k in at[used]])
    rr = np.concatenate([[np.nan], intervals])[used]
    rr = rr if np.isfinite(rr).any() else intervals
    mean_rr = float(np.nanmean(rr) * 1000 / rate)
    rhythm = Rhythm(at, used.astype(int), mean_rr, 60 * rate / float(intervals.mean()))
    one = Recording(np.median(beats, axis=0), rate, recording.leads, recording.notes)
    return Beat(one, before * 1000.0 / rate, rhythm)


def without_mains(
    signal: Float[AnyArray, "samples leads"], rate: float
) -> Float[np.ndarray, "samples leads"]:
    """The record less interference at 50, 60, 100 and 120 Hz, each only where it stands out.

    It does where the greatest amplitude of the spectrum (root mean square over leads) within
    0.3 Hz of it is over three times the greatest from 0.6 to 3 Hz beside it, where harmonics of
    the heart rate stand too; the notch is of second order, 2 Hz wide, forwards and backwards. A
    median over beats does not remove what is locked to them.
    """
    clean = np.asarray(signal, np.float64)
    taper = np.hanning(len(clean))[:, None]
    size = np.sqrt((np.abs(np.fft.rfft(clean * taper, axis=0)) ** 2).mean(axis=1))
    frequency = np.fft.rfftfreq(len(clean), 1 / rate)
    for mains in (50.0, 60.0, 100.0, 120.0):
        away = np.abs(frequency - mains)
        if mains > 0.45 * rate or not (away <= 0.3).any() or len(clean) < rate:
            continue
        if size[away <= 0.3].max() > 3 * size[(away >= 0.6) & (away <= 3)].max():
            b, a = scipy.signal.iirnotch(mains, mains / 2, fs=rate)
            clean = scipy.signal.filtfilt(b, a, clean, axis=0)
    return clean


def _last_beat(recording: Recording, peaks) -> Beat:
    """The last beat of a record of one or two, unfiltered."""
    start, rr = 0, float("nan")
    if len(peaks) == 2:
        rr = float(peaks[1] - peaks[0]) * 1000 / recording.rate
        start = int(peaks[1]) - _window(rr, recording.rate)[0]
    signal = np.asarray(recording.signal, np.float64)[start:]
    used = np.arange(len(peaks)) == len(peaks) - 1
    one = Recording(signal, recording.rate, recording.leads, recording.notes)
    peak = float(peaks[-1] - start) * 1000 / recording.rate
    return Beat(one, peak, Rhythm(peaks, used.astype(int), rr, 60000.0 / rr))


def _window(rr: float, rate: float) -> tuple[int, int]:
    """Samples of a beat before and after its QRS, for an RR interval in ms."""
    return round(min(0.35 * rr, 350.0) * rate / 1000), round(min(0.65 * rr, 650.0) * rate / 1000)


def _align(signal, peaks, late, rate):
    """Aligned samples, and correlation of each beat with the median of its like."""
    half, reach = round(0.1 * rate), round(0.04 * rate)
    inside = np.clip(peaks, half + reach, len(signal) - half - reach - 1)

    def complexes(at):
        cut = np.stack([signal[k - half : k + half + 1] for k in at])
        cut = (cut - cut.mean(axis=1, keepdims=True)).reshape(len(at), -1)
        return cut / np.maximum(np.linalg.norm(cut, axis=1, keepdims=True), 1e-12)

    first = complexes(inside)
    liked = np.where(late, np.median(first @ first[late].T, axis=1), -1.0)
    template = first[np.argmax(liked)]
    shifts = np.arange(-reach, reach + 1)
    for _ in range(2):
        score = np.stack([complexes(inside + shift) @ template for shift in shifts])
        at = inside + shifts[score.argmax(axis=0)]
        alike = score.max(axis=0) >= ALIKE
        chosen = complexes(at)[alike] if alike.any() else template[None]
        template = np.median(chosen, axis=0)
        template = template / np.linalg.norm(template)
    near_end = inside != peaks  # too near to be compared, and so to be used
    return np.where(near_end, peaks, at), np.where(near_end, -1.0, score.max(axis=0))


def _pass(signal, rate: float, band: tuple[float, float]):
    """Second-order Butterworth, forwards and backwards; no upper edge above 0.45 of the rate."""
    signal = np.asarray(signal, np.float64)
    low, high = band
    if high < 0.45 * rate:
        sos = scipy.signal.butter(2, (low, high), "bandpass", fs=rate, output="sos")
    else:
        sos = scipy.signal.butter(2, low, "highpass", fs=rate, output="sos")
    return scipy.signal.sosfiltfilt(
        sos, signal, axis=0, padlen=min(len(signal) - 1, round(2 * rate))
    )
