"""`heartsim scar`."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from heartsim.anatomy import DeviationRule, FractionRule, HalfMaximumRule, VoltageRule
from heartsim.mesh import mesh_files, write_mesh
from heartsim.scenario import scar_of, voltage_scar_of
from heartsim.viz import anatomy_png

from ._options import Json, Side, free
from ._show import show, stages


class Rule(enum.StrEnum):
    """Which rule's zones become regions; all are reported."""

    sd = "sd"
    fwhm = "fwhm"
    fraction = "fraction"
    voltage = "voltage"


KINDS = {Rule.sd: DeviationRule, Rule.fwhm: HalfMaximumRule, Rule.fraction: FractionRule}
Level = Annotated[
    float | None, typer.Option(help="Deviations (sd), share of the maximum, or mV (voltage).")
]


def scar(
    heart: Annotated[Path, typer.Argument(help="From heartsim mesh build or anatomy.")],
    image: Annotated[
        Path, typer.Argument(help=".nii.gz .nrrd .mha, a DICOM folder; map: .vtp .vtk .ply")
    ],
    out: Annotated[Path, typer.Option(help=".vtu, or .pts for CARP (in um)")],
    rule: Annotated[Rule, typer.Option(help="Whose zones become regions.")] = Rule.fwhm,
    border: Level = None,
    core: Level = None,
    field: Annotated[str, typer.Option(help="Point data of the map, mV.")] = "bipolar",
    side: Annotated[Side, typer.Option(help="Endocardium of the map.")] = Side.left,
    frame: Annotated[int | None, typer.Option(help="Which of a series, from 0.")] = None,
    remote: Annotated[int | None, typer.Option(help="Segment of healthy muscle, 1 to 17.")] = None,
    png: Annotated[Path | None, typer.Option(help="Picture of heart and scar.")] = None,
    as_json: Json = False,
) -> None:
    """Find scar and border zone in HEART from an IMAGE of late enhancement, or a voltage map."""
    free(*mesh_files(out), png)
    given = {k: v for k, v in (("border", border), ("core", core)) if v is not None}
    if rule is Rule.fwhm and border is not None:
        raise ValueError("--border: the border of fwhm begins at the peak of remote muscle.")
    if rule is Rule.voltage and frame is not None:
        raise ValueError("--frame: is of images; a voltage map has none, leave it out.")
    with stages(as_json) as stage:
        if rule is Rule.voltage:
            of = VoltageRule(**given)
            mesh, rows = voltage_scar_of(heart, image, of, field, side.value, stage)
        else:
            mesh, rows = scar_of(heart, image, KINDS[rule](**given), remote, frame, stage)
        stage("writing")
        write_mesh(mesh, out)
        if png is not None:
            anatomy_png(mesh, png)
    show(rows, as_json=as_json, title=str(out))
