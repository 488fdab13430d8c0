"""From labelled voxels to one atrium: a wall grown around its blood, open at valve and veins."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int

from heartsim.mesh import did_you_mean, signed_volumes

from ._atrium import Atrium, wall_of_mesh
from ._image import Image
from ._labels import ISLANDS, require_told_apart
from ._meshed import Meshed, mesh_of_wall
from ._openings import OPENINGS, VALVES, Rim
from ._wall import Wall, grid_of, grown, sampled

FINEST, COARSEST = 0.5, 1.5  # mm between samples of the fields; half an edge in between
THINNEST = 1.5  # edges; thinner walls have holes
MARGIN = 4.0  # mm around the wall
LEAST_OPENING = 12.0  # mm2 of voxels' faces: a vein 4 mm wide; less is a crack
TOUCHING = np.ones((3, 3, 3), bool)


@dataclasses.dataclass(frozen=True)
class AtrialLabels:
    """Which number of an image means what for one atrium; data sets differ, so that none is
    guessed."""

    side: str
    """left or right"""
    cavity: int
    """Its blood."""
    valve: tuple[int, ...]
    """What lies behind its valve: the ventricle's cavity, and leaflets that have a number."""
    veins: tuple[int, ...] = ()
    """Veins whose names are not known: one number for all of them, or several."""
    named: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Veins by the names of `OPENINGS`."""
    wall_mm: float = 2.0
    """Grown outward around the cavity, as hardly any image tells it."""


@dataclasses.dataclass(frozen=True)
class BuiltAtrium:
    """An atrium and what was done for it. Volumes in mL."""

    atrium: Atrium
    """Node sets endo, epi, the valve's, those of named veins, and `veins` of the others; no fields
    and no fibres yet."""
    cavity: float
    """Within the mesh, up to the rims of its openings."""
    image_cavity: float
    """Voxels."""
    wall: float
    removed: int
    """Voxels of islands."""
    filled: int
    """Voxels of holes."""


def build_atrium(
    image: Image, labels: AtrialLabels, edge: float, stage: Callable[[str], None] = lambda _: None
) -> BuiltAtrium:
    """Tetrahedra with edges of about `edge` [mm] of an atrium's wall, in the patient's axes (LPS).

    The wall is what lies within `wall_mm` of the cavity and outside of it, open where voxels of the
    cavity touch those of the valve's number and of veins. `describe_atrium` gives it fields and
    fibres. ValueError, naming the image, where a number is absent or told twice, the cavity is in
    parts, touches the border or no valve, slices are thick or the wall is thinner than 1.5 edges.
    `stage` is told what begins.
    """
    stage("outlines")
    require_known(image, labels, edge)
    image = image.around(image.values == labels.cavity, 2 * labels.wall_mm + MARGIN)
    cavity, removed, filled = cavity_of(image, labels)
    opening, names = openings_behind(image, cavity, labels)
    wall = _wall(image, cavity, opening > 0, labels.wall_mm, edge)
    stage("tetrahedra")
    made = mesh_of_wall(wall, edge, lambda x: x, image.name, _notes(image, labels))
    atrium = named_atrium(made, labels, image.name, nearest_opening(image, opening), names)
    return built_atrium(atrium, made, image, cavity, removed, filled)


def built_atrium(
    atrium: Atrium,
    made: Meshed,
    image: Image,
    cavity: Bool[np.ndarray, "slices rows columns"],
    removed: int,
    filled: int,
) -> BuiltAtrium:
    """An atrium with its volumes, and what `cavity_of` changed."""
    tets = signed_volumes(np.asarray(made.mesh.points), np.asarray(made.mesh.cells))
    return BuiltAtrium(
        atrium=atrium,
        cavity=made.cavities["lv_endo"],
        image_cavity=image.volume(cavity),
        wall=float(tets.sum()) / 1000,
        removed=removed,
        filled=filled,
    )


def _told(labels: AtrialLabels) -> dict[str, tuple[int, ...]]:
    """Numbers of what lies behind each opening."""
    told = {VALVES[labels.side]: labels.valve}
    told |= {name: (number,) for name, number in labels.named.items()}
    return told | ({"veins": labels.veins} if labels.veins else {})


def require_known(image: Image, labels: AtrialLabels, edge: float) -> None:
    """ValueError where side, veins or numbers are unknown, slices thick or the wall too thin."""
    if labels.side not in OPENINGS:
        raise ValueError(f"atrium {labels.side!r} is given; left or right is wanted.")
    veins = [name for name in OPENINGS[labels.side] if name != VALVES[labels.side]]
    for name in labels.named:
        if name not in veins:
            raise ValueError(
                f"vein {name!r} is not known{did_you_mean(name, veins)}; a {labels.side} atrium "
                f"has {', '.join(veins)}."
            )
    if image.thick_slices:
        raise ValueError(
            f"{image.name}: slices of {image.spacing[2]:g} mm do not tell an atrium's shape; "
            "wanted at most 3 mm, or twice the pixels."
        )
    if labels.wall_mm < THINNEST * edge:
        raise ValueError(
            f"{image.name}: a wall of {labels.wall_mm:g} mm has holes at edges of {edge:g} mm; "
            f"give edges of at most {labels.wall_mm / THINNEST:.2g} mm."
        )
    behind = [(name, number) for name, own in _told(labels).items() for number in own]
    require_told_apart(image, [("cavity", labels.cavity), *behind])


def cavity_of(
    image: Image, labels: AtrialLabels
) -> tuple[Bool[np.ndarray, "slices rows columns"], int, int]:
    """The largest part of the atrium's voxels with its holes, and how many voxels that took away
    and added."""
    own = image.values == labels.cavity
    part, _ = scipy.ndimage.label(own, TOUCHING)
    kept = part == 1 + int(np.argmax(np.bincount(part.ravel())[1:]))
    removed = int((own & ~kept).sum())
    if removed > ISLANDS * own.sum():
        raise ValueError(
            f"{image.name}: the atrium is in parts, the largest of {kept.sum()} of {own.sum()} "
            "voxels; wanted one."
        )
    inner = np.zeros(own.shape, bool)
    inner[2:-2, 2:-2, 2:-2] = True
    if kept[~inner].any():
        raise ValueError(
            f"{image.name}: the atrium touches the border of the image, so that a part of it is "
            "missing; give the whole image."
        )
    whole = scipy.ndimage.binary_fill_holes(kept)
    return whole, removed, int((whole & ~kept).sum())


def openings_behind(
    image: Image, cavity: Bool[np.ndarray, "slices rows columns"], labels: AtrialLabels
) -> tuple[Int[np.ndarray, "slices rows columns"], list[str]]:
    """For each voxel the number of the opening that it lies behind, from 1, or 0; and the openings'
    names. Voxels farther from where the labels touch than the wall reaches do not count: there they
    lie beside the atrium."""
    beside = scipy.ndimage.binary_dilation(cavity) & ~cavity
    face = float(np.prod(image.spacing)) ** (2 / 3)
    reach = 2 * labels.wall_mm + float(image.spacing.max())
    found, names = np.zeros(image.values.shape, int), list(_told(labels))
    for k, (name, numbers) in enumerate(_told(labels).items(), start=1):
        own = np.isin(image.values, numbers) & ~cavity
        part, _ = scipy.ndimage.label(own & beside, TOUCHING)
        area = np.bincount(part.ravel(), minlength=2) * face
        area[0] = 0.0
        wide = area >= LEAST_OPENING if name == "veins" else area == area.max()
        if area.max() < LEAST_OPENING:
            raise ValueError(
                f"{image.name}: label {' '.join(map(str, numbers))} ({name}) touches the atrium on "
                f"{area.max():.0f} mm2, {LEAST_OPENING:.0f} are wanted; name what lies behind the "
                "opening without a gap, or leave it out where it is a vein."
            )
        wide[0] = False
        away = scipy.ndimage.distance_transform_edt(~wide[part], sampling=image.spacing[::-1])
        found[own & (away < reach)] = k
    _require_through(image, cavity, found, names, labels.wall_mm)
    return found, names


def _require_through(image: Image, cavity, found, names: list[str], thickness: float) -> None:
    """ValueError where what lies behind an opening is thinner than the wall."""
    depth = scipy.ndimage.distance_transform_edt(~cavity, sampling=image.spacing[::-1])
    for k, name in enumerate(names, start=1):
        if depth[found == k].max() < thickness:
            raise ValueError(
                f"{image.name}: what lies behind {name} ends within the wall; wanted at least "
                f"{thickness:g} mm of it, the ventricle beside a valve's leaflets."
            )


def _wall(
    image: Image,
    cavity: Bool[np.ndarray, "slices rows columns"],
    beyond: Bool[np.ndarray, "slices rows columns"],
    thickness: float,
    edge: float,
) -> Wall:
    """The wall as that of a left ventricle that is open where it touches what lies beyond."""
    places = image.place(np.argwhere(cavity)[:, ::-1] * image.spacing)
    step = float(np.clip(edge / 2, FINEST, COARSEST))
    low, high = (f(places, axis=0) for f in (np.min, np.max))
    low, high = low - thickness - MARGIN, high + thickness + MARGIN
    fields = sampled(image, {"lv": cavity, "beyond": beyond}, grid_of(low, high, step))
    fields["body"] = fields["lv"]
    return grown(fields, low, np.full(3, step), thickness, 0.0, (low, high))


def nearest_opening(
    image: Image, opening: Int[np.ndarray, "slices rows columns"]
) -> Callable[[Float[np.ndarray, "points 3"]], Int[np.ndarray, " points"]]:
    """Which opening lies nearest to points."""
    there = scipy.ndimage.distance_transform_edt(
        opening == 0,
        sampling=image.spacing[::-1],
        return_distances=False,
        return_indices=True,
    )
    number = opening[tuple(there)]
    last = np.array(number.shape) - 1

    def nearest(x: Float[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
        at = np.clip(np.rint(image.voxels(x)).astype(int), 0, last)
        return number[tuple(at.T)]

    return nearest


def named_atrium(
    made: Meshed,
    labels: AtrialLabels,
    source: str,
    nearest: Callable[[Float[np.ndarray, "points 3"]], Int[np.ndarray, " points"]],
    names: list[str],
) -> Atrium:
    """The mesh with its openings as node sets: of a name the longest rim, all others veins."""
    sets = {"endo": made.mesh.node_sets["lv_endo"], "epi": made.mesh.node_sets["epi"]}
    mesh = dataclasses.replace(made.mesh, node_sets=sets, region_names=(("atrium", 1),))
    found: dict[str, Rim] = {}
    others: list[Rim] = []
    for rim in wall_of_mesh(mesh, None)[1]:  # the longest first
        near = nearest(np.asarray(mesh.points)[rim.nodes])
        name = names[int(np.bincount(near).argmax()) - 1]
        if name == "veins" or name in found:
            others.append(rim)
        else:
            found[name] = rim
    if lost := [name for name in names if name not in found and name != "veins"]:
        raise ValueError(
            f"{source}: {' and '.join(lost)} has no rim of its own, too narrow for these edges or "
            "one with its neighbour's; give shorter edges, or both as veins without names."
        )
    told = {name: rim.nodes for name, rim in found.items()}
    if others:
        told["veins"] = np.concatenate([rim.nodes for rim in others])
    return Atrium(dataclasses.replace(mesh, node_sets={**sets, **told}), labels.side, found, others)


def _notes(image: Image, labels: AtrialLabels) -> tuple[str, ...]:
    notes = [
        f"built from {image.name}",
        f"atrial wall: {labels.wall_mm:g} mm, grown around the cavity, not imaged",
    ]
    if not labels.veins and not labels.named:
        notes.append(
            "openings: no vein has a label of its own, so that the wall is closed there; heartsim "
            "anatomy takes their places from --opening NAME=X,Y,Z,RADIUS"
        )
    return tuple(notes)
