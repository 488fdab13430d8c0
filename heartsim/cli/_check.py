"""`heartsim check`."""

from pathlib import Path
from typing import Annotated

import typer

from heartsim.scenario import check_scenario

from ._cache import tuning_folder
from ._options import Json
from ._show import show


def check(
    scenario: Annotated[Path, typer.Argument(help="A scenario file (.toml).")],
    as_json: Json = False,
) -> None:
    """What SCENARIO would do: its keys, its mesh, velocity errors, memory and time."""
    show(check_scenario(scenario, cache=tuning_folder()), as_json=as_json, title=str(scenario))
