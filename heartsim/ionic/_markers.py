"""What is read from the beats of cells."""

import numpy as np
from jaxtyping import Float

AFTER = 100.0  # ms after the upstroke, from which on a rise counts as afterdepolarisation; ours
FIRED = 60.0  # mV of rise from which on an action potential was started; ours


def beat_markers(
    t: Float[np.ndarray, " samples"],
    V: Float[np.ndarray, "samples cells"],
    onset: Float[np.ndarray, " cells"],
    upstroke: Float[np.ndarray, " cells"],
    peak: Float[np.ndarray, " cells"],
) -> dict[str, Float[np.ndarray, " cells"]]:
    """The same of many cells, whose onsets [ms], steepest slopes [mV/ms] and peaks are known; what
    is of an action potential is nan where none was started."""
    rest = V[0].astype(float)
    found = {
        "rest_mV": rest,
        "peak_mV": peak,
        "amplitude_mV": peak - rest,
        "upstroke_mV_ms": upstroke,
    }
    end = over(t, V, peak - 0.9 * (peak - rest), onset)
    own = np.where(t[:, None] > end + t[1] - t[0], rest, V)  # without what fires after it
    ends = {k: falls(t, own, peak - k / 100 * (peak - rest)) for k in (70, 50, 30)} | {90: end}
    potential = {f"apd{share}_ms": ends[share] - onset for share in (90, 70, 50)} | {
        "triangulation_ms": ends[90] - ends[30],
        "ead_mV": _rise(V, (t[:, None] > onset + AFTER) & ~(t[:, None] > end)),
    }
    none = peak - rest < FIRED
    return found | {name: np.where(none, np.nan, value) for name, value in potential.items()}


def over(
    t: Float[np.ndarray, " samples"],
    V: Float[np.ndarray, "samples cells"],
    level: Float[np.ndarray, " cells"],
    onset: Float[np.ndarray, " cells"],
) -> Float[np.ndarray, " cells"]:
    """When the voltage of each cell falls through its level for good [ms], or for the first time
    after its onset where another action potential follows; nan where it does not."""
    through = (V[:-1] > level) & (V[1:] <= level) & (t[1:, None] > onset)
    k = np.argmax(through, axis=0)
    first = np.where(through.any(axis=0), _crossing(t, V, level, k), np.nan)
    again = _rise(V, t[:, None] > first) >= FIRED
    return np.where(again, first, falls(t, V, level))


def _rise(V, where) -> Float[np.ndarray, " cells"]:
    """By how much the voltage of each cell rises above its lowest before, among such samples."""
    lowest = np.minimum.accumulate(np.where(where, V, np.inf), axis=0)
    return np.where(where, V - lowest, 0.0).max(axis=0, initial=0.0)


def falls(
    t: Float[np.ndarray, " samples"],
    V: Float[np.ndarray, "samples cells"],
    level: Float[np.ndarray, " cells"],
) -> Float[np.ndarray, " cells"]:
    """When the voltage of each cell falls through its level for good [ms]; nan where it ends
    above, or never is."""
    above = level < V
    last = len(V) - 1 - np.argmax(above[::-1], axis=0)
    known = above.any(axis=0) & (last < len(V) - 1)
    k = np.where(known, last, 0)
    return np.where(known, _crossing(t, V, level, k), np.nan)


def _crossing(t, V, level, k):
    """When the line from sample k of each cell to the next has this level, if it falls."""
    cells = np.arange(V.shape[1])
    high, low = V[k, cells], V[k + 1, cells]
    share = (high - level) / np.where(high > low, high - low, 1.0)
    return t[k] + share * (t[k + 1] - t[k])
