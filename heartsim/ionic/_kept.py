"""Imported models kept on file, so that each is worked out once."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heartsim._code import code_of
from heartsim._files import whole

from ._imported import Program

Tell = Callable[[str, bool], None]
"""Takes a sentence about an import, and whether it is a warning."""
_KEEPS: list[tuple[Path, Tell | None]] = []


def keep_imports(folder: Path | None, tell: Tell | None = None) -> None:
    """Keep what is worked out of models in files in this folder from now on; None: no more. With
    `tell` each file that is used by name is checked once, see `check_once`. The library itself
    never asks for it; the command line does."""
    _KEEPS[:] = [] if folder is None else [(folder, tell)]


def place_of(path: Path, named: tuple[str | None, ...]) -> Path | None:
    """Where the program of a file is kept: by its content, and what of it is named."""
    if not (_KEEPS and path.is_file()):
        return None
    key = hashlib.sha256(repr((code_of("ionic"), path.name, *named)).encode() + path.read_bytes())
    return _KEEPS[0][0] / f"cell-{key.hexdigest()[:24]}.json"


def kept(path: Path, named: tuple[str | None, ...], make: Callable[[], Program]) -> Program:
    """The program of a file: of the folder, if that has one of the same file, else made."""
    place = place_of(path, named)
    if place is None:
        return make()
    if place.is_file():
        content = json.loads(place.read_text(encoding="utf-8"))
        return Program(**{name: _tuples(value) for name, value in content.items()})
    program = make()
    write(place, {f.name: getattr(program, f.name) for f in dataclasses.fields(program)})
    return program


def teller() -> Tell | None:
    """Whom to tell about imports."""
    return _KEEPS[0][1] if _KEEPS else None


def write(place: Path, content: dict[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with whole(place) as new:
        new.write_text(json.dumps(content), encoding="utf-8")


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
