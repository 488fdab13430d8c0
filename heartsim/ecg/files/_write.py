"""Writing an ECG, by the suffix of the file."""

from collections.abc import Callable
from pathlib import Path

from heartsim._files import whole_or_refused

from .._recording import Recording
from ._contents import IDENTITY
from ._csv import write_csv
from ._dicom_write import write_dicom
from ._wfdb import write_wfdb

WRITES: dict[str, Callable[[Recording, Path], None]] = {
    ".csv": write_csv,
    ".dcm": write_dicom,
    ".hea": write_wfdb,
}
"""Writer of each suffix."""


def write_ecg(recording: Recording, path: str | Path, *, keep_identity: bool = False) -> None:
    """Write CSV (.csv, seven digits), DICOM General ECG (.dcm) or WFDB (.hea with a .dat beside).

    DICOM and WFDB hold 16-bit counts: of 0.1 µV where no value exceeds 3.2 mV, of 1 µV up to 32;
    see `to_counts`. They also hold the recording's notes, those on identity only if
    `keep_identity` is set. The file is whole or not there, and replaces one of its name.

    DICOM and WFDB need the extra `ecg-files`. ValueError names the file and what it cannot hold.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITES:
        raise ValueError(
            f"{path}: cannot write {suffix or 'a file without suffix'}; use {', '.join(WRITES)}."
        )
    kept = [n for n in recording.notes if keep_identity or not n.startswith(IDENTITY)]
    recording = Recording(recording.signal, recording.rate, recording.leads, tuple(kept))
    with whole_or_refused(path) as new:
        try:
            WRITES[suffix](recording, new)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
