"""CSV: a row of names, then a column of time and one of mV for each lead, as in ecg.csv."""

import csv
from pathlib import Path

import numpy as np

from .._recording import Recording
from ._contents import Contents

TIME = "time_ms"


def read_csv(path: Path, rate: float | None) -> Contents:
    """Time in a column `time_ms`, evenly spaced; or no such column and `rate` [Hz]."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    if len(rows) < 3:
        raise ValueError("a CSV has a row of lead names and two rows of numbers or more.")
    names = [name.strip() for name in rows[0]]
    try:
        table = np.array(rows[1:], dtype=np.float64)
    except ValueError:
        bad = next(n for n, row in enumerate(rows[1:], 2) if not _is_numbers(row, len(names)))
        raise ValueError(f"row {bad} is not {len(names)} numbers.") from None
    if table.shape[1] != len(names):
        raise ValueError(f"{len(names)} names stand over {table.shape[1]} columns.")
    notes: tuple[str, ...] = ()
    if TIME in names:
        column = names.index(TIME)
        time = table[:, column]
        names, table = names[:column] + names[column + 1 :], np.delete(table, column, axis=1)
        rate = _rate_of(time, rate)
        if time[0] != 0:
            notes = (f"time 0 is {time[0]:g} ms of the file",)
    elif rate is None:
        raise ValueError(f"there is no column {TIME}; give the rate in Hz (rate=, --rate).")
    if not names:
        raise ValueError(f"there is no lead beside {TIME}.")
    return Contents(table, float(rate), tuple(names), notes)


def _is_numbers(row: list[str], count: int) -> bool:
    try:
        return len([float(cell) for cell in row]) == count
    except ValueError:
        return False


def _rate_of(time, rate: float | None) -> float:
    step = np.diff(time)
    if not (step > 0).all() or np.ptp(step) > 0.02 * step.mean():  # 2 %: times are rounded
        raise ValueError(f"{TIME} does not ascend in even steps.")
    found = round(1000.0 / float(step.mean()), 6)
    if rate is not None and abs(rate / found - 1) > 1e-3:
        raise ValueError(f"{TIME} says {found:g} Hz, and the rate is given as {rate:g}.")
    return found


def write_csv(recording: Recording, path: Path) -> None:
    """Seven significant digits, as ecg.csv of a run."""
    lines = [",".join([TIME, *recording.leads])]
    for t, row in zip(recording.time, np.asarray(recording.signal), strict=True):
        lines.append(",".join([f"{t:.10g}", *(f"{v:.7g}" for v in row)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
