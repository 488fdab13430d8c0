"""From a segmentation on file to a heart, and the numbers that say how well."""

from collections.abc import Callable
from pathlib import Path

from heartsim.anatomy import (
    Built,
    FibreAngles,
    Labels,
    OutflowAngles,
    build_ventricles,
    build_whole,
    read_labels,
)
from heartsim.mesh import Mesh

from ._anatomy import heart_rows
from ._atrium_build import mesh_of_atrium
from ._check import mesh_rows, require_edge
from ._labels_schema import LabelsFile
from ._read import read_toml, validated
from ._rows import THICKENED, Rows, row
from ._whole_build import atrial_labels, openings_of, whole_rows

DONE = (
    (
        "apex_closing_mL",
        "apex_closing",
        "mL",
        "myocardium put below the last slice, where the cavity was open",
    ),
    ("thickened_mL", "thickened", "mL", THICKENED),
    (
        "rv_roof_cm2",
        "right_roof",
        "cm2",
        "right cavity in a stack, from its widest slice on, over which the next has no label, and "
        "which is not open: muscle covers it",
    ),
    (
        "rv_opened_cm2",
        "right_opened",
        "cm2",
        "of the same, what is open, as it ends in a part into which a disc of 10 mm fits, as at a "
        "valve",
    ),
    (
        "slices_moved_mm",
        "moved_mm",
        "mm",
        "farthest that a slice was moved to lie in line with the others",
    ),
    ("islands_removed", "removed", "1", "voxels apart from the largest part"),
    ("holes_filled", "filled", "1", "voxels enclosed within a slice"),
)
"""Rows of what was done for a heart, each a field of `Built`."""


def mesh_from_image(
    image: str | Path,
    labels: str | Path,
    edge: float,
    frame: int | None = None,
    stage: Callable[[str], None] = lambda _: None,
    angles: FibreAngles | OutflowAngles | None = None,
) -> tuple[Mesh, Rows]:
    """The heart of a segmentation, with edges of about `edge` [mm], and what was measured.

    `labels` is a TOML file that names the segmentation's numbers: those of the ventricles (labels),
    with the atria in one mesh where it says so (atria), or of one atrium (atrium), whose mesh has
    no fibres yet. `frame` picks one of a series,
    `stage` is told what begins, `angles` are of the ventricles' fibres (`describe_heart`).
    ValueError or FileNotFoundError names file, key or label, and what was wanted.
    """
    require_edge(edge)
    labels = Path(labels)
    data = read_toml(labels, "labels")
    if "atrium" in data:
        if angles not in (None, FibreAngles()):
            raise ValueError(
                f"{labels.name}: [atrium] has no fibres yet, so that rule and angles are for "
                "ventricles; leave them out, and call heartsim anatomy --atrium on what is built."
            )
        return mesh_of_atrium(read_labels(image, frame), labels, edge, stage)
    file = validated(LabelsFile, data, labels.name)
    told = _labels(file)
    if file.atria is None:
        built = build_ventricles(read_labels(image, frame), told, edge, angles, stage)
        return built.mesh, mesh_rows(built.mesh) | build_rows(built) | heart_rows(built.heart)
    atria = atrial_labels(file.atria, told, labels.name)
    openings = openings_of(file.atria)
    whole = build_whole(read_labels(image, frame), told, atria, edge, angles, openings, stage)
    below = build_rows(whole.ventricles) | heart_rows(whole.ventricles.heart)
    return whole.mesh, mesh_rows(whole.mesh) | below | whole_rows(whole)


def _labels(told: LabelsFile) -> Labels:
    """What a file says the numbers mean."""
    numbers = told.labels
    return Labels(
        lv_cavity=numbers.lv_cavity,
        lv_myocardium=numbers.lv_myocardium,
        rv_cavity=numbers.rv_cavity,
        rv_myocardium=numbers.rv_myocardium,
        scar=numbers.scar,
        no_reflow=numbers.no_reflow,
        left_atrium=numbers.left_atrium,
        aorta=numbers.aorta,
        right_atrium=numbers.right_atrium,
        pulmonary_artery=numbers.pulmonary_artery,
        beyond=tuple(numbers.beyond),
        rv_wall_mm=told.rv_wall.thickness_mm,
        align_slices=told.slices.align,
        open_right=told.slices.open_right,
    )


def build_rows(built: Built) -> Rows:
    """What the image held and the mesh holds."""
    rows: Rows = {}
    for name, image in built.image_volumes.items():
        rows[f"{name}_mL"] = row(
            built.mesh_volumes[name], "mL", "volume in the mesh, up to the base plane"
        )
        rows[f"{name}_image_mL"] = row(
            image,
            "mL",
            "its voxels in the slices up to the base plane, each as thick as their distance",
        )
        rows[f"{name}_error_percent"] = row(
            built.error(name), "percent", "of the mesh, without apex_closing_mL, against the image"
        )
        rows[f"{name}_slice_correction_mL"] = row(
            built.slice_correction[name],
            "mL",
            "in the mesh, put back as slices were moved into line: outlines that lie beside one "
            "another lose it between slices",
        )
        rows[f"{name}_trimmed_mL"] = row(
            built.trimmed[name], "mL", "its voxels above the base plane, which the mesh leaves out"
        )
        rows[f"{name}_whole_mL"] = row(
            built.whole(name),
            "mL",
            "mesh and trimmed voxels together: of the left cavity in two phases, the volumes for "
            "an ejection fraction",
        )
    for name, field, unit, means in DONE:
        rows[name] = row(getattr(built, field), unit, means)
    return rows
