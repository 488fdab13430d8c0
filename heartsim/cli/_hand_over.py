"""`heartsim hand-over`."""

from pathlib import Path
from typing import Annotated

import typer

from heartsim.scenario import run_hand_over
from heartsim.viz import hand_over_ecg_png, hand_over_png

from ._cache import tuning_folder
from ._options import Json, Resume
from ._pictures import draw_pictures
from ._show import progress_bar, show, warn


def hand_over(
    given: Annotated[
        Path,
        typer.Argument(
            metavar="FIT", help="The run directory of a fit, or an eikonal scenario (.toml)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The run directory to make; never overwritten.")],
    edge_mm: Annotated[
        float, typer.Option(min=0.05, help="Refine the mesh until its mean edge is this or less.")
    ] = 2.0,
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Run a fit as monodomain, its velocities tuned, and compare maps and leads; write OUT."""
    with progress_bar(as_json) as progress:
        summary = run_hand_over(
            given,
            out,
            edge=edge_mm,
            resume=resume,
            progress=progress,
            finish=_draw,
            cache=tuning_folder(),
        )
    warn(out)
    show(summary, as_json=as_json, title=str(out))


def _draw(folder: Path) -> None:
    """The pictures of a run, and compared.png and compared_ecg.png before its report."""
    hand_over_png(folder, folder / "compared.png")
    hand_over_ecg_png(folder, folder / "compared_ecg.png")
    draw_pictures(folder)
