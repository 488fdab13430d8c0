"""The wall of the ventricles as fields of place, from labelled slices."""

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage

from ._laplace import LV, RV, SEPTUM
from ._outline import Outline, distances, misalignment, signed_distance, stacked
from ._slices import Slices

INFARCT = {"scar": 4, "no_reflow": 5}


class Wall:
    """The surfaces of the ventricles as fields of place, about distances [mm]."""

    def __init__(self, slices: Slices, least: float):
        """`least` [mm] is the wall put around the left cavity where the image has less."""
        labels, masks, pixel = slices.labels, slices.masks, slices.pixel
        moved = misalignment(masks["body"], pixel)
        self.moved = moved if labels.align_slices else np.zeros_like(moved)
        margin = 8.0 + labels.rv_wall_mm
        self.low, self.high = _box(masks, pixel, slices.gap, margin, self.moved)
        self.high[2] = slices.top
        self.roof = slices.right_top
        levels = np.arange(self.low[2], slices.top + 2 * pixel.max(), pixel.max())
        cut = [
            slice(max(0, int(lo / p)), int(hi / p) + 2)
            for lo, hi, p in zip(self.low[:2], self.high[:2], pixel, strict=True)
        ]
        corner = np.array([cut[0].start * pixel[0], cut[1].start * pixel[1], levels[0]])
        step = np.array([*pixel, levels[1] - levels[0]])
        fields = self._stacked(slices, levels, cut, self.moved)
        self.gained = _gained(
            fields, self._stacked(slices, levels, cut, 0 * moved), step, levels < slices.top
        )
        around = signed_distance(fields["lv"], step) + least
        fields["body"] = np.maximum(fields["body"], around)
        if "rv" in fields:
            fields["rv"] = np.minimum(fields["rv"], -around)
            fields["rv_outer"] = signed_distance(fields["rv"], step) + labels.rv_wall_mm
        self.fields = {
            name: Outline(ndimage.spline_filter(field, 3, mode="nearest"), corner, step)
            for name, field in fields.items()
        }

    def _stacked(self, slices: Slices, levels, cut, moved):
        """The field of each structure, its slices moved back."""
        z, fields = np.arange(len(moved)) * slices.gap, {}
        for name, mask in slices.masks.items():
            d = _aligned(distances(mask, slices.pixel), moved / slices.pixel)[:, cut[0], cut[1]]
            wall = self._below(slices.masks, d, slices) if name == "body" else 0.0
            top = self.roof if name == "rv" else slices.top
            fields[name] = np.moveaxis(stacked(d, z, levels, top, wall), 0, 2)
        return fields

    def _below(self, masks, d, slices: Slices) -> float:
        """Wall [mm] that closes the apex under a cavity that reaches the last slice: as thick as
        it is there."""
        first = int(np.flatnonzero(masks["body"].any(axis=(1, 2)))[0])
        if not masks["lv"][first].any():
            return 0.0
        inner = distances(masks["lv"][first : first + 1], slices.pixel).max()
        return float(d[first].max() - inner)

    def outer(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Depth below the epicardium."""
        if "rv" not in self.fields:
            return self.fields["body"](x)
        return np.maximum(self.fields["body"](x), self.fields["rv_outer"](x))

    def surfaces(self, x: Float[np.ndarray, "points 3"]) -> dict[str, Float[np.ndarray, " points"]]:
        """Distance to each surface, positive inside the wall; roof: the plane at which the right
        ventricle's slices end, and above it the outside of the left one."""
        found = {"epi": self.outer(x), "lv_endo": -self.fields["lv"](x)}
        if "rv" in self.fields:
            found["rv_endo"] = -self.fields["rv"](x)
            if self.roof < self.high[2]:  # the right ventricle ends there, the left one goes on
                found["roof"] = np.maximum(self.fields["body"](x), self.roof - x[:, 2])
        return found

    def __call__(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Positive in the wall."""
        return np.min(list(self.surfaces(x).values()), axis=0)

    def regions(self, x: Float[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
        """LV and septum where the left ventricle was labelled, RV in the wall grown around the
        right; septum: where the right cavity is hardly farther than the outline; scar and
        no_reflow where they were labelled."""
        body = self.fields["body"](x)
        found = np.full(len(x), LV)
        if "rv" in self.fields:
            septum = -self.fields["rv"](x) < body + 3.0
            found = np.where(body < 0, RV, np.where(septum, SEPTUM, LV))
        for name, tag in INFARCT.items():
            if name in self.fields:
                found = np.where((found != RV) & (self.fields[name](x) > 0), tag, found)
        return found.astype(np.int32)


def _gained(fields, unmoved, step, below_top) -> dict[str, float]:
    """mL that each structure gained by moving slices back."""

    def volumes(fields):
        per = float(np.prod(step)) / 1000
        inside = {name: (field[..., below_top] > 0) for name, field in fields.items()}
        return {name: float(mask.sum()) * per for name, mask in inside.items()}

    now, then = volumes(fields), volumes(unmoved)
    return {name: now[name] - then[name] for name in now}


def _aligned(d, moved):
    """Each slice moved back by as many pixels."""
    out = np.full_like(d, -np.inf)
    for k in np.flatnonzero(np.isfinite(d[:, 0, 0])):
        out[k] = ndimage.shift(d[k], -moved[k], order=1, mode="nearest")
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
