"""WFDB (PhysioNet): a header .hea beside its signal files, through wfdb, the format's own
library."""

import re
from pathlib import Path

import numpy as np

from .._recording import Recording
from ._contents import Contents, Refused, calm, library, mv_per
from ._counts import to_counts


def read_wfdb(path: Path) -> Contents:
    """All signals that are voltages; others are left out and noted."""
    wfdb = library("wfdb")
    with calm():
        record = wfdb.rdrecord(str(path.with_suffix("").absolute()))
    factors = [mv_per(unit) for unit in record.units]
    kept = [k for k, factor in enumerate(factors) if factor is not None]
    if not kept:
        raise Refused(f"no signal is a voltage; there are {', '.join(record.sig_name)}.")
    left = [name for k, name in enumerate(record.sig_name) if k not in kept]
    notes = (f"left out, not a voltage: {', '.join(left)}",) if left else ()
    when = [
        f"{field}: {value}"
        for field in ("base_date", "base_time")
        if (value := getattr(record, field)) is not None
    ]
    return Contents(
        record.p_signal[:, kept] * np.array([factors[k] for k in kept]),
        float(record.fs),
        tuple(record.sig_name[k] for k in kept),
        notes,
        (*when, *(f"comment: {line}" for line in record.comments)),
    )


def write_wfdb(recording: Recording, path: Path) -> None:
    """16-bit counts in NAME.dat beside NAME.hea; the recording's notes become comments."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", path.stem):
        raise ValueError(
            f"{path.stem!r} is no name of a WFDB record; use letters, digits, hyphens and "
            "underscores only."
        )
    wfdb = library("wfdb")
    counts, step = to_counts(recording)
    n = len(recording.leads)
    with calm():
        wfdb.wrsamp(
            path.stem,
            fs=recording.rate,
            units=["mV"] * n,
            sig_name=list(recording.leads),
            d_signal=counts,
            fmt=["16"] * n,
            adc_gain=[1.0 / step] * n,
            baseline=[0] * n,
            comments=[_ascii(note) for note in recording.notes],
            write_dir=str(path.parent),
        )


def _ascii(note: str) -> str:
    """On one line, and without µ: wfdb drops what is not ASCII, and µV would become V."""
    return " ".join(note.replace("µ", "u").replace("μ", "u").split())
