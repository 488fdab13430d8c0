"""Options that every command has."""

import enum
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
Unit = Annotated[
    str | None, typer.Option(help="Length unit of the file: mm, cm, m, um (CARP: um).")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the last checkpoint, bit for bit.")
]


class Side(enum.StrEnum):
    """Which ventricle."""

    left = "left"
    right = "right"


def regions(given: list[str] | None) -> list[str | int]:
    """Regions by tag, where it is a whole number, or name."""
    return [int(k) if k.lstrip("-").isdigit() else k for k in ([] if given is None else given)]
