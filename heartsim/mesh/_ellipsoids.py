"""Made-up hearts: ellipsoids with fibres, coordinates, surfaces and pacing sites."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from heartsim._types import AnyArray

from ._fibres import wall_frames
from ._mesh import Mesh
from ._stuffing import stuff
from ._topology import boundary_triangles

LV, RV, SEPTUM = 1, 2, 3

# Own coordinates of the ellipsoids: z from apex to base along the left ventricle's axis, x away
# from the right ventricle, so that -y is anterior and +y inferior. The rows below turn them into
# the patient's: x to the left, y backward, z to the head. The apex points left, forward and down;
# the angles are ours, for a heart that lies as hearts do.
_BASE = np.array([-0.62, 0.50, 0.61])
_LEFT = np.array([0.60, 0.80, 0.0])


@dataclasses.dataclass(frozen=True)
class Ellipsoids:
    """Half axes (x, y, z) in mm of a left ventricle centred at the origin and a right one beside
    it; sizes of a small adult heart, ours."""

    lv_outer: tuple[float, float, float] = (31.0, 31.0, 66.0)
    lv_inner: tuple[float, float, float] = (22.0, 22.0, 58.0)
    rv_centre: tuple[float, float, float] = (-20.0, 0.0, 4.0)
    rv_outer: tuple[float, float, float] = (41.0, 36.0, 54.0)
    rv_inner: tuple[float, float, float] = (36.0, 31.0, 49.0)
    base: float = 18.0
    """Height of the flat base above the left ventricle's widest place, mm."""
    with_rv: bool = True

    def left(self, x: Float[np.ndarray, "nodes 3"]) -> tuple[Float[np.ndarray, " nodes"], ...]:
        """Depth [mm] below the left ventricle's outer surface, height above its inner one."""
        return _depth(x, (0.0, 0.0, 0.0), self.lv_outer), -_depth(x, (0.0, 0.0, 0.0), self.lv_inner)

    def right(self, x: Float[np.ndarray, "nodes 3"]) -> tuple[Float[np.ndarray, " nodes"], ...]:
        """The same for the right ventricle's free wall; its cavity ends at the septum."""
        outer = _depth(x, self.rv_centre, self.rv_outer)
        cavity = _smooth_min(_depth(x, self.rv_centre, self.rv_inner), -self.left(x)[0], width=4.0)
        return outer, -cavity

    def surfaces(self, x: Float[np.ndarray, "nodes 3"]) -> dict[str, Float[np.ndarray, " nodes"]]:
        """Depth [mm] of each point behind each named surface, positive in the wall."""
        lv_outer, lv_inner = self.left(x)
        if not self.with_rv:
            return {"epi": lv_outer, "lv_endo": lv_inner}
        rv_outer, rv_inner = self.right(x)
        epi = -_smooth_min(-lv_outer, -rv_outer, width=6.0)  # the groove between them
        return {"epi": epi, "lv_endo": lv_inner, "rv_endo": rv_inner}

    def wall(self, x: Float[np.ndarray, "nodes 3"]) -> Float[np.ndarray, " nodes"]:
        """Positive in the myocardium."""
        return np.min(list(self.surfaces(x).values()), axis=0)

    def transmural(self, x: Float[np.ndarray, "nodes 3"]) -> Float[np.ndarray, " nodes"]:
        """0 on the endocardium, 1 on the epicardium; through the septum from left (0) to right
        (1), so that nothing jumps there; in the right free wall it leaves the septum's 1 over
        5 mm."""
        lv_outer, lv_inner = self.left(x)
        t = _share(lv_inner, lv_outer)
        if not self.with_rv:
            return t
        rv_outer, rv_inner = self.right(x)
        w = _ramp(lv_outer)
        return w * t + (1 - w) * _share(rv_inner, rv_outer)

    def outward(self, x: Float[np.ndarray, "nodes 3"]) -> Float[np.ndarray, "nodes 3"]:
        """Direction from endocardium to epicardium, blended as `transmural` is."""
        left = _outward(x, (0.0, 0.0, 0.0), self.lv_outer)
        if not self.with_rv:
            return left
        w = _ramp(self.left(x)[0])[:, None]
        return w * left + (1 - w) * _outward(x, self.rv_centre, self.rv_outer)

    def in_patient(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Own coordinates in the patient's axes: x to the left, y backward, z to the head."""
        return (x - [-10.0 * self.with_rv, 0.0, -20.0]) @ _pose()

    def regions(self, x: Float[np.ndarray, "cells 3"]) -> Int[np.ndarray, " cells"]:
        """1 LV, 2 RV outside the left ellipsoid, 3 septum: where a ray from the left centre
        leaves the left ventricle into the right one."""
        if not self.with_rv:
            return np.full(len(x), LV, np.int32)
        exit_point = x / np.linalg.norm(x / np.array(self.lv_outer), axis=1, keepdims=True)
        faces_rv = _depth(exit_point, self.rv_centre, self.rv_inner) > 0
        inside = self.left(x)[0] > 0
        return np.where(~inside, RV, np.where(faces_rv, SEPTUM, LV)).astype(np.int32)


# where (own coordinates, mm, in a heart of the sizes above) and on which surface; the five `root_`
# sites are where the first ventricular activation is found in Durrer et al. (1970), Circulation
# 41, 899-912 (page not checked): high anterior, mid septal and posterior on the left, the foot of
# the anterior papillary muscle and the septum on the right. The coordinates are ours.
SITES = {
    "root_lv_anterior": ("lv_endo", (-7.0, -21.0, 2.0)),
    "root_lv_septal": ("lv_endo", (-21.0, 2.0, -14.0)),
    "root_lv_posterior": ("lv_endo", (-6.0, 18.0, -33.0)),
    "root_rv_free": ("rv_endo", (-52.0, -8.0, -16.0)),
    "root_rv_septal": ("rv_endo", (-28.0, -4.0, -24.0)),
    "his": ("rv_endo", (-30.0, 0.0, 14.0)),
    "rv_apex": ("rv_endo", (-26.0, 0.0, -44.0)),
    "rv_outflow": ("rv_endo", (-36.0, -28.0, 14.0)),
    "lv_lateral": ("epi", (31.0, 6.0, 0.0)),
    "lv_apex": ("lv_endo", (0.0, 0.0, -58.0)),
}


def lv_ellipsoid(edge: float, **sizes: tuple[float, float, float] | float) -> Mesh:
    """A left ventricle alone: truncated ellipsoid shell of about `edge` [mm]; `sizes` are the
    fields of `Ellipsoids` that start with lv_, and base. See `biventricular_ellipsoid`."""
    return _heart("lv_ellipsoid", edge, Ellipsoids(with_rv=False, **sizes))  # type: ignore[arg-type]


def biventricular_ellipsoid(edge: float, **sizes: tuple[float, float, float] | float) -> Mesh:
    """Both ventricles, cavities open at a flat base, of about `edge` [mm] (at most 4.25, or
    the right wall of 5 mm could have holes).

    In the patient's axes, mm: x to the left, y backward, z to the head, origin near the heart's
    middle. Regions LV 1, RV 2, septum 3; node sets epi, lv_endo, rv_endo, base and the pacing
    sites of `SITES`; point data `transmural` (0 endocardium to 1 epicardium, in the septum left to
    right) and `apicobasal` (0 apex to 1 base); rule-based fibres from +60° to -60° through the
    wall. `sizes` are fields of `Ellipsoids`.
    """
    return _heart("biventricular_ellipsoid", edge, Ellipsoids(**sizes))  # type: ignore[arg-type]


def _heart(name: str, edge: float, shape: Ellipsoids) -> Mesh:
    limit = 0.85 * min(np.subtract(shape.lv_outer, shape.lv_inner))
    if shape.with_rv:
        limit = min(limit, 0.85 * min(np.subtract(shape.rv_outer, shape.rv_inner)))
    if not 0 < edge <= limit:
        raise ValueError(
            f"{name}: edge {edge} mm is given; this wall needs more than 0 and at most "
            f"{limit:.3g} mm."
        )
    low, high = -np.array(shape.lv_outer) - 1, np.array([*shape.lv_outer[:2], 0.0]) + 1
    if shape.with_rv:
        low = np.minimum(low, np.subtract(shape.rv_centre, shape.rv_outer) - 1)
        high = np.maximum(high, np.add(shape.rv_centre, shape.rv_outer) + 1)
    high[2] = shape.base
    x, cells = stuff(shape.wall, low, high, edge)
    middle = x[cells].mean(axis=1)
    turn = _pose()
    frames = wall_frames(
        shape.outward(middle) @ turn,
        np.broadcast_to(turn[2], middle.shape),
        shape.transmural(middle),
        endo_deg=60.0,
        epi_deg=-60.0,
    )
    mesh = Mesh(
        points=shape.in_patient(x),
        cells=cells,
        regions=shape.regions(middle),
        frames=frames,
        point_data={
            "transmural": shape.transmural(x),
            "apicobasal": (x[:, 2] - x[:, 2].min()) / np.ptp(x[:, 2]),
        },
        region_names=(("LV", LV), ("RV", RV), ("septum", SEPTUM))[: 3 if shape.with_rv else 1],
        notes=("fibres: rule-based placeholder, 60 (endo) to -60 (epi) degrees",),
    )
    return dataclasses.replace(mesh, node_sets=_node_sets(shape, mesh, x))


def _node_sets(
    shape: Ellipsoids, mesh: Mesh, x: Float[np.ndarray, "nodes 3"]
) -> dict[str, Int[AnyArray, " _set"]]:
    """Surfaces from boundary faces, each given to the surface it lies on; then the sites."""
    faces = boundary_triangles(mesh)
    top = (x[faces][:, :, 2] == shape.base).all(axis=1)
    depths = shape.surfaces(x[faces].mean(axis=1))
    owner = np.argmin(np.abs(list(depths.values())), axis=0)
    sets: dict[str, AnyArray] = {"base": np.unique(faces[top])}
    for number, name in enumerate(depths):
        sets[name] = np.unique(faces[~top & (owner == number)])
    sets |= pacing_sites(shape, dataclasses.replace(mesh, node_sets=sets))
    return {name: nodes.astype(np.int32) for name, nodes in sets.items()}


def pacing_sites(shape: Ellipsoids, mesh: Mesh) -> dict[str, Int[AnyArray, " _set"]]:
    """Nodes at the places of `SITES` on a mesh of that shape, in the patient's axes, that has the
    surfaces as node sets: those of its surface within 5 mm of the node nearest to the place, and
    at least four of them."""
    points = np.asarray(mesh.points)
    sets: dict[str, AnyArray] = {}
    for site, (surface, own) in SITES.items():
        if surface in mesh.node_sets and (shape.with_rv or site != "root_rv_septal"):
            nodes = np.asarray(mesh.node_sets[surface])
            place = shape.in_patient(np.array([own]))[0]
            nearest = points[nodes[np.argmin(np.linalg.norm(points[nodes] - place, axis=1))]]
            distance = np.linalg.norm(points[nodes] - nearest, axis=1)
            sets[site] = np.sort(nodes[distance <= max(5.0, np.sort(distance)[3])])
    return sets


def _pose() -> Float[np.ndarray, "3 3"]:
    """Rows: where own x, y, z point in the patient's axes."""
    z = _BASE / np.linalg.norm(_BASE)
    x = _LEFT - (_LEFT @ z) * z
    x = x / np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])


def _depth(
    x: Float[np.ndarray, "nodes 3"],
    centre: tuple[float, float, float],
    axes: tuple[float, float, float],
) -> Float[np.ndarray, " nodes"]:
    """About the distance [mm] inside an ellipsoid: k (1 - k) / |∇(k²/2)| with k = |x / axes|."""
    q = (x - np.array(centre)) / np.array(axes)
    k = np.linalg.norm(q, axis=1)
    return k * (1 - k) / np.maximum(np.linalg.norm(q / np.array(axes), axis=1), 1e-12)


def _outward(
    x: Float[np.ndarray, "nodes 3"],
    centre: tuple[float, float, float],
    axes: tuple[float, float, float],
) -> Float[np.ndarray, "nodes 3"]:
    normal = (x - np.array(centre)) / np.square(axes)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _share(
    inner: Float[np.ndarray, " nodes"], outer: Float[np.ndarray, " nodes"]
) -> Float[np.ndarray, " nodes"]:
    inner, outer = np.maximum(inner, 0.0), np.maximum(outer, 0.0)
    return inner / np.maximum(inner + outer, 1e-12)


def _ramp(depth: Float[np.ndarray, " nodes"]) -> Float[np.ndarray, " nodes"]:
    """1 inside the left ventricle, falling smoothly to 0 at 5 mm outside it."""
    s = np.clip(1 + depth / 5.0, 0.0, 1.0)
    return s * s * (3 - 2 * s)


def _smooth_min(
    a: Float[np.ndarray, " nodes"], b: Float[np.ndarray, " nodes"], width: float
) -> Float[np.ndarray, " nodes"]:
    """min(a, b) with its crease rounded over `width` [mm]."""
    near = np.maximum(width - np.abs(a - b), 0.0) / width
    return np.minimum(a, b) - near**2 * width / 4
