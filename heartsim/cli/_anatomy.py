"""`heartsim anatomy`."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from heartsim.anatomy import LANDMARKS, UVC_APEX, VALVES
from heartsim.mesh import Mesh, mesh_files, write_mesh
from heartsim.scenario import Rows, anatomy_of, atrium_of
from heartsim.viz import anatomy_png, atrium_png

from ._fibre_options import BAYER, FibreOptions
from ._options import Json, Side, Unit, free, regions, takes
from ._show import show, stages

DOORS = [valve for pair in VALVES.values() for valve in pair]
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


@dataclasses.dataclass(kw_only=True)
class AnatomyOptions(FibreOptions):
    """One field an option."""

    heart: Annotated[Path, typer.Argument(help=".vtu .vtk .vtp .msh .xdmf, or CARP .pts")]
    out: Annotated[Path, typer.Option(help=".vtu, or .pts for CARP (in um)")]
    keep: Annotated[
        list[str] | None, typer.Option(help="Region of the chamber, where there are others.")
    ] = None
    valve: Annotated[
        list[str] | None, typer.Option(help="Region behind a valve, as mitral=3 or aortic=aorta.")
    ] = None
    left_mm: Left = None
    landmark: Annotated[
        list[str] | None,
        typer.Option(help=f"NAME=X,Y,Z in mm, believed; of {', '.join(LANDMARKS)}."),
    ] = None
    uvc_apex_mm: Annotated[
        float, typer.Option(min=0.0, help="Radius around the apex where apicobasal_harmonic is 0.")
    ] = UVC_APEX
    atrium: Annotated[Side | None, typer.Option(help="HEART is this atrium.")] = None
    frame: Annotated[
        str | None, typer.Option(help="Of an atrium: where x, y and z go, as LPS or RAS.")
    ] = None
    opening: Openings = None
    threshold: Thresholds = None
    unit: Unit = None
    png: Annotated[Path | None, typer.Option(help="Picture of what was found.")] = None
    as_json: Json = False

    def valves(self) -> dict[str, str | int]:
        """The region behind each valve that is told."""
        told = {}
        for text in [] if self.valve is None else self.valve:
            name, _, region = text.partition("=")
            if name not in DOORS or not region or name in told:
                raise ValueError(
                    f"--valve {text}: wanted a valve and the region behind it, such as mitral=3, "
                    f"each once; valves are {', '.join(DOORS)}."
                )
            told[name] = regions([region])[0]
        return told


@takes(AnatomyOptions)
def anatomy(of: AnatomyOptions) -> None:
    """Find surfaces, coordinates, segments and fibres of the ventricles in HEART, or with --atrium
    the openings, bundles and fibres of an atrium."""
    free(*mesh_files(of.out), of.png)
    with stages(of.as_json) as stage:
        side = of.atrium
        mesh, rows = _ventricles(of, stage) if side is None else _atrium(of, side, stage)
        stage("writing")
        write_mesh(mesh, of.out)
        if of.png is not None:
            (anatomy_png if side is None else atrium_png)(mesh, of.png)
    show(rows, as_json=of.as_json, title=str(of.out))


def _ventricles(of: AnatomyOptions, stage: Callable[[str], None]) -> tuple[Mesh, Rows]:
    for name in ("frame", "opening", "threshold"):
        if getattr(of, name) is not None:
            raise ValueError(f"anatomy: --{name} is for an atrium; say which, --atrium left.")
    return anatomy_of(
        of.heart,
        unit=of.unit,
        keep=regions(of.keep),
        left=of.left_mm,
        angles=of.angles(),
        valves=of.valves(),
        uvc_apex=of.uvc_apex_mm,
        landmarks=[] if of.landmark is None else of.landmark,
        stage=stage,
    )


def _atrium(of: AnatomyOptions, side: Side, stage: Callable[[str], None]) -> tuple[Mesh, Rows]:
    told = (of.left_mm, of.landmark, of.uvc_apex_mm, of.valves(), of.angles())
    if told != (None, None, UVC_APEX, {}, BAYER):
        raise ValueError(
            "anatomy: --left-mm, --landmark, --uvc-apex-mm, --valve, --rule and angles are for "
            "ventricles; leave them out with --atrium."
        )
    return atrium_of(
        of.heart,
        side.value,
        unit=of.unit,
        keep=regions(of.keep),
        frame=of.frame,
        openings=[] if of.opening is None else of.opening,
        thresholds=[] if of.threshold is None else of.threshold,
        stage=stage,
    )
