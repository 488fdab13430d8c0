"""A surface seen from one side, by a depth buffer in NumPy: needs no display and no OpenGL."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from heartsim._types import AnyArray

_CANDIDATES = 4_000_000  # pixels looked at in one go; bounds the memory, about 100 bytes each
_LIGHT = np.array([-0.3, 0.35, 0.89])  # right, up, towards the viewer: over the left shoulder
_AMBIENT = 0.74  # share of the light that falls everywhere
_JUMP = 20.0  # pixels; a step in depth this large between neighbours hides an edge


class View(NamedTuple):
    """Where the viewer stands. `right`, `up` and `towards` (the viewer) are unit vectors in
    mesh coordinates with right × up = towards; the names are written at the picture's sides."""

    name: str
    right: Float[AnyArray, " 3"]
    up: Float[AnyArray, " 3"]
    towards: Float[AnyArray, " 3"]
    left_name: str = ""
    right_name: str = ""
    top_name: str = ""
    bottom_name: str = ""


class Window(NamedTuple):
    """The square that is drawn: its centre [mm], half its side [mm] and pixels a side."""

    centre: Float[AnyArray, " 3"]
    half: float
    pixels: int

    @property
    def pixel(self) -> float:
        """Side of a pixel, mm."""
        return 2.0 * self.half / self.pixels


class Raster(NamedTuple):
    """What each pixel shows, row 0 at the bottom; where nothing is seen, depth is -inf."""

    value: Float[np.ndarray, "rows columns"]  # unit of the nodal field; NaN where unknown
    shade: Float[np.ndarray, "rows columns"]  # 1, brightness by the surface's normal
    depth: Float[np.ndarray, "rows columns"]  # mm towards the viewer

    @property
    def seen(self) -> Bool[np.ndarray, "rows columns"]:
        """Whether the surface covers the pixel."""
        return np.isfinite(self.depth)

    def edges(self, pixel: float) -> Bool[np.ndarray, "rows columns"]:
        """Pixels of side `pixel` [mm] where one part of the surface passes before another."""
        z = np.where(self.seen, self.depth, np.nan)
        edge = np.zeros(z.shape, bool)
        for axis in (0, 1):
            jump = np.abs(np.diff(z, axis=axis)) > _JUMP * pixel
            behind = np.diff(z, axis=axis) < 0
            edge |= np.insert(jump & behind, 0, False, axis=axis)
            edge |= np.insert(jump & ~behind, jump.shape[axis], False, axis=axis)
        return edge


class Sight(NamedTuple):
    """What each pixel looks at, whatever the values there."""

    pixel: Int[np.ndarray, " hit"]
    corners: Int[np.ndarray, "hit 3"]  # nodes of the triangle seen
    weights: Float[np.ndarray, "hit 3"]  # barycentric
    shade: Float[np.ndarray, "rows columns"]
    depth: Float[np.ndarray, "rows columns"]

    def of(self, values: Float[AnyArray, " nodes"]) -> Raster:
        """The picture of a nodal field. A triangle with a NaN at any of its nodes is NaN."""
        value = np.full(self.depth.size, np.nan)
        at_corners = np.asarray(values, float)[self.corners]
        value[self.pixel] = np.einsum("pk,pk->p", self.weights, at_corners)
        return Raster(value.reshape(self.depth.shape), self.shade, self.depth)


def look(
    points: Float[AnyArray, "nodes 3"],
    triangles: Int[AnyArray, "faces 3"],
    view: View,
    window: Window,
) -> Sight:
    """The triangle nearest to the viewer at every pixel, seen along parallel rays. Either side of
    a triangle may face the viewer."""
    axes = np.stack([view.right, view.up, view.towards], axis=1)
    seen = (np.asarray(points, float) - window.centre) @ axes  # nodes 3, mm
    n, faces = window.pixels, np.asarray(triangles)
    place = (seen[:, :2] / window.half + 1.0) * n / 2.0 - 0.5  # pixel centres are integers
    face, depth = _nearest(place, seen[:, 2], faces, n)
    shade, hit = np.ones(n * n), np.flatnonzero(face >= 0)
    b = np.stack(_barycentric(_planes(place[faces])[face[hit]], hit % n, hit // n), axis=1)
    corners = faces[face[hit]]
    shade[hit] = _lambert(np.einsum("pk,pkd->pd", b, _node_normals(seen, faces)[corners]))
    return Sight(hit, corners, b, shade.reshape(n, n), depth.reshape(n, n))


def rasterise(
    points: Float[AnyArray, "nodes 3"],
    triangles: Int[AnyArray, "faces 3"],
    values: Float[AnyArray, " nodes"],
    view: View,
    window: Window,
) -> Raster:
    """Orthographic picture of nodal `values` on `triangles`, interpolated within each: `look`,
    then `Sight.of`."""
    return look(points, triangles, view, window).of(values)


def _nearest(place, z, triangles, n):
    """For each pixel the triangle nearest to the viewer (-1: none) and its depth."""
    face, depth = np.full(n * n, -1), np.full(n * n, -np.inf)
    corner = place[triangles]  # faces 3 2
    planes = _planes(corner)
    low = np.clip(np.ceil(corner.min(axis=1)), 0, n).astype(np.int64)
    high = np.clip(np.floor(corner.max(axis=1)), -1, n - 1).astype(np.int64)
    side = np.maximum(high - low + 1, 0)
    count = side.prod(axis=1)
    batch = np.cumsum(count) // _CANDIDATES
    for k in np.unique(batch):
        tri, x, y = _candidates(np.flatnonzero((batch == k) & (count > 0)), low, side, count)
        b = _barycentric(planes[tri], x, y)
        inside = np.flatnonzero((b[0] >= -1e-7) & (b[1] >= -1e-7) & (b[2] >= -1e-7))
        tri, pixel = tri[inside], (y * n + x)[inside]
        d = sum(b[c][inside] * z[triangles[:, c]][tri] for c in range(3))
        order = np.argsort(d)  # the nearest is written last, and stays
        order = order[d[order] > depth[pixel[order]]]
        face[pixel[order]] = tri[order]
        depth[pixel[order]] = d[order]
    return face, depth


def _candidates(chosen, low, side, count):
    """Every pixel of the bounding boxes of the `chosen` triangles: triangle, column, row."""
    tri = np.repeat(chosen, count[chosen])
    start = np.cumsum(count[chosen]) - count[chosen]
    k = np.arange(len(tri)) - np.repeat(start, count[chosen])
    row, column = np.divmod(k, side[tri, 0])
    return tri, low[tri, 0] + column, low[tri, 1] + row


def _planes(corner):
    """For each triangle the coefficients, of x, of y and of 1, of its second and third
    barycentric coordinates; NaN for one seen edge on, which covers no pixel."""
    (x0, y0), (x1, y1), (x2, y2) = (corner[:, k].T for k in range(3))
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    area = np.where(np.abs(area) < 1e-12, np.nan, area)
    second = [y2 - y0, x0 - x2, x2 * y0 - x0 * y2]
    third = [y0 - y1, x1 - x0, x0 * y1 - x1 * y0]
    return np.stack([*second, *third], axis=1) / area[:, None]


def _barycentric(planes, x, y):
    """The three barycentric coordinates of pixels in their triangles."""
    b1 = planes[:, 0] * x + planes[:, 1] * y + planes[:, 2]
    b2 = planes[:, 3] * x + planes[:, 4] * y + planes[:, 5]
    return 1.0 - b1 - b2, b1, b2


def _node_normals(points, triangles):
    """Normal at each node, the mean over its triangles weighted by area (not normalised)."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    return np.stack(
        [np.bincount(triangles.ravel(), np.repeat(area[:, d], 3), len(points)) for d in range(3)],
        axis=1,
    )


def _lambert(normal):
    """Brightness of normals turned towards the viewer, between `_AMBIENT` and 1."""
    length = np.linalg.norm(normal, axis=1)
    unit = normal / np.where(length > 0.0, length, 1.0)[:, None]
    unit = np.where(unit[:, 2:] < 0.0, -unit, unit)
    light = unit @ (_LIGHT / np.linalg.norm(_LIGHT))
    return _AMBIENT + (1.0 - _AMBIENT) * np.clip(light, 0.0, 1.0)
