"""Closed bodies from surfaces with holes, and the distance to them."""

import dataclasses
from typing import Any

import numpy as np
import scipy
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from ._surfaces import rim_edges

BAND = 3.0  # samples around a surface where the distance is measured, not counted


@dataclasses.dataclass(frozen=True)
class Patch:
    """A surface of triangles, mm; open or closed."""

    points: Float[np.ndarray, "nodes 3"]
    triangles: Int[np.ndarray, "faces 3"]

    def rims(self) -> list[Int[np.ndarray, " _loop"]]:
        """The closed loops of its free edges; ValueError where they do not close."""
        after = dict(rim_edges(self.triangles).tolist())
        loops = []
        while after:
            start, node = after.popitem()
            loop = [start]
            while node != start:
                if node not in after:
                    raise ValueError("its rim is torn, or its triangles do not agree on a side")
                loop.append(node)
                node = after.pop(node)
            loops.append(np.array(loop))
        return loops

    def fan(self, loop: Int[np.ndarray, " _loop"]) -> "Patch":
        """Triangles from a rim to its middle."""
        rim = self.points[loop]
        k = np.arange(len(loop))
        triangles = np.stack([np.roll(k, -1), k, np.full(len(loop), len(loop))], axis=1)
        return Patch(np.vstack([rim, rim.mean(axis=0)]), triangles)


def together(*patches: Patch) -> Patch:
    """Several as one; their nodes stay apart."""
    first = np.cumsum([0, *(len(patch.points) for patch in patches)])[:-1]
    return Patch(
        np.concatenate([patch.points for patch in patches]),
        np.concatenate([p.triangles + n for p, n in zip(patches, first, strict=True)]),
    )


def closed(patch: Patch, rims: list[Int[np.ndarray, " _loop"]]) -> tuple[Patch, list[Patch]]:
    """The patch with a fan in each of its holes, and the fans."""
    fans = [patch.fan(loop) for loop in rims]
    return together(patch, *fans), fans


def strip(a: Float[np.ndarray, "a 3"], b: Float[np.ndarray, "b 3"]) -> Patch:
    """Triangles between two closed loops of points that lie side by side: from the nearest pair on
    around both, each time by the shorter diagonal."""
    away = np.linalg.norm(a[:, None] - b[None], axis=2)
    i, j = np.unravel_index(away.argmin(), away.shape)
    a, b = np.roll(a, -i, axis=0), np.roll(b, -j, axis=0)
    if len(a) > 2 and len(b) > 2:
        third = len(b) // 3
        back = np.linalg.norm(a[len(a) // 3] - b[-third])
        if back < np.linalg.norm(a[len(a) // 3] - b[third]):
            b = np.roll(b[::-1], 1, axis=0)
    n, m, i, j, triangles = len(a), len(b), 0, 0, []
    while i < n or j < m:
        here, there = i % n, n + j % m
        on_a, on_b = (i + 1) % n, (j + 1) % m
        along_a = np.linalg.norm(a[on_a] - b[j % m]) if i < n else np.inf
        along_b = np.linalg.norm(b[on_b] - a[i % n]) if j < m else np.inf
        if along_a <= along_b:
            triangles.append((here, on_a, there))
            i += 1
        else:
            triangles.append((here, n + on_b, there))
            j += 1
    return Patch(np.vstack([a, b]), np.array(triangles))


def plug(fan: Patch, inside: Float[np.ndarray, " 3"], length: float) -> tuple[Patch, Patch]:
    """A closed body over a hole, away from a place `inside`, beginning a little below its fan; and
    its sides and top alone."""
    a, b, c = (fan.points[fan.triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a).sum(axis=0)
    normal = normal / np.linalg.norm(normal)
    out = normal if normal @ (fan.points[-1] - inside) > 0 else -normal
    n = len(fan.points) - 1
    k, ahead = np.arange(n), np.roll(np.arange(n), -1)
    points = np.vstack([fan.points - 0.1 * length * out, fan.points + length * out])
    top = n + 1
    sides = np.concatenate(
        [np.stack([k, ahead, ahead + top], axis=1), np.stack([k, ahead + top, k + top], axis=1)]
    )
    lid = fan.triangles + top
    whole = np.concatenate([fan.triangles, sides, lid])
    return Patch(points, whole), Patch(fan.points + length * out, fan.triangles)


def surface_of(patch: Patch) -> Any:
    """The same for pyvista."""
    import pyvista

    cells = np.column_stack([np.full(len(patch.triangles), 3), patch.triangles])
    return pyvista.PolyData(patch.points, cells.ravel())


def samples_of(patch: Patch, apart: float) -> Float[np.ndarray, "samples 3"]:
    """Points of a surface, along the sides of its triangles no farther apart than that."""
    corners = patch.points[patch.triangles]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    parts = np.maximum(np.ceil(sides / apart).astype(int), 1)
    found = []
    for n in np.unique(parts):
        i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        weights = np.stack([i, j, n - i - j], axis=-1)[i + j <= n] / n
        found.append(np.einsum("wv,fvd->fwd", weights, corners[parts == n]).reshape(-1, 3))
    return np.concatenate(found)


def signed_distances(
    body: Patch, low: Float[np.ndarray, " 3"], step: float, shape: tuple[int, int, int]
) -> Float[np.ndarray, "x y z"]:
    """The distance [mm] of each point of a grid to a closed surface, positive inside: measured to
    samples of the surface near it, counted in samples of the grid farther off."""
    import pyvista

    grid = pyvista.ImageData(dimensions=shape, spacing=(step,) * 3, origin=low)
    mask = surface_of(body).voxelize_binary_mask(reference_volume=grid)
    inside = np.asarray(mask["mask"]).reshape(shape, order="F").astype(bool)
    if not inside.any():
        return np.full(shape, -np.inf)
    d = scipy.ndimage.distance_transform_edt(inside) - scipy.ndimage.distance_transform_edt(~inside)
    d = d * step
    near = np.abs(d) < BAND * step
    places = low + np.argwhere(near) * step
    away, _ = cKDTree(samples_of(body, step / 2), balanced_tree=False).query(places)
    d[near] = np.where(inside[near], away, -away)
    return d
