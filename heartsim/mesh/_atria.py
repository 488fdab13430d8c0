"""Made-up atria: a ball's surface with a hole for the valve and for each vein."""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import ConvexHull

from ._mesh import Mesh

RADIUS = 25.0  # mm; ours, about the volume of a left atrium that is not enlarged
GOLDEN = (1 + np.sqrt(5)) / 2
HOLES = {
    "left": (
        ((0.25, -0.45, -0.85), 35.0),
        ((0.75, 0.45, 0.50), 12.0),
        ((0.75, 0.60, -0.20), 12.0),
        ((-0.75, 0.45, 0.50), 12.0),
        ((-0.75, 0.60, -0.20), 12.0),
    ),
    "right": (
        ((0.75, -0.65, -0.10), 38.0),
        ((-0.15, 0.10, 1.00), 20.0),
        ((-0.15, 0.20, -1.00), 24.0),
        ((0.70, 0.35, -0.62), 9.0),
    ),
}
"""Where each hole lies (x left, y back, z up) and its half width [degrees]: the valve first, then
veins, the coronary sinus last. Ours, for shape only."""


def atrial_shell(side: str, edge: float) -> Mesh:
    """A left or right atrium made up: triangles of about `edge` [mm] on a sphere of 25 mm about the
    origin, x to the patient's left, y backward, z to the head; a hole for the valve and for each
    vein. No node sets and no fibres: `describe_atrium` finds both."""
    if side not in HOLES or not 0 < edge <= 5.0:
        raise ValueError(
            f"atrial_shell: side {side!r} and edge {edge} mm are given; left or right, and an edge "
            "of at most 5 mm, are wanted."
        )
    points, cells = _sphere(edge)
    for direction, degrees in HOLES[side]:
        points, cells = _pierced(points, cells, np.array(direction), np.radians(degrees))
    used = np.unique(cells)
    return Mesh(
        points=RADIUS * points[used],
        cells=np.searchsorted(used, cells).astype(np.int32),
        regions=np.ones(len(cells), np.int32),
        region_names=(("atrium", 1),),
        notes=("atrium: made up, a ball with holes",),
    )


def _sphere(edge: float) -> tuple[Float[np.ndarray, "nodes 3"], Int[np.ndarray, "cells 3"]]:
    """Unit sphere: each face of an icosahedron cut into n² triangles, normals outward."""
    corners = np.array([(0, a, b) for a in (-1, 1) for b in (-GOLDEN, GOLDEN)])
    corners = np.concatenate([np.roll(corners, k, axis=1) for k in range(3)])
    faces = corners[ConvexHull(corners).simplices]
    # an icosahedron about the unit sphere has edges of 1.05; those in mid-face grow by a sixth
    n = max(1, int(np.ceil(1.15 * RADIUS / edge)))
    i, j = np.array([(i, j) for i in range(n + 1) for j in range(n + 1 - i)]).T
    weights = np.stack([i, j, n - i - j], axis=1) / n
    points = np.einsum("gk,fkd->fgd", weights, faces).reshape(-1, 3)
    number = {pair: k for k, pair in enumerate(zip(i.tolist(), j.tolist(), strict=True))}
    small = [[number[i, j], number[i + 1, j], number[i, j + 1]] for i, j in number if i + j < n]
    small += [
        [number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]]
        for i, j in number
        if i + j < n - 1
    ]
    cells = (np.array(small) + len(i) * np.arange(20)[:, None, None]).reshape(-1, 3)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    _, first, same = np.unique(points.round(9), axis=0, return_index=True, return_inverse=True)
    points, cells = points[first], same.reshape(-1)[cells]
    a, b, c = points[cells].transpose(1, 0, 2)
    inward = np.sum(np.cross(b - a, c - a) * a, axis=1) < 0
    cells[inward] = cells[inward][:, [0, 2, 1]]
    return points, cells


def _pierced(points, cells, direction, width: float):
    """Without the triangles about a direction, and the rim of what is left moved onto the circle
    of this half width [rad]."""
    axis = direction / np.linalg.norm(direction)
    angle = np.arccos(np.clip(points @ axis, -1.0, 1.0))
    inside = angle[cells].mean(axis=1) < width
    while True:
        rim = np.intersect1d(cells[inside], cells[~inside])
        ears = ~inside & np.isin(cells, rim).all(axis=1)  # would be pressed flat
        if not ears.any():
            break
        inside |= ears
    across = points[rim] - (points[rim] @ axis)[:, None] * axis
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    points = points.copy()
    points[rim] = np.cos(width) * axis + np.sin(width) * across
    return points, cells[~inside]
