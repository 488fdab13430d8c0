"""From labelled voxels to one mesh of ventricles and atria, with a ring between that insulates."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from scipy.spatial import cKDTree

from heartsim._types import AnyArray
from heartsim.mesh import (
    Mesh,
    boundary_triangles,
    parts_of,
    submesh,
)

from ._atrium import Atrium, describe_atrium
from ._atrium_build import (
    AtrialLabels,
    BuiltAtrium,
    built_atrium,
    cavity_of,
    named_atrium,
    nearest_opening,
    openings_behind,
    require_known,
)
from ._base_frame import BaseFrame
from ._built import Built
from ._fibres import FibreAngles
from ._image import Image
from ._labels import Labels, Structures, numbers_of, structures, without_gaps
from ._meshed import CAVITIES, Meshed, at_valves, cavity_volume, region_names, surfaces
from ._openings import Opening
from ._outflow import OutflowAngles
from ._surfaces import among
from ._valves import require_named
from ._ventricles import built_of_volume, notes_of
from ._volume import Volume
from ._wall import least_wall
from ._whole_mesh import ANNULUS, ATRIA, VENTRICLES, mesh_of_four
from ._whole_wall import MARGIN, Mask, WholeWall, wall_of_four

UPRIGHT = BaseFrame(np.zeros(3), np.eye(3))
FRAME = "LPS"  # of what is built
SETS = ("endo", "epi", "veins")
"""Node sets of an atrium that begin with its name here."""


@dataclasses.dataclass(frozen=True)
class BuiltWhole:
    """A heart of four chambers and what was done for it."""

    mesh: Mesh
    """Regions of the ventricles, left_atrium, right_atrium, and annulus between; node sets of the
    ventricles and the atria, of which endo, epi and veins begin with the atrium's name; frames.
    Fields at nodes of other parts are nan, cell data there 0."""
    ventricles: Built
    atria: Mapping[str, BuiltAtrium]
    """left, right, each with fields and fibres."""


def build_whole(
    image: Image,
    labels: Labels,
    atria: Sequence[AtrialLabels],
    edge: float,
    angles: FibreAngles | OutflowAngles | None = None,
    openings: Mapping[str, Sequence[Opening]] | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> BuiltWhole:
    """Tetrahedra with edges of about `edge` [mm] of ventricles and atria in one conforming mesh, in
    the patient's axes (LPS).

    The ventricles' muscle is that of the labels, the right wall grown where it has none; atrial
    walls (`build_atrium`) are grown around the atrial blood, outside of the ventricles. Where
    labels of blood lie closer than an atrial wall is thick, but not at an opening, the atrium gives
    way, the right one to the left. Faces between tetrahedra of ventricles and atria lie on the
    ventricles' surface. The layer of atrial tetrahedra that have a node there is the region
    `annulus`, the fibrous ring: without it ventricles and atria share no node. Fibres are those of
    `describe_heart` and `describe_atrium`, which takes `openings` by side. ValueError as there.
    """
    if isinstance(angles, OutflowAngles):
        require_named(image, labels)
    for told in atria:
        require_known(image, told, edge)
    stage("outlines")
    of = _outlined(image, labels, atria, edge)
    image = of.image
    stage("tetrahedra")
    mesh = mesh_of_four(of.wall, edge, (*notes_of(image, labels), *_notes(atria)))
    stage("coordinates and fibres")
    every = np.ones(image.values.shape, bool)
    volume = Volume(of.wall.ventricles, UPRIGHT, of.found, image, every)
    ventricles, nodes = _ventricles(mesh, volume, labels, edge, angles)
    parts, built = {VENTRICLES: (ventricles.mesh, nodes)}, {}
    for told in atria:
        made, nodes = _atrium_wall(mesh, of.wall, told, edge)
        opening, names = of.behind[told.side]
        rims = named_atrium(made, told, image.name, nearest_opening(image, opening), names)
        given = () if openings is None else openings.get(told.side, ())
        atrium = _described(rims.mesh, told.side, given, image.name)
        built[told.side] = built_atrium(atrium, made, image, *of.blood[told.side])
        parts[ATRIA[told.side][1]] = atrium.mesh, nodes
    return BuiltWhole(_joined(mesh, parts), ventricles, built)


class _Outlined(NamedTuple):
    """What an image holds."""

    image: Image
    """The part that is used, valves without gaps."""
    found: Structures
    blood: Mapping[str, tuple[Mask, int, int]]
    behind: Mapping[str, tuple[Int[np.ndarray, "slices rows columns"], list[str]]]
    """As from `cavity_of` and `openings_behind`."""
    wall: WholeWall


def _outlined(
    image: Image, labels: Labels, atria: Sequence[AtrialLabels], edge: float
) -> _Outlined:
    numbers = [*numbers_of(image, labels).values(), *(told.cavity for told in atria)]
    thickest = max(labels.rv_wall_mm, *(told.wall_mm for told in atria))
    image = image.around(np.isin(image.values, numbers), thickest + MARGIN)
    image = without_gaps(image, labels)
    found = structures(image, labels)
    blood = {told.side: cavity_of(image, told) for told in atria}
    behind = {told.side: openings_behind(image, blood[told.side][0], told) for told in atria}
    vessels = [n for n in (labels.aorta, labels.pulmonary_artery) if n is not None]
    wall = wall_of_four(
        image,
        found.masks,
        {t.side: (blood[t.side][0], behind[t.side][0] > 0, t.wall_mm) for t in atria},
        np.isin(image.values, vessels),
        edge,
        least_wall(edge),
        labels.rv_wall_mm,
    )
    return _Outlined(image, found, blood, behind, wall)


def _notes(atria: Sequence[AtrialLabels]) -> tuple[str, str]:
    walls = ", ".join(f"{told.side} {told.wall_mm:g}" for told in atria)
    return (
        f"atrial walls: {walls} mm, grown around the cavities, not imaged",
        "annulus: between atria and ventricles, not imaged; it insulates them where a scenario has "
        '[[region]] tags = ["annulus"], conductive = false',
    )


def _described(mesh: Mesh, side: str, given: Sequence[Opening], source: str) -> Atrium:
    try:
        return describe_atrium(mesh, side, FRAME, given)
    except ValueError as fault:
        raise ValueError(
            f"{source}: {side} atrium: {fault} A labels file says it by [atria.{side}], with veins "
            "= { NAME = NUMBER } or openings = { NAME = [X, Y, Z, RADIUS] }."
        ) from None


def _part(
    mesh: Mesh, region: int
) -> tuple[Mesh, Int[np.ndarray, " nodes"], Int[np.ndarray, "faces 3"], Bool[np.ndarray, " faces"]]:
    """The cells of a region, their nodes in `mesh`, the faces of their boundary, and which of these
    lie on ventricles, atrium and annulus."""
    part, nodes = submesh(mesh, np.asarray(mesh.regions) == region)
    faces = boundary_triangles(part)
    ring, ring_nodes = submesh(mesh, np.asarray(mesh.regions) == ANNULUS[1])
    return part, nodes, faces, among(nodes[faces], ring_nodes[boundary_triangles(ring)])


def _ventricles(
    mesh: Mesh,
    volume: Volume,
    labels: Labels,
    edge: float,
    angles: FibreAngles | OutflowAngles | None,
) -> tuple[Built, Int[np.ndarray, " nodes"]]:
    part, nodes, faces, cut = _part(mesh, VENTRICLES)
    x, cells, wall = np.asarray(part.points), np.asarray(part.cells), volume.wall
    base = cut | at_valves(x, faces, wall, edge)
    sheets = surfaces(x, faces[~base], wall, volume.image.name)
    cavities = {k: cavity_volume(x, sheets[k]) for k in CAVITIES if k in sheets}
    sheets["base"] = faces[base]
    sets: dict[str, AnyArray] = {k: np.unique(own).astype(np.int32) for k, own in sheets.items()}
    part = dataclasses.replace(
        part,
        regions=wall.regions(x, cells),
        region_names=region_names(wall),
        node_sets=sets,
    )
    made = Meshed(part, x, cavities)
    return built_of_volume(volume, made, labels, edge, angles), nodes


def _atrium_wall(
    mesh: Mesh, wall: WholeWall, told: AtrialLabels, edge: float
) -> tuple[Meshed, Int[np.ndarray, " nodes"]]:
    """Node sets as `named_atrium` wants them. The other atrium begins at the epicardium."""
    own, (name, region) = wall.atria[told.side], ATRIA[told.side]
    part, nodes, faces, cut = _part(mesh, region)
    x = np.asarray(part.points)
    open_ = cut | at_valves(x, faces, own, edge)
    inside = np.unique(surfaces(x, faces[~open_], own, name)["lv_endo"])
    open_ &= _hangs_on(faces, open_, inside)
    sheets = surfaces(x, faces[~open_], own, name)
    sets: dict[str, AnyArray] = {k: np.unique(some).astype(np.int32) for k, some in sheets.items()}
    cavity = cavity_volume(x, sheets["lv_endo"])
    return Meshed(dataclasses.replace(part, node_sets=sets), x, {"lv_endo": cavity}), nodes


def _hangs_on(
    faces: Int[np.ndarray, "faces 3"],
    some: Bool[np.ndarray, " faces"],
    nodes: Int[np.ndarray, " some_nodes"],
) -> Bool[np.ndarray, " faces"]:
    """Which of some faces are in a piece that has one of the nodes: where the annulus, apart from
    the valve, is on the outside alone, the wall is not open."""
    part = parts_of(faces[some], int(faces.max()) + 1)
    return some & np.isin(part[faces[:, 0]], part[nodes])


def _joined(mesh: Mesh, parts: Mapping[int, tuple[Mesh, Int[np.ndarray, " nodes"]]]) -> Mesh:
    """The whole with what its parts tell, by region, and the nearest tetrahedron's fibres in the
    annulus."""
    where = np.asarray(mesh.regions)
    regions, frames = where.copy(), np.zeros((mesh.n_cells, 3, 3))
    sets: dict[str, AnyArray] = {}
    at_nodes: dict[str, AnyArray] = {}
    in_cells: dict[str, AnyArray] = {}
    upper, notes = {tag: name for name, tag in ATRIA.values()}, list(mesh.notes)
    for region, (part, nodes) in parts.items():
        own = where == region
        frames[own] = part.frames
        for key, field in part.point_data.items():
            at_nodes.setdefault(key, np.full(mesh.n_nodes, np.nan))[nodes] = field
        for key, field in part.cell_data.items():
            in_cells.setdefault(key, np.zeros(mesh.n_cells, field.dtype))[own] = field
        for key, some in part.node_sets.items():
            name = f"{upper[region]}_{key}" if region in upper and key in SETS else key
            sets[name] = nodes[some].astype(np.int32)
        notes += [note for note in part.notes if note not in notes]
    lower = parts[VENTRICLES][0]
    regions[where == VENTRICLES] = lower.regions
    names = [*lower.region_names, *ATRIA.values(), ANNULUS]
    middle = np.asarray(mesh.points)[np.asarray(mesh.cells)].mean(axis=1)
    ring = where == ANNULUS[1]
    frames[ring] = frames[~ring][cKDTree(middle[~ring]).query(middle[ring])[1]]
    return dataclasses.replace(
        mesh,
        regions=regions,
        region_names=tuple((name, tag) for name, tag in names if (regions == tag).any()),
        frames=frames,
        node_sets=sets,
        point_data=at_nodes,
        cell_data=in_cells,
        notes=tuple(notes),
    )
