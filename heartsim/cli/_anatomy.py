"""`heartsim anatomy`."""

from pathlib import Path
from typing import Annotated

import typer

from heartsim.anatomy import FibreAngles
from heartsim.mesh import write_mesh
from heartsim.scenario import anatomy_of
from heartsim.viz import anatomy_png

from ._options import Json, Unit, regions
from ._show import show

USUAL = FibreAngles()
Degrees = Annotated[float, typer.Option(min=-90.0, max=90.0, help="Degrees.")]


def anatomy(
    heart: Annotated[Path, typer.Argument(help=".vtu .vtk .msh .xdmf, or CARP .pts")],
    out: Annotated[Path, typer.Option(help=".vtu, or .pts for CARP (in um)")],
    keep: Annotated[
        list[str] | None, typer.Option(help="Region of the ventricles, where there are others.")
    ] = None,
    left_mm: Annotated[
        tuple[float, float, float] | None, typer.Option(help="A point in the left cavity.")
    ] = None,
    fibre_endo: Degrees = USUAL.fibre_endo,
    fibre_epi: Degrees = USUAL.fibre_epi,
    sheet_endo: Degrees = USUAL.sheet_endo,
    sheet_epi: Degrees = USUAL.sheet_epi,
    unit: Unit = None,
    png: Annotated[Path | None, typer.Option(help="Picture of what was found.")] = None,
    as_json: Json = False,
) -> None:
    """Find surfaces, coordinates, segments and fibres of the ventricles in HEART."""
    if out.exists():
        raise ValueError(f"{out} exists and is not overwritten; give another name.")
    mesh, rows = anatomy_of(
        heart,
        unit=unit,
        keep=regions(keep),
        left=left_mm,
        angles=FibreAngles(fibre_endo, fibre_epi, sheet_endo, sheet_epi),
    )
    write_mesh(mesh, out)
    if png is not None:
        anatomy_png(mesh, png)
    show(rows, as_json=as_json, title=str(out))
