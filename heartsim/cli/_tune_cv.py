"""`heartsim tune-cv`."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from heartsim import units
from heartsim.ionic import AbstractIonicModel, RushLarsenStaggered, by_name
from heartsim.mesh import Mesh, edge_lengths, read_mesh
from heartsim.scenario import DIRECTIONS, Rows, row
from heartsim.tissue import Scheme, Strang, projected, tune_velocities, tune_velocity

from ._cache import tuning_folder
from ._options import Json
from ._show import show


def tune_cv(
    velocity_m_s: Annotated[
        list[float],
        typer.Option(
            help="Wanted velocity; may be repeated, with --mesh for fibre, sheet and normal."
        ),
    ],
    mesh: Annotated[Path | None, typer.Option(help="A mesh that the waves run on.")] = None,
    edge_mm: Annotated[float | None, typer.Option(help="An edge length, without a mesh.")] = None,
    ionic: Annotated[str, typer.Option(help="Membrane model.")] = "ten_tusscher_2006_epi",
    dt_ms: Annotated[float, typer.Option(help="Time step.")] = 0.05,
    lumped_mass: Annotated[float, typer.Option(help="Lumped share of the mass matrix.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Monodomain conductivities that give the wanted velocities on a mesh or at an edge length."""
    scheme = Scheme(dt_ms, lumped_mass, RushLarsenStaggered(), Strang())
    model = by_name(ionic)
    if mesh is not None and edge_mm is None:
        rows = _on_mesh(model, read_mesh(mesh), velocity_m_s, scheme)
    elif mesh is None and edge_mm is not None:
        rows = _on_edges(model, edge_mm, velocity_m_s, scheme)
    else:
        raise ValueError("tune-cv: give either --mesh or --edge-mm.")
    show(rows, as_json=as_json)


def _on_mesh(
    model: AbstractIonicModel, mesh: Mesh, velocities: list[float], scheme: Scheme
) -> Rows:
    """Along fibre, sheet and normal; what is not given is as the last that is."""
    if len(velocities) > 3:
        raise ValueError(
            f"tune-cv: {len(velocities)} velocities; with --mesh give up to three: along fibre, "
            "sheet and normal."
        )
    wanted = np.array(velocities + velocities[-1:] * (3 - len(velocities)))
    if mesh.frames is None and np.ptp(wanted):
        raise ValueError("tune-cv: this mesh has no fibres; give one velocity.")
    D, reached = tune_velocities(model, wanted, projected(mesh), scheme, tuning_folder())
    edge = float(np.mean(edge_lengths(mesh)))
    rows = {"mean_edge_mm": row(edge, "mm", "mean length of the mesh's edges")}
    for name, v, own, found in zip(DIRECTIONS, wanted, D, reached, strict=True):
        rows[f"sigma_{name}_mS_mm"] = _sigma(float(v), float(own))
        rows[f"reached_{name}_m_s"] = _reached(float(found), "the mesh's projection")
    return rows


def _on_edges(
    model: AbstractIonicModel, edge: float, velocities: list[float], scheme: Scheme
) -> Rows:
    rows = {"mean_edge_mm": row(edge, "mm", "edge length of the strand")}
    for wanted in velocities:
        tuned = tune_velocity(model, wanted, edge, scheme, tuning_folder())
        rows[f"sigma_for_{wanted:g}_m_s_mS_mm"] = _sigma(wanted, tuned.D)
        rows[f"reached_for_{wanted:g}_m_s"] = _reached(tuned.velocity, "the strand")
    return rows


def _sigma(wanted: float, D: float) -> dict[str, Any]:
    words = f"monodomain conductivity for {wanted:g} m/s, with χ and C_m's defaults"
    return row(D * units.CHI * units.C_M, "mS/mm", words)


def _reached(velocity: float, where: str) -> dict[str, Any]:
    return row(velocity, "m/s", f"velocity of a plane wave on {where} with that conductivity")
