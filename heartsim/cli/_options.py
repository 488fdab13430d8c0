"""Options that every command has."""

import enum
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
Unit = Annotated[
    str | None, typer.Option(help="Length unit of the file: mm, cm, m, um (CARP: um).")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the last checkpoint, bit for bit.")
]


class Side(enum.StrEnum):
    """Which ventricle, or which atrium."""

    left = "left"
    right = "right"


def free(*files: Path | None) -> None:
    """Refuse the first of these that exists: no command overwrites what it has not made."""
    for file in files:
        if file is not None and file.exists():
            raise ValueError(f"{file} exists and is not overwritten; give another name.")


def regions(given: list[str] | None) -> list[str | int]:
    """Regions by tag, where it is a whole number, or name."""
    return [int(k) if k.lstrip("-").isdigit() else k for k in ([] if given is None else given)]


def takes(options: type) -> Callable[[Callable[[Any], None]], Callable[..., None]]:
    """Make a command of a function of one dataclass, whose fields are the command's options: its
    own before those it shares with others."""

    def command(function: Callable[[Any], None]) -> Callable[..., None]:
        def called(**given: Any) -> None:
            function(options(**given))

        called.__name__, called.__doc__ = function.__name__, function.__doc__
        fields = inspect.signature(options).parameters.values()
        ordered = sorted(fields, key=lambda field: field.name not in options.__annotations__)
        called.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
        called.__annotations__ = get_type_hints(options, include_extras=True)
        return called

    return command
