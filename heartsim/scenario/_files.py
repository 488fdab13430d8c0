"""Text, JSON and leads that are either whole or not there, and checksums."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from heartsim._files import whole
from heartsim.ecg import LEADS


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with whole(path) as new:
        new.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV table whole."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    table.writerows(rows)
    write_text(path, text.getvalue())


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_leads(
    path: Path, time: Float[np.ndarray, " frames"], leads: Float[np.ndarray, "frames leads"]
) -> None:
    """ecg.csv: time_ms and the twelve leads [mV], seven significant digits."""
    lines = [
        ",".join([f"{t:.10g}", *(f"{v:.7g}" for v in row)])
        for t, row in zip(time, leads, strict=True)
    ]
    write_text(path, "\n".join([",".join(["time_ms", *LEADS]), *lines]) + "\n")
