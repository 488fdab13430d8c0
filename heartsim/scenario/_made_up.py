"""Made-up hearts, and their segmentations, on file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from heartsim._files import whole_or_refused
from heartsim.anatomy import (
    NUMBERS,
    made_up,
    painted_scar,
    short_axis_labels,
    synthetic_heart,
    write_image,
)
from heartsim.mesh import Mesh, signed_volumes

from ._check import mesh_rows
from ._rows import Rows, row


def made_up_heart(
    kind: str,
    seed: int | None,
    edge: float,
    *,
    scar: Sequence[int] | None = None,
    scar_depth: float = 1.0,
) -> tuple[Mesh, Rows]:
    """A heart of a kind, one of a population with a seed, with scar in some segments; its numbers.

    ValueError for an unknown kind or segment, or an edge too long for its walls.
    """
    shape = made_up(kind, seed)
    mesh = synthetic_heart(shape, edge)
    if scar:
        mesh = painted_scar(mesh, list(scar), scar_depth)
    rows = mesh_rows(mesh)
    for name, value, words in (
        ("cavity_radius", shape.cavity, "radius of the left cavity"),
        ("cavity_half_length", shape.length, "from its widest place to its lower end"),
        ("left_wall", shape.wall, "left wall beside the cavity"),
        ("right_wall", shape.right_wall, "wall of the right ventricle"),
    ):
        rows[f"{name}_mm"] = row(value, "mm", words)
    if scar:
        own = np.asarray(mesh.regions) == mesh.region_tag("scar")
        volume = signed_volumes(mesh.points, mesh.cells)[own].sum() / 1000
        rows["scar_mL"] = row(float(volume), "mL", "made-up scar")
    return mesh, rows


def write_made_up_labels(
    kind: str, seed: int | None, spacing: tuple[float, float, float], path: Path
) -> None:
    """The short-axis segmentation of a made-up heart, and beside it the file that names its
    numbers, NAME.toml, for `heartsim mesh build`."""
    if min(spacing) <= 0:
        raise ValueError(f"spacing_mm {spacing}: wanted three lengths above 0.")
    shape = made_up(kind, seed)
    write_image(short_axis_labels(shape, np.array(spacing)), path)
    lines = ["[labels]", *(f"{name} = {number}" for name, number in NUMBERS.items())]
    lines += ["", "[rv_wall]", f"thickness_mm = {shape.right_wall:g}", ""]
    with whole_or_refused(path.with_name(path.name.split(".")[0] + ".toml")) as new:
        new.write_text("\n".join(lines))
