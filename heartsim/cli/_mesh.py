"""`heartsim mesh build`, `synth`, `info` and `convert`."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer

from heartsim.anatomy import KINDS, SWAPPED
from heartsim.mesh import keep_regions, mesh_files, read_mesh, refine, write_mesh
from heartsim.scenario import (
    made_up_heart,
    mesh_from_image,
    mesh_from_outlines,
    mesh_rows,
    write_made_up_labels,
)
from heartsim.viz import anatomy_png, openings_png

from ._fibre_options import FibreOptions
from ._options import Json, Unit, free, regions, takes
from ._show import show, stages


@dataclasses.dataclass(kw_only=True)
class BuildOptions(FibreOptions):
    """One field an option."""

    source: Annotated[
        Path,
        typer.Argument(
            help="Labels: .nii.gz .nrrd .mha .dcm, folder; surfaces.toml, contours.toml"
        ),
    ]
    out: Annotated[Path, typer.Option(help=".vtu, or .pts for CARP (in um)")]
    labels: Annotated[Path | None, typer.Option(help="TOML file that names the label numbers.")] = (
        None
    )
    edge: Annotated[float, typer.Option(help="Mean edge, mm.")] = 1.0
    frame: Annotated[int | None, typer.Option(help="Which of a series, from 0.")] = None
    png: Annotated[Path | None, typer.Option(help="Picture of the surfaces.")] = None
    as_json: Json = False


@takes(BuildOptions)
def build(of: BuildOptions) -> None:
    """Make a heart with fibres and segments of SOURCE, a segmentation, surfaces or contours; with
    its atria, or of one atrium alone, where the labels file says so."""
    source, labels, angles = of.source, of.labels, of.angles()
    free(*mesh_files(of.out), of.png)
    if source.suffix != ".toml" and labels is None:
        raise ValueError(f"{source}: its label numbers are missing; give --labels labels.toml.")
    with stages(of.as_json) as stage:
        if labels is None or source.suffix == ".toml":
            mesh, rows = mesh_from_outlines(source, of.edge, stage, angles)
        else:
            mesh, rows = mesh_from_image(source, labels, of.edge, of.frame, stage, angles)
        stage("writing")
        write_mesh(mesh, of.out)
        if of.png is not None:
            (openings_png if "endo" in mesh.node_sets else anatomy_png)(mesh, of.png)
    show(rows, as_json=of.as_json, title=str(of.out))
    for note in mesh.notes:
        if note.startswith(SWAPPED):
            print(f"warning: {note}", file=sys.stderr)


def synth(
    out: Annotated[Path, typer.Option(help=".vtu, or .pts for CARP (in um)")],
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(KINDS)}.")] = "normal",
    seed: Annotated[
        int | None, typer.Option(min=0, help="One of a population of this kind.")
    ] = None,
    edge: Annotated[float, typer.Option(help="Mean edge, mm.")] = 2.0,
    scar: Annotated[list[int] | None, typer.Option(help="Segment that is scar.")] = None,
    scar_depth: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of the wall, from inside.")
    ] = 1.0,
    segmentation: Annotated[
        Path | None, typer.Option(help="Labels of its short axis as well: .nii.gz, .nrrd")
    ] = None,
    spacing_mm: Annotated[
        tuple[float, float, float], typer.Option(help="Voxels of the labels.")
    ] = (1.5, 1.5, 8.0),
    png: Annotated[Path | None, typer.Option(help="Picture of the heart.")] = None,
    as_json: Json = False,
) -> None:
    """Make up a biventricular heart, and its segmentation."""
    free(*mesh_files(out), segmentation, png)
    mesh, rows = made_up_heart(kind, seed, edge, scar=scar, scar_depth=scar_depth)
    write_mesh(mesh, out)
    if segmentation is not None:
        write_made_up_labels(kind, seed, spacing_mm, segmentation)
    if png is not None:
        anatomy_png(mesh, png)
    show(rows, as_json=as_json, title=str(out))


def info(
    mesh: Annotated[Path, typer.Argument(help=".vtu .vtk .vtp .msh .xdmf, or CARP .pts")],
    unit: Unit = None,
    as_json: Json = False,
) -> None:
    """Size, quality, regions and faults of MESH."""
    show(mesh_rows(read_mesh(mesh, unit=unit)), as_json=as_json, title=str(mesh))


def convert(
    mesh: Annotated[Path, typer.Argument(help=".vtu .vtk .vtp .msh .xdmf, or CARP .pts")],
    out: Annotated[Path, typer.Argument(help=".vtu, or .pts for CARP (in um)")],
    unit: Unit = None,
    keep: Annotated[list[str] | None, typer.Option(help="Region tag or name to keep.")] = None,
    refinements: Annotated[
        int, typer.Option("--refine", min=0, max=4, help="How often edges are halved.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Write MESH in another format, whole or in part, refined or as it is."""
    free(*mesh_files(out))
    read = read_mesh(mesh, unit=unit)
    if keep:
        read = keep_regions(read, regions(keep))
    for _ in range(refinements):
        read = refine(read)
    write_mesh(read, out)
    show(mesh_rows(read), as_json=as_json, title=str(out))
