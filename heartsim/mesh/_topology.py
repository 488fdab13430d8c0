"""Edges, faces and sizes of the cells."""

import itertools

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from heartsim._types import AnyArray

from ._mesh import Mesh

# faces of a tetrahedron of positive volume, normals outward; face i is opposite to vertex i
TET_FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


def signed_volumes(
    points: Float[AnyArray, "nodes 3"], cells: Int[AnyArray, "cells vertices"]
) -> Float[np.ndarray, " cells"]:
    """Length [mm], area [mm²] or volume [mm³]; negative for a tetrahedron that is inside out."""
    edges = edges_by_axis(points, cells)
    if edges.shape[1] == 1:
        return np.linalg.norm(edges[:, 0], axis=0)
    (ax, bx), (ay, by), (az, bz) = edges[:, :2]
    normal = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    if edges.shape[1] == 2:
        return np.linalg.norm(normal, axis=0) / 2
    return np.sum(normal * edges[:, 2], axis=0) / 6


def edges_by_axis(
    points: Float[AnyArray, "nodes 3"], cells: Int[AnyArray, "cells vertices"]
) -> Float[np.ndarray, "3 edges cells"]:
    """From the first vertex of each cell to the others; long arrays last, which is quick."""
    x = np.ascontiguousarray(np.asarray(points).T)[:, np.ascontiguousarray(np.asarray(cells).T)]
    return x[:, 1:] - x[:, :1]


def unique_edges(cells: Int[AnyArray, "cells vertices"]) -> Int[np.ndarray, "edges 2"]:
    """Each edge once, lower node first, sorted."""
    cells = np.asarray(cells)
    pairs = itertools.combinations(range(cells.shape[1]), 2)
    edges = np.sort(np.concatenate([cells[:, list(pair)] for pair in pairs]), axis=1)
    return edges[first_of_equal_rows(edges)[0]]


def edge_lengths(mesh: Mesh) -> Float[np.ndarray, " edges"]:
    """Length of each edge, once [mm]."""
    ends = np.asarray(mesh.points)[unique_edges(mesh.cells)]
    return np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)


def parts_of(cells: Int[AnyArray, "cells vertices"], n: int) -> Int[np.ndarray, " nodes"]:
    """For each of `n` nodes the number of the part that it hangs in by cells; a node of no cell is
    a part by itself."""
    cells = np.asarray(cells)
    first = np.broadcast_to(cells[:, :1], cells[:, 1:].shape).ravel()
    ends = first, cells[:, 1:].ravel()
    graph = sparse.coo_array((np.ones(len(first)), ends), shape=(n, n))
    return sparse.csgraph.connected_components(graph, directed=False)[1]


def boundary_triangles(mesh: Mesh) -> Int[np.ndarray, "faces 3"]:
    """The faces that one tetrahedron alone has, normals outward; triangle cells are returned
    as they are. ValueError for lines."""
    cells = np.asarray(mesh.cells)
    if mesh.dim == 2:
        return cells
    if mesh.dim == 1:
        raise ValueError("boundary_triangles: this mesh has lines only, which bound no surface.")
    return outer_faces(cells)


def outer_faces(cells: Int[np.ndarray, "cells 4"]) -> Int[np.ndarray, "faces 3"]:
    """The faces that one tetrahedron alone has, normals outward."""
    faces = cells[:, TET_FACES].reshape(-1, 3)
    first, count = first_of_equal_rows(np.sort(faces, axis=1))
    return faces[np.sort(first[count == 1])]


def first_of_equal_rows(
    rows: Int[np.ndarray, "rows width"],
) -> tuple[Int[np.ndarray, " unique"], Int[np.ndarray, " unique"]]:
    """For each different row, in ascending order: where it first stands, and how often."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    new = np.ones(len(rows), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    return order[starts], np.diff(np.append(starts, len(rows)))
