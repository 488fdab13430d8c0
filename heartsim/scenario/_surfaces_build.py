"""From surfaces on file to a heart, and the numbers that say how well."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from heartsim.anatomy import FibreAngles, FromSurfaces, Patch, heart_from_surfaces
from heartsim.mesh import Mesh
from heartsim.units import MM_PER

from ._anatomy import heart_rows
from ._check import mesh_rows, require_edge
from ._read import absolute, read_toml, validated
from ._rows import THICKENED, Rows, row
from ._section import Section

ENDINGS = (".stl", ".ply", ".vtp", ".vtk", ".obj")
SAME = 0.01  # mm, between nodes that are one: triangles in files often have their own corners


class SurfaceFiles(Section):
    """Files of triangles; relative to the file that names them."""

    epi: str | None = None
    lv_endo: str | None = None
    rv_endo: str | None = None
    """Absent: a left ventricle alone."""
    base: str | None = None
    """Joins them at the valves; absent: they are closed by themselves."""
    unit: str = "mm"


class SurfacesFile(Section):
    """surfaces.toml."""

    surfaces: SurfaceFiles


def mesh_from_surfaces(
    path: str | Path,
    edge: float,
    stage: Callable[[str], None] = lambda _: None,
    angles: FibreAngles | None = None,
) -> tuple[Mesh, Rows]:
    """The heart between surfaces that a TOML file names, with edges of about `edge` [mm], and what
    was measured; `stage` is told what begins. ValueError or FileNotFoundError names file or key,
    and what was wanted."""
    require_edge(edge)
    path = Path(path)
    told = validated(SurfacesFile, read_toml(path, "surfaces"), path.name).surfaces
    if told.unit not in MM_PER:
        raise ValueError(f"{path.name}: unit {told.unit!r}: wanted one of {', '.join(MM_PER)}.")
    files = {
        name: Path(absolute(given, path.resolve().parent))
        for name in ("epi", "lv_endo", "rv_endo", "base")
        if (given := getattr(told, name)) is not None
    }
    patches = {name: _patch(file, MM_PER[told.unit]) for name, file in files.items()}
    try:
        made = heart_from_surfaces(patches, edge, angles, stage)
    except ValueError as fault:
        raise ValueError(f"{path.name}: {fault}") from None
    mesh = made.heart.mesh
    return mesh, mesh_rows(mesh) | surface_rows(made) | heart_rows(made.heart)


def surface_rows(made: FromSurfaces) -> Rows:
    """What the surfaces enclose and the mesh holds."""
    return {
        "wall_mL": row(made.mesh_wall, "mL", "muscle in the mesh"),
        "wall_error_percent": row(
            100 * (made.mesh_wall / made.wall - 1),
            "percent",
            "of the mesh against what the surfaces enclose, with what was put on",
        ),
        "thickened_mL": row(made.thickened, "mL", THICKENED),
    }


def _patch(file: Path, mm: float) -> Patch:
    import pyvista

    if file.suffix.lower() not in ENDINGS:
        raise ValueError(f"{file}: wanted triangles, one of {' '.join(ENDINGS)}.")
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist; check the path.")
    read = pyvista.read(file)
    if not isinstance(read, pyvista.PolyData) or not read.n_cells:
        raise ValueError(f"{file}: wanted a surface of triangles.")
    whole = read.triangulate()
    whole.points = np.asarray(whole.points, float) * mm
    clean = whole.clean(tolerance=SAME, absolute=True)
    return Patch(np.asarray(clean.points, float), np.asarray(clean.regular_faces, int))
