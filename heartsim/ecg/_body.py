"""A body around a heart, for as long as no image shows the patient's own."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse, spatial

from heartsim.mesh import HeartAxes, Mesh, ball, heart_axes, locate_points, unique_edges

from ._chest import HALF_AXES_MM, Chest, Placed, moved_body, placed, require_in_chest
from ._position import HeartPosition

HEART, BLOOD, LUNGS, TORSO = 1, 2, 3, 4


def body_around(
    heart: Mesh,
    surface: Mesh | None = None,
    *,
    edge: float = 5.0,
    lungs: bool = True,
    position: HeartPosition | None = None,
    chest: Chest | None = None,
) -> Mesh:
    """A torso of tetrahedra around a heart, edges of about `edge` [mm] near the heart and longer
    towards the skin; regions heart, blood, lungs and torso.

    Without a `surface` the trunk and lungs are made up, and turned as the heart's own axes say
    (flagged in the notes). `surface` is a closed mesh of triangles that every ray from the heart's
    middle meets once; it has no lungs unless asked for, for they are made up even so. The
    cavities of a heart with node sets lv_endo and rv_endo, inside the convex hull of each,
    are blood. A ball of tetrahedra is stretched along its radii, so that the heart lies in the
    torso without sharing its nodes.

    The heart's mesh stays where it is; `position` moves the trunk, lungs or `surface` around it
    (`HeartPosition`), `chest` is the size of what is made up. ValueError for a surface that is
    open, does not enclose the heart, or that a ray meets twice; for a made-up chest that does not
    hold the heart in this position, a heart that lies in the lungs, or both surface and chest.
    """
    axes = heart_axes(heart)
    at = placed(axes, position, chest)
    if surface is not None and chest is not None:
        raise ValueError("body_around: a surface has its own size; leave out the chest.")
    used = np.unique(np.asarray(heart.cells))
    nodes = np.asarray(heart.points, np.float64)[used]
    if surface is None:
        if position is not None or chest is not None:
            require_in_chest(heart, at, lungs)
        ray = _trunk(at)
    else:
        require_closed(surface)
        surface = dataclasses.replace(surface, points=moved_body(surface.points, axes, position))
        ray = _surface_ray(surface, axes.origin)
    _require_enclosed(nodes - axes.origin, ray)
    points, cells = _stretched(ray, np.linalg.norm(nodes - axes.origin, axis=1).max(), edge)
    points = points + axes.origin
    middle = points[cells].mean(axis=1)
    regions = np.full(len(cells), TORSO, np.int32)
    if lungs:
        regions[at.in_lungs(at.body(middle - axes.origin))] = LUNGS
    regions[in_cavities(heart, middle)] = BLOOD
    regions[_in_heart(heart, nodes, middle)] = HEART
    return Mesh(
        points=points,
        cells=cells,
        regions=regions,
        region_names=(("heart", HEART), ("blood", BLOOD), ("lungs", LUNGS), ("torso", TORSO)),
        notes=_notes(surface is None, lungs, bool((regions == BLOOD).any()), axes),
    )


def _notes(trunk: bool, lungs: bool, blood: bool, axes: HeartAxes) -> tuple[str, ...]:
    made_up = [name for name, is_so in (("trunk", trunk), ("lungs", lungs)) if is_so]
    notes = [f"torso: {' and '.join(made_up)} made up around the heart; {axes.flag}"]
    if not blood:
        notes.append(
            "torso: no blood, for the heart has no node sets lv_endo and rv_endo; its cavities "
            "conduct like the rest of the torso"
        )
    return tuple(notes if made_up else notes[1:])


def _trunk(at: Placed):
    """Distance from the heart's middle to the made-up skin along each direction."""

    def ray(u: Float[np.ndarray, "rays 3"]) -> Float[np.ndarray, " rays"]:
        towards = u @ at.frame
        low, high = np.zeros(len(u)), np.full(len(u), 2.0 * (np.array(HALF_AXES_MM) @ at.scale))
        for _ in range(60):
            reach = (low + high) / 2
            inside = at.in_trunk(reach[:, None] * towards + at.shift)
            low, high = np.where(inside, reach, low), np.where(inside, high, reach)
        return (low + high) / 2

    return ray


def _surface_ray(surface: Mesh, origin: Float[np.ndarray, " 3"]):
    """The same for a surface: u t = a + v (b - a) + w (c - a), by Cramer's rule."""
    a, b, c = np.swapaxes(np.asarray(surface.points)[np.asarray(surface.cells)], 0, 1) - origin
    e1, e2 = b - a, c - a
    volume = np.einsum("td,td->t", a, np.cross(e1, e2))

    def ray(u: Float[np.ndarray, "rays 3"]) -> Float[np.ndarray, " rays"]:
        nearest, farthest = np.full(len(u), np.inf), np.zeros(len(u))
        for chunk in np.array_split(np.arange(len(u)), max(1, len(u) * len(a) // 2_000_000)):
            det = u[chunk] @ np.cross(e1, e2).T
            v = u[chunk] @ np.cross(e2, a).T
            w = u[chunk] @ np.cross(a, e1).T
            with np.errstate(divide="ignore", invalid="ignore"):
                v, w, t = v / det, w / det, volume / det
                hit = (v >= -1e-9) & (w >= -1e-9) & (v + w <= 1 + 1e-9) & (t > 0)
            nearest[chunk] = np.where(hit, t, np.inf).min(axis=1)
            farthest[chunk] = np.where(hit, t, 0.0).max(axis=1)
        if not np.isfinite(nearest).all():
            raise ValueError(
                "the torso does not enclose the heart: a ray from the heart's middle meets no "
                "triangle of the surface; check units (mm) and position."
            )
        if (farthest > nearest * 1.001).any():
            raise ValueError(
                "the torso's surface is met twice by a ray from the heart's middle (arms, or parts "
                "within?); cut them off, or give a mesh of tetrahedra."
            )
        return nearest

    return ray


def _require_enclosed(nodes: Float[np.ndarray, "nodes 3"], ray) -> None:
    length = np.linalg.norm(nodes, axis=1)
    length, nodes = length[length > 1e-6], nodes[length > 1e-6]
    beyond = length - ray(nodes / length[:, None])
    if beyond.max() >= 0:
        raise ValueError(
            f"the torso does not enclose the heart: {np.sum(beyond >= 0)} heart nodes lie outside "
            f"its surface, by up to {beyond.max():.1f} mm; check units (mm) and position."
        )


def _stretched(
    ray, heart_radius: float, edge: float
) -> tuple[Float[np.ndarray, "nodes 3"], Int[np.ndarray, "cells 4"]]:
    """A ball of radius R whose outer half is stretched to the skin at distance ρ:
    r -> r + (ρ - R) s², s = (r - R/2) / (R/2). It stays monotone for ρ > 3/4 R."""
    directions = np.random.default_rng(0).normal(size=(2000, 3))
    closest = ray(directions / np.linalg.norm(directions, axis=1, keepdims=True)).min()
    R = min(1.4 * heart_radius, 1.25 * closest)
    body = ball(R, edge)
    points = np.asarray(body.points)
    r = np.linalg.norm(points, axis=1)
    outer = r > R / 2
    u = points[outer] / r[outer, None]
    s = r[outer] / (R / 2) - 1
    stretched = points.copy()
    stretched[outer] = u * (r[outer] + (ray(u) - R) * s**2)[:, None]
    return stretched, np.asarray(body.cells)


def in_cavities(heart: Mesh, x: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
    """Inside the convex hull of lv_endo or of rv_endo; the heart's own cells are not left out."""
    inside = np.zeros(len(x), bool)
    for name in ("lv_endo", "rv_endo"):
        if name in heart.node_sets:
            wall = np.asarray(heart.points)[np.asarray(heart.node_sets[name])]
            hull = spatial.ConvexHull(wall).equations
            near = ((x > wall.min(axis=0)) & (x < wall.max(axis=0))).all(axis=1)
            inside[near] |= (x[near] @ hull[:, :3].T + hull[:, 3] < 0).all(axis=1)
    return inside


def _in_heart(
    heart: Mesh, nodes: Float[np.ndarray, "nodes 3"], x: Float[np.ndarray, "cells 3"]
) -> Bool[np.ndarray, " cells"]:
    near = ((x > nodes.min(axis=0)) & (x < nodes.max(axis=0))).all(axis=1)
    inside = np.zeros(len(x), bool)
    inside[near] = locate_points(heart, x[near])[0] >= 0
    return inside


def require_closed(surface: Mesh) -> None:
    """ValueError unless every edge of the triangles belongs to exactly two of them."""
    if surface.dim != 2:
        raise ValueError("body_around: the surface is no mesh of triangles.")
    cells = np.asarray(surface.cells)
    sides = np.sort(np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]]), axis=1)
    n = surface.n_nodes
    count = sparse.csr_array((np.ones(len(sides)), sides.T), shape=(n, n))
    edges = unique_edges(cells)
    wrong = np.asarray(count[edges[:, 0], edges[:, 1]]).reshape(-1) != 2
    if wrong.any():
        raise ValueError(
            f"the torso's surface is not closed: {wrong.sum()} edges do not join exactly two "
            f"triangles, the first between nodes {edges[wrong][0].tolist()}; fill the holes and "
            "merge nodes that lie at one place."
        )
