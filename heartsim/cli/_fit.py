"""`heartsim fit`."""

from pathlib import Path
from typing import Annotated

import typer

from heartsim.scenario import run_fit
from heartsim.viz import activation_png, fit_png

from ._cache import tuning_folder
from ._options import Json
from ._show import progress_bar, show


def fit(
    file: Annotated[Path, typer.Argument(help="A fit file (.toml).")],
    out: Annotated[Path, typer.Option(help="The run directory to make; never overwritten.")],
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the search, before that of the file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find velocities and activation sites whose QRS is the measured one; write OUT."""
    with progress_bar(as_json, unit="starts") as progress:
        summary = run_fit(
            file, out, seed=seed, progress=progress, finish=draw_fit, cache=tuning_folder()
        )
    show(summary, as_json=as_json, title=str(out))


def draw_fit(folder: Path) -> None:
    """activation.png, and fit.png: measured and fitted leads."""
    activation_png(folder / "activation.vtu", folder / "activation.png")
    fit_png(folder / "measured.csv", folder / "ecg.csv", folder / "fit.png")
