"""The masks of a stack: cleaned, from apex to base, and cut at the base."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float

from ._image import Image
from ._outline import mended

BASAL = 0.5  # of the largest slice of the left ventricle; less is a slice cut by the valves
STRUCTURES = ("lv_cavity", "lv_myocardium", "rv_cavity", "scar", "no_reflow")
ISLANDS = 0.2  # of a structure, in parts apart from the largest; more is no speck
LEAST_ML, MOST_ML = 1.0, 5000.0  # of a left ventricle: a rabbit's to more than any man's
MARGIN = 20.0  # mm of nothing put around the image, for walls that are grown


@dataclasses.dataclass(frozen=True)
class Labels:
    """Which number of an image means what; data sets differ, so that none is guessed."""

    lv_cavity: int
    lv_myocardium: int
    rv_cavity: int | None = None
    scar: int | None = None
    """Infarcted muscle, where it has a number of its own."""
    no_reflow: int | None = None
    """Muscle within it that blood does not reach."""
    rv_wall_mm: float = 3.0
    """Grown outward around the right cavity, as its wall is hardly ever labelled."""
    align_slices: bool = True


class Slices:
    """Masks of each structure from apex to base, in mm along rows, columns and the long axis."""

    def __init__(self, image: Image, labels: Labels):
        self.image, self.labels = image, labels
        self.removed = self.filled = 0
        self.masks = self._structures(_numbers(image, labels))
        self._require_inside()
        self._require_size()
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
        above = np.any([mask[self.base + 1 :] for mask in self.masks.values()], axis=0)
        self.trimmed = self.volume(above)
        for mask in self.masks.values():
            mask[self.base + 1 :] = False

    def _structures(
        self, numbers: dict[str, int]
    ) -> dict[str, Bool[np.ndarray, "slices rows columns"]]:
        """Cleaned masks: lv (its cavity), body (that with all muscle), rv; scar with no reflow, and
        no_reflow, as they are."""
        own = {name: self.image.values == number for name, number in numbers.items()}
        infarct = [own[name] for name in ("scar", "no_reflow") if name in own]
        lv = self._clean(own["lv_cavity"], "lv_cavity")
        muscle = np.any([lv, own["lv_myocardium"], *infarct], axis=0)
        body = self._clean(muscle, "the left ventricle")
        masks = {"lv": lv & body, "body": body}
        if infarct:
            masks["scar"] = np.any(infarct, axis=0) & body
        if "no_reflow" in own:
            masks["no_reflow"] = own["no_reflow"] & body
        if "rv_cavity" in own:
            masks["rv"] = self._clean(own["rv_cavity"], "rv_cavity") & ~body
        return masks

    def _clean(self, mask: Bool[np.ndarray, "slices rows columns"], name: str):
        kept, removed, filled = mended(mask)
        if removed > ISLANDS * mask.sum():
            raise ValueError(
                f"{self.image.name}: {name} is in parts, the largest of {mask.sum() - removed} of "
                f"{mask.sum()} voxels; wanted one."
            )
        self.removed, self.filled = self.removed + removed, self.filled + filled
        return kept

    def _require_size(self) -> None:
        volume = self.volume(self.masks["body"])
        if not LEAST_ML < volume < MOST_ML:
            size = " x ".join(f"{s:.3g}" for s in self.image.spacing)
            raise ValueError(
                f"{self.image.name}: the left ventricle with its cavity would hold {volume:.3g} mL "
                f"at voxels of {size} mm; wanted millimetres."
            )

    def _require_inside(self) -> None:
        edge = np.ones(self.masks["body"].shape[1:], bool)
        edge[2:-2, 2:-2] = False
        for name, mask in self.masks.items():
            if mask[:, edge].any():
                raise ValueError(
                    f"{self.image.name}: {name} touches the border of the image, so that a part "
                    "of it is missing; give the whole stack."
                )
        if len(np.flatnonzero(self.masks["lv"].any(axis=(1, 2)))) < 3:
            raise ValueError(
                f"{self.image.name}: the left ventricle is on fewer than three slices; wanted a "
                "short-axis stack from apex to base."
            )

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

    def volume(self, mask: Bool[np.ndarray, "slices rows columns"]) -> float:
        """mL of its voxels."""
        return float(mask.sum()) * float(np.prod(self.image.spacing)) / 1000

    def in_patient(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Points given by rows, columns (of the masks) and height [mm]."""
        height = (len(self.image.values) - 1) * self.gap - x[:, 2] if self.flipped else x[:, 2]
        rows, columns = (x[:, k] - self.pad * self.pixel[k] for k in range(2))
        return self.image.place(np.column_stack([columns, rows, height]))


def _numbers(image: Image, labels: Labels) -> dict[str, int]:
    """The number of each structure that is told; ValueError where one is absent or told twice."""
    told = {name: getattr(labels, name) for name in STRUCTURES}
    numbers = {name: number for name, number in told.items() if number is not None}
    present = set(np.unique(image.values).tolist())
    for name, number in numbers.items():
        if number not in present:
            raise ValueError(
                f"{image.name}: no voxel has label {number} ({name}); there are "
                f"{sorted(present - {0})}. Name the numbers of this data set."
            )
    if len(set(numbers.values())) < len(numbers):
        raise ValueError(
            f"{image.name}: {' and '.join(numbers)} must have different labels; "
            f"{list(numbers.values())} are given."
        )
    return numbers
