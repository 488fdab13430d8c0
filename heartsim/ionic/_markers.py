"""What is read from the beats of cells."""

import numpy as np
from jaxtyping import Float

AFTER = 100.0  # ms after the upstroke, from which on a rise counts as afterdepolarisation; ours


def beat_markers(
    t: Float[np.ndarray, " samples"],
    V: Float[np.ndarray, "samples cells"],
    onset: Float[np.ndarray, " cells"],
    upstroke: Float[np.ndarray, " cells"],
    peak: Float[np.ndarray, " cells"],
) -> dict[str, Float[np.ndarray, " cells"]]:
    """The same of many cells, whose onsets [ms], steepest slopes [mV/ms] and peaks are known."""
    rest = V[0].astype(float)
    found = {
        "rest_mV": rest,
        "peak_mV": peak,
        "amplitude_mV": peak - rest,
        "upstroke_mV_ms": upstroke,
    }
    ends = {k: falls(t, V, peak - k / 100 * (peak - rest)) for k in (90, 70, 50, 30)}
    found |= {f"apd{share}_ms": ends[share] - onset for share in (90, 70, 50)}
    found["triangulation_ms"] = ends[90] - ends[30]
    late = (t[:, None] > onset + AFTER) & ~(t[:, None] > ends[90])
    lowest = np.minimum.accumulate(np.where(late, V, np.inf), axis=0)
    found["ead_mV"] = np.where(late, V - lowest, 0.0).max(axis=0, initial=0.0)
    return found


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
    k, cells = np.where(known, last, 0), np.arange(V.shape[1])
    high, low = V[k, cells], V[k + 1, cells]
    share = (high - level) / np.where(known, high - low, 1.0)
    return np.where(known, t[k] + share * (t[k + 1] - t[k]), np.nan)
