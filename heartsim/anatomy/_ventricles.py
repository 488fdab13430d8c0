"""From labelled slices to tetrahedra of the ventricles."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from heartsim.mesh import Mesh, boundary_triangles, stuff

from ._fibres import FibreAngles
from ._heart import Heart, describe_heart
from ._image import Image
from ._laplace import LV, RV, SEPTUM
from ._slices import Labels, Slices
from ._wall import INFARCT, Wall

SPECK = 50  # faces; a surface goes on above the end of the right ventricle by more
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
    flat = (x[faces][:, :, 2] == wall.high[2]).all(axis=1) | _on_roof(x, faces, wall, edge)
    sheets = surfaces(x, faces[~flat], wall, image.name)
    tops = {"rv_endo": min(wall.roof, wall.high[2])}
    volumes = {
        name: _enclosed(x, own, tops.get(name, wall.high[2])) for name, own in sheets.items()
    }
    sets = {name: np.unique(own) for name, own in (sheets | {"base": faces[flat]}).items()}
    mesh = dataclasses.replace(
        mesh,
        node_sets={name: nodes.astype(np.int32) for name, nodes in sets.items()},
        notes=tuple(_notes(slices, wall)),
    )
    stage("coordinates and fibres")
    heart = describe_heart(mesh, angles, septal=RIGHT_AND_FRONT)
    return _judged(heart, slices, wall, x, cells, volumes)


def _on_roof(x, faces, wall: Wall, edge: float):
    """Faces where the right ventricle is cut off at the end of its slices, with its rims."""
    middle = x[faces].mean(axis=1)
    if wall.roof >= wall.high[2]:
        return np.zeros(len(faces), bool)
    level = wall.surfaces(middle)
    right = wall.fields["body"](middle) < -0.3 * edge
    at_roof = np.abs(middle[:, 2] - wall.roof) < 0.6 * edge
    return at_roof & right & (level["roof"] < 0.6 * edge)


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
    middle = x[faces].mean(axis=1)
    above = middle[:, 2] > wall.roof  # there the septal side of the right cavity is epicardium
    meets = sparse.coo_array((np.ones(len(edge)), (face, 2 * edge.reshape(-1) + above[face])))
    part = sparse.csgraph.connected_components(meets.tocsr() @ meets.tocsr().T)[1]
    depth = {key: np.abs(value) for key, value in wall.surfaces(middle).items() if key != "roof"}
    depth["epi"] = np.where(above, np.abs(wall.fields["body"](middle)), depth["epi"])
    sheets: dict[str, Int[np.ndarray, "own 3"]] = {}
    for k in np.argsort(-np.bincount(part), kind="stable"):
        own = part == k
        key = min(depth, key=lambda surface: float(np.median(depth[surface][own])))
        if key not in sheets:
            sheets[key] = faces[own]
        elif above[own].all() and own.sum() > SPECK:
            sheets[key] = np.concatenate([sheets[key], faces[own]])
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
