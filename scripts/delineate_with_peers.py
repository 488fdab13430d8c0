"""QRS duration and QT of the shared recordings by NeuroKit2 and ECGdeli, for tests/ecg.

Run by hand, in an environment of its own: `pip install neurokit2 ecgdeli wfdb`; ECGdeli is GPL-3
and must not be imported by heartsim. Written: tests/ecg/delineations.csv, one row a record, ms:

- NeuroKit2, method "prominence", lead by lead: the median over beats, then over I, II, V1 to V6.
  It looks no further than 50 ms to either side of R, so no QRS is longer than 100 ms.
  Its methods "dwt" (QRS of 110 to 230 ms on normal records) and "cwt" (no result) are not used.
- ECGdeli, filtered by its own chain, its consensus of 12 leads: the median over beats.

    python scripts/delineate_with_peers.py SHARED_DATA
"""

import csv
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import ecgdeli
import neurokit2
import numpy as np
import wfdb

LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
OUT = Path(__file__).parents[1] / "tests" / "ecg" / "delineations.csv"


def records(data):
    """Name and path of each 12-lead record."""
    yield from ((p.stem, p.with_suffix("")) for p in sorted((data / "cpsc2018").glob("*.hea")))
    for name in ("ptb_s0010", "ptbxl_00001"):
        yield name, next((data / name).glob("*.hea")).with_suffix("")


def by_neurokit(record):
    """Median QRS and QT over beats and leads."""
    names = [name.upper() for name in record.sig_name]
    found = []
    for lead in LEADS:
        clean = neurokit2.ecg_clean(record.p_signal[:, names.index(lead)], record.fs)
        _, peaks = neurokit2.ecg_peaks(clean, record.fs)
        _, waves = neurokit2.ecg_delineate(clean, peaks, record.fs, method="prominence")
        on, off, end = (
            np.array(waves[f"ECG_{w}"], float) for w in ("R_Onsets", "R_Offsets", "T_Offsets")
        )
        found.append([np.nanmedian(off - on), np.nanmedian(end - on)])
    return np.nanmedian(found, axis=0) * 1000 / record.fs


def by_ecgdeli(record):
    """Median QRS and QT over beats of the consensus."""
    waves = ecgdeli.annotate(ecgdeli.filter_ecg(record.p_signal[:, :12], record.fs), record.fs)
    on, off, end = (
        np.where(np.array(getattr(waves.consensus, w)) < 0, np.nan, getattr(waves.consensus, w))
        for w in ("qrs_on", "qrs_off", "t_off")
    )
    return np.array([np.nanmedian(off - on), np.nanmedian(end - on)]) * 1000 / record.fs


def main():
    warnings.simplefilter("ignore")
    versions = ", ".join(f"{name} {version(name)}" for name in ("neurokit2", "ecgdeli"))
    with OUT.open("w", newline="") as file:
        file.write(f"# {versions}; ms; made by scripts/delineate_with_peers.py\n")
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["record", *(f"{p}_{x}" for p in ("neurokit", "ecgdeli") for x in ("qrs", "qt"))]
        )
        for name, path in records(Path(sys.argv[1]) / "ecg"):
            record = wfdb.rdrecord(str(path))
            both = [*by_neurokit(record), *by_ecgdeli(record)]
            table.writerow([name, *(f"{x:.0f}" for x in both)])


if __name__ == "__main__":
    main()
