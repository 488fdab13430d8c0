"""All that is known about a heart from its shape: surfaces, chambers, coordinates, fibres."""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh

from ._coordinates import (
    UVC_APEX,
    LongAxis,
    apicobasal,
    harmonic_height,
    long_axis,
    rotational,
    transmural,
)
from ._fibres import FibreAngles, laplace_fibres
from ._landmarks import on_epicardium, with_valves
from ._laplace import LV, RV, SEPTUM, chambers, laplacian, nearness
from ._outflow import OutflowAngles, outflow_fibres, require_valves
from ._segments import segments
from ._surfaces import Surfaces, find_surfaces

REGIONS = (("LV", LV), ("RV", RV), ("septum", SEPTUM))

WALLS = (
    ("lv", "septum", [SEPTUM]),
    ("lv", "free", [LV, RV]),
    ("rv", "septum", [SEPTUM, LV]),
    ("rv", "free", [RV]),
)
"""Chambers whose cells lie below each part of an endocardium."""


@dataclasses.dataclass(frozen=True)
class Heart:
    """A mesh with everything its shape tells, and how it was told."""

    mesh: Mesh
    """Node sets epi, lv_endo, rv_endo, base, apex, insertion_anterior and insertion_inferior; point
    data apicobasal, apicobasal_harmonic, transmural and rotational; cell data chamber and segment;
    frames."""
    surfaces: Surfaces
    axis: LongAxis
    septum: float
    """Angle between the insertions of the right ventricle, at half height [rad]; nan without."""


def describe_heart(
    mesh: Mesh,
    angles: FibreAngles | OutflowAngles | None = None,
    cut: Int[np.ndarray, "cut 3"] | None = None,
    left: Float[np.ndarray, " 3"] | None = None,
    septal: Float[np.ndarray, " 3"] | None = None,
    uvc_apex: float = UVC_APEX,
    landmarks: Mapping[str, Float[np.ndarray, " 3"]] = MappingProxyType({}),
    stage: Callable[[str], None] = lambda _: None,
) -> Heart:
    """Surfaces (`find_surfaces`: `cut`, `left`), ventricular coordinates, segments and fibres of
    ventricles of tetrahedra that are open at the base; fields of the same names are replaced.

    `angles` choose the fibres' rule: Bayer's by `FibreAngles`, or by `OutflowAngles` Doste's, which
    wants the valves as node sets mitral, aortic, tricuspid and pulmonary (`valve_nodes`).
    `septal` says where the septum lies of a left ventricle alone. `uvc_apex` [mm] is the radius
    around the apex where apicobasal_harmonic is 0. `landmarks` [mm] of names in `LANDMARKS` are
    believed: apex, both insertions (which then are one node each, and bound the septum's angle),
    middles of valves (`with_valves`). Where the mesh has one region only, its cells are told apart
    as LV, RV and septum. `stage` is told what begins. ValueError as from `find_surfaces`, for a
    mesh without tetrahedra, for a rule whose valves are missing, and landmarks that lie elsewhere.
    """
    if mesh.dim != 3:
        raise ValueError("anatomy: the mesh has no tetrahedra, so no wall.")
    angles = FibreAngles() if angles is None else angles
    stage("surfaces")
    surfaces = find_surfaces(mesh, cut, left)
    mesh = _valved(mesh, surfaces, landmarks, angles)
    stage("coordinates")
    K = laplacian(mesh)
    near = nearness(K, surfaces)
    chamber = chambers(mesh, near)
    at = on_epicardium(mesh, surfaces, chamber, landmarks)
    axis = long_axis(mesh, surfaces, septal, at)
    height = apicobasal(mesh, K, surfaces, axis.apex)
    depth = transmural(mesh, surfaces, chamber)
    turn, half = rotational(mesh, axis, chamber, height, depth, at)
    segment = segments(mesh, surfaces, chamber, height, turn, half)
    harmonic = harmonic_height(mesh, K, surfaces, axis.apex, uvc_apex)
    fields = {"apicobasal": height, "transmural": depth, "rotational": turn}
    stage("fibres")
    mesh = dataclasses.replace(
        _with_regions(mesh, chamber),
        frames=_frames(mesh, K, near, height, angles),
        node_sets={**mesh.node_sets, **_sets(mesh, surfaces, axis, chamber, turn), **_single(at)},
        point_data={**mesh.point_data, **fields, "apicobasal_harmonic": harmonic},
        cell_data={**mesh.cell_data, "chamber": chamber, "segment": segment},
        notes=_notes(mesh, angles, axis),
    )
    width = 2 * half if "rv_endo" in surfaces.faces or at.keys() - {"apex"} else np.nan
    return Heart(mesh, surfaces, axis, width)


def _valved(mesh: Mesh, surfaces: Surfaces, landmarks, angles) -> Mesh:
    mesh = with_valves(mesh, surfaces, landmarks)
    if isinstance(angles, OutflowAngles):
        require_valves(mesh, surfaces)
    return mesh


def _with_regions(mesh: Mesh, chamber: Int[np.ndarray, " cells"]) -> Mesh:
    """Chambers as regions where there was one region only."""
    if len(np.unique(mesh.regions)) > 1:
        return mesh
    told = [(name, tag) for name, tag in REGIONS if (chamber == tag).any()]
    return dataclasses.replace(mesh, regions=chamber, region_names=tuple(told))


def _frames(mesh, K, near, height, angles) -> np.ndarray:
    if isinstance(angles, OutflowAngles):
        return outflow_fibres(mesh, K, near, height, angles)
    return laplace_fibres(mesh, near, height, angles)


def _sets(mesh, surfaces: Surfaces, axis: LongAxis, chamber, turn) -> dict[str, np.ndarray]:
    sets = {name: surfaces.nodes(name) for name in surfaces.faces}
    away = np.linalg.norm(np.asarray(mesh.points) - axis.apex, axis=1)
    sets["apex"] = np.array([np.argmin(away)], np.int32)
    cells = np.asarray(mesh.cells)
    if "rv_endo" in sets:
        beside = {tag: np.unique(cells[chamber == tag]) for tag in (LV, RV, SEPTUM)}
        for side, part, tags in WALLS:
            own = np.concatenate([beside[tag] for tag in tags])
            own = np.intersect1d(sets[f"{side}_endo"], own)
            sets[f"{side}_endo_{part}"] = own.astype(np.int32)
    seam = np.intersect1d(cells[chamber == RV], cells[chamber != RV])
    seam = np.intersect1d(seam, sets["epi"]).astype(np.int32)
    if seam.size:
        sets["insertion_anterior"] = seam[turn[seam] > 0]
        sets["insertion_inferior"] = seam[turn[seam] <= 0]
    return sets


def _single(at: Mapping[str, int]) -> dict[str, np.ndarray]:
    return {name: np.array([node], np.int32) for name, node in at.items()}


def _notes(mesh: Mesh, angles: FibreAngles | OutflowAngles, axis: LongAxis) -> tuple[str, ...]:
    stale = ("fibres:", "sheets:", "segments:", "regions: none")
    kept = [note for note in mesh.notes if not note.startswith(stale)]
    kept.append(f"fibres: {angles.words}; not measured")
    return (*kept, *([axis.flag] if axis.flag else []))
