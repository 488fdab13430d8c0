"""From the surfaces of ventricles, as other tools fit or segment them, to tetrahedra."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, boundary_triangles, signed_volumes, stuff

from ._bodies import Patch, closed, plug, samples_of, signed_distances, strip, together
from ._fibres import FibreAngles
from ._heart import Heart, describe_heart
from ._outline import Outline
from ._wall import least_wall

PLUG = 15.0  # mm by which a cavity goes on beyond its valves, so that the wall is open there
FINEST, COARSEST = 0.5, 1.0  # mm between samples of the distance; half an edge in between
MARGIN = 6.0  # mm
SMOOTH = 0.7  # samples: creases, over which splines would ring
GAP = 5.0  # mm, the farthest that a rim of the base may lie from the one it joins
CAVITIES = ("lv_endo", "rv_endo")


@dataclasses.dataclass(frozen=True)
class FromSurfaces:
    """A heart and how well it keeps what it was made from. Volumes in mL."""

    heart: Heart
    wall: float
    """Between the surfaces, with what follows."""
    thickened: float
    """Put on the epicardium where the wall was too thin to be meshed."""
    mesh_wall: float


class _Wall(NamedTuple):
    """The wall as closed bodies: inside `outer`, outside `cavities` and `plugs`; and the patches
    that bound it, by name."""

    outer: Patch
    cavities: list[Patch]
    plugs: list[Patch]
    sides: dict[str, list[Patch]]
    rims: Float[np.ndarray, "nodes 3"]
    """Of valves, where epicardium and endocardium may meet: there is base."""


def heart_from_surfaces(
    patches: Mapping[str, Patch],
    edge: float,
    angles: FibreAngles | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> FromSurfaces:
    """A heart of tetrahedra with edges of about `edge` [mm] between surfaces in one frame, mm.

    `patches` are epi, lv_endo and, for both ventricles, rv_endo. With a patch base, whose rims
    meet theirs, they enclose the wall together. Without one each is closed by fans over its
    holes, and cavities go on beyond theirs by 15 mm, so that the wall is open at the valves.
    ValueError names the patch that is missing, or does not close. `stage` is told what begins.
    """
    stage("distances")
    for name in ("epi", "lv_endo"):
        if name not in patches:
            raise ValueError(f"surfaces: {name} is missing; wanted epi, lv_endo and rv_endo.")
    wall = _enclosed(patches) if "base" in patches else _capped(patches)
    step = float(np.clip(edge / 2, FINEST, COARSEST))
    points = np.concatenate([patch.points for patch in patches.values()])
    low, high = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN
    n = np.ceil((high - low) / step).astype(int) + 1
    shape = (int(n[0]), int(n[1]), int(n[2]))
    field, inside, thickened = _field(wall, low, step, shape, least_wall(edge))
    level = Outline(scipy.ndimage.spline_filter(field, 3, mode="nearest"), low, np.full(3, step))
    stage("tetrahedra")
    x, cells = stuff(level, low, high, edge)
    mesh = Mesh(points=x, cells=cells, regions=np.ones(len(cells), np.int32))
    mesh = dataclasses.replace(mesh, node_sets=_sets(mesh, wall, step, 1.5 * edge))
    stage("coordinates and fibres")
    return FromSurfaces(
        heart=describe_heart(mesh, angles),
        wall=inside,
        thickened=thickened,
        mesh_wall=float(signed_volumes(x, cells).sum()) / 1000,
    )


def _field(
    wall: _Wall,
    low: Float[np.ndarray, " 3"],
    step: float,
    shape: tuple[int, int, int],
    least: float,
) -> tuple[Float[np.ndarray, "x y z"], float, float]:
    """Distance [mm] inside the wall, made at least so thick around the cavities, its creases
    smoothed; mL of it before that, and mL put on."""

    def distance(body: Patch) -> Float[np.ndarray, "x y z"]:
        return signed_distances(body, low, step, shape)

    outer, cavities = distance(wall.outer), [distance(body) for body in wall.cavities]
    grown = np.max([outer, *(cavity + least for cavity in cavities)], axis=0)
    out = np.max([np.full(shape, -np.inf), *cavities, *map(distance, wall.plugs)], axis=0)
    thin = float(((grown > 0) & (outer <= 0) & (out < 0)).sum()) * step**3 / 1000
    field = np.minimum(grown, -out)
    inside = float((field > 0).sum()) * step**3 / 1000
    return scipy.ndimage.gaussian_filter(field, SMOOTH), inside, thin


def _enclosed(patches: Mapping[str, Patch]) -> _Wall:
    """One body of all patches, each rim of the base stitched to the nearest of another."""
    base = patches["base"]
    free = [
        patch.points[loop]
        for name, patch in patches.items()
        if name != "base"
        for loop in _rims(name, patch)
    ]
    own = [base.points[loop] for loop in _rims("base", base)]
    if len(own) != len(free):
        raise ValueError(
            f"surfaces: base has {len(own)} rims and the others {len(free)}; wanted one for each."
        )
    seams = []
    for rim in own:
        apart = [float(cKDTree(rim).query(other)[0].max()) for other in free]
        k = int(np.argmin(apart))
        if apart[k] > GAP:
            raise ValueError(
                f"surfaces: a rim of base lies {apart[k]:.1f} mm from the nearest of the others; "
                "wanted patches that meet, or no base."
            )
        seams.append(strip(rim, free.pop(k)))
    whole = together(*patches.values(), *seams)
    sides = {name: [patch] for name, patch in patches.items()}
    return _Wall(whole, [], [], sides, np.zeros((0, 3)))


def _capped(patches: Mapping[str, Patch]) -> _Wall:
    """Each patch closed for itself, and plugs over the holes of cavities."""
    outer, lids = closed(patches["epi"], _rims("epi", patches["epi"]))
    cavities, plugs, holes = [], [], []
    sides: dict[str, list[Patch]] = {"epi": [patches["epi"]], "base": lids}
    for name in CAVITIES:
        if name in patches:
            body, fans = closed(patches[name], _rims(name, patches[name]))
            cavities.append(body)
            sides[name] = [patches[name]]
            holes += fans
            for fan in fans:
                stopper, sleeve = plug(fan, patches[name].points.mean(axis=0), PLUG)
                plugs.append(stopper)
                sides["base"].append(sleeve)
    rims = np.concatenate([np.zeros((0, 3)), *(fan.points[:-1] for fan in holes)])
    return _Wall(outer, cavities, plugs, sides, rims)


def _rims(name: str, patch: Patch) -> list[Int[np.ndarray, " _loop"]]:
    """As `Patch.rims`; ValueError names the patch."""
    try:
        return patch.rims()
    except ValueError as fault:
        raise ValueError(f"surfaces: {name} does not close: {fault}.") from None


def _sets(mesh: Mesh, wall: _Wall, step: float, beside: float) -> dict[str, AnyArray]:
    """Boundary nodes by the side that each face lies nearest to; `beside` a rim [mm] it is base."""
    faces = boundary_triangles(mesh)
    middle = np.asarray(mesh.points)[faces].mean(axis=1)
    # samples of flat lids share a coordinate, which balancing a tree is slow at
    trees = [
        cKDTree(np.concatenate([samples_of(part, step) for part in parts]), balanced_tree=False)
        for parts in wall.sides.values()
    ]
    away = [tree.query(middle)[0] for tree in trees]
    owner = np.argmin(away, axis=0)
    if len(wall.rims):
        at_rim = cKDTree(wall.rims).query(middle)[0] < beside
        owner[at_rim] = list(wall.sides).index("base")
    return {
        name: np.unique(faces[owner == k]).astype(np.int32) for k, name in enumerate(wall.sides)
    }
