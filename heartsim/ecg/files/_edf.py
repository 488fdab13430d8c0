"""EDF and EDF+, through edfio."""

from pathlib import Path

import numpy as np

from .._leads import LEADS
from ._contents import Contents, Refused, library, mv_per
from ._names import usual_name


def read_edf(path: Path) -> Contents:
    """The signals that are leads by their label, or all that begin with ECG or EKG; the others
    (EEG, breath) are left out and noted."""
    edf = library("edfio").read_edf(path)
    signals = [s for s in edf.signals if _is_lead(s.label)]
    if not signals:
        raise Refused(f"no signal is called after a lead; there are {_labels(edf.signals)}.")
    rates = {float(s.sampling_frequency) for s in signals}
    if len(rates) > 1:
        raise Refused(f"the leads {_labels(signals)} are sampled at different rates.")
    factors = [mv_per(s.physical_dimension) for s in signals]
    if None in factors:
        unit = next(s for s, f in zip(signals, factors, strict=True) if f is None)
        raise Refused(
            f"signal {unit.label} is in {unit.physical_dimension!r}, which is no unit of voltage."
        )
    left = [s for s in edf.signals if s not in signals]
    notes = (f"left out: {_labels(left)}",) if left else ()
    return Contents(
        np.stack([s.data * f for s, f in zip(signals, factors, strict=True)], axis=1),
        rates.pop(),
        tuple(s.label for s in signals),
        notes,
        _identity(edf),
    )


def _is_lead(label: str) -> bool:
    return usual_name(label) in LEADS or label.casefold().startswith(("ecg", "ekg"))


def _labels(signals) -> str:
    return ", ".join(s.label for s in signals)


def _identity(edf) -> tuple[str, ...]:
    """The header's two free fields, which hold name, birth date, place and day."""
    fields = ("local_patient_identification", "local_recording_identification")
    return tuple(f"{field}: {getattr(edf, field)}" for field in fields)
