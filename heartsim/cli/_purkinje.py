"""`heartsim purkinje`."""

import math
from pathlib import Path
from typing import Annotated

import typer

from heartsim.anatomy import USUAL_BUNDLES, Bundles, Growth
from heartsim.mesh import mesh_files, write_mesh
from heartsim.scenario import tree_of

from ._options import Json, Side, free
from ._show import show

USUAL = Growth()
Place = tuple[float, float]
WALLS = ("septum", "free")


def purkinje(
    heart: Annotated[Path, typer.Argument(help="From heartsim mesh build, synth or anatomy.")],
    side: Annotated[Side, typer.Option(help="Ventricle.")],
    out: Annotated[Path, typer.Option(help="The tree, .vtu")],
    root: Annotated[
        Place | None, typer.Option(help="Height and degrees in the septum: where His enters.")
    ] = None,
    trunk: Annotated[Place | None, typer.Option(help="The same: where the trunk ends.")] = None,
    fascicle: Annotated[
        list[str] | None,
        typer.Option(help="HEIGHT,DEGREES,septum or free, to where one leads; replaces all."),
    ] = None,
    generations: Annotated[int, typer.Option(min=1, max=30)] = USUAL.generations,
    length_mm: Annotated[float, typer.Option(help="Mean length of a branch.")] = USUAL.length,
    angle_deg: Annotated[
        float, typer.Option(min=0.0, max=90.0, help="To each side of a fork.")
    ] = round(math.degrees(USUAL.angle), 1),
    repulsion: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of branches from one another.")
    ] = USUAL.repulsion,
    top: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Height above which no branch grows.")
    ] = USUAL.top,
    seed: Annotated[int, typer.Option(min=0)] = USUAL.seed,
    as_json: Json = False,
) -> None:
    """Grow a Purkinje tree on an endocardium of HEART."""
    free(*mesh_files(out))
    growth = Growth(
        length=length_mm,
        angle=math.radians(angle_deg),
        repulsion=repulsion,
        generations=generations,
        top=top,
        seed=seed,
    )
    bundles = _bundles(side, root, trunk, fascicle)
    tree, rows = tree_of(heart, side.value, growth, bundles)
    write_mesh(tree, out)
    show(rows, as_json=as_json, title=str(out))


def _bundles(
    side: Side, root: Place | None, trunk: Place | None, fascicles: list[str] | None
) -> Bundles:
    """The usual ones of this side, but for those given."""
    usual = USUAL_BUNDLES[side.value]
    return Bundles(
        usual.root if root is None else _place("--root", root),
        usual.trunk if trunk is None else _place("--trunk", trunk),
        tuple(_fascicle(text) for text in fascicles) if fascicles else usual.fascicles,
    )


def _fascicle(text: str) -> tuple[float, float, bool]:
    *place, wall = text.split(",")
    try:
        height, degrees = (float(part) for part in place)
    except ValueError:
        wall = ""
    if wall not in WALLS:
        raise ValueError(
            f"--fascicle {text}: HEIGHT,DEGREES,WALL is wanted, the wall septum or free, such as "
            "0.65,86,free."
        )
    return (*_place("--fascicle", (height, degrees)), wall == "free")


def _place(option: str, at: Place) -> Place:
    height, degrees = at
    if not (0.0 <= height <= 1.0 and -180.0 <= degrees <= 180.0):
        raise ValueError(
            f"{option} {height:g} {degrees:g}: wanted a height from 0 (apex) to 1 (base) and an "
            "angle from -180 to 180 degrees, 0 in the middle of the septum."
        )
    return height, math.radians(degrees)
