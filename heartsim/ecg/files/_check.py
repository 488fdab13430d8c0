"""Do the leads of a file obey Einthoven and Goldberger, and are they as large as an ECG?"""

from itertools import combinations

import numpy as np
from jaxtyping import Float

from .._recording import Recording
from ._names import LIMBS, limb_leads

RELATIONS: dict[str, dict[str, float]] = {
    "I + III - II": {"I": 1, "III": 1, "II": -1},
    "aVR + aVL + aVF": {"aVR": 1, "aVL": 1, "aVF": 1},
    "aVR + (I + II) / 2": {"aVR": 1, "I": 0.5, "II": 0.5},
    "aVL - (I - III) / 2": {"aVL": 1, "I": -0.5, "III": 0.5},
    "aVF - (II + III) / 2": {"aVF": 1, "II": -0.5, "III": -0.5},
}
"""Sums of limb leads that are zero at every instant."""

SHARE, FLOOR = 0.05, 0.005
"""How large a relation's rms may be, over the root sum of squares of its weights: this share of
the largest limb lead's rms, and mV for rounding. The shared recordings reach 0.7 % and 1.2 µV."""

LARGEST, SMALLEST = 20.0, 0.01
"""mV from lowest to highest within a second, by the median over the seconds. Leads of the shared
recordings swing by 0.16 to 6.7, the largest of each by 1.3 or more."""

Leads = dict[str, Float[np.ndarray, " samples"]]


def check_leads(recording: Recording) -> tuple[str, ...]:
    """What could not be checked, as notes; ValueError says what is wrong with which lead.

    Looked at: values that are no numbers, the relations of the limb leads once each lead's mean
    is taken off, and amplitudes.
    """
    signal = np.asarray(recording.signal)
    for name, lead in zip(recording.leads, signal.T, strict=True):
        if not np.isfinite(lead).all():
            bad = int((~np.isfinite(lead)).sum())
            raise ValueError(f"lead {name} has no value in {bad} of its {len(lead)} samples.")
    centred = signal - signal.mean(axis=0)
    leads = {name: centred[:, recording.leads.index(name)] for name in _limbs(recording)}
    worst, rms, excess = disagreement(leads)
    if excess > 1:
        raise ValueError(
            f"the limb leads disagree: {worst} should be 0 and is {rms:.3g} mV (rms); "
            f"{likely_cause(leads)}"
        )
    _check_amplitudes(recording)
    if worst:
        return ()
    return ("too few limb leads to check polarity and gain by Einthoven's law",)


def _limbs(recording: Recording) -> list[str]:
    return [name for name in LIMBS if name in recording.leads]


def disagreement(leads: Leads) -> tuple[str, float, float]:
    """The relation that fails most, its rms [mV], and that over what is allowed; "" if none can
    be formed."""
    scale = max((_rms(lead) for lead in leads.values()), default=0.0)
    found = [("", 0.0, -1.0)]
    for name, weights in RELATIONS.items():
        if weights.keys() <= leads.keys():
            rms = _rms(sum(w * leads[lead] for lead, w in weights.items()))
            norm = np.sqrt(sum(w**2 for w in weights.values()))
            found.append((name, rms, rms / norm / (SHARE * scale + FLOOR)))
    return max(found, key=lambda each: each[2])


def likely_cause(leads: Leads) -> str:
    """The single mistakes (a lead turned or scaled, two leads exchanged) that explain the limb
    leads, in words; of I, II and III alone I turned cannot be told from II and III exchanged."""
    trials: list[tuple[float, str]] = []
    for name in leads:
        factor = _factor(name, leads)
        if factor is not None:
            mended = leads | {name: leads[name] / factor}
            trials.append((disagreement(mended)[2], _about_factor(name, factor)))
    for one, other in combinations(leads, 2):
        mended = leads | {one: leads[other], other: leads[one]}
        trials.append((disagreement(mended)[2], f"leads {one} and {other} are exchanged"))
    best = min((excess for excess, _ in trials), default=np.inf)
    words = [words for excess, words in trials if excess <= min(1.0, 2.0 * best + 0.01)]
    if words:
        return f"most likely {', or '.join(words)}."
    return f"no single mistake explains {', '.join(leads)}: were they recorded together?"


def _factor(name: str, leads: Leads) -> float | None:
    """By what one lead is multiplied, as the others would have it."""
    others = [other for other in leads if other != name]
    weights = limb_leads()
    rows = np.stack([weights[other] for other in others])
    if np.linalg.matrix_rank(rows) < 2:
        return None
    expected = weights[name] @ np.linalg.pinv(rows) @ np.stack([leads[other] for other in others])
    power = float(expected @ expected)
    factor = float(leads[name] @ expected) / power if power > 0 else 0.0
    return factor if factor != 0 else None


def _about_factor(name: str, factor: float) -> str:
    turned = "upside down" if factor < 0 else ""
    size = abs(factor)
    scaled = {
        1.0: "",
        1000.0: "in µV where the others are in mV",
        0.001: "in V where the others are in mV",
    }
    words = next((w for k, w in scaled.items() if abs(size / k - 1) < 0.05), None)
    if words is None:
        words = f"scaled by {size:.3g} (its gain)"
    return f"lead {name} is " + " and ".join(part for part in (turned, words) if part)


def amplitudes(recording: Recording) -> dict[str, float]:
    """From lowest to highest within a second, by the median over the seconds [mV], per lead."""
    signal = np.asarray(recording.signal)
    window = min(len(signal), max(1, round(recording.rate)))
    whole = signal[: len(signal) // window * window].reshape(-1, window, signal.shape[1])
    return dict(
        zip(recording.leads, np.median(np.ptp(whole, axis=1), axis=0).tolist(), strict=True)
    )


def _check_amplitudes(recording: Recording) -> None:
    swing = amplitudes(recording)
    large = [name for name, size in swing.items() if size > LARGEST]
    most = max(swing.values())
    if large:
        which = "each lead" if len(large) == len(swing) else f"lead {', '.join(large)}"
        unit = "µV" if most < 1000 * LARGEST else "no unit of voltage, but counts or nV"
        raise ValueError(
            f"{which} swings by up to {most:.3g} mV within a second, where an ECG stays below "
            f"{LARGEST:g}; most likely the values are in {unit}, not mV."
        )
    if most < SMALLEST:
        raise ValueError(
            f"no lead swings by more than {most:.3g} mV within a second; most likely the values "
            "are in V, not mV, or no electrode was on."
        )


def _rms(lead) -> float:
    return float(np.sqrt(np.mean(np.square(lead))))
