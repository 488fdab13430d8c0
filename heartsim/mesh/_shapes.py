"""Cable, sheet and slab: the simple bodies of tests, benchmarks and calibration."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from heartsim._types import AnyArray

from ._frames import frames_from
from ._mesh import Mesh


def cable(length: float, edge: float) -> Mesh:
    """A strand along x from 0 to `length` [mm], fibre along it; node sets `x_min`, `x_max`.

    The edge is length / round(length / edge), so that it divides the length.
    """
    return _box("cable", (length,), edge, (1.0, 0.0, 0.0))


def sheet(size: Sequence[float], edge: float, fibre: Sequence[float] = (1.0, 0.0, 0.0)) -> Mesh:
    """A rectangle [0, size_x] × [0, size_y] [mm] in the plane z = 0, each square cut into two
    triangles along the diagonal from its corner nearest the origin; node sets `x_min` ... `y_max`.
    """
    return _box("sheet", size, edge, fibre)


def slab(size: Sequence[float], edge: float, fibre: Sequence[float] = (1.0, 0.0, 0.0)) -> Mesh:
    """A block [0, size_x] × [0, size_y] × [0, size_z] [mm], each cube cut into the six
    tetrahedra that share its main diagonal (Kuhn's split); node sets `x_min` ... `z_max`.
    """
    return _box("slab", size, edge, fibre)


def _box(name: str, size: Sequence[float], edge: float, fibre: Sequence[float]) -> Mesh:
    dim = {"cable": 1, "sheet": 2, "slab": 3}[name]
    if len(size) != dim or not all(length > 0 for length in size) or not edge > 0:
        raise ValueError(
            f"{name}: size {tuple(size)} and edge {edge} mm are given; {dim} positive lengths and "
            "a positive edge are wanted, in mm."
        )
    if len(fibre) != 3 or not np.linalg.norm(fibre) > 0:
        raise ValueError(f"{name}: fibre {tuple(fibre)} is given; three numbers, not all zero.")
    steps = [max(1, round(length / edge)) for length in size]
    axes = [np.linspace(0.0, length, n + 1) for length, n in zip(size, steps, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dim)
    points = np.zeros((len(grid), 3))
    points[:, :dim] = grid
    cells = kuhn_cells([n + 1 for n in steps])
    sets: dict[str, AnyArray] = {}
    for axis, length in zip("xyz", size, strict=False):
        coordinate = points[:, "xyz".index(axis)]
        sets[f"{axis}_min"] = np.flatnonzero(coordinate == 0.0).astype(np.int32)
        sets[f"{axis}_max"] = np.flatnonzero(coordinate == length).astype(np.int32)
    f = np.broadcast_to(np.asarray(fibre, float), (len(cells), 3))
    return Mesh(
        points=points,
        cells=cells,
        regions=np.ones(len(cells), np.int32),
        frames=frames_from(f),
        node_sets=sets,
        region_names=(("tissue", 1),),
        notes=(f"fibres: constant ({name} made by heartsim)",),
    )


def kuhn_cells(shape: Sequence[int]) -> Int[np.ndarray, "cells vertices"]:
    """Lines, triangles or tetrahedra of a grid of `shape` nodes (C order): one simplex for each
    order in which the axes are walked from a box's lowest corner to its highest.
    Kuhn (1960), IBM J. Res. Dev. 4, 518-524 (page not checked). All positively oriented."""
    dim = len(shape)
    stride = np.cumprod([1, *shape[:0:-1]])[::-1]
    corners = np.ravel_multi_index(
        np.meshgrid(*[np.arange(n - 1) for n in shape], indexing="ij"), tuple(shape)
    ).reshape(-1)
    paths = []
    for walk in itertools.permutations(range(dim)):
        path = np.concatenate([[0], np.cumsum(stride[list(walk)])])
        odd = np.linalg.det(np.eye(dim)[list(walk)]) < 0
        paths.append(path[[0, 2, 1, *range(3, dim + 1)]] if odd else path)
    return (corners[:, None, None] + np.array(paths)).reshape(-1, dim + 1).astype(np.int32)
