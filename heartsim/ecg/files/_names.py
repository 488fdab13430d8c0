"""Leads under their usual names, in their usual order, with those that follow from others."""

import re

import numpy as np
from jaxtyping import Float

from .._leads import LEADS, lead_matrix
from .._recording import Recording
from ._contents import Contents

LIMBS = LEADS[:6]
_USUAL = {name.casefold(): name for name in LEADS}
_PREFIX = re.compile(r"^(ecg|ekg|lead|mdc_ecg_lead_)[\s_:-]*", re.IGNORECASE)
_SUFFIX = re.compile(r"\s*\(einthoven\)$|,.*$", re.IGNORECASE)


def usual_name(name: str) -> str:
    """The usual name of a lead: `Lead I (Einthoven)`, `ECG avr` are I and aVR; others stay."""
    short = _SUFFIX.sub("", _PREFIX.sub("", _PREFIX.sub("", name.strip())))
    return _USUAL.get(short.casefold(), name.strip())


def limb_leads() -> dict[str, Float[np.ndarray, " 2"]]:
    """Each limb lead as a combination of I and II: III = II - I, aVR = -(I + II) / 2,
    aVL = I - II / 2, aVF = II - I / 2, from the definition of the leads."""
    rows = lead_matrix()[:6, :3]  # by RA, LA, LL; I and II span what they can be
    combinations = rows @ np.linalg.pinv(rows[:2])
    return dict(zip(LIMBS, np.round(2 * combinations) / 2, strict=True))


def recording_of(contents: Contents) -> Recording:
    """A recording of the leads of a file: the twelve first and in order, then the others. A lead
    -aVR (Cabrera) is turned into aVR, and noted. ValueError where two leads bear one name."""
    notes = list(contents.notes)
    leads = {}
    for name, lead in zip(map(usual_name, contents.names), contents.signal.T, strict=True):
        if name.casefold() == "-avr":
            name, lead = "aVR", -lead
            notes.append("aVR is the negative of the file's -aVR")
        if name in leads:
            raise ValueError(f"two leads bear the name {name}; rename or remove one.")
        leads[name] = lead
    return _ordered(leads, float(contents.rate), notes)


def with_limb_leads(recording: Recording) -> Recording:
    """The recording with III, aVR, aVL and aVF computed from I and II where it lacks them, and
    noted; as it is where it lacks I or II."""
    leads = dict(zip(recording.leads, recording.signal.T, strict=True))
    missing = [name for name in LIMBS if name not in leads]
    if not missing or not {"I", "II"} <= leads.keys():
        return recording
    weights, two = limb_leads(), np.stack([leads["I"], leads["II"]])
    leads |= {name: weights[name] @ two for name in missing}
    note = f"{', '.join(missing)} computed from I and II"
    return _ordered(leads, recording.rate, [*recording.notes, note])


def _ordered(leads, rate: float, notes: list[str]) -> Recording:
    order = [name for name in LEADS if name in leads]
    order += [name for name in leads if name not in LEADS]
    signal = np.stack([leads[name] for name in order], axis=1).astype(np.float64)
    return Recording(signal, rate, tuple(order), tuple(notes))
