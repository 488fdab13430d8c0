"""Is a mesh fit for a simulation? What is wrong, in one sentence each."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from scipy import spatial

from heartsim._types import AnyArray
from heartsim.units import MM_PER

from ._mesh import Mesh
from ._quality import mean_ratio
from ._topology import edge_lengths, parts_of, signed_volumes

FLAT = 1e-3
"""A cell of lower mean ratio is called flat: a regular tetrahedron pressed to about 3e-5 of its
height; no mesh generator leaves one on purpose."""
HEART_MM = (20.0, 250.0)
"""Longest side of the box around a heart, from a small rabbit's ventricles to a dilated human
heart with vessels; ours, so wide that only a wrong unit leaves it."""
QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclasses.dataclass(frozen=True)
class MeshReport:
    """What `preflight` finds. Cell and node numbers count from 0."""

    n_nodes: int
    n_cells: int
    dim: int
    size_mm: tuple[float, float, float]
    """Sides of the box around all nodes."""
    volume_mm3: float
    """Volume, mm³; area in mm² of triangles, length in mm of lines."""
    region_volumes_mm3: dict[int, float]
    edge_mm: tuple[float, ...]
    """Edge lengths at the quantiles 0, 0.05, 0.5, 0.95, 1."""
    quality: tuple[float, ...]
    """Mean ratio (1 regular, 0 flat) at the same quantiles."""
    inverted_cells: Int[np.ndarray, " inverted"]
    flat_cells: Int[np.ndarray, " flat"]
    orphan_nodes: Int[np.ndarray, " orphans"]
    """Nodes that no cell uses."""
    duplicate_nodes: Int[np.ndarray, "pairs 2"]
    """Pairs of nodes at one place (within a millionth of the median edge)."""
    components: tuple[int, ...]
    """Nodes of each connected part, largest first; orphans are no part."""
    bad_fibre_cells: Int[np.ndarray, " bad"]
    """Cells whose frame is not finite."""
    problems: tuple[str, ...]
    """Reasons not to simulate on this mesh."""
    notes: tuple[str, ...]
    """What to know; the mesh's own notes come last."""


def preflight(mesh: Mesh, conductive: Bool[AnyArray, " cells"] | None = None) -> MeshReport:
    """Measure a mesh and judge it; fibres are judged in `conductive` cells (None: in all)."""
    volumes = signed_volumes(mesh.points, mesh.cells)
    quality = mean_ratio(mesh.points, mesh.cells)
    edges = edge_lengths(mesh)
    used = np.zeros(mesh.n_nodes, bool)
    used[np.asarray(mesh.cells)] = True
    facts: dict[str, Any] = dict(
        inverted_cells=np.flatnonzero(quality <= -FLAT),
        flat_cells=np.flatnonzero(np.abs(quality) < FLAT),
        orphan_nodes=np.flatnonzero(~used),
        duplicate_nodes=_duplicates(mesh, float(np.median(edges))),
        components=_components(mesh),
        bad_fibre_cells=_bad_fibres(mesh, conductive),
    )
    points = np.asarray(mesh.points)
    size_x, size_y, size_z = np.ptp(points, axis=0).tolist()
    tags = np.unique(np.asarray(mesh.regions)).tolist()
    return MeshReport(
        n_nodes=mesh.n_nodes,
        n_cells=mesh.n_cells,
        dim=mesh.dim,
        size_mm=(size_x, size_y, size_z),
        volume_mm3=float(volumes.sum()),
        region_volumes_mm3={t: float(volumes[mesh.regions == t].sum()) for t in tags},
        edge_mm=tuple(np.quantile(edges, QUANTILES).tolist()),
        quality=tuple(np.quantile(quality, QUANTILES).tolist()),
        problems=_problems(mesh, **facts),
        notes=_notes(**facts) + mesh.notes,
        **facts,
    )


def require_sound(
    mesh: Mesh, name: str, conductive: Bool[AnyArray, " cells"] | None = None
) -> MeshReport:
    """The report of `preflight`; ValueError with the first problem, after `name` (the file)."""
    if not np.isfinite(np.asarray(mesh.points)).all():
        bad = np.flatnonzero(~np.isfinite(np.asarray(mesh.points)).all(axis=1))
        raise ValueError(f"{name}: node {bad[0]} has a coordinate that is not a number.")
    report = preflight(mesh, conductive)
    if report.problems:
        raise ValueError(f"{name}: {report.problems[0]}")
    return report


def require_heart_size(mesh: Mesh, unit: str, name: str) -> None:
    """ValueError if the mesh, said to be a heart in `unit`, is of a size no heart has; the
    sentence names the likely unit."""
    size = float(np.ptp(np.asarray(mesh.points), axis=0).max())
    if HEART_MM[0] <= size <= HEART_MM[1]:
        return
    in_file = size / MM_PER[unit]
    sizes = {other: in_file * mm for other, mm in MM_PER.items()}
    likely = [other for other, mm in sizes.items() if HEART_MM[0] <= mm <= HEART_MM[1]]
    advice = "no unit that we know makes it a heart"
    if likely:
        best = min(likely, key=lambda other: abs(np.log(sizes[other] / 100.0)))
        advice = f'unit = "{best}" would make it {sizes[best]:.4g} mm'
    raise ValueError(
        f"{name}: the heart would be {size:.4g} mm long in unit {unit!r}, hearts are "
        f"{HEART_MM[0]:g} to {HEART_MM[1]:g} mm; {advice}."
    )


def _duplicates(mesh: Mesh, edge: float) -> Int[np.ndarray, "pairs 2"]:
    tree = spatial.KDTree(np.asarray(mesh.points))
    return np.sort(tree.query_pairs(1e-6 * edge, output_type="ndarray").reshape(-1, 2), axis=0)


def _components(mesh: Mesh) -> tuple[int, ...]:
    sizes = np.bincount(parts_of(mesh.cells, mesh.n_nodes)[np.unique(np.asarray(mesh.cells))])
    return tuple(np.sort(sizes[sizes > 0])[::-1].tolist())


def _bad_fibres(mesh: Mesh, conductive: Bool[AnyArray, " cells"] | None) -> Int[np.ndarray, " bad"]:
    if mesh.frames is None:
        return np.zeros(0, int)
    bad = ~np.isfinite(np.asarray(mesh.frames)).all(axis=(1, 2))
    return np.flatnonzero(bad if conductive is None else bad & np.asarray(conductive))


def _problems(
    mesh: Mesh,
    *,
    inverted_cells: Int[np.ndarray, " inverted"],
    flat_cells: Int[np.ndarray, " flat"],
    orphan_nodes: Int[np.ndarray, " orphans"],
    bad_fibre_cells: Int[np.ndarray, " bad"],
    **_: object,
) -> tuple[str, ...]:
    said = []
    if inverted_cells.size:
        cell = inverted_cells[0]
        said.append(
            f"cell {cell} is inverted (nodes {np.asarray(mesh.cells)[cell].tolist()} have negative "
            f"volume), one of {inverted_cells.size}; repair the mesh or swap two of its nodes."
        )
    if flat_cells.size:
        said.append(
            f"cell {flat_cells[0]} is flat, one of {flat_cells.size}; remove them or mesh anew."
        )
    if orphan_nodes.size:
        said.append(
            f"node {orphan_nodes[0]} belongs to no cell, one of {orphan_nodes.size}; remove "
            "them (keeping regions, keep = [...], does)."
        )
    if bad_fibre_cells.size:
        said.append(
            f"the fibre of cell {bad_fibre_cells[0]} is NaN or zero, one of "
            f"{bad_fibre_cells.size} conductive cells; mend the fibres, drop the region or make "
            "it non-conductive."
        )
    return tuple(said)


def _notes(
    *, components: tuple[int, ...], duplicate_nodes: Int[np.ndarray, "pairs 2"], **_: object
) -> tuple[str, ...]:
    said = []
    if len(components) > 1:
        smaller = ", ".join(map(str, components[1:6])) + (", ..." if len(components) > 6 else "")
        said.append(
            f"components: {len(components)} separate parts (nodes: {components[0]}, {smaller}); a "
            "wave does not cross between them"
        )
    if len(duplicate_nodes):
        i, j = duplicate_nodes[0]
        said.append(
            f"duplicate nodes: {len(duplicate_nodes)} pairs at one place (first: {i} and {j}); "
            "cells that should touch there may not"
        )
    return tuple(said)
