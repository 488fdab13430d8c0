"""Tetrahedra inside an implicit surface and below a flat base: isosurface stuffing.

Labelle and Shewchuk (2007), "Isosurface stuffing", ACM Trans. Graphics 26, 57 (page not
checked): a body-centred cubic lattice, lattice nodes near the surface moved onto it, the cells
that still cross it cut. We move to the nearest surface point instead of the nearest cut, take a
cut face's diagonal by node number, and smooth afterwards, so their angle bound is replaced by
what is measured in the tests. The base is a plane of the lattice and stays exactly flat.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ._quality import mean_ratio
from ._topology import outer_faces, parts_of, signed_volumes, unique_edges

Level = Callable[[Float[np.ndarray, "nodes 3"]], Float[np.ndarray, " nodes"]]
"""Positive inside, about a distance [mm] near the surface."""


def stuff(
    level: Level,
    low: Float[np.ndarray, " 3"],
    high: Float[np.ndarray, " 3"],
    edge: float,
    sweeps: int = 12,
) -> tuple[Float[np.ndarray, "nodes 3"], Int[np.ndarray, "cells 4"]]:
    """Points [mm] and tetrahedra of {level > 0} within the box, whose top z = high[2] is flat.

    `edge` [mm] is about the mean edge; the lattice has edges of 1.09 and 0.95 of it. Only the
    largest connected part is returned, after `sweeps` of smoothing.
    """
    points, cells = _lattice(low, high, 1.09 * edge)
    value = level(points)
    near = (value[cells] > 0).any(axis=1)
    points, cells = _used(points, cells[near])
    flat = points[:, 2] == high[2]
    points, value = _snap(level, points, cells, flat)
    points, cells = cut(level, points, cells, value)
    points, cells = _used(points, _largest_part(points, cells))
    return smooth(level, points, cells, points[:, 2] == high[2], sweeps), cells


def _lattice(
    low: Float[np.ndarray, " 3"], high: Float[np.ndarray, " 3"], h: float
) -> tuple[Float[np.ndarray, "nodes 3"], Int[np.ndarray, "cells 4"]]:
    """Body-centred cubic lattice of cube edge h hanging from z = high[2]: four tetrahedra around
    each pair of neighbouring cubes, and around each top cube and the middle of its top face."""
    n = np.ceil((high - low) / h).astype(int) + 2
    top = high + np.array([h, h, 0.0])
    corner = np.stack(np.meshgrid(*[np.arange(k + 1) for k in n], indexing="ij"), -1)
    cube = np.stack(np.meshgrid(*[np.arange(k) for k in n], indexing="ij"), -1).reshape(-1, 3)
    shifts = [corner.reshape(-1, 3), cube + 0.5, cube[cube[:, 2] == n[2] - 1] + [0.5, 0.5, 1.0]]
    points = top - (n - np.concatenate(shifts)) * h
    points[(np.concatenate(shifts)[:, 2] == n[2]), 2] = high[2]
    first_centre = np.prod(n + 1)
    first_middle = first_centre + np.prod(n)
    cells = []
    for axis in range(3):
        inner = cube[cube[:, axis] < n[axis] - 1]
        ahead = first_centre + np.ravel_multi_index((inner + np.eye(3, dtype=int)[axis]).T, n)
        if axis == 2:
            capped = cube[cube[:, 2] == n[2] - 1]
            inner = np.concatenate([inner, capped])
            ahead = np.concatenate([ahead, first_middle + np.arange(len(capped))])
        behind = first_centre + np.ravel_multi_index(inner.T, n)
        u, v = np.delete(np.eye(3, dtype=int), axis, axis=0)
        face = inner + np.eye(3, dtype=int)[axis]
        ring = [np.ravel_multi_index((face + d).T, n + 1) for d in (0 * u, u, u + v, v)]
        for i in range(4):
            cells.append(np.stack([behind, ahead, ring[i], ring[(i + 1) % 4]], axis=1))
    return points, np.concatenate(cells).astype(np.int32)


def _gradient(
    level: Level, x: Float[np.ndarray, "nodes 3"], here: Float[np.ndarray, " nodes"]
) -> Float[np.ndarray, "nodes 3"]:
    """By differences over 1e-7 mm ahead of the level `here` at x: to 1e-6 of it."""
    return np.stack([(level(x + d) - here) / 1e-7 for d in 1e-7 * np.eye(3)], axis=1)


def project(
    level: Level, x: Float[np.ndarray, "nodes 3"], flat: Bool[np.ndarray, " nodes"], steps: int = 8
) -> Float[np.ndarray, "nodes 3"]:
    """Points moved onto level = 0 by Newton's method along the gradient; `flat` ones keep z."""
    for _ in range(steps):
        here = level(x)
        slope = _gradient(level, x, here)
        slope[flat, 2] = 0.0
        square = np.maximum(np.sum(slope**2, axis=1), 1e-12)
        x = x - (here / square)[:, None] * slope
    return x


def crossing(
    level: Level, a: Float[np.ndarray, "edges 3"], b: Float[np.ndarray, "edges 3"]
) -> Float[np.ndarray, " edges"]:
    """Where level = 0 from a (positive) to b (negative), as a share of the way, by bisection."""
    low, high = np.zeros(len(a)), np.ones(len(a))
    for _ in range(26):  # to 1.5e-8 of the way
        middle = (low + high) / 2
        inside = level(a + middle[:, None] * (b - a)) > 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2


def crossed_edges(
    cells: Int[np.ndarray, "cells 4"], value: Float[np.ndarray, " nodes"]
) -> Int[np.ndarray, "edges 2"]:
    """Edges with a positive and a negative end, the positive one first."""
    edges = unique_edges(cells)
    edges = edges[value[edges].prod(axis=1) < 0]
    swap = value[edges[:, 0]] < 0
    edges[swap] = edges[swap][:, ::-1]
    return edges


def _snap(
    level: Level,
    points: Float[np.ndarray, "nodes 3"],
    cells: Int[np.ndarray, "cells 4"],
    flat: Bool[np.ndarray, " nodes"],
) -> tuple[Float[np.ndarray, "nodes 3"], Float[np.ndarray, " nodes"]]:
    """Move nodes that lie too near the surface onto it; return points and level, there 0."""
    value = level(points)
    edges = crossed_edges(cells, value)
    share = crossing(level, points[edges[:, 0]], points[edges[:, 1]])
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    # the paper's alphas for long and short lattice edges (section 3); halves of edges at the
    # base are shorter still and take the second
    alpha = np.where(length > 0.95 * length.max(), 0.24999, 0.41189)
    near = np.concatenate([edges[share < alpha, 0], edges[share > 1 - alpha, 1]])
    cuts = points[edges[:, 0]] + share[:, None] * (points[edges[:, 1]] - points[edges[:, 0]])
    cuts = np.concatenate([cuts[share < alpha], cuts[share > 1 - alpha]])
    away = np.linalg.norm(cuts - points[near], axis=1)
    order = np.lexsort((away, near))  # each node's nearest cut first
    nodes, first = np.unique(near[order], return_index=True)
    cuts, away = cuts[order[first]], away[order[first]]
    points, value = points.copy(), value.copy()
    moved = project(level, points[nodes], flat[nodes])
    # where the level is far from a distance, its gradient leads astray: take the cut instead
    astray = np.linalg.norm(moved - points[nodes], axis=1) > 1.5 * away
    points[nodes] = np.where(astray[:, None], cuts, moved)
    value[nodes] = 0.0
    return points, value


def cut(
    level: Level,
    points: Float[np.ndarray, "nodes 3"],
    cells: Int[np.ndarray, "cells 4"],
    value: Float[np.ndarray, " nodes"],
) -> tuple[Float[np.ndarray, "all_nodes 3"], Int[np.ndarray, "new_cells 4"]]:
    """The part of each cell where level > 0; neighbours agree on the diagonals of cut faces,
    because each starts at the lower node number."""
    edges = crossed_edges(cells, value)
    share = crossing(level, points[edges[:, 0]], points[edges[:, 1]])[:, None]
    cuts = points[edges[:, 0]] * (1 - share) + points[edges[:, 1]] * share
    at_base = (points[edges][:, :, 2] == points[:, 2].max()).all(axis=1)
    cuts[at_base, 2] = points[:, 2].max()  # exactly, whatever the rounding
    number = sparse.csr_array(
        (len(points) + np.arange(len(edges)), edges.T), shape=(len(points), len(points))
    )
    # in every cell: positive nodes first, then zero, then negative; by number within each
    order = np.lexsort((cells, -np.sign(value[cells])), axis=1)
    cells = np.take_along_axis(cells, order, axis=1)
    p, m = (value[cells] > 0).sum(axis=1), (value[cells] < 0).sum(axis=1)

    def rows(positive: int, negative: int) -> list[Int[np.ndarray, " rows"]]:
        return list(cells[(p == positive) & (m == negative)].T)

    def at(i: Int[np.ndarray, " rows"], j: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
        if not len(i):  # scipy would answer with an empty sparse array
            return np.zeros(0, int)
        return np.asarray(number[i, j]).reshape(-1)

    parts = [cells[(m == 0) & ((p > 0) | _between_surfaces(level, points, cells))]]
    for negative in (1, 2, 3):  # one positive corner
        a, *others = rows(1, negative)
        ends = others[: 3 - negative] + [at(a, n) for n in others[3 - negative :]]
        parts.append(np.stack([a, *ends], axis=1))
    a, b, z, n = rows(2, 1)  # a pyramid
    parts += [np.stack([a, b, at(b, n), z], 1), np.stack([a, at(b, n), at(a, n), z], 1)]
    a, b, n, k = rows(2, 2)  # two kinds of prism
    parts += _prism([a, at(a, n), at(a, k)], [b, at(b, n), at(b, k)])
    a, b, c, n = rows(3, 1)
    parts += _prism([a, b, c], [at(a, n), at(b, n), at(c, n)])
    points = np.concatenate([points, cuts])
    return points, _oriented(points, np.concatenate(parts).astype(np.int32))


def _between_surfaces(
    level: Level, points: Float[np.ndarray, "nodes 3"], cells: Int[np.ndarray, "cells 4"]
) -> Bool[np.ndarray, " cells"]:
    """Of cells with all corners at level 0: those across a thin wall, not flat on a surface."""
    size = np.cbrt(6 * np.abs(signed_volumes(points, cells)))
    return level(points[cells].mean(axis=1)) > 0.1 * size


def _prism(
    bottom: list[Int[np.ndarray, " rows"]], top: list[Int[np.ndarray, " rows"]]
) -> list[Int[np.ndarray, "rows 4"]]:
    """Three tetrahedra; each side's diagonal leaves from the bottom node that is listed first."""
    (a, b, c), (u, v, w) = bottom, top
    return [np.stack(tet, axis=1) for tet in ([a, b, c, w], [a, b, v, w], [a, u, v, w])]


def _oriented(
    points: Float[np.ndarray, "nodes 3"], cells: Int[np.ndarray, "cells 4"]
) -> Int[np.ndarray, "cells 4"]:
    inverted = signed_volumes(points, cells) < 0
    cells[inverted] = cells[inverted][:, [0, 2, 1, 3]]
    return cells


def _used(
    points: Float[np.ndarray, "nodes 3"], cells: Int[np.ndarray, "cells 4"]
) -> tuple[Float[np.ndarray, "used 3"], Int[np.ndarray, "cells 4"]]:
    nodes, cells = np.unique(cells, return_inverse=True)
    return points[nodes], cells.reshape(-1, 4).astype(np.int32)


def _largest_part(
    points: Float[np.ndarray, "nodes 3"], cells: Int[np.ndarray, "cells 4"]
) -> Int[np.ndarray, "kept 4"]:
    part = parts_of(cells, len(points))[cells[:, 0]]
    return cells[part == np.bincount(part).argmax()]


def smooth(
    level: Level,
    points: Float[np.ndarray, "nodes 3"],
    cells: Int[np.ndarray, "cells 4"],
    flat: Bool[np.ndarray, " nodes"],
    sweeps: int = 12,
) -> Float[np.ndarray, "nodes 3"]:
    """Nodes drawn towards the mean of their neighbours (surface nodes of surface neighbours, then
    back onto the surface); a move that makes a poor cell poorer is undone."""
    faces = outer_faces(cells)
    wall = np.zeros(len(points), bool)
    wall[faces[~flat[faces].all(axis=1)]] = True
    outer = wall | flat
    inner_mean = averaging(unique_edges(cells), len(points), np.zeros(len(points), int))
    kind = wall + 2 * flat  # a node on wall and base moves along their common curve
    outer_mean = averaging(unique_edges(faces), len(points), kind)
    before = mean_ratio(points, cells)
    for _ in range(sweeps):
        moved = points.copy()
        moved[~outer] += 0.5 * (inner_mean @ points - points)[~outer]
        moved[outer] += 0.5 * (outer_mean @ points - points)[outer]
        moved[flat, 2] = points[flat, 2]  # exactly, whatever the rounding
        moved[wall] = project(level, moved[wall], flat[wall], steps=2)
        after = mean_ratio(moved, cells)
        while (worse := after < np.minimum(before, 0.55)).any():
            back = np.zeros(len(points), bool)
            back[cells[worse]] = True
            if np.array_equal(moved[back], points[back]):
                break
            moved[back] = points[back]
            touched = back[cells].any(axis=1)  # the others are as they were
            after[touched] = mean_ratio(moved, cells[touched])
        points, before = moved, after
    return points


def averaging(
    edges: Int[np.ndarray, "edges 2"], n: int, kind: Int[np.ndarray, " nodes"]
) -> sparse.csr_array:
    """Mean over neighbours whose kind includes the node's own (3: wall and base)."""
    i, j = np.concatenate([edges, edges[:, ::-1]]).T
    counted = (kind[i] & kind[j]) == kind[i]
    i, j = np.append(i[counted], np.arange(n)), np.append(j[counted], np.arange(n))
    weight = 1.0 / np.bincount(i, minlength=n)[i]
    return sparse.csr_array((weight, (i, j)), shape=(n, n))
