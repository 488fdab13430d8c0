"""`heartsim mesh build`, `info` and `convert`."""

from pathlib import Path
from typing import Annotated

import typer

from heartsim.mesh import keep_regions, read_mesh, refine, write_mesh
from heartsim.scenario import mesh_from_image, mesh_rows
from heartsim.viz import anatomy_png

from ._options import Json, Unit, regions
from ._show import show


def build(
    segmentation: Annotated[Path, typer.Argument(help="Labels: .nii .nii.gz .nrrd .mha .mhd")],
    labels: Annotated[Path, typer.Option(help="TOML file that names the label numbers.")],
    out: Annotated[Path, typer.Option(help=".vtu, or .pts for CARP (in um)")],
    edge: Annotated[float, typer.Option(help="Mean edge, mm.")] = 1.0,
    frame: Annotated[int | None, typer.Option(help="Which of a series, from 0.")] = None,
    png: Annotated[Path | None, typer.Option(help="Picture of the surfaces.")] = None,
    as_json: Json = False,
) -> None:
    """Make a heart with fibres and surfaces of a short-axis SEGMENTATION."""
    if out.exists():
        raise ValueError(f"{out} exists and is not overwritten; give another name.")
    mesh, rows = mesh_from_image(segmentation, labels, edge, frame)
    write_mesh(mesh, out)
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
    if out.exists():
        raise ValueError(f"{out} exists and is not overwritten; give another name.")
    read = read_mesh(mesh, unit=unit)
    if keep:
        read = keep_regions(read, regions(keep))
    for _ in range(refinements):
        read = refine(read)
    write_mesh(read, out)
    show(mesh_rows(read), as_json=as_json, title=str(out))
