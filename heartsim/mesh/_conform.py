"""Tetrahedra made to lie on either side of a surface that runs through them."""

import numpy as np
from jaxtyping import Bool, Float, Int

from ._quality import mean_ratio
from ._stuffing import Level, averaging, crossed_edges, crossing, cut, project
from ._topology import outer_faces, unique_edges

NEAR = 0.35
"""Share of an edge; where the surface cuts it nearer to an end, that end is taken for the cut."""
CLOSE = 0.15
"""The same of nodes that stay, as their edges would be cut into slivers."""
POOR = 0.3
"""Mean ratio; no move makes a cell poorer than this, or than it was."""


def conform(
    points: Float[np.ndarray, "nodes 3"],
    cells: Int[np.ndarray, "cells 4"],
    level: Level,
    sweeps: int = 12,
) -> tuple[Float[np.ndarray, "more 3"], Int[np.ndarray, "more_cells 4"]]:
    """Points [mm] and cells of the same body, none of which crosses level = 0: nodes near it are
    moved onto it, cells that still cross it are cut, and those around it smoothed.

    Nodes on the boundary stay, so that there the faces between the sides may lie `NEAR` of an edge
    beside level = 0, and `CLOSE` of it where a move would spoil a cell; farther off a node's edges
    are cut. A cell with all corners there stays whole. The first two steps are those of isosurface
    stuffing (see `stuff`), with both sides kept; cells need not be of a lattice.
    """
    value = level(points)
    if not len(crossed_edges(cells, value)):
        return points, cells
    held = _on_boundary(points, cells)
    near = _cut_near(level, points, cells, value, NEAR)
    while (flat := near[cells].all(axis=1)).any():  # a cell has three corners on it at most
        corners = cells[flat]
        farthest = np.abs(value[corners]).argmax(axis=1)
        near[corners[np.arange(len(corners)), farthest]] = False
    free = near & ~held
    moved = points.copy()
    moved[free] = project(level, points[free], np.zeros(free.sum(), bool))
    moved = _unless_poor(points, moved, cells)
    near &= held | (moved != points).any(axis=1)
    points = moved
    value[near] = 0.0
    value[_cut_near(level, points, cells, value, CLOSE)] = 0.0
    across = (value[cells] > 0).any(axis=1) & (value[cells] < 0).any(axis=1)
    more, inside = cut(level, points, cells[across], value)
    outside = cut(lambda x: -level(x), points, cells[across], -value)[1]
    cells = np.concatenate([cells[~across], inside, outside])
    on = np.append(value == 0, np.ones(len(more) - len(points), bool))
    return _smooth(more, cells, level, on, sweeps), cells


def _cut_near(level, points, cells, value, share_at_most) -> Bool[np.ndarray, " nodes"]:
    """Nodes at level 0, and others so near to where an edge of theirs is cut."""
    edges = crossed_edges(cells, value)
    share = crossing(level, points[edges[:, 0]], points[edges[:, 1]])
    near = value == 0
    near[edges[share < share_at_most, 0]] = near[edges[share > 1 - share_at_most, 1]] = True
    return near


def _on_boundary(
    points: Float[np.ndarray, "nodes 3"], cells: Int[np.ndarray, "cells 4"]
) -> Bool[np.ndarray, " nodes"]:
    outer = np.zeros(len(points), bool)
    outer[outer_faces(cells)] = True
    return outer


def _unless_poor(
    points: Float[np.ndarray, "nodes 3"],
    moved: Float[np.ndarray, "nodes 3"],
    cells: Int[np.ndarray, "cells 4"],
) -> Float[np.ndarray, "nodes 3"]:
    """The moves, without those that spoil a cell: of its nodes the one that went farthest goes
    back, until none is spoilt."""
    limit = np.minimum(mean_ratio(points, cells), POOR) - 1e-9
    far = np.linalg.norm(moved - points, axis=1)
    while (worse := mean_ratio(moved, cells) < limit).any():
        corners = cells[worse]
        back = corners[np.arange(len(corners)), far[corners].argmax(axis=1)]
        moved[back], far[back] = points[back], 0.0
    return moved


def _smooth(points, cells, level, on, sweeps):
    """Nodes around the surface drawn to the mean of their neighbours, those on it along it."""
    held = _on_boundary(points, cells)
    mean = averaging(unique_edges(cells), len(points), on.astype(int))
    around = np.zeros(len(points), bool)
    around[cells[on[cells].any(axis=1)]] = True
    around &= ~held
    beside = around[cells].any(axis=1)
    for _ in range(sweeps):
        moved = points.copy()
        moved[around] += 0.5 * (mean @ points - points)[around]
        slide = around & on
        moved[slide] = project(level, moved[slide], np.zeros(slide.sum(), bool), steps=2)
        points = _unless_poor(points, moved, cells[beside])
    return points
