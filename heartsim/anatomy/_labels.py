"""The masks of a segmentation: what its numbers mean, cleaned."""

import dataclasses
from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Bool

from ._image import Image
from ._outline import mended

STRUCTURES = ("lv_cavity", "lv_myocardium", "rv_cavity", "rv_myocardium", "scar", "no_reflow")
BEHIND = {
    "mitral": "left_atrium",
    "aortic": "aorta",
    "tricuspid": "right_atrium",
    "pulmonary": "pulmonary_artery",
}
"""What a cavity opens into at each valve."""
LEAFLET = 3.0  # mm, the most between a cavity's voxels and those behind its valve; ours
ISLANDS = 0.2  # of a structure, in parts apart from the largest; more is no speck
LEAST_ML, MOST_ML = 1.0, 5000.0  # of a left ventricle: a rabbit's to more than any man's


@dataclasses.dataclass(frozen=True)
class Labels:
    """Which number of an image means what; data sets differ, so that none is guessed."""

    lv_cavity: int
    lv_myocardium: int
    rv_cavity: int | None = None
    rv_myocardium: int | None = None
    """Wall of the right ventricle, which hardly any short-axis stack has."""
    scar: int | None = None
    """Infarcted muscle, where it has a number of its own."""
    no_reflow: int | None = None
    """Muscle within it that blood does not reach."""
    left_atrium: int | None = None
    aorta: int | None = None
    right_atrium: int | None = None
    pulmonary_artery: int | None = None
    """Where the ventricles touch these four they are open, and the valve before each is told."""
    beyond: tuple[int, ...] = ()
    """Other atria, vessels and valves: where the ventricles touch them they are open."""
    rv_wall_mm: float = 3.0
    """Grown outward around the right cavity where its wall is not labelled."""
    align_slices: bool = True
    open_right: bool = True
    """In a stack, where a part of the right cavity ends into which a disc of 10 mm fits."""

    @property
    def behind(self) -> dict[str, int]:
        """The number behind each valve that is told."""
        told = {valve: getattr(self, name) for valve, name in BEHIND.items()}
        return {valve: number for valve, number in told.items() if number is not None}

    @property
    def opens_to(self) -> tuple[int, ...]:
        """All numbers of atria, vessels and valves."""
        return (*self.behind.values(), *self.beyond)


class Structures(NamedTuple):
    """Masks as the image runs, and what cleaning them changed."""

    masks: dict[str, Bool[np.ndarray, "slices rows columns"]]
    """lv (its cavity), body (that with all muscle), rv, rv_outer (that with its muscle); scar with
    no reflow, no_reflow and beyond, as they are."""
    removed: int
    """Voxels of islands."""
    filled: int
    """Voxels of holes."""


def structures(image: Image, labels: Labels) -> Structures:
    """ValueError, naming the image, where a label is absent or told twice, a structure is in parts
    or touches the border, or sizes are no heart's."""
    numbers = numbers_of(image, labels)
    own = {name: image.values == number for name, number in numbers.items()}
    changed = np.zeros(2, int)

    def clean(mask: Bool[np.ndarray, "slices rows columns"], name: str):
        kept, removed, filled = mended(mask)
        if removed > ISLANDS * mask.sum():
            raise ValueError(
                f"{image.name}: {name} is in parts, the largest of {mask.sum() - removed} of "
                f"{mask.sum()} voxels; wanted one."
            )
        changed[:] += removed, filled
        return kept

    infarct = [own[name] for name in ("scar", "no_reflow") if name in own]
    lv = clean(own["lv_cavity"], "lv_cavity")
    body = clean(np.any([lv, own["lv_myocardium"], *infarct], axis=0), "the left ventricle")
    masks = {"lv": lv & body, "body": body}
    if infarct:
        masks["scar"] = np.any(infarct, axis=0) & body
    if "no_reflow" in own:
        masks["no_reflow"] = own["no_reflow"] & body
    if "rv_cavity" in own:
        masks["rv"] = clean(own["rv_cavity"], "rv_cavity") & ~body
        if "rv_myocardium" in own:
            masks["rv_outer"] = clean(masks["rv"] | own["rv_myocardium"], "the right ventricle")
    _require_inside(image, masks)
    _require_size(image, masks["body"])
    if labels.opens_to:
        masks["beyond"] = np.isin(image.values, labels.opens_to)
    return Structures(masks, *changed.tolist())


def numbers_of(image: Image, labels: Labels) -> dict[str, int]:
    """The number of each structure that is told; ValueError where one is absent or told twice."""
    told = {name: getattr(labels, name) for name in STRUCTURES}
    numbers = {name: number for name, number in told.items() if number is not None}
    behind = [(BEHIND[valve], number) for valve, number in labels.behind.items()]
    beyond = [("beyond", number) for number in labels.beyond]
    require_told_apart(image, [*numbers.items(), *behind, *beyond])
    for name in ("rv_myocardium", "right_atrium", "pulmonary_artery"):
        if getattr(labels, name) is not None and "rv_cavity" not in numbers:
            raise ValueError(f"{image.name}: {name} is given without rv_cavity; give both.")
    return numbers


def without_gaps(image: Image, labels: Labels) -> Image:
    """Voxels of no structure count as what lies behind a valve where this and the ventricle's blood
    are no more than 3 mm apart across them: leaflets that have no number."""
    told = [*numbers_of(image, labels).values(), *labels.opens_to]
    values, free = image.values.copy(), ~np.isin(image.values, told)
    for valve, number in labels.behind.items():
        cavity = labels.rv_cavity if valve in ("tricuspid", "pulmonary") else labels.lv_cavity
        apart = sum(
            scipy.ndimage.distance_transform_edt(image.values != k, sampling=image.spacing[::-1])
            for k in (cavity, number)
        )
        values[free & (apart < LEAFLET + image.spacing.max())] = number
    return dataclasses.replace(image, values=values)


def require_told_apart(image: Image, named: list[tuple[str, int]]) -> None:
    """ValueError where a structure's number is in no voxel, or is that of another."""
    present = set(np.unique(image.values).tolist())
    for name, number in named:
        if number not in present:
            raise ValueError(
                f"{image.name}: no voxel has label {number} ({name}); there are "
                f"{sorted(present - {0})}. Name the numbers of this data set."
            )
    if len({number for _, number in named}) < len(named):
        raise ValueError(
            f"{image.name}: {' and '.join(name for name, _ in named)} must have different labels; "
            f"{[number for _, number in named]} are given."
        )


def _require_inside(image: Image, masks: dict[str, Bool[np.ndarray, "slices rows columns"]]):
    edge = np.ones(image.values.shape, bool)
    ends = slice(None) if image.thick_slices else slice(1, -1)  # a stack may end at the base
    edge[ends, 2:-2, 2:-2] = False
    for name, mask in masks.items():
        if mask[edge].any():
            raise ValueError(
                f"{image.name}: {name} touches the border of the image, so that a part of it is "
                "missing; give the whole image."
            )


def _require_size(image: Image, body: Bool[np.ndarray, "slices rows columns"]) -> None:
    volume = image.volume(body)
    if not LEAST_ML < volume < MOST_ML:
        size = " x ".join(f"{s:.3g}" for s in image.spacing)
        raise ValueError(
            f"{image.name}: the left ventricle with its cavity would hold {volume:.3g} mL at "
            f"voxels of {size} mm; wanted millimetres."
        )
