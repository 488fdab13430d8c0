"""`heartsim anatomy`."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from heartsim.anatomy import FibreAngles
from heartsim.mesh import Mesh, write_mesh
from heartsim.scenario import Rows, anatomy_of, atrium_of
from heartsim.viz import anatomy_png, atrium_png

from ._options import Json, Side, Unit, regions, takes
from ._show import show

USUAL = FibreAngles()
Degrees = Annotated[float, typer.Option(min=-90.0, max=90.0, help="Degrees.")]
Left = Annotated[
    tuple[float, float, float] | None, typer.Option(help="A point in the left cavity.")
]
Openings = Annotated[
    list[str] | None,
    typer.Option(help="Of an atrium: NAME=X,Y,Z the nearest rim; with ,RADIUS the nodes around."),
]
Thresholds = Annotated[
    list[str] | None, typer.Option(help="Of an atrium: where a bundle ends, as valve=0.65.")
]


@dataclasses.dataclass
class AnatomyOptions:
    """One field an option."""

    heart: Annotated[Path, typer.Argument(help=".vtu .vtk .vtp .msh .xdmf, or CARP .pts")]
    out: Annotated[Path, typer.Option(help=".vtu, or .pts for CARP (in um)")]
    keep: Annotated[
        list[str] | None, typer.Option(help="Region of the chamber, where there are others.")
    ] = None
    left_mm: Left = None
    fibre_endo: Degrees = USUAL.fibre_endo
    fibre_epi: Degrees = USUAL.fibre_epi
    sheet_endo: Degrees = USUAL.sheet_endo
    sheet_epi: Degrees = USUAL.sheet_epi
    atrium: Annotated[Side | None, typer.Option(help="HEART is this atrium.")] = None
    frame: Annotated[
        str | None, typer.Option(help="Of an atrium: where x, y and z go, as LPS or RAS.")
    ] = None
    opening: Openings = None
    threshold: Thresholds = None
    unit: Unit = None
    png: Annotated[Path | None, typer.Option(help="Picture of what was found.")] = None
    as_json: Json = False


@takes(AnatomyOptions)
def anatomy(of: AnatomyOptions) -> None:
    """Find surfaces, coordinates, segments and fibres of the ventricles in HEART, or with --atrium
    the openings, bundles and fibres of an atrium."""
    if of.out.exists():
        raise ValueError(f"{of.out} exists and is not overwritten; give another name.")
    mesh, rows = _ventricles(of) if of.atrium is None else _atrium(of, of.atrium)
    write_mesh(mesh, of.out)
    if of.png is not None:
        (anatomy_png if of.atrium is None else atrium_png)(mesh, of.png)
    show(rows, as_json=of.as_json, title=str(of.out))


def _ventricles(of: AnatomyOptions) -> tuple[Mesh, Rows]:
    for name in ("frame", "opening", "threshold"):
        if getattr(of, name) is not None:
            raise ValueError(f"anatomy: --{name} is for an atrium; say which, --atrium left.")
    return anatomy_of(
        of.heart,
        unit=of.unit,
        keep=regions(of.keep),
        left=of.left_mm,
        angles=FibreAngles(of.fibre_endo, of.fibre_epi, of.sheet_endo, of.sheet_epi),
    )


def _atrium(of: AnatomyOptions, side: Side) -> tuple[Mesh, Rows]:
    angles = FibreAngles(of.fibre_endo, of.fibre_epi, of.sheet_endo, of.sheet_epi)
    if of.left_mm is not None or angles != USUAL:
        raise ValueError(
            "anatomy: --left-mm and the fibre and sheet angles are for ventricles; leave them out "
            "with --atrium."
        )
    return atrium_of(
        of.heart,
        side.value,
        unit=of.unit,
        keep=regions(of.keep),
        frame=of.frame,
        openings=[] if of.opening is None else of.opening,
        thresholds=[] if of.threshold is None else of.threshold,
    )
