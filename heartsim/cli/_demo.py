"""`heartsim demo`."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from heartsim.scenario import row, run_plan
from heartsim.viz import report_html

from ._options import Json
from ._plan import draw_plan
from ._run import simulate
from ._show import progress_bar, show


def demo(
    out: Annotated[Path, typer.Option(help="The run directory to make.")] = Path("heartsim-demo"),
    as_json: Json = False,
) -> None:
    """One beat of a shipped heart, and pacing options for a block of it; offline, in minutes."""
    shipped = Path(str(files("heartsim.scenario")))
    summary = simulate(shipped / "demo.toml", out, resume=False, quiet=as_json)
    with progress_bar(as_json, unit="beats") as progress:
        run_plan(shipped / "demo_plan.toml", out / "pacing", progress=progress, finish=draw_plan)
    report_html(out, out / "report.html")
    results = {
        "report": "report.html",
        "activation map": "activation.png",
        "ECG": "ecg.png",
        "pacing options": "pacing/plan.png",
    }
    places = {
        name: row(str(out / file), "", f"where the {name} lies") for name, file in results.items()
    }
    show(summary | places, as_json=as_json, title=str(out))
