"""The wall of the ventricles from labelled voxels that are thin in all directions."""

from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Bool, Float

from ._base_frame import BaseFrame, frame_on, upright_grid
from ._image import Image
from ._labels import Labels, Structures, numbers_of, structures
from ._wall import Wall, grown, sampled

FINEST, COARSEST = 0.75, 1.5  # mm between samples of the fields; half an edge in between
MARGIN = 12.0  # mm around the heart, beside the wall that is grown
LEAST_OPENING = 200.0  # mm2, of valves: a circle of 16 mm; less is a crack
TOUCHING = np.ones((3, 3, 3), bool)


class Volume(NamedTuple):
    """A wall and where it lies."""

    wall: Wall
    frame: BaseFrame
    found: Structures
    image: Image
    """The part that was used; masks are of its voxels."""
    below: Bool[np.ndarray, "slices rows columns"]
    """Voxels below the base."""


def wall_of_volume(image: Image, labels: Labels, edge: float, least: float) -> Volume:
    """Each structure as its smoothed distance, upright on the base: the plane through the opening
    of the left cavity. ValueError, naming the image, where that is closed."""
    margin = MARGIN + labels.rv_wall_mm
    own = np.isin(image.values, list(numbers_of(image, labels).values()))
    image = image.around(own, margin)
    found = structures(image, labels)
    frame = frame_on(_opening(image, found.masks), image.middles(found.masks["lv"]).mean(axis=0))
    heart = found.masks["body"] | found.masks.get("rv", found.masks["body"])
    places = frame.back(image.middles(heart))
    step = float(np.clip(edge / 2, FINEST, COARSEST))
    low, high, grid, shape = upright_grid(places[places[:, 2] < 0], margin, step)
    fields = sampled(image, found.masks, frame.place(grid).reshape(*shape, 3))
    wall = grown(fields, low, np.full(3, step), least, labels.rv_wall_mm, (low, high))
    return Volume(wall, frame, found, image, _below(image, frame))


def _below(image: Image, frame: BaseFrame) -> Bool[np.ndarray, "slices rows columns"]:
    """Voxels whose middle is below the base."""
    start = float(frame.back(image.origin[None])[0, 2])
    rise = (frame.axes[:, 2] @ image.axes) * image.spacing
    columns, rows, slices = (
        r * np.arange(n) for r, n in zip(rise, image.values.shape[::-1], strict=True)
    )
    return start + slices[:, None, None] + rows[:, None] + columns < 0


def _opening(
    image: Image, masks: dict[str, Bool[np.ndarray, "slices rows columns"]]
) -> Float[np.ndarray, "points 3"]:
    """Voxels on both sides of where the left cavity ends, but not at muscle: its valves."""
    wall = masks["body"] | masks.get("rv_outer", masks.get("rv", masks["body"]))
    outside = scipy.ndimage.binary_dilation(masks["lv"]) & ~wall
    part, count = scipy.ndimage.label(outside, TOUCHING)
    sizes = np.bincount(part.ravel(), minlength=2)[1:]
    face = float(np.prod(image.spacing)) ** (2 / 3)
    if not count or sizes.max() * face < LEAST_OPENING:
        raise ValueError(
            f"{image.name}: the left cavity is closed all around, so that its base is not known; "
            "wanted it to end at its valves. Give the number of valves or the atrium as beyond."
        )
    outer = part == 1 + int(np.argmax(sizes))
    inner = scipy.ndimage.binary_dilation(outer) & masks["lv"]
    return np.concatenate([image.middles(outer), image.middles(inner)])
