"""`heartsim plan`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heartsim.scenario import Rows, run_plan
from heartsim.viz import plan_ecg_png, plan_png

from ._cache import tuning_folder
from ._options import Json
from ._show import progress_bar, shown


def plan(
    file: Annotated[Path, typer.Argument(help="A plan file (.toml).")],
    out: Annotated[Path, typer.Option(help="The directory to make; never overwritten.")],
    as_json: Json = False,
) -> None:
    """Compare pacing options on a heart: QRS duration, activation, LV-RV delay; write OUT."""
    with progress_bar(as_json, unit="beats") as progress:
        rows = run_plan(file, out, progress=progress, finish=draw_plan, cache=tuning_folder())
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        Console(soft_wrap=True).print(_table(rows, str(out)))


def draw_plan(folder: Path) -> None:
    """plan.png, maps side by side; ecg.png, leads over each other."""
    plan_png(folder, folder / "plan.png")
    if (folder / "beats" / "00-baseline" / "ecg.csv").is_file():
        plan_ecg_png(folder, folder / "ecg.png")


def _table(rows: list[Rows], title: str) -> Table:
    """A row for each beat; changes against the baseline in brackets."""
    keys = [k for k in rows[0] if k != "beat"]
    table = Table("beat", title=title, title_justify="left", box=None)
    for key in keys:
        table.add_column(key.removesuffix("_ms").replace("_", " ") + " (ms)", justify="right")
    for row in rows:
        cells = []
        for key in keys:
            change = row.get(f"{key.removesuffix('_ms')}_change_ms")
            cell = shown(row[key]["value"])
            if change is not None and change["value"] is not None:
                cell += f" ({change['value']:+.0f})"
            cells.append(cell)
        table.add_row(row["beat"]["value"], *cells)
    return table
