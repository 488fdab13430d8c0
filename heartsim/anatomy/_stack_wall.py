"""The wall of the ventricles from labelled slices."""

from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Float

from ._outline import distances, misalignment, stacked
from ._right_end import RightEnd, right_end
from ._slices import Slices
from ._wall import Wall, grown


class StackWall(NamedTuple):
    """A wall and what was done to the slices."""

    wall: Wall
    moved: Float[np.ndarray, "slices 2"]
    """mm along rows and columns by which slices were found to lie aside, and were moved back."""
    gained: dict[str, float]
    """mL that each structure gained by that."""
    right: RightEnd | None
    """Where the right ventricle ends."""


def wall_of_slices(slices: Slices, least: float) -> StackWall:
    """`least` [mm] is the wall put around the left cavity where the image has less."""
    masks, pixel = slices.masks, slices.pixel
    moved = misalignment(masks["body"], pixel)
    moved = moved if slices.labels.align_slices else np.zeros_like(moved)
    low, high = _box(masks, pixel, slices.gap, 8.0 + slices.labels.rv_wall_mm, moved)
    high[2] = slices.top
    levels = np.arange(low[2], slices.top + 2 * pixel.max(), pixel.max())
    cut = [
        slice(max(0, int(lo / p)), int(hi / p) + 2)
        for lo, hi, p in zip(low[:2], high[:2], pixel, strict=True)
    ]
    corner = np.array([cut[0].start * pixel[0], cut[1].start * pixel[1], levels[0]])
    step = np.array([*pixel, levels[1] - levels[0]])
    fields, right = _stacked(slices, levels, cut, moved)
    unmoved, _ = _stacked(slices, levels, cut, 0 * moved)
    gained = _gained(fields, unmoved, step, levels < slices.top)
    wall = grown(fields, corner, step, least, slices.labels.rv_wall_mm, (low, high))
    return StackWall(wall, moved, gained, right)


def _stacked(slices: Slices, levels, cut, moved):
    """The field of each structure, its slices moved back, and where the right ventricle ends."""
    z, fields, masks, right = np.arange(len(moved)) * slices.gap, {}, slices.masks, None
    if "rv" in masks:
        right = right_end(slices, moved)
        masks = masks | {"rv": right.prolonged}
    for name, mask in masks.items():
        d = _aligned(distances(mask, slices.pixel), moved / slices.pixel)[:, cut[0], cut[1]]
        wall = _below(slices.masks, d, slices) if name == "body" else 0.0
        top = slices.right_top if name in ("rv", "rv_outer") else slices.top
        fields[name] = np.moveaxis(stacked(d, z, levels, top, wall), 0, 2)
    if right and right.height.min() < slices.top:
        fields["ended"] = levels - right.height[*cut][..., None]
    return fields, right


def _below(masks, d, slices: Slices) -> float:
    """Wall [mm] that closes the apex under a cavity that reaches the last slice: as thick as it
    is there, across its slant to the next slice."""
    first = int(np.flatnonzero(masks["body"].any(axis=(1, 2)))[0])
    if not masks["lv"][first].any():
        return 0.0
    inner = distances(masks["lv"][first : first + 1], slices.pixel).max()
    slant = (d[first + 1].max() - d[first].max()) / slices.gap
    return float((d[first].max() - inner) / np.hypot(1, slant))


def _gained(fields, unmoved, step, below_top) -> dict[str, float]:
    """mL that each structure gained by moving slices back."""

    def volumes(fields):
        per = float(np.prod(step)) / 1000
        inside = {name: field[..., below_top] > 0 for name, field in fields.items()}
        gone = inside.pop("ended", False)
        right = {name: inside[name] & ~gone for name in ("rv", "rv_outer") if name in inside}
        return {name: float(mask.sum()) * per for name, mask in (inside | right).items()}

    now, then = volumes(fields), volumes(unmoved)
    return {name: now[name] - then[name] for name in now}


def _aligned(d, moved):
    """Each slice moved back by as many pixels."""
    out = np.full_like(d, -np.inf)
    for k in np.flatnonzero(np.isfinite(d[:, 0, 0])):
        out[k] = scipy.ndimage.shift(d[k], -moved[k], order=1, mode="nearest")
    return out


def _box(masks, pixel, gap, margin, moved):
    there = np.argwhere(np.any(list(masks.values()), axis=0))
    scale = np.array([gap, *pixel])
    low, high = there.min(axis=0) * scale - margin, there.max(axis=0) * scale + margin
    reach = np.abs(moved).max()
    return (
        np.array([low[1] - reach, low[2] - reach, low[0] - gap]),
        np.array([high[1] + reach, high[2] + reach, high[0]]),
    )
