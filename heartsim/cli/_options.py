"""Options that every command has."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the last checkpoint, bit for bit.")
]
