"""From contours on file to a heart, and the numbers that say how well."""

from collections.abc import Callable
from pathlib import Path

from heartsim.anatomy import FibreAngles, FromContours, heart_from_contours, read_guide_points
from heartsim.mesh import Mesh

from ._anatomy import heart_rows
from ._check import mesh_rows, require_edge
from ._read import absolute, read_toml, validated
from ._rows import THICKENED, Rows, row
from ._section import NotNegative, Section

WITHIN = "volume in the mesh, up to the base plane"


class ContourFile(Section):
    """Guide points; the path is relative to the file that names them."""

    file: str
    frame: int | None = None
    """Which phase, where the file has several."""
    rv_wall_mm: NotNegative = 3.0
    """Grown around the right cavity where its epicardium was not drawn."""
    align: bool = True
    """Move slices back that lie beside the others."""


class ContoursFile(Section):
    """contours.toml."""

    contours: ContourFile


def mesh_from_contours(
    path: str | Path,
    edge: float,
    stage: Callable[[str], None] = lambda _: None,
    angles: FibreAngles | None = None,
) -> tuple[Mesh, Rows]:
    """The heart within contours that a TOML file names, with edges of about `edge` [mm], and what
    was measured; `stage` is told what begins. ValueError or FileNotFoundError names file, line or
    key, and what was wanted."""
    require_edge(edge)
    path = Path(path)
    told = validated(ContoursFile, read_toml(path, "contours"), path.name).contours
    guide = read_guide_points(absolute(told.file, path.resolve().parent), told.frame)
    made = heart_from_contours(guide, edge, angles, told.rv_wall_mm, told.align, stage)
    mesh = made.heart.mesh
    return mesh, mesh_rows(mesh) | contour_rows(made) | heart_rows(made.heart)


def contour_rows(made: FromContours) -> Rows:
    """What is within the contours, and how near the mesh comes to them."""
    rows = {
        "lv_cavity_mL": row(made.lv_cavity, "mL", WITHIN),
        "lv_myocardium_mL": row(made.lv_myocardium, "mL", WITHIN),
    }
    if made.rv_cavity is not None:
        rows["rv_cavity_mL"] = row(made.rv_cavity, "mL", WITHIN)
    for name, off in made.off.items():
        rows[f"{name}_off_mm"] = row(
            off, "mm", "mean distance of its contours, moved back, from the mesh's surface"
        )
    rows["slices_moved_mm"] = row(
        made.moved_mm, "mm", "farthest that a slice was moved to lie in line with the others"
    )
    for valve, middle in made.valves.items():
        rows[f"{valve}_drawn_mm"] = row(
            middle.round(2).tolist(), "mm", "mean of the points drawn on that valve, moved back"
        )
    return rows | {"thickened_mL": row(made.thickened, "mL", THICKENED)}
