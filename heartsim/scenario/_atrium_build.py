"""From an atrium's labels on file to its wall, and the numbers that say how well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from heartsim.anatomy import AtrialLabels, BuiltAtrium, Image, build_atrium
from heartsim.mesh import Mesh

from ._atrium import atrium_rows
from ._check import mesh_rows
from ._read import read_toml, validated
from ._rows import Rows, row
from ._section import Positive, Section


class AtriumNumbers(Section):
    """Which number is what of one atrium."""

    side: Literal["left", "right"]
    cavity: int
    valve: int | list[int]
    """What lies behind the valve: the ventricle's cavity, and leaflets that have a number."""
    veins: list[int] | dict[str, int] = Field(default_factory=list)
    """Numbers; or names of `heartsim.anatomy.OPENINGS` with theirs."""
    wall_mm: Positive = 2.0


class AtriumFile(Section):
    """labels.toml of an atrium."""

    atrium: AtriumNumbers


def mesh_of_atrium(
    image: Image, labels: Path, edge: float, stage: Callable[[str], None]
) -> tuple[Mesh, Rows]:
    """The atrium that a TOML file with [atrium] names in an image, and what was measured."""
    told = validated(AtriumFile, read_toml(labels, "labels"), labels.name).atrium
    valve = told.valve
    built = build_atrium(
        image,
        AtrialLabels(
            side=told.side,
            cavity=told.cavity,
            valve=tuple(valve) if isinstance(valve, list) else (valve,),
            **veins_of(told.veins),
            wall_mm=told.wall_mm,
        ),
        edge,
        stage,
    )
    return built.atrium.mesh, mesh_rows(built.atrium.mesh) | built_rows(built)


def veins_of(told: list[int] | dict[str, int]) -> dict[str, Any]:
    """Numbers alone, and with names, as `AtrialLabels` has them."""
    return {"named": told} if isinstance(told, dict) else {"veins": tuple(told)}


def built_rows(built: BuiltAtrium) -> Rows:
    """What the image held and the mesh holds."""
    return {
        "atrial_wall_mL": row(built.wall, "mL", "wall in the mesh"),
        "atrial_cavity_mL": row(
            built.cavity, "mL", "within its endocardium and flat lids over its openings"
        ),
        "atrial_cavity_image_mL": row(built.image_cavity, "mL", "voxels of the atrium's number"),
        "islands_removed": row(built.removed, "1", "voxels apart from the largest part"),
        "holes_filled": row(built.filled, "1", "voxels that the atrium's enclose"),
        **atrium_rows(built.atrium),
    }
