"""Where the QRS begins and ends, and where the T wave peaks and ends, over all leads or in one."""

from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Float

from heartsim._types import AnyArray

from ._beat import speed

SHARE = 0.02
"""Share of the greatest speed, over that of the quiet stretch, at which a QRS begins and ends.
Of 0.01, 0.015, 0.02, 0.025 and 0.03 the one nearest to three references that are not ours: a
cardiograph's own measurement in a DICOM file (QRS 75 ms; here 76), the span of activation of a
simulated heart (144 ms; 141) and a dog's QRS read by others (96 ms; 95)."""

LONGEST = 230.0
"""A QRS lasts no longer [ms] where its end is looked for beyond a slow stretch: that of 92 patients
paced from the right ventricle lasted 170 ± 19 ms, Miyoshi et al. (2005), Pacing Clin.
Electrophysiol. 28, 1182-1188 (abstract read), so 227 at three deviations. What is over by then is
hardly a T wave: QT is 210 to 340 ms in the short QT syndrome (shortqtsyndrome.org)."""
AWAY = 0.5
"""Share of the greatest deviation in the QRS at which the leads are off the isoelectric line: too
far for a QRS to begin or end there. Of 37 human recordings the greatest shares are 0.08 (onset)
and 0.18 (offset); at the false end of a slow simulated QRS it was 0.9. The number is ours."""


class Span(NamedTuple):
    """A QRS in time [ms]; NaN where none stands out."""

    onset: float
    offset: float


class TWave(NamedTuple):
    """A T wave; NaN where none stands out or the record ends before it does."""

    peak: float  # ms
    end: float  # ms, where the tangent at the steepest fall meets the baseline
    amplitude: float  # mV, signed


def qrs_span(signal: Float[AnyArray, "samples leads"], rate: float, peak: float) -> Span:
    """Onset and offset [ms] of the QRS around the time `peak` [ms].

    With v the spatial speed of the given leads (root mean square of their slopes over ±2 ms), the
    QRS is what joins the samples of v > 0.3 max v, gaps of up to 60 ms included; it is extended
    on either side until

        v < m + max(4 s, SHARE (max v - m))  for 12 ms (16 ms after the QRS),              (1)

    m and s the mean and deviation of v in the quietest 40 ms of the 200 ms before, or of the 120 ms
    after: so noise, a P wave before and a sloping ST after raise the threshold, and at fast rates
    the top of the T wave stays out. Where the record begins too late for one, m = s = 0,
    and a QRS may begin with the record. That the speed of all leads together decides, is after
    Kligfield et al. (2007), Circulation 115, 1306-1324, global intervals (page not checked); the
    numbers are ours.

    Slow is not at rest: of a front that crosses the wall slowly, v may stay at a fifth of max v.
    Where the QRS would so begin or end with the leads off the line by more than AWAY, it goes on
    if beyond, LONGEST from its other end at most, the leads rest: 40 ms within AWAY, for which the
    right side of (1) is half as great or less. It then ends by (1) with these, and within AWAY.
    So an ST segment that is raised stays out if it is flat, or if T brings it back later.
    """
    v = speed(signal, rate)
    ms = rate / 1000
    k = int(np.clip(round(peak * ms), 0, len(v) - 1))
    near = slice(max(0, k - round(60 * ms)), k + round(60 * ms) + 1)
    top = float(v[near].max())
    if not top > 0:
        return Span(float("nan"), float("nan"))
    first, last = _core(v > 0.3 * top, near.start + int(v[near].argmax()), round(60 * ms))
    width = round(40 * ms)
    longest = round(LONGEST * ms) + width
    before = slice(max(0, min(last - longest, first - round(200 * ms))), first)
    after = slice(last + 1, max(first + longest, last + 1 + round(120 * ms)))
    off = _off(np.asarray(signal, np.float64), v, before, last, width)
    first -= _reach(v[before][::-1], off[before][::-1], top, round(200 * ms), width, round(12 * ms))
    last += _reach(v[after], off[after], top, round(120 * ms), width, round(16 * ms))
    return Span(first / ms, last / ms)


def _off(signal, v, before: slice, last: int, width: int):
    """True where the leads are AWAY off the line: their median in the quietest `width` samples
    before the QRS, or the first sample where fewer are recorded."""
    quiet = _quiet(v[before], width)
    level = np.median(signal[before][quiet], axis=0) if before.stop >= width else signal[0]
    distance = np.sqrt(((signal - level) ** 2).mean(axis=1))
    return distance > AWAY * distance[before.stop : last + 1].max()


def _core(fast, k: int, gap: int) -> tuple[int, int]:
    """First and last fast sample that join sample k, across gaps up to `gap` samples."""
    where = np.flatnonzero(fast)
    breaks = np.flatnonzero(np.diff(where) > gap)
    part = np.searchsorted(where[breaks], k)
    starts = np.concatenate([where[:1], where[breaks + 1]])
    ends = np.concatenate([where[breaks], where[-1:]])
    return int(starts[part]), int(ends[part])


def _reach(v, off, top: float, near: int, width: int, hold: int) -> int:
    """Samples by which the QRS extends into v, which leads away from it: within `near` samples, or
    as far as v goes where it would end with the leads off the line."""
    limit = _limit(v[_quiet(v[:near], width)], top)
    reach = _first_run(v[:near] < limit, hold)
    if len(v) < width or not off[reach : reach + 1].any():
        return reach
    rest = _quiet(np.where(off, top, v), width)
    lower = _limit(v[rest], top)
    if off[rest].any() or lower > limit / 2:
        return reach
    return _first_run((v < lower) & ~off, hold)


def _quiet(v, width: int) -> slice:
    """The `width` samples of least mean; none where fewer are recorded."""
    if len(v) < width:
        return slice(0)
    start = int(np.lib.stride_tricks.sliding_window_view(v, width).mean(axis=1).argmin())
    return slice(start, start + width)


def _limit(quiet, top: float) -> float:
    """The right side of eq. (1); m = s = 0 where no quiet stretch is recorded."""
    mean, deviation = (quiet.mean(), quiet.std()) if len(quiet) else (0.0, 0.0)
    return float(mean + max(4 * deviation, SHARE * (top - mean)))


def _first_run(slow, hold: int) -> int:
    """Where the first `hold` slow samples in a row begin, or those at the end."""
    run = 0
    for k, still in enumerate(slow):
        run = run + 1 if still else 0
        if run == hold:
            return k + 1 - hold
    return len(slow) - run


def baseline(
    signal: Float[AnyArray, "samples leads"], rate: float, onset: float
) -> Float[np.ndarray, " leads"]:
    """Isoelectric level [mV] of each lead: the median of the 20 ms before the QRS, or of what is
    recorded of them; the first sample where the QRS begins with the record."""
    k = round(onset * rate / 1000)
    before = np.asarray(signal, np.float64)[max(0, k - round(0.02 * rate)) : max(k, 1)]
    return np.median(before, axis=0)


def t_lead(
    signal: Float[AnyArray, "samples leads"], rate: float, offset: float
) -> Float[np.ndarray, " samples"]:
    """The combination of leads (unit weights' norm) in which the time after the QRS holds most:
    the first principal direction from 60 ms after its offset on, not centred; T is upright."""
    x = np.asarray(signal, np.float64)
    start = round((offset + 60) * rate / 1000)
    if start + 3 > len(x):
        return np.zeros(len(x))
    _, _, directions = np.linalg.svd(x[start:], full_matrices=False)
    lead = x @ directions[0]
    return lead * np.sign(lead[start + np.abs(lead[start:]).argmax()])


def t_wave(lead: Float[AnyArray, " samples"], rate: float, offset: float, floor: float) -> TWave:
    """Peak and end of the T wave of a lead whose isoelectric level is zero.

    The lead is smoothed (Gaussian of 8 ms); T is its greatest local extremum, up or down, from
    60 ms after the QRS on, of at least `floor` [mV]. The end is where the tangent at the steepest
    return meets zero: Lepeschkin and Surawicz (1952), Circulation 6, 378-388 (page not checked).
    The steepest return is looked for as far as the lead falls to a tenth of its peak, so that U
    and the next P wave stay out. NaN if it does not fall below half its peak before the record
    ends.
    """
    nothing = TWave(float("nan"), float("nan"), float("nan"))
    smooth = scipy.ndimage.gaussian_filter1d(
        np.asarray(lead, np.float64), 0.008 * rate, mode="nearest"
    )
    start = round((offset + 60) * rate / 1000)
    peaks = scipy.signal.find_peaks(np.abs(smooth[start:]))[0] + start
    peaks = peaks[np.abs(smooth[peaks]) >= floor]
    if len(peaks) == 0:
        return nothing
    peak = int(peaks[np.abs(smooth[peaks]).argmax()])
    y = smooth * np.sign(smooth[peak])
    low = np.flatnonzero(y[peak:] <= 0.1 * y[peak])
    stop = peak + int(low[0]) if len(low) else len(y) - 1
    if y[stop] > 0.5 * y[peak]:
        return nothing
    slope = np.gradient(y)
    steep = peak + int(slope[peak : stop + 1].argmin())
    end = steep - y[steep] / slope[steep]
    left, middle, right = y[peak - 1 : peak + 2]
    top = peak + 0.5 * (left - right) / (left - 2 * middle + right)  # of the parabola through them
    ms = 1000.0 / rate
    return TWave(float(top) * ms, float(end) * ms, float(smooth[peak]))
