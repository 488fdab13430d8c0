"""`heartsim sweep`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from heartsim.scenario import on_dask, row, run_sweep

from ._cache import tuning_folder
from ._options import Json, Resume
from ._ready import make_ready
from ._show import progress_bar, show


def sweep(
    file: Annotated[Path, typer.Argument(help="A sweep file (.toml).")],
    out: Annotated[Path, typer.Option(help="The directory to make; never overwritten.")],
    scheduler: Annotated[
        str | None,
        typer.Option(help='A Dask scheduler, as tcp://host:8786, or "local"; absent: here.'),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help='Processes with --scheduler "local".')
    ] = None,
    batch: Annotated[
        int,
        typer.Option(min=1, help="Runs computed in one program; for small hearts on a GPU."),
    ] = 1,
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Run a grid or a sample of scenarios, here or on a cluster; one row a run in OUT/table.csv."""
    through = map if scheduler is None else on_dask(scheduler, workers, prepare=make_ready)
    with progress_bar(as_json, unit="runs") as progress:
        table = run_sweep(
            file,
            out,
            resume=resume,
            progress=progress,
            cache=tuning_folder(),
            through=through,
            batch=batch,
        )
    failed = [found for found in table if found["status"] != "done"]
    _remark(out, table, failed)
    if as_json:
        print(json.dumps(table, indent=2, ensure_ascii=False))
        return
    counts = {
        "runs": row(len(table), "1", ""),
        "failed": row(len(failed), "1", ""),
        "table": row(str(out / "table.csv"), "", ""),
    }
    show(counts, as_json=False, title=str(out))


def _remark(out: Path, table: list[dict[str, Any]], failed: list[dict[str, Any]]) -> None:
    """Say on stderr which runs failed, and which a batch left behind."""
    if failed:
        first = failed[0]
        print(
            f"warning: {len(failed)} of {len(table)} runs failed; run {first['run']} "
            f"{first['status']}",
            file=sys.stderr,
        )
    notes = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["notes"]
    if notes:
        print(f"note: {len(notes)} of {len(table)} runs ran alone; {notes[0]}", file=sys.stderr)
