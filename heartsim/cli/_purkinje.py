"""`heartsim purkinje`."""

import math
from pathlib import Path
from typing import Annotated

import typer

from heartsim.anatomy import Growth
from heartsim.mesh import write_mesh
from heartsim.scenario import tree_of

from ._options import Json, Side
from ._show import show

USUAL = Growth()


def purkinje(
    heart: Annotated[Path, typer.Argument(help="From heartsim mesh build, synth or anatomy.")],
    side: Annotated[Side, typer.Option(help="Ventricle.")],
    out: Annotated[Path, typer.Option(help="The tree, .vtu")],
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
    if out.exists():
        raise ValueError(f"{out} exists and is not overwritten; give another name.")
    growth = Growth(
        length=length_mm,
        angle=math.radians(angle_deg),
        repulsion=repulsion,
        generations=generations,
        top=top,
        seed=seed,
    )
    tree, rows = tree_of(heart, side.value, growth)
    write_mesh(tree, out)
    show(rows, as_json=as_json, title=str(out))
