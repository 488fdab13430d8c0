"""`heartsim run`."""

from pathlib import Path
from typing import Annotated

import typer

from heartsim.scenario import Rows, run_scenario

from ._cache import tuning_folder
from ._options import Json, Resume
from ._pictures import draw_pictures
from ._show import progress_bar, show, warn


def run(
    scenario: Annotated[Path, typer.Argument(help="A scenario file (.toml).")],
    out: Annotated[Path, typer.Option(help="The run directory to make; never overwritten.")],
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Simulate SCENARIO and write the run directory OUT."""
    show(simulate(scenario, out, resume=resume, quiet=as_json), as_json=as_json, title=str(out))


def simulate(scenario: Path, out: Path, *, resume: bool, quiet: bool) -> Rows:
    """Run a scenario, with pictures, under a progress bar; return the summary. What the run notes
    of its activation is said on stderr."""
    with progress_bar(quiet) as progress:
        summary = run_scenario(
            scenario,
            out,
            resume=resume,
            progress=progress,
            finish=draw_pictures,
            cache=tuning_folder(),
        )
    warn(out)
    return summary
