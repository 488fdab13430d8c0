"""A model of a file held against the file when it is first used, once for each file."""

import json
from pathlib import Path
from typing import Any

from ._import_check import MOST, check_import
from ._imported import Imported
from ._kept import place_of, teller, write

_ASKED: set[Path] = set()  # in this process


def check_once(
    path: str | Path, model: Imported, voltage: str | None = None, stimulus: str | None = None
) -> None:
    """Where imports are kept and somebody is to be told of them (`keep_imports`): the first time
    that a file is used, `check_import`, keep by how much it is off and tell it; later, in each
    process, tell of what is off by 1 mV or more, or could not be checked."""
    place, tell = _record(path, voltage, stimulus), teller()
    if place is None or tell is None or place in _ASKED:
        return
    _ASKED.add(place)
    if new := not place.is_file():
        try:
            off = check_import(path, model, voltage=voltage, stimulus=stimulus).largest
            keep_check(path, off, voltage, stimulus)
        except (ValueError, ArithmeticError) as fault:  # the file's own equations have no value
            write(place, {"off_mV": None, "fault": str(fault)})
    sentence, warns = _told(Path(path).name, json.loads(place.read_text(encoding="utf-8")))
    if new or warns:
        tell(sentence, warns)


def keep_check(
    path: str | Path, off: float, voltage: str | None = None, stimulus: str | None = None
) -> None:
    """Keep by how many mV a file's beat is off, where imports are kept."""
    place = _record(path, voltage, stimulus)
    if place is not None:
        write(place, {"off_mV": off})


def _record(path: str | Path, *named: str | None) -> Path | None:
    place = place_of(Path(path), named)
    return None if place is None else place.with_suffix(".beat.json")


def _told(name: str, found: dict[str, Any]) -> tuple[str, bool]:
    """Of a record, and whether it is a warning."""
    off, own = found["off_mV"], "the file's own equations"
    if off is None:
        return f"{name}: a beat could not be held against {own}: {found['fault']}", True
    if off < MOST:
        return f"{name}: a beat is within {off:.2g} mV of {own}, away from upstrokes", False
    return (
        f"{name}: a beat is {off:.2g} mV off {own}, more than {MOST:g} mV; "
        f"heartsim cell --import {name} --png beat.png shows where",
        True,
    )
