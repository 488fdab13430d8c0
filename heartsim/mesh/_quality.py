"""How well shaped cells are."""

import itertools

import numpy as np
from jaxtyping import Float, Int

from heartsim._types import AnyArray

from ._topology import edges_by_axis, signed_volumes


def mean_ratio(
    points: Float[AnyArray, "nodes 3"], cells: Int[AnyArray, "cells vertices"]
) -> Float[np.ndarray, " cells"]:
    """Shape quality of triangles and tetrahedra: 1 for equal edges, 0 for a flat cell, negative
    for an inverted one; lines have 1.

    Tetrahedra: 12 (3 |V|)^(2/3) / Σ l²; triangles: 4 √3 A / Σ l².
    Liu and Joe (1994), BIT 34, 268-287 (page not checked).
    """
    size = signed_volumes(points, cells)
    if cells.shape[1] == 2:
        return np.ones(len(cells))
    edges = edges_by_axis(points, cells)
    # over all pairs of vertices, of which the first is the origin
    squares = cells.shape[1] * np.sum(edges**2, axis=(0, 1)) - np.sum(
        edges.sum(axis=1) ** 2, axis=0
    )
    regular = 4 * np.sqrt(3) * size
    if cells.shape[1] == 4:
        regular = 12 * np.sign(size) * (3 * np.abs(size)) ** (2 / 3)
    return np.where(squares > 0, regular / np.where(squares > 0, squares, 1.0), 0.0)


def dihedral_angles(
    points: Float[AnyArray, "nodes 3"], cells: Int[AnyArray, "cells 4"]
) -> Float[np.ndarray, "cells 6"]:
    """The six angles between a tetrahedron's faces, degrees; 70.5 for a regular one. Faces lie
    opposite vertices, in the order of pairs 01, 02, 03, 12, 13, 23."""
    x = np.asarray(points, float)[np.asarray(cells)]
    a, b, c = (x[:, k] - x[:, 0] for k in (1, 2, 3))
    others = [np.cross(b, c), np.cross(c, a), np.cross(a, b)]
    normals = [-np.sum(others, axis=0), *others]
    normals = [n / np.maximum(np.linalg.norm(n, axis=1), 1e-300)[:, None] for n in normals]
    pairs = itertools.combinations(range(4), 2)
    cosine = [-np.sum(normals[i] * normals[j], axis=1) for i, j in pairs]
    return np.degrees(np.arccos(np.clip(np.stack(cosine, axis=1), -1.0, 1.0)))
