"""From a TOML file that names surfaces or contours to a heart."""

from collections.abc import Callable
from pathlib import Path

from heartsim.anatomy import FibreAngles, OutflowAngles
from heartsim.mesh import Mesh

from ._contours_build import mesh_from_contours
from ._read import read_toml
from ._rows import Rows
from ._surfaces_build import mesh_from_surfaces


def mesh_from_outlines(
    path: str | Path,
    edge: float,
    stage: Callable[[str], None] = lambda _: None,
    angles: FibreAngles | OutflowAngles | None = None,
) -> tuple[Mesh, Rows]:
    """`mesh_from_contours` where the file has a section [contours], else `mesh_from_surfaces`.
    ValueError for Doste's rule, as these tell no valves."""
    if isinstance(angles, OutflowAngles):
        raise ValueError(
            f"{path}: Doste's rule asks for the valves, which surfaces and contours do not tell "
            "apart; use Bayer's rule."
        )
    told = read_toml(Path(path), "surfaces or contours")
    make = mesh_from_contours if "contours" in told else mesh_from_surfaces
    return make(path, edge, stage, angles)
