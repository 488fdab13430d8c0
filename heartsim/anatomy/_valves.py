"""The valves of ventricles built from labels, by the atria and vessels behind them."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from heartsim._types import AnyArray

from ._image import Image
from ._labels import BEHIND, LEAFLET, Labels
from ._meshed import Meshed
from ._surfaces import VALVES
from ._volume import Volume

BESIDE = 1.5  # edges between a node and what it touches
MASKS = {"lv_endo": "lv", "rv_endo": "rv"}
"""Mask of the cavity within each surface."""


def require_named(image: Image, labels: Labels) -> None:
    """ValueError, naming the image, where labels leave a valve of their cavities untold."""
    sides = ("lv_endo", "rv_endo") if labels.rv_cavity is not None else ("lv_endo",)
    wanted = [valve for side in sides for valve in VALVES[side]]
    missing = [BEHIND[valve] for valve in wanted if valve not in labels.behind]
    if missing:
        raise ValueError(
            f"{image.name}: Doste's rule asks for the valves, and the labels do not name "
            f"{', '.join(missing)}; give their numbers, or use Bayer's rule."
        )


def labelled_valves(
    made: Meshed, volume: Volume, labels: Labels, edge: float
) -> dict[str, AnyArray]:
    """Node sets mitral, aortic, tricuspid and pulmonary, of those that labels tell.

    A cavity opens at the voxels of a structure that lie within 3 mm of its own. A node of the base
    is that cavity's whose surface is nearer, and of the nearest of its openings, those at `beyond`
    among them. Where the base is the flat cut, valves lie above it at any distance; elsewhere the
    structure must touch, within 1.5 edges. ValueError, naming the image, where a structure is not
    at its cavity, or at no node.
    """
    behind, image, sets = labels.behind, volume.image, made.mesh.node_sets
    if not behind:
        return {}
    base = np.asarray(sets["base"])
    x, here = np.asarray(made.mesh.points), np.asarray(made.mesh.points)[base]
    sides = [side for side in VALVES if side in sets]
    cavity = np.argmin([cKDTree(x[np.asarray(sets[k])]).query(here)[0] for k in sides], axis=0)
    blood = {k: cKDTree(image.middles(volume.found.masks[MASKS[k]])) for k in sides}
    flat = made.x[base, 2] == volume.wall.high[2]
    reach = np.where(flat, np.inf, BESIDE * edge + np.linalg.norm(image.spacing) / 2)
    rest, found = image.middles(np.isin(image.values, labels.beyond)), {}
    for k, side in enumerate(sides):
        told = [valve for valve in VALVES[side] if valve in behind]
        voxels = {valve: image.middles(image.values == behind[valve]) for valve in told}
        doors = [_opening(voxels[valve], blood, side, valve, image, labels) for valve in told]
        doors.append(rest[_beside(rest, blood[side])])
        first = np.argmin([cKDTree(door).query(here)[0] for door in doors], axis=0)
        for n, valve in enumerate(told):
            touches = cKDTree(voxels[valve]).query(here)[0] <= reach
            found[valve] = base[(cavity == k) & (first == n) & touches].astype(np.int32)
            if not found[valve].size:
                raise ValueError(
                    f"{image.name}: no node of the base lies before label {behind[valve]} "
                    f"({BEHIND[valve]}); give shorter edges, or its number as beyond."
                )
    return found


def _beside(x: Float[np.ndarray, "points 3"], blood: cKDTree) -> Bool[np.ndarray, " points"]:
    """Which points lie at a cavity's voxels."""
    return blood.query(x, distance_upper_bound=LEAFLET)[0] < LEAFLET


def _opening(
    voxels: Float[np.ndarray, "voxels 3"],
    blood: dict[str, cKDTree],
    side: str,
    valve: str,
    image: Image,
    labels: Labels,
) -> Float[np.ndarray, "own 3"]:
    """Voxels of a structure at its cavity; ValueError where as many lie at the other."""
    beside = {name: _beside(voxels, tree) for name, tree in blood.items()}
    own = beside.pop(side)
    other = sum(int(mask.sum()) for mask in beside.values())
    if own.sum() <= other:
        word = "left" if side == "lv_endo" else "right"
        raise ValueError(
            f"{image.name}: label {labels.behind[valve]} ({BEHIND[valve]}) is wanted where the "
            f"{word} cavity opens at its {valve} valve; {own.sum()} of its voxels lie within "
            f"{LEAFLET:g} mm of that cavity, {other} of the other. Name the number of what is "
            "there, or give this one as beyond."
        )
    return voxels[own]
