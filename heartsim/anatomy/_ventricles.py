"""From labelled slices to tetrahedra of the ventricles."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from heartsim.mesh import Mesh, signed_volumes

from ._fibres import FibreAngles
from ._heart import Heart, describe_heart
from ._image import Image
from ._laplace import RV
from ._meshed import Meshed, mesh_of_wall
from ._slices import Labels, Slices
from ._stack_wall import StackWall, wall_of_slices
from ._wall import INFARCT

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
    stack = wall_of_slices(slices, max(LEAST, 1.5 * edge))
    stage("tetrahedra")
    made = mesh_of_wall(
        stack.wall, edge, slices.in_patient, image.name, tuple(_notes(slices, stack.moved))
    )
    stage("coordinates and fibres")
    heart = describe_heart(made.mesh, angles, septal=RIGHT_AND_FRONT)
    return _judged(heart, slices, stack, made)


def _notes(slices: Slices, moved) -> list[str]:
    notes = [f"built from {slices.image.name}"]
    if slices.labels.rv_cavity is not None:
        notes.append(
            f"right ventricular wall: {slices.labels.rv_wall_mm:g} mm, grown around the cavity, "
            "not imaged"
        )
    if farthest := float(np.linalg.norm(moved, axis=1).max()):
        notes.append(f"slices: moved by up to {farthest:.1f} mm to lie in line")
    return notes


def _judged(heart, slices: Slices, stack: StackWall, made: Meshed) -> Built:
    cells, volumes = np.asarray(made.mesh.cells), made.cavities
    tets = signed_volumes(np.asarray(made.mesh.points), cells) / 1000
    low = float(np.flatnonzero(slices.masks["body"].any(axis=(1, 2)))[0]) - 0.5
    under = made.x[cells].mean(axis=1)[:, 2] < low * slices.gap
    left = np.asarray(heart.mesh.regions) != RV
    closing = float(tets[under & left].sum())
    closed = slices.masks["lv"][int(low + 0.5)].any()
    image = {"lv_cavity": slices.volume(slices.masks["lv"])}
    image["lv_myocardium"] = slices.volume(slices.masks["body"] & ~slices.masks["lv"])
    found = {"lv_cavity": volumes["lv_endo"], "lv_myocardium": float(tets[left].sum())}
    gained = {"lv_cavity": stack.gained["lv"]}
    gained["lv_myocardium"] = stack.gained["body"] - stack.gained["lv"]
    for name, tag in INFARCT.items():
        if name in slices.masks:
            image[name], gained[name] = slices.volume(slices.masks[name]), stack.gained[name]
            found[name] = float(
                tets[np.asarray(heart.mesh.regions) >= tag].sum()
            )  # no reflow is scar
    if "rv_endo" in volumes:
        gained["rv_cavity"] = stack.gained["rv"]
        image["rv_cavity"] = slices.volume(slices.masks["rv"])
        found["rv_cavity"] = volumes["rv_endo"]
    return Built(
        heart=heart,
        image_volumes=image,
        mesh_volumes=found,
        slice_correction=gained,
        apex_closing=closing if closed else 0.0,
        trimmed=slices.trimmed,
        moved_mm=float(np.linalg.norm(stack.moved, axis=1).max()),
        removed=slices.removed,
        filled=slices.filled,
    )
