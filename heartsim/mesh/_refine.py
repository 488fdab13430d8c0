"""Uniform refinement: every edge halved."""

import itertools

import numpy as np
from jaxtyping import Float, Int

from heartsim._types import AnyArray

from ._frames import frames_from
from ._mesh import Mesh
from ._topology import boundary_triangles, signed_volumes, unique_edges

TURNS = ("rotational", "uvc_rotational")
"""Angles around the heart, radians from -π to π."""


def refine(mesh: Mesh) -> Mesh:
    """Each tetrahedron into 8, triangle into 4, line into 2; old nodes keep their numbers.

    The octahedron left in a tetrahedron's middle is cut along its shortest diagonal, which keeps
    shapes from growing worse with every refinement (Bey 1995, Computing 55, 355-378, page not
    checked; his diagonal is fixed by numbering, ours by length). Tags and cell fields are
    inherited, frames re-normalised; float point fields take the mean of an edge's ends (angles
    around the heart the middle of the shorter way), others the value at its lower end. A node set
    takes in an edge's midpoint if it holds both ends and, for a set that lies on the boundary, the
    edge does so too.
    """
    edges = unique_edges(mesh.cells)
    points = np.asarray(mesh.points)
    points = np.concatenate([points, points[edges].mean(axis=1)])
    children = _children(points, np.asarray(mesh.cells), _edge_numbers(mesh, edges))
    parent = np.repeat(np.arange(mesh.n_cells), children.shape[1])
    return Mesh(
        points=points,
        cells=children.reshape(-1, mesh.dim + 1).astype(np.int32),
        regions=np.asarray(mesh.regions)[parent],
        frames=None if mesh.frames is None else _renormalised(np.asarray(mesh.frames))[parent],
        node_sets=_node_sets(mesh, edges),
        point_data={k: _interpolated(k, np.asarray(v), edges) for k, v in mesh.point_data.items()},
        cell_data={k: np.asarray(v)[parent] for k, v in mesh.cell_data.items()},
        region_names=mesh.region_names,
        notes=mesh.notes,
    )


def _renormalised(frames: Float[np.ndarray, "cells 3 3"]) -> Float[np.ndarray, "cells 3 3"]:
    """Round-off removed; frames that are already orthonormal come back the same to 1e-16."""
    again = frames_from(frames[:, 0], frames[:, 1])
    again[:, 2] *= np.where(np.sum(again[:, 2] * frames[:, 2], axis=1) < 0, -1.0, 1.0)[:, None]
    return again


def _edge_numbers(
    mesh: Mesh, edges: Int[np.ndarray, "edges 2"]
) -> dict[tuple[int, int], Int[np.ndarray, " cells"]]:
    """For each pair of a cell's corners, the number of the new node on that edge."""
    n, cells = mesh.n_nodes, np.asarray(mesh.cells, np.int64)
    keys = edges[:, 0].astype(np.int64) * n + edges[:, 1]
    numbers = {}
    for i, j in itertools.combinations(range(mesh.dim + 1), 2):
        ends = np.sort(cells[:, [i, j]], axis=1)
        numbers[i, j] = n + np.searchsorted(keys, ends[:, 0] * n + ends[:, 1])
    return numbers


def _children(
    points: Float[np.ndarray, "nodes 3"],
    cells: Int[np.ndarray, "cells vertices"],
    middle: dict[tuple[int, int], Int[np.ndarray, " cells"]],
) -> Int[np.ndarray, "cells children vertices"]:
    corners = range(cells.shape[1])
    children = [
        np.column_stack([cells[:, i] if i == j else middle[min(i, j), max(i, j)] for j in corners])
        for i in corners
    ]
    if cells.shape[1] == 3:
        children.append(np.column_stack([middle[0, 1], middle[1, 2], middle[0, 2]]))
    if cells.shape[1] == 4:
        children += _octahedron(points, middle)
    stacked = np.stack(children, axis=1)
    if cells.shape[1] == 4:
        flat = stacked.reshape(-1, 4)
        inverted = signed_volumes(points, flat) < 0
        flat[inverted] = flat[inverted][:, [0, 2, 1, 3]]
    return stacked


def _octahedron(
    points: Float[np.ndarray, "nodes 3"], middle: dict[tuple[int, int], Int[np.ndarray, " cells"]]
) -> list[Int[np.ndarray, "cells 4"]]:
    """Four tetrahedra around the shortest of the three diagonals between opposite midpoints."""
    # diagonal's two ends, then the four other midpoints in a ring around it
    choices = [
        [(0, 1), (2, 3), (0, 2), (1, 2), (1, 3), (0, 3)],
        [(0, 2), (1, 3), (0, 1), (1, 2), (2, 3), (0, 3)],
        [(0, 3), (1, 2), (0, 1), (1, 3), (2, 3), (0, 2)],
    ]
    nodes = np.array([[middle[edge] for edge in choice] for choice in choices])
    lengths = np.linalg.norm(points[nodes[:, 0]] - points[nodes[:, 1]], axis=-1)
    a, b, *ring = nodes[lengths.argmin(axis=0), :, np.arange(nodes.shape[2])].T
    return [np.column_stack([a, b, ring[i], ring[(i + 1) % 4]]) for i in range(4)]


def _interpolated(name: str, field: np.ndarray, edges: Int[np.ndarray, "edges 2"]) -> np.ndarray:
    if name in TURNS:
        z = np.exp(1j * field[edges].astype(float)).sum(axis=1)
        return np.concatenate([field, np.angle(z).astype(field.dtype)])
    if np.issubdtype(field.dtype, np.floating):
        return np.concatenate([field, field[edges].mean(axis=1, dtype=field.dtype)])
    return np.concatenate([field, field[edges[:, 0]]])


def _node_sets(mesh: Mesh, edges: Int[np.ndarray, "edges 2"]) -> dict[str, Int[AnyArray, " _set"]]:
    n = mesh.n_nodes
    outer_edge, outer_node = np.ones(len(edges), bool), np.zeros(n, bool)
    if mesh.dim == 3:
        faces = boundary_triangles(mesh)
        outer_node[faces] = True
        keys = edges[:, 0].astype(np.int64) * n + edges[:, 1]
        rim = unique_edges(faces).astype(np.int64)
        outer_edge = np.isin(keys, rim[:, 0] * n + rim[:, 1])
    sets: dict[str, Int[AnyArray, " _set"]] = {}
    for name, nodes in mesh.node_sets.items():
        inside = np.zeros(n, bool)
        inside[np.asarray(nodes)] = True
        joined = inside[edges].all(axis=1)
        if outer_node[inside].all():
            joined &= outer_edge
        sets[name] = np.concatenate([nodes, n + np.flatnonzero(joined)]).astype(np.int32)
    return sets
