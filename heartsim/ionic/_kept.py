"""Imported models kept on file, so that each is worked out once."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heartsim._files import whole

from ._imported import Program

FORM = 3  # of what is kept; another number makes all anew
_FOLDER: list[Path] = []


def keep_imports(folder: Path | None) -> None:
    """Keep what is worked out of models in files in this folder from now on; None: no more. The
    library itself never asks for it; the command line does."""
    _FOLDER[:] = [] if folder is None else [folder]


def kept(path: Path, named: tuple[str | None, ...], make: Callable[[], Program]) -> Program:
    """The program of a file: of the folder, if that has one of the same file, else made."""
    if not (_FOLDER and path.is_file()):
        return make()
    key = hashlib.sha256(repr((FORM, path.name, *named)).encode() + path.read_bytes())
    place = _FOLDER[0] / f"cell-{key.hexdigest()[:24]}.json"
    if place.is_file():
        content = json.loads(place.read_text(encoding="utf-8"))
        return Program(**{name: _tuples(value) for name, value in content.items()})
    program = make()
    place.parent.mkdir(parents=True, exist_ok=True)
    content = {f.name: getattr(program, f.name) for f in dataclasses.fields(program)}
    with whole(place) as new:
        new.write_text(json.dumps(content), encoding="utf-8")
    return program


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
