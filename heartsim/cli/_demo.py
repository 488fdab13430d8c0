"""`heartsim demo`."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from heartsim.scenario import Rows, read_plan, row, run_fit, run_plan
from heartsim.viz import report_html

from ._fit import draw_fit
from ._options import Json
from ._plan import draw_plan
from ._run import simulate
from ._show import progress_bar, show

RESULTS = {
    "report": "report.html",
    "activation map": "activation.png",
    "ECG": "ecg.png",
    "fit": "fit/fit.png",
    "pacing options": "pacing/plan.png",
}


def demo(
    out: Annotated[Path, typer.Option(help="The run directory to make.")] = Path("heartsim-demo"),
    as_json: Json = False,
) -> None:
    """One beat of a shipped heart, a fit of a hidden block, pacing of what it found; offline."""
    shipped = Path(str(files("heartsim.scenario")))
    summary = simulate(shipped / "demo.toml", out, resume=False, quiet=as_json)
    with progress_bar(as_json, unit="starts") as progress:
        fit = run_fit(shipped / "demo_fit.toml", out / "fit", progress=progress, finish=draw_fit)
    plan = read_plan(shipped / "demo_plan.toml")
    if fit["fitted"]["value"]:  # else the block as it is known
        plan = plan.model_copy(update={"base": str((out / "fit" / "scenario.toml").resolve())})
    with progress_bar(as_json, unit="beats") as progress:
        run_plan(plan, out / "pacing", progress=progress, finish=draw_plan)
    report_html(out, out / "report.html")
    places: Rows = {
        name: row(str(out / file), "", f"where the {name} lies") for name, file in RESULTS.items()
    }
    show(summary | _found(fit) | places, as_json=as_json, title=str(out))


def _found(fit: Rows) -> Rows:
    """What a fit says first."""
    return {f"fit_{key}": fit[key] for key in ("verdict", "activation_rmse_ms")}
