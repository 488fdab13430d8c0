"""From an atrium on file to one with openings, fields, bundles and fibres."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from heartsim.anatomy import (
    AtrialBundles,
    Atrium,
    LeftBundles,
    Opening,
    RightBundles,
    describe_atrium,
)
from heartsim.mesh import Mesh, did_you_mean, read_mesh, require_heart_size, require_sound

from ._anatomy import kept_and_cut, named_numbers
from ._check import mesh_rows
from ._rows import Rows, row


def atrium_of(
    path: str | Path,
    side: str,
    *,
    unit: str | None = None,
    keep: Sequence[str | int] = (),
    frame: str | None = None,
    openings: Sequence[str] = (),
    thresholds: Sequence[str] = (),
    stage: Callable[[str], None] = lambda _: None,
) -> tuple[Mesh, Rows]:
    """An atrium of a mesh on file, `side` left or right, with what its shape tells, and its
    numbers (`describe_atrium`).

    `keep` names its regions where the file has others: where these are cut away is open. `openings`
    are NAME=X,Y,Z or NAME=X,Y,Z,RADIUS [mm], `thresholds` NAME=VALUE; `stage` is told what begins.
    ValueError names the file and what was wanted.
    """
    stage("reading")
    whole = read_mesh(path, unit=unit)
    require_heart_size(whole, "mm" if unit is None else unit, str(path))
    given = [_opening(text) for text in openings]
    bundles = _bundles(side, thresholds)
    mesh, cut = kept_and_cut(dataclasses.replace(whole, frames=None), keep)
    require_sound(mesh, str(path))
    stage("openings, bundles and fibres")
    try:
        atrium = describe_atrium(mesh, side, frame, given, bundles, cut)
    except ValueError as fault:
        raise ValueError(f"{path}: {str(fault).removeprefix('anatomy: ')}") from None
    return atrium.mesh, mesh_rows(atrium.mesh) | atrium_rows(atrium)


def atrium_rows(atrium: Atrium) -> Rows:
    """What was found in the shape of an atrium."""
    rows = {}
    for name, rim in atrium.openings.items():
        rows[f"{name}_middle_mm"] = row(rim.middle.round(2).tolist(), "mm", "middle of the opening")
        rows[f"{name}_around_mm"] = row(
            rim.length, "mm", "length of the rim, the longer of a wall's two; null of a node set"
        )
    rows["unnamed_openings_mm"] = row(
        [rim.middle.round(2).tolist() for rim in atrium.unnamed],
        "mm",
        "middle of each opening that has no name",
    )
    return rows


def _opening(text: str) -> Opening:
    name, numbers = named_numbers("opening", text, "lspv=20,11,12", (3, 4))
    return Opening(name, (numbers[0], numbers[1], numbers[2]), *numbers[3:])


def _bundles(side: str, thresholds: Sequence[str]) -> AtrialBundles:
    usual: AtrialBundles = LeftBundles() if side == "left" else RightBundles()
    known = [field.name for field in dataclasses.fields(usual)]
    changed: dict[str, Any] = {}
    for text in thresholds:
        name, _, value = text.partition("=")
        if name not in known:
            raise ValueError(
                f"--threshold {text}: {name!r} is not known{did_you_mean(name, known)}; a {side} "
                f"atrium has {', '.join(known)}."
            )
        try:
            changed[name] = float(value)
        except ValueError:
            raise ValueError(f"--threshold {text}: NAME=VALUE is wanted, a number.") from None
    return dataclasses.replace(usual, **changed)
