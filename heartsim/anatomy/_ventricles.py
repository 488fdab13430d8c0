"""From labelled slices to tetrahedra of the ventricles."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from heartsim.mesh import signed_volumes

from ._built import Built
from ._fibres import FibreAngles
from ._heart import Heart, describe_heart
from ._image import Image
from ._labels import Labels
from ._laplace import RV
from ._meshed import Meshed, mesh_of_wall
from ._outflow import OutflowAngles
from ._slices import Slices
from ._stack_wall import StackWall, wall_of_slices
from ._swapped import require_right, swapped_slices
from ._valves import labelled_valves, require_named
from ._volume import Volume, wall_of_volume
from ._wall import INFARCT, least_wall, wall_notes

RIGHT_AND_FRONT = np.array([-1.0, -1.0, 0.0])  # in the patient, where the septum lies of a lone LV


def build_ventricles(
    image: Image,
    labels: Labels,
    edge: float,
    angles: FibreAngles | OutflowAngles | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> Built:
    """A heart of tetrahedra with edges of about `edge` [mm] from a segmentation: regions LV, RV and
    septum, and what `describe_heart` finds.

    The base of a stack of thick slices is cut flat, half a slice above the last slice that has at
    least half of the largest outline; that of voxels thin in all directions at the plane through
    the opening of the left cavity, and where the ventricles touch atria and vessels; those that
    have names tell the valves (`labelled_valves`), which Doste's rule (`OutflowAngles`) asks for.
    ValueError, naming the image, where a label is absent, the heart touches the border or is on
    fewer than three slices, or the left cavity is closed. `stage` is told what begins. A note of
    the mesh that begins with `SWAPPED` names slices of a stack that look swapped.
    """
    if isinstance(angles, OutflowAngles):
        require_named(image, labels)
    stage("outlines")
    least = least_wall(edge)
    if not image.thick_slices:
        volume = wall_of_volume(image, labels, edge, least)
        return _of_volume(volume, image, labels, edge, angles, stage)
    slices = Slices(image, labels)
    swaps = swapped_slices(slices)
    require_right(slices, swaps)
    stack = wall_of_slices(slices, least)
    stage("tetrahedra")
    farthest = float(np.linalg.norm(stack.moved, axis=1).max())
    notes = notes_of(image, labels, farthest) + tuple(swap.note for swap in swaps)
    made = mesh_of_wall(stack.wall, edge, slices.in_patient, image.name, notes)
    stage("coordinates and fibres")
    heart = describe_heart(made.mesh, angles, septal=RIGHT_AND_FRONT)
    return _judged(heart, slices, stack, made)


def _of_volume(
    volume: Volume,
    image: Image,
    labels: Labels,
    edge: float,
    angles: FibreAngles | OutflowAngles | None,
    stage: Callable[[str], None],
) -> Built:
    stage("tetrahedra")
    notes = notes_of(image, labels)
    made = mesh_of_wall(volume.wall, edge, volume.frame.place, image.name, notes)
    stage("coordinates and fibres")
    return built_of_volume(volume, made, labels, edge, angles)


def built_of_volume(
    volume: Volume,
    made: Meshed,
    labels: Labels,
    edge: float,
    angles: FibreAngles | OutflowAngles | None,
) -> Built:
    """The heart of a wall that was made of thin voxels, and what was done for it."""
    sets = {**made.mesh.node_sets, **labelled_valves(made, volume, labels, edge)}
    mesh = dataclasses.replace(made.mesh, node_sets=sets)
    heart = describe_heart(mesh, angles, septal=RIGHT_AND_FRONT)
    masks = {name: mask & volume.below for name, mask in volume.found.masks.items()}
    above = {name: mask & ~volume.below for name, mask in volume.found.masks.items()}
    held = _image_volumes(volume.image, masks)
    return Built(
        heart=heart,
        image_volumes=held,
        mesh_volumes=_mesh_volumes(made, masks),
        slice_correction=dict.fromkeys(held, 0.0),
        apex_closing=0.0,
        thickened=volume.wall.thickened,
        trimmed=_image_volumes(volume.image, above),
        moved_mm=0.0,
        removed=volume.found.removed,
        filled=volume.found.filled,
    )


def notes_of(image: Image, labels: Labels, farthest: float = 0.0) -> tuple[str, ...]:
    """What the mesh says of its wall; `farthest` [mm] is how far slices were moved."""
    grown = labels.rv_cavity is not None and labels.rv_myocardium is None
    return wall_notes(image.name, labels.rv_wall_mm if grown else None, farthest)


def _image_volumes(image: Image, masks: Mapping[str, np.ndarray]) -> dict[str, float]:
    """mL of the structures whose volume is reported."""
    held = {"lv_cavity": image.volume(masks["lv"])}
    held["lv_myocardium"] = image.volume(masks["body"] & ~masks["lv"])
    held |= {name: image.volume(masks[name]) for name in INFARCT if name in masks}
    if "rv" in masks:
        held["rv_cavity"] = image.volume(masks["rv"])
    if "rv_outer" in masks:
        held["rv_myocardium"] = image.volume(masks["rv_outer"] & ~masks["rv"] & ~masks["body"])
    return held


def _mesh_volumes(made: Meshed, masks: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The same in the mesh [mL]."""
    tets = signed_volumes(np.asarray(made.mesh.points), np.asarray(made.mesh.cells)) / 1000
    regions = np.asarray(made.mesh.regions)
    held = {"lv_cavity": made.cavities["lv_endo"]}
    held["lv_myocardium"] = float(tets[regions != RV].sum())
    held |= {
        name: float(tets[regions >= tag].sum())  # no reflow is scar
        for name, tag in INFARCT.items()
        if name in masks
    }
    if "rv" in masks:
        held["rv_cavity"] = made.cavities["rv_endo"]
    if "rv_outer" in masks:
        held["rv_myocardium"] = float(tets[regions == RV].sum())
    return held


def _judged(heart: Heart, slices: Slices, stack: StackWall, made: Meshed) -> Built:
    cells, gained = np.asarray(made.mesh.cells), stack.gained
    tets = signed_volumes(np.asarray(made.mesh.points), cells) / 1000
    low = float(np.flatnonzero(slices.masks["body"].any(axis=(1, 2)))[0]) - 0.5
    under = made.x[cells].mean(axis=1)[:, 2] < low * slices.gap
    closing = float(tets[under & (np.asarray(heart.mesh.regions) != RV)].sum())
    held = _image_volumes(slices.image, slices.masks)
    by_structure = {"lv_cavity": gained["lv"], "lv_myocardium": gained["body"] - gained["lv"]}
    by_structure |= {name: gained[name] for name in INFARCT if name in gained}
    if "rv" in gained:
        by_structure["rv_cavity"] = gained["rv"]
    if "rv_outer" in gained:
        by_structure["rv_myocardium"] = gained["rv_outer"] - gained["rv"]
    return Built(
        heart=heart,
        image_volumes=held,
        mesh_volumes=_mesh_volumes(made, slices.masks),
        slice_correction=by_structure,
        apex_closing=closing if slices.masks["lv"][int(low + 0.5)].any() else 0.0,
        thickened=stack.wall.thickened,
        trimmed=_image_volumes(slices.image, slices.above),
        moved_mm=float(np.linalg.norm(stack.moved, axis=1).max()),
        removed=slices.removed,
        filled=slices.filled,
        right_roof=stack.right.roof if stack.right else 0.0,
        right_opened=stack.right.opened if stack.right else 0.0,
    )
