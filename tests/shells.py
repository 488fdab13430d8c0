"""Bodies of tests: made-up atria, a tube, a ball with two holes, a wall grown from a shell."""

import dataclasses

import numpy as np

from heartsim.anatomy import Opening
from heartsim.mesh import Mesh, atrial_shell, signed_volumes
from heartsim.mesh._atria import HOLES, RADIUS

LEFT, RIGHT = atrial_shell("left", 2.5), atrial_shell("right", 2.5)

NAMES = {
    "left": ("mitral_valve", "lspv", "lipv", "rspv", "ripv"),
    "right": ("tricuspid_valve", "svc", "ivc", "coronary_sinus"),
}

SIDES = [("left", LEFT), ("right", RIGHT)]


def normals(mesh):
    a, b, c = np.moveaxis(mesh.points[mesh.cells], 1, 0)
    normal = np.cross(b - a, c - a)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def given(side, places):
    return [Opening(name, tuple(place)) for name, place in zip(NAMES[side], places, strict=True)]


def holes(side):
    """Where the middles of the made-up holes lie on the sphere."""
    directions = np.array([direction for direction, _ in HOLES[side]])
    return RADIUS * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def surface(points, cells, **sets):
    """A mesh of triangles with node sets."""
    return Mesh(
        points=np.asarray(points, float),
        cells=np.asarray(cells, np.int32),
        regions=np.ones(len(cells), np.int32),
        node_sets={name: np.asarray(nodes, np.int32) for name, nodes in sets.items()},
    )


def grid_around(rows, columns):
    """Triangles of a grid that closes around, row by row."""
    i, j = (k.ravel() for k in np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij"))
    corner = [(i + a) * columns + (j + b) % columns for a, b in ((0, 0), (0, 1), (1, 0), (1, 1))]
    first = np.stack([corner[0], corner[1], corner[3]], axis=1)
    return np.concatenate([first, np.stack([corner[0], corner[3], corner[2]], axis=1)])


def between_openings(points, rows, columns):
    """A grid around an axis: its first ring the valve, its last both veins, left where x > 0."""
    far = np.arange((rows - 1) * columns, rows * columns)
    return surface(
        points,
        grid_around(rows, columns),
        mitral_valve=np.arange(columns),
        lpv=far[points[far, 0] > 0],
        rpv=far[points[far, 0] <= 0],
    )


def tube(columns, radius=10.0, length=30.0):
    """A tube along z, the valve at z = 0 and at its other end two veins, left where x > 0."""
    rows = columns // 2
    turn = 2 * np.pi * np.arange(columns) / columns
    z = np.repeat(np.linspace(0.0, length, rows), columns)
    ring = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    points = np.column_stack([np.tile(ring, (rows, 1)), z])
    return between_openings(points, rows, columns)


def pierced_ball(columns, radius=25.0, polar=0.4):
    """A sphere with a hole of `polar` [rad] at each pole, the valve at the lower one and both
    veins, left where x > 0, at the upper."""
    rows = columns // 2
    theta = np.repeat(np.linspace(np.pi - polar, polar, rows), columns)
    turn = np.tile(2 * np.pi * np.arange(columns) / columns, rows)
    points = radius * np.stack(
        [np.sin(theta) * np.cos(turn), np.sin(theta) * np.sin(turn), np.cos(theta)], axis=1
    )
    return between_openings(points, rows, columns)


def thickened(shell, outward, layers):
    """A wall of tetrahedra: each layer adds the vectors `outward` / layers at the nodes. Node sets
    go through the wall; endo and epi are added."""
    n, triangles = shell.n_nodes, np.sort(np.asarray(shell.cells), axis=1)
    points = np.concatenate([shell.points + outward * k / layers for k in range(layers + 1)])
    cells = []
    for k in range(layers):
        low, high = triangles + k * n, triangles + (k + 1) * n
        for turn in range(3):  # of each prism, cut by node number so that neighbours agree
            cells.append(np.column_stack([low[:, : turn + 1], high[:, turn:]]))
    cells = np.concatenate(cells)
    inside_out = signed_volumes(points, cells) < 0
    cells[inside_out] = cells[inside_out][:, [0, 2, 1, 3]]
    through = {
        name: np.concatenate([nodes + k * n for k in range(layers + 1)]).astype(np.int32)
        for name, nodes in shell.node_sets.items()
    }
    ends = {"endo": np.arange(n, dtype=np.int32), "epi": np.arange(n, dtype=np.int32) + layers * n}
    return dataclasses.replace(
        shell,
        points=points,
        cells=cells.astype(np.int32),
        regions=np.ones(len(cells), np.int32),
        node_sets={**through, **ends},
    )
