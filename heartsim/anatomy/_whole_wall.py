"""The muscle of ventricles and atria together, as one field of place."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from ._image import Image
from ._wall import Wall, grid_of, grown, sampled

FINEST, COARSEST = 0.75, 1.5  # mm between samples of the fields; half an edge in between
MARGIN = 6.0  # mm around the walls

Mask = Bool[np.ndarray, "slices rows columns"]


@dataclasses.dataclass(frozen=True)
class WholeWall:
    """Walls of ventricles and atria, each outside of all blood."""

    ventricles: Wall
    atria: Mapping[str, Wall]
    """left and right: as of a left ventricle that is open at valve and veins (`beyond`)."""

    def chambers(self, x: Float[np.ndarray, "points 3"]) -> dict[str, Float[np.ndarray, " points"]]:
        """Depth [mm] within the muscle of each: ventricles, left, right."""
        walls = {"ventricles": self.ventricles, **self.atria}
        found = {name: wall.surfaces(x) for name, wall in walls.items()}
        blood = [own[k] for own in found.values() for k in ("lv_endo", "rv_endo") if k in own]
        outside = np.min(blood, axis=0)
        depth = {name: np.min(list(own.values()), axis=0) for name, own in found.items()}
        return {name: np.minimum(own, outside) for name, own in depth.items()}

    def __call__(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Positive in muscle."""
        return np.max(list(self.chambers(x).values()), axis=0)

    def ventricular(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Positive in the ventricles, whose muscle comes before that of atria grown into it,
        negative in the atria: V - min(A, -V)."""
        depth = self.chambers(x)
        own = depth.pop("ventricles")
        return own - np.minimum(np.max(list(depth.values()), axis=0), -own)


def wall_of_four(
    image: Image,
    ventricles: Mapping[str, Mask],
    atria: Mapping[str, tuple[Mask, Mask, float]],
    vessels: Mask,
    edge: float,
    least: float,
    rv_wall: float,
) -> WholeWall:
    """Fields on a grid along the patient's axes, of masks of the ventricles (`structures`) and of
    each atrium: its cavity, what lies behind its openings, and how thick its wall is [mm].

    An atrium's cavity gives way where it is nearer than its wall is thick to vessels, to the
    other side's ventricle or, the right one, to the left atrium, none of which it opens into.
    """
    thickest = max(rv_wall, *(thickness for *_, thickness in atria.values()))
    blood = np.any([ventricles["body"], *(cavity for cavity, *_ in atria.values())], axis=0)
    x = image.middles(blood | ventricles.get("rv_outer", ventricles.get("rv", blood)))
    low, high = x.min(axis=0) - thickest - MARGIN, x.max(axis=0) + thickest + MARGIN
    h = float(np.clip(edge / 2, FINEST, COARSEST))
    step, grid = np.full(3, h), grid_of(low, high, h)

    def field(mask: Mask) -> Float[np.ndarray, "x y z"]:
        return sampled(image, {"": mask}, grid)[""]

    box = low, high
    own = sampled(image, ventricles, grid)
    walls: dict[str, Wall] = {}
    apart = {"vessels": field(vessels)} if vessels.any() else {}
    for side, (cavity, behind, thickness) in atria.items():
        other = own.get("rv") if side == "left" else own["lv"]
        beside = [*apart.values(), *([] if other is None else [other])]
        inside = np.min([field(cavity), *(-d - thickness for d in beside)], axis=0)
        apart[side] = inside
        parts = {"lv": inside, "body": inside, "beyond": field(behind)}
        walls[side] = grown(parts, low, step, thickness, 0.0, box)
    return WholeWall(grown(own, low, step, least, rv_wall, box), walls)
