"""From labelled slices to tetrahedra of the ventricles."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage, sparse

from heartsim.mesh import Mesh, boundary_triangles, stuff

from ._fibres import FibreAngles
from ._heart import Heart, describe_heart
from ._image import Image
from ._laplace import LV, RV, SEPTUM
from ._outline import Outline, distances, misalignment, signed_distance, stacked
from ._slices import Labels, Slices

INFARCT = {"scar": 4, "no_reflow": 5}
LEAST = 2.0  # mm, and 1.5 edges, of the left wall: labels have gaps, through which a cavity leaks

RIGHT_AND_FRONT = np.array([-1.0, -1.0, 0.0])  # in the patient, where the septum lies of a lone LV


@dataclasses.dataclass(frozen=True)
class Built:
    """A heart and what was done for it. Volumes in mL."""

    heart: Heart
    image_volumes: Mapping[str, float]
    """Voxels of the slices that were used, extended by half a slice at each end."""
    mesh_volumes: Mapping[str, float]
    slice_correction: Mapping[str, float]
    """What moving slices back has changed."""
    apex_closing: float
    """Myocardium put below the last slice, where the cavity was open."""
    trimmed: float
    """Voxels above the base plane, which the mesh has not."""
    moved_mm: float
    """Farthest that a slice was moved."""
    removed: int
    """Voxels of islands."""
    filled: int
    """Voxels of holes."""

    @property
    def mesh(self) -> Mesh:
        """The heart's mesh."""
        return self.heart.mesh


class Wall:
    """The surfaces of the ventricles as fields of place, about distances [mm]."""

    def __init__(self, slices: Slices, least: float):
        """`least` [mm] is the wall put around the left cavity where the image has less."""
        labels, masks, pixel = slices.labels, slices.masks, slices.pixel
        moved = misalignment(masks["body"], pixel)
        self.moved = moved if labels.align_slices else np.zeros_like(moved)
        margin = 8.0 + labels.rv_wall_mm
        self.low, self.high = _box(masks, pixel, slices.gap, margin, self.moved)
        self.high[2] = slices.top
        levels = np.arange(self.low[2], slices.top + 2 * pixel.max(), pixel.max())
        cut = [
            slice(max(0, int(lo / p)), int(hi / p) + 2)
            for lo, hi, p in zip(self.low[:2], self.high[:2], pixel, strict=True)
        ]
        corner = np.array([cut[0].start * pixel[0], cut[1].start * pixel[1], levels[0]])
        step = np.array([*pixel, levels[1] - levels[0]])
        fields = self._stacked(slices, levels, cut, self.moved)
        self.gained = _gained(
            fields, self._stacked(slices, levels, cut, 0 * moved), step, levels < slices.top
        )
        around = signed_distance(fields["lv"], step) + least
        fields["body"] = np.maximum(fields["body"], around)
        if "rv" in fields:
            fields["rv"] = np.minimum(fields["rv"], -around)
            fields["rv_outer"] = signed_distance(fields["rv"], step) + labels.rv_wall_mm
        self.fields = {
            name: Outline(ndimage.spline_filter(field, 3, mode="nearest"), corner, step)
            for name, field in fields.items()
        }

    def _stacked(self, slices: Slices, levels, cut, moved):
        """The field of each structure, its slices moved back."""
        z, fields = np.arange(len(moved)) * slices.gap, {}
        for name, mask in slices.masks.items():
            d = _aligned(distances(mask, slices.pixel), moved / slices.pixel)[:, cut[0], cut[1]]
            wall = self._below(slices.masks, d, slices) if name == "body" else 0.0
            fields[name] = np.moveaxis(stacked(d, z, levels, slices.top, wall), 0, 2)
        return fields

    def _below(self, masks, d, slices: Slices) -> float:
        """Wall [mm] that closes the apex under a cavity that reaches the last slice: as thick as
        it is there."""
        first = int(np.flatnonzero(masks["body"].any(axis=(1, 2)))[0])
        if not masks["lv"][first].any():
            return 0.0
        inner = distances(masks["lv"][first : first + 1], slices.pixel).max()
        return float(d[first].max() - inner)

    def outer(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Depth below the epicardium."""
        if "rv" not in self.fields:
            return self.fields["body"](x)
        return np.maximum(self.fields["body"](x), self.fields["rv_outer"](x))

    def surfaces(self, x: Float[np.ndarray, "points 3"]) -> dict[str, Float[np.ndarray, " points"]]:
        """Distance to each surface, positive inside the wall."""
        found = {"epi": self.outer(x), "lv_endo": -self.fields["lv"](x)}
        if "rv" in self.fields:
            found["rv_endo"] = -self.fields["rv"](x)
        return found

    def __call__(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Positive in the wall."""
        return np.min(list(self.surfaces(x).values()), axis=0)

    def regions(self, x: Float[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
        """LV and septum where the left ventricle was labelled, RV in the wall grown around the
        right; septum: where the right cavity is hardly farther than the outline; scar and
        no_reflow where they were labelled."""
        body = self.fields["body"](x)
        found = np.full(len(x), LV)
        if "rv" in self.fields:
            septum = -self.fields["rv"](x) < body + 3.0
            found = np.where(body < 0, RV, np.where(septum, SEPTUM, LV))
        for name, tag in INFARCT.items():
            if name in self.fields:
                found = np.where((found != RV) & (self.fields[name](x) > 0), tag, found)
        return found.astype(np.int32)


def _gained(fields, unmoved, step, below_top) -> dict[str, float]:
    """mL that each structure gained by moving slices back."""

    def volumes(fields):
        per = float(np.prod(step)) / 1000
        inside = {name: (field[..., below_top] > 0) for name, field in fields.items()}
        return {name: float(mask.sum()) * per for name, mask in inside.items()}

    now, then = volumes(fields), volumes(unmoved)
    return {name: now[name] - then[name] for name in now}


def _aligned(d, moved):
    """Each slice moved back by as many pixels."""
    out = np.full_like(d, -np.inf)
    for k in np.flatnonzero(np.isfinite(d[:, 0, 0])):
        out[k] = ndimage.shift(d[k], -moved[k], order=1, mode="nearest")
    return out


def _box(masks, pixel, gap, margin, moved):
    there = np.argwhere(np.any(list(masks.values()), axis=0))
    scale = np.array([gap, *pixel])
    low, high = there.min(axis=0) * scale - margin, there.max(axis=0) * scale + margin
    reach = np.abs(moved).max()
    return (
        np.array([low[1] - reach, low[2] - reach, low[0] - gap]),
        np.array([high[1] + reach, high[2] + reach, high[0]]),
    )


def build_ventricles(
    image: Image,
    labels: Labels,
    edge: float,
    angles: FibreAngles | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> Built:
    """A heart of tetrahedra with edges of about `edge` [mm] from a segmentation: regions LV, RV and
    septum, and what `describe_heart` finds.

    The base is cut flat, half a slice above the last slice that has at least half of the largest
    outline. ValueError, naming the image, where a label is absent, the heart touches the border
    or is on fewer than three slices. `stage` is told what begins.
    """
    stage("outlines")
    slices = Slices(image, labels)
    wall = Wall(slices, max(LEAST, 1.5 * edge))
    stage("tetrahedra")
    x, cells = stuff(wall, wall.low, wall.high, edge)
    mesh = Mesh(
        points=slices.in_patient(x),
        cells=cells if not _mirrored(slices) else cells[:, [0, 2, 1, 3]],
        regions=wall.regions(x[cells].mean(axis=1)),
        region_names=_names(wall),
    )
    faces = boundary_triangles(dataclasses.replace(mesh, points=x, cells=cells))
    flat = (x[faces][:, :, 2] == wall.high[2]).all(axis=1)
    sheets = surfaces(x, faces[~flat], wall, image.name)
    volumes = {name: _enclosed(x, own, wall.high[2]) for name, own in sheets.items()}
    sets = {name: np.unique(own) for name, own in (sheets | {"base": faces[flat]}).items()}
    mesh = dataclasses.replace(
        mesh,
        node_sets={name: nodes.astype(np.int32) for name, nodes in sets.items()},
        notes=tuple(_notes(slices, wall)),
    )
    stage("coordinates and fibres")
    heart = describe_heart(mesh, angles, septal=RIGHT_AND_FRONT)
    return _judged(heart, slices, wall, x, cells, volumes)


def _names(wall: Wall) -> tuple[tuple[str, int], ...]:
    ventricles = (("LV", LV), ("RV", RV), ("septum", SEPTUM))[: 3 if "rv" in wall.fields else 1]
    return (*ventricles, *((name, tag) for name, tag in INFARCT.items() if name in wall.fields))


def surfaces(
    x: Float[np.ndarray, "nodes 3"],
    faces: Int[np.ndarray, "faces 3"],
    wall: Wall,
    name: str,
) -> dict[str, Int[np.ndarray, "own 3"]]:
    """Epicardium and endocardia, each a sheet of faces joined by edges that no other meets but at
    the base. ValueError, naming the image, where the wall is open, so that two of them are one.
    """
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
    _, edge = np.unique(edges, axis=0, return_inverse=True)
    face = np.repeat(np.arange(len(faces)), 3)
    meets = sparse.coo_array((np.ones(len(edge)), (face, edge.reshape(-1)))).tocsr()
    part = sparse.csgraph.connected_components(meets @ meets.T)[1]
    depth = {key: np.abs(value) for key, value in wall.surfaces(x[faces].mean(axis=1)).items()}
    sheets: dict[str, Int[np.ndarray, "own 3"]] = {}
    for k in np.argsort(-np.bincount(part), kind="stable"):
        own = part == k
        key = min(depth, key=lambda surface: float(np.median(depth[surface][own])))
        if key not in sheets:
            sheets[key] = faces[own]
    if missing := [key for key in depth if key not in sheets]:
        raise ValueError(
            f"{name}: the wall has a hole, so that {' and '.join(missing)} cannot be told from the "
            "rest; wanted shorter edges, or a thicker wall."
        )
    return sheets


def _notes(slices: Slices, wall: Wall) -> list[str]:
    notes = [f"built from {slices.image.name}"]
    if slices.labels.rv_cavity is not None:
        notes.append(
            f"right ventricular wall: {slices.labels.rv_wall_mm:g} mm, grown around the cavity, "
            "not imaged"
        )
    if moved := float(np.linalg.norm(wall.moved, axis=1).max()):
        notes.append(f"slices: moved by up to {moved:.1f} mm to lie in line")
    return notes


def _mirrored(slices: Slices) -> bool:
    """Whether rows, columns and height are a left-handed frame in the patient."""
    corners = slices.in_patient(np.vstack([np.zeros(3), np.eye(3)]))
    return bool(np.linalg.det(corners[1:] - corners[0]) < 0)


def _enclosed(x, faces, top: float) -> float:
    """mL between faces and the base plane, by the divergence theorem."""
    a, b, c = (x[faces[:, k]] for k in range(3))
    upward = np.cross(b - a, c - a)[:, 2] / 2
    return float(abs(np.sum(upward * (top - x[faces][:, :, 2].mean(axis=1))))) / 1000


def _judged(heart, slices: Slices, wall: Wall, x, cells, volumes) -> Built:
    corners = x[cells]
    tets = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6000
    low = float(np.flatnonzero(slices.masks["body"].any(axis=(1, 2)))[0]) - 0.5
    under = corners.mean(axis=1)[:, 2] < low * slices.gap
    left = np.asarray(heart.mesh.regions) != RV
    closing = float(tets[under & left].sum())
    closed = slices.masks["lv"][int(low + 0.5)].any()
    image = {"lv_cavity": slices.volume(slices.masks["lv"])}
    image["lv_myocardium"] = slices.volume(slices.masks["body"] & ~slices.masks["lv"])
    found = {"lv_cavity": volumes["lv_endo"], "lv_myocardium": float(tets[left].sum())}
    gained = {"lv_cavity": wall.gained["lv"]}
    gained["lv_myocardium"] = wall.gained["body"] - wall.gained["lv"]
    for name, tag in INFARCT.items():
        if name in slices.masks:
            image[name], gained[name] = slices.volume(slices.masks[name]), wall.gained[name]
            found[name] = float(
                tets[np.asarray(heart.mesh.regions) >= tag].sum()
            )  # no reflow is scar
    if "rv_endo" in volumes:
        gained["rv_cavity"] = wall.gained["rv"]
        image["rv_cavity"] = slices.volume(slices.masks["rv"])
        found["rv_cavity"] = volumes["rv_endo"]
    return Built(
        heart=heart,
        image_volumes=image,
        mesh_volumes=found,
        slice_correction=gained,
        apex_closing=closing if closed else 0.0,
        trimmed=slices.trimmed,
        moved_mm=float(np.linalg.norm(wall.moved, axis=1).max()),
        removed=slices.removed,
        filled=slices.filled,
    )
