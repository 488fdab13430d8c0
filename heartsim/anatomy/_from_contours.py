"""From contours on slices to tetrahedra of the ventricles."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import scipy
from jaxtyping import Float
from scipy.spatial import cKDTree

from heartsim.mesh import signed_volumes

from ._base_frame import UPRIGHT, BaseFrame, frame_on, upright_grid
from ._bodies import Patch, samples_of
from ._fibres import FibreAngles
from ._guide_points import ANNULI, FEWEST, STRUCTURES, VALVE_KINDS, Contour, GuidePoints, contours
from ._heart import Heart, describe_heart
from ._laplace import RV
from ._meshed import mesh_of_wall
from ._outline import USUAL, Outline, signed_distance
from ._wall import Wall, grown, least_wall, wall_notes

APART, COARSE = 3.0, 6.0  # mm between the points of a contour; to find how slices lie aside
OFF = 3.0  # mm, at which the field's value is given on either side of a contour
SMOOTHING = 10.0  # mm; keeps a patient's contours to 0.5 mm, and lets single bulges go
STEP = 2.5  # mm between samples of the fields, which splines join
SWEEPS = 4  # of moving slices
DRAWN_ON = {
    "epi": ("LV_EPICARDIAL", "RV_EPICARDIAL"),
    "lv_endo": ("LV_ENDOCARDIAL",),
    "rv_endo": ("RV_FREEWALL", "RV_ENDOCARDIAL", "RV_SEPTUM"),
}


@dataclasses.dataclass(frozen=True)
class FromContours:
    """A heart and how well it keeps the contours. Volumes in mL."""

    heart: Heart
    lv_cavity: float
    rv_cavity: float | None
    lv_myocardium: float
    off: Mapping[str, float]
    """Mean distance [mm] of contours, moved back, from the mesh's surface, below the base."""
    moved_mm: float
    """Farthest that a slice was moved."""
    thickened: float
    """Muscle put on where the wall was too thin to be meshed."""
    valves: Mapping[str, Float[np.ndarray, " 3"]]
    """Mean of the points drawn on each valve, moved back."""


def heart_from_contours(
    guide: GuidePoints,
    edge: float,
    angles: FibreAngles | None = None,
    rv_wall: float = 3.0,
    align: bool = True,
    stage: Callable[[str], None] = lambda _: None,
) -> FromContours:
    """A heart of tetrahedra with edges of about `edge` [mm] within contours.

    Each structure is the zero of a sum of radial functions |x - x_i| (biharmonic in space) and a
    plane, fitted to zero on its contours and to the distance 3 mm off them on both sides (Carr et
    al. 2001, "Reconstruction and representation of 3D objects with radial basis functions",
    SIGGRAPH, 67-76; page not checked). Slices are first moved within their planes to where the
    others expect them. The base is cut flat at the plane through the points of the mitral and the
    tricuspid valve. Where the right epicardium was not drawn, a wall of `rv_wall` mm is grown.
    ValueError, naming the file, where the wall is open.
    """
    stage("contours")
    moved = shifts(guide) if align else {}
    guide = guide.moved(moved)
    frame = frame_on(guide.of(*ANNULI), guide.drawn("LV_ENDOCARDIAL").mean(axis=0))
    stage("surfaces")
    wall = _wall(guide, frame, least_wall(edge), rv_wall)
    stage("tetrahedra")
    farthest = max((float(np.linalg.norm(v)) for v in moved.values()), default=0.0)
    made = mesh_of_wall(wall, edge, frame.place, guide.name, _notes(guide, rv_wall, farthest))
    stage("coordinates and fibres")
    heart = describe_heart(made.mesh, angles)
    volumes = signed_volumes(np.asarray(made.mesh.points), np.asarray(made.mesh.cells)) / 1000
    return FromContours(
        heart=heart,
        lv_cavity=made.cavities["lv_endo"],
        rv_cavity=made.cavities.get("rv_endo"),
        lv_myocardium=float(volumes[np.asarray(made.mesh.regions) != RV].sum()),
        off=_off(guide, heart, frame),
        moved_mm=farthest,
        thickened=wall.thickened,
        valves={
            name: guide.of(kind).mean(axis=0)
            for name, kind in VALVE_KINDS.items()
            if len(guide.of(kind))
        },
    )


def structures(guide: GuidePoints, apart: float) -> dict[str, list[Contour]]:
    """Contours of lv and body, and of rv where it was drawn."""
    right = len(guide.drawn("RV_FREEWALL")) + len(guide.drawn("RV_ENDOCARDIAL"))
    return {
        name: contours(guide, name, apart) for name in STRUCTURES if name != "rv" or right >= FEWEST
    }


def surface_field(outlines: list[Contour]) -> Callable[[np.ndarray], np.ndarray]:
    """About the distance [mm] inside the smooth surface through contours."""
    points = np.concatenate([one.points for one in outlines])
    outward = np.concatenate([one.outward for one in outlines])
    near = cKDTree(points)
    places, values = [points], [np.zeros(len(points))]
    for side in (-OFF, OFF):
        off = points + side * outward
        free = near.query(off)[0] > 0.9 * OFF  # else another part of the outline is as near
        places.append(off[free])
        values.append(np.full(free.sum(), -side))
    x, first = np.unique(np.concatenate(places).round(6), axis=0, return_index=True)
    return scipy.interpolate.RBFInterpolator(
        x, np.concatenate(values)[first], kernel="linear", smoothing=SMOOTHING, degree=1
    )


def shifts(guide: GuidePoints) -> dict[int, Float[np.ndarray, " 3"]]:
    """How far each slice is to be moved within its plane [mm]: to where its contours lie nearest to
    the surfaces through all other slices, by least squares along their normals, in turns. What
    all slices have in common is taken off."""
    total = {int(k): np.zeros(3) for k in np.unique(guide.slices)}
    for _ in range(SWEEPS):
        drawn = structures(guide.moved(total), COARSE)
        step = {own: _shift(drawn, own) for own in total}
        mean = np.mean(list(step.values()), axis=0)
        for own in total:
            total[own] = total[own] + 0.7 * (step[own] - mean)
    return total


def _shift(drawn: dict[str, list[Contour]], own: int) -> Float[np.ndarray, " 3"]:
    """The move of one slice towards the surfaces through the others."""
    rows, wanted = [], []
    for outlines in drawn.values():
        mine = [one for one in outlines if one.slice == own]
        others = [one for one in outlines if one.slice != own]
        if not mine or len(others) < FEWEST:
            continue
        field, x = surface_field(others), mine[0].points
        across = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[2][2]
        slope = np.stack([field(x + h) - field(x - h) for h in np.eye(3)], axis=1) / 2
        rows.append(slope - np.outer(slope @ across, across))
        wanted.append(-field(x))
    if not rows:
        return np.zeros(3)
    A, b = np.concatenate(rows), np.concatenate(wanted)
    s = np.zeros(3)
    for _ in range(5):
        trust = 1 / (1 + ((b - A @ s) / USUAL) ** 2)  # Cauchy's
        s = np.linalg.solve(A.T @ (trust[:, None] * A) + np.eye(3), A.T @ (trust * b))
    return s


def _wall(guide: GuidePoints, frame: BaseFrame, least: float, rv_wall: float) -> Wall:
    """In the frame of the base, whose plane is at height 0."""
    drawn = structures(guide, APART)
    x = frame.back(np.concatenate([one.points for one in drawn["body"] + drawn.get("rv", [])]))
    low, high, grid, shape = upright_grid(x, 8.0 + rv_wall, STEP)
    step = np.full(3, STEP)
    fields = {
        name: signed_distance(surface_field(outlines)(frame.place(grid)).reshape(shape), step)
        for name, outlines in drawn.items()
    }
    if "rv" in fields and len(drawn_on := guide.drawn("RV_EPICARDIAL")):
        fields["rv_outer"] = fields["rv"] + _thickness(
            fields["rv"], low, frame.back(drawn_on), grid
        )
    return grown(fields, low, step, least, rv_wall, (low, high))


def _thickness(rv, low, outside, grid) -> Float[np.ndarray, "x y z"]:
    """Of the right wall [mm]: points on its epicardium tell how far they are from the cavity, but
    for the tails, where a slice runs along the wall; elsewhere it lies between."""
    distance = Outline(rv, low, np.full(3, STEP))
    own = outside[outside[:, 2] < -UPRIGHT]
    told = -distance(own)
    told = np.clip(told, *np.quantile(told, (0.1, 0.9)))
    near = scipy.interpolate.RBFInterpolator(
        own, told, kernel="linear", smoothing=APART * 10, degree=0
    )
    return np.clip(near(grid), told.min(), told.max()).reshape(rv.shape)


def _notes(guide: GuidePoints, rv_wall: float, farthest: float) -> tuple[str, ...]:
    grown = "rv" in structures(guide, COARSE) and not len(guide.drawn("RV_EPICARDIAL"))
    return wall_notes(guide.name, rv_wall if grown else None, farthest)


def _off(guide: GuidePoints, heart: Heart, frame: BaseFrame) -> dict[str, float]:
    """Of each structure's contours below the base, from the surface that was made of them."""
    x, found = np.asarray(heart.mesh.points), {}
    for name, kinds in DRAWN_ON.items():
        points = np.concatenate([guide.drawn(kind) for kind in kinds])
        points = points[frame.back(points)[:, 2] < -UPRIGHT]
        if len(points) and name in heart.surfaces.faces:
            surface = samples_of(Patch(x, heart.surfaces.faces[name].astype(int)), 1.0)
            found[name] = float(cKDTree(surface).query(points)[0].mean())
    return found
