"""Cells of files to simplices, so that neighbours agree on every shared face."""

import numpy as np
from jaxtyping import Float, Int

from heartsim._types import AnyArray

from ._topology import signed_volumes

# faces of each polyhedron, outward, in the node order of VTK
FACES: dict[str, list[tuple[int, ...]]] = {
    "hexahedron": [
        (0, 3, 2, 1),
        (4, 5, 6, 7),
        (0, 1, 5, 4),
        (1, 2, 6, 5),
        (2, 3, 7, 6),
        (3, 0, 4, 7),
    ],
    "wedge": [(0, 2, 1), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)],
    "pyramid": [(0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)],
}
DIM: dict[str, int] = {"line": 1, "triangle": 2, "quad": 2, "tetra": 3, **dict.fromkeys(FACES, 3)}
SIMPLEX = {1: "line", 2: "triangle", 3: "tetra"}


def to_simplices(
    points: Float[AnyArray, "nodes 3"], kind: str, cells: Int[np.ndarray, "cells corners"]
) -> tuple[Int[np.ndarray, "simplices vertices"], Int[np.ndarray, " simplices"]]:
    """Simplices of cells of one kind, and which cell each came from.

    Every face is cut by the diagonal from its lowest node number, and a polyhedron is the cone
    from its own lowest node over the faces that do not touch it: 6 tetrahedra of a hexahedron,
    3 of a wedge, 2 of a pyramid, conforming across cells of all kinds. Dompierre et al. (1999),
    8th Int. Meshing Roundtable, 195-204 (page not checked).
    """
    parent = np.arange(len(cells))
    if kind == "quad":
        ring = _from_lowest(cells)
        return ring[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3), np.repeat(parent, 2)
    if kind not in FACES:
        return cells, parent
    tip = cells.min(axis=1)
    pieces, owners = [], []
    for face in FACES[kind]:
        ring = _from_lowest(cells[:, list(face)])
        away = (ring != tip[:, None]).all(axis=1)
        for i in range(1, len(face) - 1):
            pieces.append(np.column_stack([tip, ring[:, [0, i, i + 1]]])[away])
            owners.append(parent[away])
    order = np.argsort(np.concatenate(owners), kind="stable")
    tets, owner = np.concatenate(pieces)[order], np.concatenate(owners)[order]
    if kind == "wedge":  # programs differ on which triangle comes first
        volume = np.bincount(owner, signed_volumes(points, tets), minlength=len(cells))
        tets[volume[owner] < 0] = tets[volume[owner] < 0][:, [0, 2, 1, 3]]
    return tets, owner


def _from_lowest(rings: Int[np.ndarray, "faces corners"]) -> Int[np.ndarray, "faces corners"]:
    """Each ring of nodes turned so that its lowest number comes first."""
    turn = rings.argmin(axis=1)[:, None] + np.arange(rings.shape[1])
    return np.take_along_axis(rings, turn % rings.shape[1], axis=1)
