"""All that is known about a heart from its shape: surfaces, chambers, coordinates, fibres."""

import dataclasses
from collections.abc import Callable

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
from ._laplace import LV, RV, SEPTUM, chambers, laplacian, nearness
from ._outflow import OutflowAngles, outflow_fibres, require_valves
from ._segments import segments
from ._surfaces import Surfaces, find_surfaces

REGIONS = (("LV", LV), ("RV", RV), ("septum", SEPTUM))


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
    stage: Callable[[str], None] = lambda _: None,
) -> Heart:
    """Surfaces (`find_surfaces`: `cut`, `left`), ventricular coordinates, segments and fibres of
    ventricles of tetrahedra that are open at the base; fields of the same names are replaced.

    `angles` choose the fibres' rule: Bayer's by `FibreAngles`, or by `OutflowAngles` Doste's, which
    wants the valves as node sets mitral, aortic, tricuspid and pulmonary (`valve_nodes`).
    `septal` says where the septum lies of a left ventricle alone. `uvc_apex` [mm] is the radius
    around the apex where apicobasal_harmonic is 0. Where the mesh has one region only, its cells
    are told apart as LV, RV and septum. `stage` is told what begins. ValueError as from
    `find_surfaces`, for a mesh without tetrahedra, and for a rule whose valves are missing.
    """
    if mesh.dim != 3:
        raise ValueError("anatomy: the mesh has no tetrahedra, so no wall.")
    angles = FibreAngles() if angles is None else angles
    stage("surfaces")
    surfaces = find_surfaces(mesh, cut, left)
    if isinstance(angles, OutflowAngles):
        require_valves(mesh, surfaces)
    stage("coordinates")
    K = laplacian(mesh)
    near = nearness(K, surfaces)
    chamber = chambers(mesh, near)
    axis = long_axis(mesh, surfaces, septal)
    height = apicobasal(mesh, K, surfaces, axis.apex)
    depth = transmural(mesh, surfaces, chamber)
    turn, half = rotational(mesh, axis, chamber, height, depth)
    segment = segments(mesh, surfaces, chamber, height, turn, half)
    fields = {"apicobasal": height, "transmural": depth, "rotational": turn}
    fields["apicobasal_harmonic"] = harmonic_height(mesh, K, surfaces, axis.apex, uvc_apex)
    stage("fibres")
    mesh = dataclasses.replace(
        _with_regions(mesh, chamber),
        frames=_frames(mesh, K, near, height, angles),
        node_sets={**mesh.node_sets, **_sets(mesh, surfaces, axis, chamber, turn)},
        point_data={**mesh.point_data, **fields},
        cell_data={**mesh.cell_data, "chamber": chamber, "segment": segment},
        notes=_notes(mesh, angles, axis),
    )
    width = 2 * half if "rv_endo" in surfaces.faces else np.nan
    return Heart(mesh, surfaces, axis, width)


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
        walls = (("lv", "septum", (SEPTUM,)), ("lv", "free", (LV, RV)))
        walls += (("rv", "septum", (SEPTUM, LV)), ("rv", "free", (RV,)))
        for side, part, tags in walls:
            own = np.concatenate([beside[tag] for tag in tags])
            own = np.intersect1d(sets[f"{side}_endo"], own)
            sets[f"{side}_endo_{part}"] = own.astype(np.int32)
    seam = np.intersect1d(cells[chamber == RV], cells[chamber != RV])
    seam = np.intersect1d(seam, sets["epi"]).astype(np.int32)
    if seam.size:
        sets["insertion_anterior"] = seam[turn[seam] > 0]
        sets["insertion_inferior"] = seam[turn[seam] <= 0]
    return sets


def _notes(mesh: Mesh, angles: FibreAngles | OutflowAngles, axis: LongAxis) -> tuple[str, ...]:
    stale = ("fibres:", "sheets:", "segments:", "regions: none")
    kept = [note for note in mesh.notes if not note.startswith(stale)]
    kept.append(f"fibres: {angles.words}; not measured")
    return (*kept, *([axis.flag] if axis.flag else []))
