"""The wall of the ventricles as fields of place."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int

from ._image import Image
from ._laplace import LV, RV, SEPTUM
from ._outline import Outline, signed_distance, smooth_distance

LEAST = 2.0  # mm, and 1.5 edges: thinner walls have holes, through which a cavity leaks
INFARCT = {"scar": 4, "no_reflow": 5}


@dataclasses.dataclass(frozen=True)
class Wall:
    """The surfaces of the ventricles as fields of place, about distances [mm], height along z."""

    fields: Mapping[str, Outline]
    """Positive inside: lv (its cavity), body (that with its muscle); rv and rv_outer; scar,
    no_reflow; beyond (atria and vessels, where the wall ends); ended (height above where the right
    ventricle of a stack ends, and the left one goes on)."""
    low: Float[np.ndarray, " 3"]
    high: Float[np.ndarray, " 3"]
    """Corners of a box around it, the upper in the base plane."""
    thickened: float = 0.0
    """mL of muscle that makes it as thick as tetrahedra ask for, where it was thinner."""

    def outer(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Depth below the epicardium."""
        if "rv" not in self.fields:
            return self.fields["body"](x)
        return np.maximum(self.fields["body"](x), self.fields["rv_outer"](x))

    def surfaces(self, x: Float[np.ndarray, "points 3"]) -> dict[str, Float[np.ndarray, " points"]]:
        """Distance to each surface, positive inside the wall; ended: where the right ventricle
        ends, and there the outside of the left one."""
        found = {"epi": self.outer(x), "lv_endo": -self.fields["lv"](x)}
        if "rv" in self.fields:
            found["rv_endo"] = -self.fields["rv"](x)
        if "ended" in self.fields:
            found["ended"] = np.maximum(self.fields["body"](x), -self.past_end(x))
        if "beyond" in self.fields:
            found["beyond"] = -self.fields["beyond"](x)
        return found

    def past_end(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Distance above where the right ventricle ends, which may slant."""
        over = self.fields["ended"](x)
        slope = [self.fields["ended"](x + side) - over for side in np.eye(3)[:2]]
        return over / np.sqrt(1 + np.sum(np.square(slope), axis=0))

    def __call__(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Positive in the wall."""
        return np.min(list(self.surfaces(x).values()), axis=0)

    def regions(
        self, x: Float[np.ndarray, "nodes 3"], cells: Int[np.ndarray, "cells 4"]
    ) -> Int[np.ndarray, " cells"]:
        """By a cell's middle LV and septum where the left ventricle was labelled, RV in the wall
        grown around the right; septum: where the right cavity is hardly farther than the outline.
        By its corner farthest from their surface scar and no_reflow where they were labelled."""
        middle = x[cells].mean(axis=1)
        body = self.fields["body"](middle)
        found = np.full(len(cells), LV)
        if "rv" in self.fields:
            septum = -self.fields["rv"](middle) < body + 3.0
            found = np.where(body < 0, RV, np.where(septum, SEPTUM, LV))
        for name, tag in INFARCT.items():
            if name in self.fields:
                depth = self.fields[name](x)[cells]
                inside = depth.max(axis=1) > -depth.min(axis=1)
                found = np.where((found != RV) & inside, tag, found)
        return found.astype(np.int32)


def grid_of(
    low: Float[np.ndarray, " 3"], high: Float[np.ndarray, " 3"], step: float
) -> Float[np.ndarray, "x y z 3"]:
    """Samples of a box, and one beyond its upper sides."""
    axes = [a + step * np.arange(int((b - a) / step) + 2) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def sampled(
    image: Image,
    masks: Mapping[str, Bool[np.ndarray, "slices rows columns"]],
    places: Float[np.ndarray, "x y z 3"],
) -> dict[str, Float[np.ndarray, "x y z"]]:
    """Of thin voxels each mask as its smoothed distance, at places in the patient."""
    at = image.voxels(places.reshape(-1, 3)).T
    return {
        name: scipy.ndimage.map_coordinates(
            smooth_distance(mask, image.spacing[::-1]), at, order=1, mode="nearest"
        ).reshape(places.shape[:3])
        for name, mask in masks.items()
    }


def least_wall(edge: float) -> float:
    """The thinnest wall [mm] that tetrahedra of that edge can have around a cavity."""
    return max(LEAST, 1.5 * edge)


def wall_notes(source: str, rv_wall: float | None, farthest: float) -> tuple[str, ...]:
    """What a mesh says of its wall: what it was built from, the right wall [mm] where it was grown,
    and how far slices were moved [mm]."""
    notes = [f"built from {source}"]
    if rv_wall is not None:
        notes.append(f"right ventricular wall: {rv_wall:g} mm, grown around the cavity, not imaged")
    if farthest:
        notes.append(f"slices: moved by up to {farthest:.1f} mm to lie in line")
    return tuple(notes)


def grown(
    fields: Mapping[str, Float[np.ndarray, "x y z"]],
    corner: Float[np.ndarray, " 3"],
    step: Float[np.ndarray, " 3"],
    least: float,
    rv_wall: float,
    box: tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]],
) -> Wall:
    """A `Wall` in a box of samples on a grid: the left wall at least so thick [mm], the right one
    grown outward by `rv_wall` around its cavity where rv_outer is not among them. ValueError where
    the left wall takes in the whole right cavity."""
    given, fields = fields, dict(fields)
    around = signed_distance(fields["lv"], step) + least
    fields["body"] = np.maximum(fields["body"], around)
    if "rv" in fields:
        fields["rv"] = np.minimum(fields["rv"], -around)
        if not (fields["rv"] > 0).any():
            raise ValueError(
                f"the right cavity lies within {least:.1f} mm of the left one, so that the wall "
                "between them leaves nothing of it; check rv_cavity, or give shorter edges."
            )
        wall = signed_distance(fields["rv"], step)
        labelled = fields.get("rv_outer")
        fields["rv_outer"] = (
            wall + rv_wall if labelled is None else np.maximum(labelled, wall + least)
        )
    outlines = {
        name: Outline(scipy.ndimage.spline_filter(field, 3, mode="nearest"), corner, step)
        for name, field in fields.items()
    }
    put_on = _muscle(fields, given) & ~_muscle(given, given)
    below = corner[2] + step[2] * np.arange(put_on.shape[2]) < box[1][2]
    return Wall(outlines, *box, float(put_on[..., below].sum() * np.prod(step)) / 1000)


def _muscle(fields, labelled):
    """Samples in labelled muscle: a right wall that is grown is none."""
    outer = [fields[name] for name in ("body", "rv_outer") if name in labelled]
    other = [fields[name] for name in ("lv", "rv", "beyond") if name in labelled]
    return (np.max(outer, axis=0) > 0) & (np.max(other, axis=0) <= 0)
