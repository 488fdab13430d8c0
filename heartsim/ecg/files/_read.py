"""Reading an ECG, by the suffix of the file."""

from collections.abc import Callable
from pathlib import Path

from .._recording import Recording
from ._check import check_leads
from ._contents import IDENTITY, Contents, Refused
from ._csv import read_csv
from ._dicom import read_dicom
from ._edf import read_edf
from ._kit import read_kit
from ._names import recording_of, with_limb_leads
from ._wfdb import read_wfdb

READS: dict[str, Callable[[Path], Contents]] = {
    ".hea": read_wfdb,
    ".dcm": read_dicom,
    ".xml": read_kit,
    ".scp": read_kit,
    ".edf": read_edf,
}
"""Reader of each suffix; .csv beside, which may need a rate."""


def read_ecg(
    path: str | Path,
    *,
    rate: float | None = None,
    check: bool = True,
    keep_identity: bool = False,
) -> Recording:
    """An ECG in mV from WFDB (.hea), DICOM (.dcm), HL7 aECG or GE MUSE (.xml), SCP-ECG (.scp),
    EDF or EDF+ (.edf), or CSV (.csv: `time_ms` and leads in mV, or leads alone and `rate` in Hz).

    Limb leads that a file leaves out are computed from I and II. Unless `check` is False the limb
    leads must obey Einthoven's law and Goldberger's relations, and amplitudes must be those of an
    ECG. Names, numbers, dates and free text of the header stay out of the recording, unless
    `keep_identity` puts them into its notes, each begun by `identity: `.

    All but CSV need the extra `ecg-files`. ValueError, one sentence naming the file: missing,
    unknown, damaged or without units; or which lead looks turned, scaled or exchanged.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix != ".csv" and suffix not in READS:
        raise ValueError(
            f"{path}: {suffix or 'a file without suffix'} is not read as an ECG; use "
            f"{', '.join(READS)} or .csv."
        )
    if not path.is_file():
        raise ValueError(f"{path}: no such ECG file; check the path.")
    if rate is not None and suffix != ".csv":
        raise ValueError(f"{path}: states its own rate; rate={rate:g} is for CSV alone.")
    try:
        contents = read_csv(path, rate) if suffix == ".csv" else _read(path, READS[suffix])
        recording = recording_of(contents)
        notes = check_leads(recording) if check else ("polarity, gain and units were not checked",)
    except ValueError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    whole = with_limb_leads(recording)
    identity = tuple(IDENTITY + line for line in contents.identity) if keep_identity else ()
    return Recording(whole.signal, whole.rate, whole.leads, (*whole.notes, *notes, *identity))


def _read(path: Path, reader: Callable[[Path], Contents]) -> Contents:
    """What a library raises over a damaged file becomes one sentence."""
    try:
        return reader(path)
    except (Refused, MemoryError):
        raise
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"damaged, or not {path.suffix} ({words}).") from error
