"""`heartsim demo`."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from heartsim.scenario import row

from ._options import Json
from ._run import simulate
from ._show import show


def demo(
    out: Annotated[Path, typer.Option(help="The run directory to make.")] = Path("heartsim-demo"),
    as_json: Json = False,
) -> None:
    """One beat of a shipped heart, offline, in under two minutes."""
    with as_file(files("heartsim.scenario") / "demo.toml") as scenario:
        summary = simulate(scenario, out, resume=False, quiet=as_json)
    results = {"report": "report.html", "activation map": "activation.png", "ECG": "ecg.png"}
    places = {
        name: row(str(out / file), "", f"where the {name} lies") for name, file in results.items()
    }
    show(summary | places, as_json=as_json, title=str(out))
