"""The masks of a stack: cleaned, from apex to base, and cut at the base."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ._image import Image
from ._labels import Labels, numbers_of, structures

BASAL = 0.5  # of the largest slice of the left ventricle; less is a slice cut by the valves
SPECK = 80.0  # mm², a disc of 10 mm; labels beyond an empty slice are islands if smaller; ours
MARGIN = 20.0  # mm of nothing put around the image, for walls that are grown


class Slices:
    """Masks of each structure from apex to base, in mm along rows, columns and the long axis."""

    def __init__(self, image: Image, labels: Labels):
        self.image, self.labels = image, labels
        numbers = numbers_of(image, labels)
        right = [numbers[name] for name in numbers if name.startswith("rv")]
        left = [number for number in numbers.values() if number not in right]
        if gap := _gap(image, left, "left"):
            raise ValueError(gap.words)
        self.right_gap = _gap(image, right, "right")
        """Of a slice that was swapped with another this is no fault (`require_right`)."""
        try:
            self.masks, self.removed, self.filled = structures(image, labels)
        except ValueError:
            if self.right_gap:  # the right cavity is in parts, of which this tells the reason
                raise ValueError(self.right_gap.words) from None
            raise
        if labels.opens_to:
            raise ValueError(
                f"{image.name}: labels of atria and vessels (beyond, left_atrium and its like) are "
                "for voxels thin in all directions; leave them out for a short-axis stack, whose "
                "base is cut flat."
            )
        if len(np.flatnonzero(self.masks["lv"].any(axis=(1, 2)))) < 3:
            raise ValueError(
                f"{image.name}: the left ventricle is on fewer than three slices; wanted a "
                "short-axis stack from apex to base."
            )
        self.pad = int(np.ceil(MARGIN / self.pixel.min()))
        around = ((0, 0), (self.pad, self.pad), (self.pad, self.pad))
        self.masks = {name: np.pad(mask, around) for name, mask in self.masks.items()}
        area = self.masks["lv"].sum(axis=(1, 2)) * 1.0
        middle = np.flatnonzero(area).mean()
        slices = np.arange(len(area))
        self.flipped = area[slices < middle].sum() > area[slices > middle].sum()
        if self.flipped:
            self.masks = {name: mask[::-1] for name, mask in self.masks.items()}
        size = self.masks["body"].sum(axis=(1, 2))
        self.base = int(np.flatnonzero(size >= BASAL * size.max())[-1])
        self.above = {name: mask[self.base + 1 :].copy() for name, mask in self.masks.items()}
        for mask in self.masks.values():
            mask[self.base + 1 :] = False

    @property
    def pixel(self) -> Float[np.ndarray, " 2"]:
        """mm between rows and between columns."""
        return self.image.spacing[[1, 0]]

    @property
    def gap(self) -> float:
        """mm between slices."""
        return float(self.image.spacing[2])

    @property
    def top(self) -> float:
        """Height of the base plane [mm]: half a slice above the last."""
        return (self.base + 0.5) * self.gap

    @property
    def right_top(self) -> float:
        """Height at which the right ventricle's slices end [mm]: the base plane's or below."""
        if "rv" not in self.masks:
            return self.top
        last = np.flatnonzero(self.masks["rv"].any(axis=(1, 2)))[-1]
        return (float(last) + 0.5) * self.gap

    def number(self, k: int) -> int:
        """Of a slice in the image, counted from 1."""
        return len(self.image.values) - k if self.flipped else k + 1

    def in_patient(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Points given by rows, columns (of the masks) and height [mm]."""
        height = (len(self.image.values) - 1) * self.gap - x[:, 2] if self.flipped else x[:, 2]
        rows, columns = (x[:, k] - self.pad * self.pixel[k] for k in range(2))
        return self.image.place(np.column_stack([columns, rows, height]))


class Gap(NamedTuple):
    """Slices that lack a ventricle between others that have it."""

    numbers: list[int]
    """In the image, counted from 1."""
    words: str


def _gap(image: Image, numbers: list[int], ventricle: str) -> Gap | None:
    """Where slices have none of these labels, between two with more than a speck of them."""
    area = np.isin(image.values, numbers).sum(axis=(1, 2)) * float(np.prod(image.spacing[:2]))
    there = np.flatnonzero(area >= SPECK)
    if not len(there) or not (empty := [k + 1 for k in range(*there[[0, -1]]) if area[k] == 0]):
        return None
    return Gap(
        empty,
        f"{image.name}: the {ventricle} ventricle is on slices {there[0] + 1} to {there[-1] + 1} "
        f"(counted from 1), but not on {', '.join(map(str, empty))}; wanted it on every slice "
        "between. Label what is missing, copy a neighbour's labels, or check the slices' order.",
    )
