"""Which of a file's fields are region tags and fibres, under the names people use."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from ._frames import frames_from, mean_directions
from ._mesh import did_you_mean
from ._raw import RawMesh

REGION = (
    "region",
    "regions",
    "tag",
    "tags",
    "elemtag",
    "material",
    "materials",
    "label",
    "labels",
    "gmsh:physical",
    "cell_tags",
    "region_id",
    "regionid",
    "medit:ref",
    "set",
)
FIBRE = (
    "fibre",
    "fiber",
    "fibres",
    "fibers",
    "f0",
    "fibre_direction",
    "fiber_direction",
    "fibre_directions",
    "fiber_directions",
    "fibre-orientation",
    "fiber-orientation",
)
SHEET = ("sheet", "sheets", "s0", "cross", "sheet_direction", "sheet_directions")
NORMAL = ("normal", "normals", "n0", "radial", "sheet_normal", "normal_direction")
EXACT = 1e-12
"""Frames orthonormal to this are kept bit for bit; others are normalised again."""


def region_tags(raw: RawMesh, path: object, key: str | None) -> tuple[Int[np.ndarray, " n"], str]:
    """Tags of the file's cells and the name they stand under ("" if there are none)."""
    name = _named(raw.cell_data, REGION, path, key, "region tags, as cell data")
    count = sum(len(cells) for _, cells, _ in raw.blocks)
    if name is None:
        size = max((places.max() + 1 for _, _, places in raw.blocks), default=count)
        return np.ones(size, np.int32), ""
    values = np.asarray(raw.cell_data[name])
    if values.ndim != 1 or not np.array_equal(values, np.rint(values)):
        raise ValueError(f"{path}: region tags {name!r} are not one whole number per cell.")
    return values.astype(np.int32), name


def fibre_frames(
    raw: RawMesh,
    path: object,
    keys: Sequence[str],
    cells: Int[np.ndarray, "cells vertices"],
    places: Int[np.ndarray, " cells"],
) -> tuple[Float[np.ndarray, "cells 3 3"] | None, list[str], list[str]]:
    """Frames of `cells` (their `places` in the file's cell data), names of the fields they
    came from, and notes. Where a fibre is NaN or zero the frame is NaN and a note counts them."""
    wanted = [*keys, None, None, None][:3]
    fields: list[str] = []
    for key, usual in zip(wanted, (FIBRE, SHEET, NORMAL), strict=True):
        name = _named(_vectors(raw), usual, path, key, "fibre vectors, as point or cell data")
        if name is None:
            break
        fields.append(name)
    if not fields:
        return None, [], ["fibres: none in the file"]
    frames = _completed([_on_cells(raw, name, cells, places) for name in fields])
    bad = ~np.isfinite(frames).all(axis=(1, 2))
    notes = _remarks(frames, bad)
    if len(fields) == 1:
        notes.append(
            "sheets: none in the file, chosen across the fibre; only transverse isotropy "
            "(equal sheet and normal) is meaningful"
        )
    return frames, fields, notes


def _vectors(raw: RawMesh) -> dict[str, np.ndarray]:
    everything = {**raw.point_data, **raw.cell_data}
    return {k: v for k, v in everything.items() if v.ndim == 2 and v.shape[1] == 3}


def _named(
    data: dict[str, np.ndarray], usual: Sequence[str], path: object, key: str | None, what: str
) -> str | None:
    if key is not None:
        if key in data:
            return key
        has = ", ".join(data)
        raise ValueError(
            f"{path}: no {key!r}{did_you_mean(key, data)} for {what}; the file has "
            f"{has if has else 'nothing of that kind'}."
        )
    lower = {name.lower(): name for name in data}
    return next((lower[name] for name in usual if name in lower), None)


def _on_cells(
    raw: RawMesh,
    name: str,
    cells: Int[np.ndarray, "cells vertices"],
    places: Int[np.ndarray, " cells"],
) -> Float[np.ndarray, "cells 3"]:
    """A vector field at cells; nodal ones are averaged as directions, NaN and zero stay NaN."""
    if name in raw.cell_data:
        v = np.asarray(raw.cell_data[name], float)[places]
        v = np.where(np.linalg.norm(v, axis=1, keepdims=True) > 0, v, np.nan)
        return v
    v = np.asarray(raw.point_data[name], float)[cells]
    good = np.isfinite(v).all(axis=(1, 2)) & (np.linalg.norm(v, axis=2) > 0).all(axis=1)
    return np.where(good[:, None], mean_directions(np.where(good[:, None, None], v, 1.0)), np.nan)


def _completed(vectors: list[Float[np.ndarray, "cells 3"]]) -> Float[np.ndarray, "cells 3 3"]:
    if len(vectors) == 3:
        given = np.stack(vectors, axis=1)
        if _orthonormal(given).all():
            return given
    if len(vectors) > 1:
        f, s = vectors[:2]
        kept = _orthonormal(np.stack([f, s, np.cross(f, s)], axis=1))[:, None, None]
        return np.where(kept, np.stack([f, s, np.cross(f, s)], axis=1), frames_from(f, s))
    f = vectors[0]
    frames = frames_from(f)
    exact = np.abs(np.linalg.norm(f, axis=1) - 1) < EXACT
    frames[exact, 0] = f[exact]
    return frames


def _orthonormal(frames: Float[np.ndarray, "cells 3 3"]) -> Bool[np.ndarray, " cells"]:
    gram = np.einsum("cij,ckj->cik", frames, frames)
    return (np.abs(gram - np.eye(3)) < EXACT).all(axis=(1, 2))


def _remarks(frames: Float[np.ndarray, "cells 3 3"], bad: Bool[np.ndarray, " cells"]) -> list[str]:
    notes = []
    if bad.any():
        notes.append(f"fibres: {bad.sum()} cells have NaN or zero (first: cell {np.argmax(bad)})")
    f = frames[~bad, 0]
    if len(f) > 1 and (np.abs(f - f[0]) < 1e-6).all():
        x, y, z = f[0]
        notes.append(
            f"fibres: the same ({x:.3g}, {y:.3g}, {z:.3g}) in every cell; in a heart this is a "
            "placeholder, not data"
        )
    return notes
