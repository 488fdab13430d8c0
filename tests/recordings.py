"""The shared recordings, read without any library: 16-bit WFDB files, each lead by its gain."""

import csv
from pathlib import Path

import numpy as np

from heartsim.ecg import Recording

NAMES = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}


def read_record(header: Path) -> Recording:
    """A record of format 16, with all signals in mV; the files may start with a few other bytes."""
    lines = [
        line for line in header.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    n, rate, samples = (int(word.split("/")[0]) for word in lines[0].split()[1:4])
    signals, taken = [], {}
    rows = [line.split() for line in lines[1 : n + 1]]
    width = {name: sum(row[0] == name for row in rows) for name, *_ in rows}
    for row in rows:
        offset = int(row[1].split("+")[1]) if "+" in row[1] else 0
        data = np.fromfile(header.parent / row[0], "<i2", offset=offset)
        column = taken.setdefault(row[0], -1) + 1
        taken[row[0]] = column
        gain = float(row[2].split("/")[0].split("(")[0])
        signals.append(data.reshape(samples, width[row[0]])[:, column] / gain)
    names = [row[-1].upper() for row in rows]
    frank = {"VX": "vx", "VY": "vy", "VZ": "vz"}
    leads = tuple((NAMES | frank).get(name, name) for name in names)
    return Recording(np.stack(signals, axis=1), float(rate), leads)


def cpsc2018(shared_data: Path) -> dict[str, tuple[dict[str, str], Recording]]:
    """The 34 records with their row of the index (dx, age, sex)."""
    folder = shared_data / "ecg" / "cpsc2018"
    with (folder / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {row["record"]: (row, read_record(folder / f"{row['record']}.hea")) for row in rows}
