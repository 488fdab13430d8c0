"""From the wall as fields to a mesh with surfaces and regions."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, boundary_triangles, conform, stuff

from ._laplace import LV, RV, SEPTUM
from ._surfaces import rim_edges
from ._wall import INFARCT, Wall

CAVITIES = ("lv_endo", "rv_endo")
OWN = ("epi", *CAVITIES)
SPECK = 50  # faces; a surface goes on above the end of the right ventricle by more


class Meshed(NamedTuple):
    """A wall of tetrahedra."""

    mesh: Mesh
    """In the patient; regions, node sets epi, lv_endo, rv_endo, base."""
    x: Float[np.ndarray, "nodes 3"]
    """The same nodes as the wall has them, height along z."""
    cavities: dict[str, float]
    """mL within lv_endo and rv_endo, up to the base plane."""


def mesh_of_wall(
    wall: Wall,
    edge: float,
    place: Callable[[Float[np.ndarray, "points 3"]], Float[np.ndarray, "points 3"]],
    name: str,
    notes: tuple[str, ...] = (),
) -> Meshed:
    """Tetrahedra with edges of about `edge` [mm]; `place` carries points of the wall's frame into
    the patient. ValueError, naming what it was made from, where the wall is open."""
    x, cells = stuff(wall, wall.low, wall.high, edge)
    for label in INFARCT:
        if label in wall.fields:
            x, cells = conform(x, cells, wall.fields[label])
    corners = place(np.vstack([np.zeros(3), np.eye(3)]))
    mirrored = np.linalg.det(corners[1:] - corners[0]) < 0
    mesh = Mesh(
        points=place(x),
        cells=cells[:, [0, 2, 1, 3]] if mirrored else cells,
        regions=wall.regions(x, cells),
        region_names=region_names(wall),
        notes=notes,
    )
    faces = boundary_triangles(dataclasses.replace(mesh, points=x, cells=cells))
    flat = (x[faces][:, :, 2] == wall.high[2]).all(axis=1) | _at_ends(x, faces, wall, edge)
    flat |= at_valves(x, faces, wall, edge)
    sheets = surfaces(x, faces[~flat], wall, name)
    over = {key: x[:, 2] - wall.high[2] for key in CAVITIES}
    if "ended" in wall.fields:
        over["rv_endo"] = np.maximum(over["rv_endo"], wall.fields["ended"](x))
    open_ = "beyond" in wall.fields
    cavities = {
        key: cavity_volume(x, sheets[key]) if open_ else _below(x, sheets[key], over[key])
        for key in CAVITIES
        if key in sheets
    }
    sheets["base"] = faces[flat]
    sets: dict[str, AnyArray] = {
        key: np.unique(own).astype(np.int32) for key, own in sheets.items()
    }
    return Meshed(dataclasses.replace(mesh, node_sets=sets), x, cavities)


def _at_ends(x, faces, wall: Wall, edge: float):
    """Faces where the right ventricle is cut off at the end of its slices, with its rims."""
    if "ended" not in wall.fields:
        return np.zeros(len(faces), bool)
    middle = x[faces].mean(axis=1)
    right = wall.fields["body"](middle) < -0.3 * edge
    return right & (np.abs(wall.past_end(middle)) < 0.6 * edge)


def at_valves(x, faces, wall: Wall, edge: float):
    """Faces where the wall ends at what lies beyond, with its rims."""
    if "beyond" not in wall.fields:
        return np.zeros(len(faces), bool)
    return np.abs(wall.fields["beyond"](x[faces].mean(axis=1))) < 0.6 * edge


def region_names(wall: Wall) -> tuple[tuple[str, int], ...]:
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
    if "beyond" in wall.fields:  # rims are ragged there, and walls as thick as voxels tell
        depth = {k: np.abs(v) for k, v in wall.surfaces(x[faces].mean(axis=1)).items() if k in OWN}
        nearest = np.argmin(list(depth.values()), axis=0)
        return {key: faces[nearest == k] for k, key in enumerate(depth)}
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
    _, edge = np.unique(edges, axis=0, return_inverse=True)
    face = np.repeat(np.arange(len(faces)), 3)
    middle = x[faces].mean(axis=1)
    above = np.zeros(len(faces), bool)  # there the septal side of the right cavity is epicardium
    if "ended" in wall.fields:
        above = wall.fields["ended"](middle) > 0
    meets = sparse.coo_array((np.ones(len(edge)), (face, 2 * edge.reshape(-1) + above[face])))
    part = sparse.csgraph.connected_components(meets.tocsr() @ meets.tocsr().T)[1]
    depth = {key: np.abs(value) for key, value in wall.surfaces(middle).items() if key in OWN}
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
        or_ = ", or open_right = false, which covers the right ventricle"
        closed = or_ if "ended" in wall.fields else ""
        raise ValueError(
            f"{name}: the wall has a hole, so that {' and '.join(missing)} cannot be told from the "
            f"rest; wanted shorter edges or a thicker wall{closed}."
        )
    return sheets


def _below(
    x: Float[np.ndarray, "nodes 3"],
    faces: Int[np.ndarray, "own 3"],
    over: Float[np.ndarray, " nodes"],
) -> float:
    """mL between a sheet and where it is open, by the divergence theorem; `over` [mm] is the height
    of its nodes above that, in their column."""
    a, b, c = (x[faces[:, k]] for k in range(3))
    upward = np.cross(b - a, c - a)[:, 2] / 2
    return float(abs(np.sum(upward * over[faces].mean(axis=1)))) / 1000


def cavity_volume(x: Float[np.ndarray, "nodes 3"], faces: Int[np.ndarray, "own 3"]) -> float:
    """mL within a sheet that is open at several heights, and fans from each of its rims to the
    rim's middle."""
    rim = rim_edges(faces)
    apart = sparse.coo_array((np.ones(len(rim)), rim.T), shape=(len(x), len(x)))
    part = sparse.csgraph.connected_components(apart)[1][rim[:, 0]]
    here, inverse = np.unique(part, return_inverse=True)
    middle = np.stack([x[rim[part == k]].reshape(-1, 3).mean(axis=0) for k in here])
    fans = np.stack([x[rim[:, 1]], x[rim[:, 0]], middle[inverse]], axis=1)
    return float(abs(np.linalg.det(np.concatenate([x[faces], fans])).sum())) / 6000
