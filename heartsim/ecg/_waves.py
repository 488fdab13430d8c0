"""Q, R and S waves of one lead, and its notches and slurs."""

from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Float

from heartsim._types import AnyArray

LEAST_WAVE = 0.03
"""Least amplitude of a wave, mV: with two opposite slopes and 6 ms of deviation, what is a wave in
IEC 60601-2-51 (2003), annex GG.5, as quoted in a vendor's manual (standard itself not checked)."""
LEAST_SHARE = 0.02
"""The same as a share of the QRS of the lead that is greatest from peak to peak, if that is less:
simulated leads may be small."""
MID = 40.0
"""A notch or slur is mid-QRS from this long after the onset to this long before the offset, ms."""


class Wave(NamedTuple):
    """A deflection of one sign."""

    name: str  # Q, R, S, R', S', or QS
    amplitude: float  # mV, signed
    peak: float  # ms from the QRS onset
    duration: float  # ms


class LeadWaves(NamedTuple):
    """One lead: amplitudes in mV from the isoelectric level, times in ms; NaN where there is none.
    Q and S are given as depths, so all three are positive, and 0 where the wave is absent."""

    qrs_onset: float  # from the start of the beat, within the global QRS
    qrs_offset: float
    q: float
    r: float  # the greater of R and R'
    s: float  # the greater of S and S'; a QS counts as Q and as S
    r_duration: float  # R and R' together
    s_duration: float  # S and S' together
    r_peak_time: float  # from the global onset to the peak of the greater R
    pattern: str  # such as qRs, see `pattern`
    notches: int
    slurs: int
    t_amplitude: float  # signed
    t_peak: float
    t_end: float


def waves(qrs: Float[AnyArray, " samples"], rate: float, floor: float) -> list[Wave]:
    """Waves of a lead between QRS onset and offset, the isoelectric level zero.

    A wave is a stretch of one sign that deviates by `floor` [mV] for 6 ms, and comes back from its
    peak by `floor` before the QRS ends: an ST segment off the line makes no wave. Lesser
    stretches are passed over, and neighbours of one sign are one wave. A negative one before
    any positive is Q, positive ones are R, R' and so on, negative ones after R are S, S'; a Q
    alone is QS.
    """
    x = np.asarray(qrs, np.float64)
    ms = 1000.0 / rate
    edges = np.flatnonzero(np.diff(np.sign(x)) != 0) + 1
    found: list[tuple[int, int]] = []
    for a, b in zip(np.r_[0, edges], np.r_[edges, len(x)], strict=True):
        size = np.abs(x[a:b])
        back = size.max() - (size[size.argmax() :].min() if b == len(x) else 0.0)
        if (size >= floor).sum() * ms < 6 or back < floor:
            continue
        if found and x[found[-1][0]] * x[a] > 0:
            a = found.pop()[0]
        found.append((a, b))
    peaks = [a + int(np.abs(x[a:b]).argmax()) for a, b in found]
    return _named(
        [
            (float(x[k]), float(k * ms), float((b - a) * ms))
            for (a, b), k in zip(found, peaks, strict=True)
        ]
    )


def _named(parts) -> list[Wave]:
    """Names in the order of the waves."""
    named: list[Wave] = []
    r = 0
    for amplitude, peak, duration in parts:
        if amplitude > 0:
            r += 1
            name = "R" + "'" * (r - 1)
        else:
            name = "S" + "'" * (r - 1) if r else "Q"
        named.append(Wave(name, amplitude, peak, duration))
    if [w.name for w in named] == ["Q"]:
        named = [named[0]._replace(name="QS")]
    return named


def pattern(found: list[Wave]) -> str:
    """The waves in letters, such as qRs or rSR'; small letters for those of less than half the
    amplitude of the greatest."""
    top = max((abs(w.amplitude) for w in found), default=0.0)
    return "".join(w.name if abs(w.amplitude) >= top / 2 else w.name.lower() for w in found)


def notches(qrs: Float[AnyArray, " samples"], rate: float, floor: float) -> tuple[int, int]:
    """Numbers of mid-QRS notches and slurs of a lead between QRS onset and offset.

    The lead is smoothed (Gaussian of 3 ms). A notch is a turn within a wave, away from its sense
    (a dip in a positive stretch, a rise in a negative one) and back, of prominence `floor` and
    5 % of the lead's greatest deflection at least. A slur is a flank that slows down and speeds
    up again without a turn: the slope falls below 0.5 of the lesser of its greatest values
    on either side, where the deflection is over a quarter of the greatest. Both must lie from
    `MID` after the onset to `MID` before the offset. The words are of Strauss et al. (2011),
    the numbers ours.
    """
    x = scipy.ndimage.gaussian_filter1d(np.asarray(qrs, np.float64), 0.003 * rate, mode="nearest")
    margin = round(MID * rate / 1000)
    top = np.abs(x).max(initial=0.0)
    if len(x) <= 2 * margin or top < floor:
        return 0, 0

    def mid(k):
        return k[(k >= margin) & (k < len(x) - margin)]

    deep = max(floor, 0.05 * top)
    turns = 0
    for sign in (1, -1):
        dips = mid(scipy.signal.find_peaks(-sign * x, prominence=deep)[0])
        turns += int((sign * x[dips] > 0).sum())
    slope = np.gradient(x)
    slurs = 0
    for sign in (1, -1):
        steep = sign * slope
        for k in mid(scipy.signal.find_peaks(-steep)[0]):
            if steep[k] <= 0 or abs(x[k]) < 0.25 * top:
                continue
            flank = np.flatnonzero(steep <= 0)
            left = flank[flank < k].max(initial=-1) + 1
            right = flank[flank > k].min(initial=len(x))
            slurs += int(steep[k] < 0.5 * min(steep[left:k].max(), steep[k:right].max()))
    return turns, slurs
