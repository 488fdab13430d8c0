"""From the muscle of four chambers to tetrahedra of each, and of the ring between them."""

import numpy as np
from jaxtyping import Int

from heartsim.mesh import Mesh, conform, parts_of, stuff

from ._whole_wall import WholeWall

ATRIA = {"left": ("left_atrium", 6), "right": ("right_atrium", 7)}
ANNULUS = ("annulus", 8)
VENTRICLES = 0  # until their regions are told apart


def mesh_of_four(wall: WholeWall, edge: float, notes: tuple[str, ...]) -> Mesh:
    """Tetrahedra, regions `VENTRICLES`, those of `ATRIA` and the annulus."""
    x, cells = stuff(wall, wall.ventricles.low, wall.ventricles.high, edge)
    x, cells = conform(x, cells, wall.ventricular)
    value = wall.ventricular(x)[cells]
    lower = value.max(axis=1) > -value.min(axis=1)
    depth = wall.chambers(x[cells].mean(axis=1))
    sides = list(wall.atria)
    upper = np.array([ATRIA[side][1] for side in sides])
    regions = upper[np.argmax([depth[side] for side in sides], axis=0)]
    ring = np.isin(cells, np.unique(cells[lower])).any(axis=1)
    regions = np.where(lower, VENTRICLES, np.where(ring, ANNULUS[1], regions)).astype(np.int32)
    for number in upper.tolist():
        regions = _in_one_piece(cells, regions, number, upper[upper != number])
    return Mesh(points=x, cells=cells, regions=regions, notes=notes)


def _in_one_piece(
    cells: Int[np.ndarray, "cells 4"],
    regions: Int[np.ndarray, " cells"],
    number: int,
    other: Int[np.ndarray, " atria"],
) -> Int[np.ndarray, " cells"]:
    """An atrium's crumbs, parted from it by the annulus or its neighbour, given to the neighbour
    that they touch or to the annulus."""
    own, regions = np.flatnonzero(regions == number), regions.copy()
    part = parts_of(cells[own], int(cells.max()) + 1)[cells[own, 0]]
    crumbs = own[part != np.bincount(part).argmax()]
    regions[crumbs] = ANNULUS[1]
    for tag in other:
        beside = np.isin(cells[crumbs], np.unique(cells[regions == tag])).any(axis=1)
        regions[crumbs[beside]] = tag
    return regions
