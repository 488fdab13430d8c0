"""Made-up ventricles of many shapes, as tetrahedra and as the labels of a short-axis stack."""

import dataclasses

import numpy as np
from jaxtyping import Float

from heartsim.mesh import Ellipsoids, Mesh, biventricular_ellipsoid

from ._fibres import FibreAngles
from ._heart import describe_heart
from ._image import Image

MARGIN = 12.0  # mm around the heart in a stack
NUMBERS = {"rv_cavity": 1, "lv_myocardium": 2, "lv_cavity": 3}
"""What the numbers of `short_axis_labels` mean."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of a made-up heart, mm; all of them ours, of no patient."""

    cavity: float = 22.0
    """Radius of the left cavity."""
    length: float = 58.0
    """Its half axis from the widest place to the apex."""
    wall: float = 9.0
    """Left wall beside the cavity; 8/9 of it at the apex."""
    right: float = 36.0
    """Half axis of the right cavity away from the left ventricle."""
    right_wall: float = 5.0

    def ellipsoids(self) -> Ellipsoids:
        """The same as ellipsoids; the right ventricle keeps its place beside the left one."""
        outer = self.cavity + self.wall
        grown = outer / 31.0
        tall = (self.length + 8.0 / 9.0 * self.wall) / 66.0
        centre = (-20.0 * grown, 0.0, 4.0 * tall)
        inner = (self.right, 31.0 * grown, 49.0 * tall)
        width, depth, height = (side + self.right_wall for side in inner)
        return Ellipsoids(
            lv_outer=(outer, outer, self.length + 8.0 / 9.0 * self.wall),
            lv_inner=(self.cavity, self.cavity, self.length),
            rv_centre=centre,
            rv_outer=(width, depth, height),
            rv_inner=inner,
            base=18.0 * tall,
        )


KINDS = {
    "normal": Shape(),
    "dilated": Shape(cavity=30.0, length=66.0, wall=7.5, right=42.0),
    "spherical": Shape(cavity=30.0, length=50.0, wall=8.0, right=42.0),
    "hypertrophic": Shape(cavity=18.0, length=56.0, wall=15.0, right=37.0),
    "right_dilated": Shape(cavity=20.0, length=57.0, wall=9.0, right=46.0, right_wall=6.0),
}
SPREAD = 0.06  # standard deviation of the logarithm of each size among hearts of a kind; ours


def made_up(kind: str = "normal", seed: int | None = None) -> Shape:
    """A shape of a kind, and with a seed one of a population around it. ValueError for a kind
    that is not known."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is not known; there are {', '.join(KINDS)}.")
    if seed is None:
        return KINDS[kind]
    rng = np.random.default_rng(seed)
    sizes = dataclasses.asdict(KINDS[kind])
    return Shape(**{k: float(v * np.exp(SPREAD * rng.normal())) for k, v in sizes.items()})


def synthetic_heart(shape: Shape, edge: float, angles: FibreAngles | None = None) -> Mesh:
    """Its mesh, with edges of about `edge` [mm] and what `describe_heart` finds."""
    sizes = dataclasses.asdict(shape.ellipsoids())
    del sizes["with_rv"]
    return describe_heart(biventricular_ellipsoid(edge, **sizes), angles).mesh


def painted_scar(mesh: Mesh, segments: list[int], depth: float) -> Mesh:
    """The mesh with a region `scar` in these segments, from the endocardium to a `depth` (1:
    through the wall). ValueError for a segment that the heart has not."""
    there = np.unique(mesh.cell_data["segment"])
    if missing := sorted(set(segments) - set(there.tolist())):
        raise ValueError(f"segment {missing[0]} does not exist; there are 1 to {there.max()}.")
    at = np.asarray(mesh.point_data["transmural"])[np.asarray(mesh.cells)].mean(axis=1)
    own = np.isin(mesh.cell_data["segment"], segments) & (at <= depth)
    names = dict(mesh.region_names)
    tag = max(names.values()) + 1
    return dataclasses.replace(
        mesh,
        regions=np.where(own, tag, mesh.regions).astype(np.int32),
        region_names=(*mesh.region_names, ("scar", tag)),
        notes=(*mesh.notes, f"scar: made up, segments {segments} to a depth of {depth:g}"),
    )


def short_axis_labels(
    shape: Shape, spacing: Float[np.ndarray, " 3"], name: str = "made up"
) -> Image:
    """Its labels (`NUMBERS`) as a short-axis stack in the patient's frame, the last slice half a
    slice below the base; of the right ventricle the cavity alone, as segmentations have it."""
    body = shape.ellipsoids()
    low = np.minimum(-np.array(body.lv_outer), np.subtract(body.rv_centre, body.rv_outer)) - MARGIN
    high = np.maximum(body.lv_outer, np.add(body.rv_centre, body.rv_outer)) + MARGIN
    levels = int(np.ceil((body.base - low[2]) / spacing[2]))
    size = np.array([*np.ceil((high - low)[:2] / spacing[:2]), levels + 1]).astype(int)
    low[2] = body.base - (levels - 0.5) * spacing[2]
    k, j, i = np.indices(tuple(size[::-1].tolist()))
    x = low + np.stack([i, j, k], axis=-1).reshape(-1, 3) * spacing
    inside = {key: -value > 0 for key, value in body.surfaces(x).items()}
    muscle = body.left(x)[0] > 0
    values = np.where(muscle, 2, np.where(inside["rv_endo"], 1, 0))
    values = np.where(inside["lv_endo"], 3, values)
    values[x[:, 2] > body.base] = 0
    ends = body.in_patient(np.vstack([low, low + np.eye(3)]))
    return Image(
        values.reshape(size[::-1]).astype(np.int32),
        np.asarray(spacing, float),
        (ends[1:] - ends[0]).T,
        ends[0],
        name,
    )
