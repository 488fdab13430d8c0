"""`heartsim tune-cv`."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from heartsim import units
from heartsim.ionic import RushLarsenStaggered, by_name
from heartsim.mesh import edge_lengths, read_mesh
from heartsim.scenario import row
from heartsim.tissue import Scheme, Strang, tune_velocity

from ._cache import tuning_folder
from ._options import Json
from ._show import show


def tune_cv(
    velocity_m_s: Annotated[list[float], typer.Option(help="Wanted velocity; may be repeated.")],
    mesh: Annotated[Path | None, typer.Option(help="A mesh: its mean edge length counts.")] = None,
    edge_mm: Annotated[float | None, typer.Option(help="An edge length, without a mesh.")] = None,
    ionic: Annotated[str, typer.Option(help="Membrane model.")] = "ten_tusscher_2006_epi",
    dt_ms: Annotated[float, typer.Option(help="Time step.")] = 0.05,
    lumped_mass: Annotated[float, typer.Option(help="Lumped share of the mass matrix.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Monodomain conductivities that give the wanted velocities at a mesh's edge length."""
    edge = _edge(mesh, edge_mm)
    model = by_name(ionic)
    scheme = Scheme(dt_ms, lumped_mass, RushLarsenStaggered(), Strang())
    rows = {"mean_edge_mm": row(edge, "mm", "edge length of the strand")}
    for wanted in velocity_m_s:
        tuned = tune_velocity(model, wanted, edge, scheme, tuning_folder())
        name = f"{wanted:g}"
        sigma = tuned.D * units.CHI * units.C_M
        rows[f"sigma_for_{name}_m_s_mS_mm"] = row(
            sigma, "mS/mm", f"monodomain conductivity for {wanted:g} m/s, with χ and C_m's defaults"
        )
        rows[f"reached_for_{name}_m_s"] = row(
            tuned.velocity, "m/s", "velocity of a plane wave on the strand with that conductivity"
        )
    show(rows, as_json=as_json)


def _edge(mesh: Path | None, edge_mm: float | None) -> float:
    if mesh is not None and edge_mm is None:
        return float(np.mean(edge_lengths(read_mesh(mesh))))
    if mesh is None and edge_mm is not None:
        return edge_mm
    raise ValueError("tune-cv: give either --mesh or --edge-mm.")
