"""What a scenario would do, without doing it."""

import time
from pathlib import Path

import jax
import numpy as np

from heartsim.mesh import QUANTILES, Mesh, dihedral_angles, preflight
from heartsim.tissue import (
    NEVER,
    Stimulus,
    begin,
    diffusivity,
    direction_error,
    monodomain_conductivity,
    simulate,
    velocity_errors,
    whole_steps,
)

from ._conduct import scheme_of
from ._front import FrontScene, build_front
from ._read import read_scenario
from ._rows import Rows, row, speed_rows
from ._scene import Scene, build_scene, precision
from ._schema import Scenario
from ._thickening import thickened


def check_scenario(scenario: str | Path | Scenario, *, cache: Path | None = None) -> Rows:
    """What `run_scenario` would meet: mesh, stimuli, velocity errors, memory and time.

    ValueError for whatever would stop the run before its first step.
    """
    scenario = scenario if isinstance(scenario, Scenario) else read_scenario(scenario)
    with precision(scenario):
        if scenario.solver.model == "eikonal":
            return _front_rows(build_front(scenario, cache))
        scene = build_scene(scenario, cache)
        _require_carried(scene)
        rows = mesh_rows(scene.mesh)
        rows["conductive_nodes"] = row(len(scene.nodes), "1", "nodes in regions that conduct")
        touching = [s for s in scene.stimuli if isinstance(s, Stimulus)]
        for number, stimulus in enumerate(touching, start=1):
            rows[f"stimulus_{number}_nodes"] = row(
                int(np.sum(stimulus.site)), "1", "conductive nodes that the stimulus touches"
            )
        rows |= speed_rows(scene.speeds) | _cost(scene)
        if scenario.solver.model == "monodomain":
            rows |= _directions(scene, cache) | _untuned(scene, cache)
        rows["notes"] = row(list(scene.notes), "", "what to know about where things came from")
    return rows


def _require_carried(scene: Scene) -> None:
    """ValueError where a plane wave along fibre, sheet or normal is blocked between nodes."""
    for speed in scene.speeds:
        if speed.error <= -1.0:
            raise ValueError(
                f"{speed.where}: sigma_{speed.direction}_mS_mm = {speed.sigma:g} carries no wave "
                f"on edges of {scene.edge:.2f} mm with dt_ms = {scene.scenario.solver.dt_ms:g}: "
                "it is blocked between nodes; refine the mesh ([heart] refine), or give "
                "velocities, which are tuned to it."
            )


def _front_rows(scene: FrontScene) -> Rows:
    """An eikonal run is so short that only what it starts from is told."""
    rows = mesh_rows(scene.mesh)
    rows["conductive_nodes"] = row(len(scene.nodes), "1", "nodes in regions that conduct")
    rows["start_nodes"] = row(
        int((scene.start < NEVER).sum()), "1", "conductive nodes that the stimuli touch"
    )
    rows["notes"] = row(list(scene.notes), "", "what to know about where things came from")
    return rows


def require_edge(edge: float) -> None:
    """ValueError unless a heart can be meshed with edges of about that [mm]."""
    if not 0.3 <= edge <= 5.0:
        raise ValueError(f"edge {edge:g} mm: wanted 0.3 to 5 mm.")


def mesh_rows(mesh: Mesh) -> Rows:
    """Size, quality, regions and faults of a mesh."""
    report = preflight(mesh)
    names = {tag: name for name, tag in mesh.region_names}
    measure, unit = {1: ("length", "mm"), 2: ("area", "mm2"), 3: ("volume", "mm3")}[report.dim]
    rows = {
        "nodes": row(report.n_nodes, "1", "number of nodes"),
        "cells": row(report.n_cells, "1", "number of lines, triangles or tetrahedra"),
        "box_mm": row(list(report.size_mm), "mm", "sides of the box around the mesh"),
        f"{measure}_{unit}": row(report.volume_mm3, unit, f"{measure} of all cells"),
        "edge_quantiles_mm": row(
            list(report.edge_mm), "mm", "edge lengths: least, 5 %, median, 95 %, greatest"
        ),
        "quality_quantiles": row(
            list(report.quality), "1", "mean ratio, 1 regular and 0 flat, at the same quantiles"
        ),
        **_angle_row(mesh),
        "separate_parts": row(len(report.components), "1", "parts that no edge connects"),
        "fibres": row(mesh.frames is not None, "", "whether the mesh has fibre directions"),
        "node_sets": row(sorted(mesh.node_sets), "", "named groups of nodes"),
        "problems": row(list(report.problems), "", "reasons not to simulate on this mesh"),
        "mesh_notes": row(list(report.notes), "", "what to know about this mesh"),
    }
    for tag, size in report.region_volumes_mm3.items():
        shown = f"region_{tag}_{names[tag]}" if tag in names else f"region_{tag}"
        rows[f"{shown}_{unit}"] = row(size, unit, f"{measure} of this region")
    return rows


def _angle_row(mesh: Mesh) -> Rows:
    """How sharp the corners of tetrahedra are."""
    if mesh.dim != 3:
        return {}
    angles = np.quantile(dihedral_angles(mesh.points, mesh.cells), QUANTILES)
    words = "angles between the faces of cells, 70.5 in a regular one, at the same quantiles"
    return {"dihedral_quantiles_degrees": row(angles.tolist(), "degrees", words)}


def _directions(scene: Scene, cache: Path | None) -> Rows:
    """How much velocity depends on the direction in the mesh."""
    bulk, scheme, rows = scene.scenario.conduction, scheme_of(scene.scenario), {}
    for first in range(0, len(scene.speeds), 3):  # of fibre, sheet and normal
        part, sigmas = scene.speeds[first], [s.sigma for s in scene.speeds[first : first + 3]]
        D = np.asarray(diffusivity(np.array(sigmas), bulk.chi_1_mm, bulk.C_m_uF_mm2))
        front = thickened(scene.model, part.thickening)
        if not any(part.projections.ways[3:]):
            continue  # a cable
        error = direction_error(front, D, part.projections, scheme, cache)
        rows[f"direction_error_{part.where.replace(' ', '_')}_percent"] = row(
            100 * error,
            "percent",
            "the largest error of a plane wave at 45° between two of fibre, sheet and normal, "
            "where v² should be the mean of both squares",
        )
    return rows


def _untuned(scene: Scene, cache: Path | None) -> Rows:
    """The error of a run on this mesh that takes physiological conductivities as they are."""
    ecg, bulk = scene.scenario.ecg, scene.scenario.conduction
    sigmas = {
        "fibre": monodomain_conductivity(ecg.sigma_il_mS_mm, ecg.sigma_el_mS_mm),
        "across": monodomain_conductivity(ecg.sigma_it_mS_mm, ecg.sigma_et_mS_mm),
    }
    across = float(sigmas["across"])
    D = diffusivity(np.array([sigmas["fibre"], across, across]), bulk.chi_1_mm, bulk.C_m_uF_mm2)
    errors = velocity_errors(
        scene.model, np.asarray(D), scene.speeds[0].projections, scheme_of(scene.scenario), cache
    )
    rows = {}
    for (direction, sigma), error in zip(sigmas.items(), errors[:2].tolist(), strict=True):
        rows[f"untuned_velocity_error_{direction}_percent"] = row(
            100 * error,
            "percent",
            f"velocity error on this mesh of a run that does not tune, σ = {sigma:.4g} mS/mm; "
            "-100 where the wave is blocked",
        )
    return rows


def _cost(scene: Scene) -> Rows:
    """Memory of the loop's arrays, and the time of the run from one timed sample."""
    output, solver = scene.scenario.output, scene.scenario.solver
    steps = whole_steps(output.sample_ms, solver.dt_ms, "sample_ms")
    carry = begin(scene.tissue, solver.dt_ms, scene.detector)

    def sample():
        begun = time.perf_counter()
        done, _ = simulate(
            scene.tissue,
            scene.stimuli,
            dt=solver.dt_ms,
            steps=steps,
            sample_every=steps,
            leads=scene.field,
            detector=scene.detector,
            start=carry,
        )
        jax.block_until_ready(done)
        return time.perf_counter() - begun

    sample()  # compiles
    seconds = sample() * solver.duration_ms / output.sample_ms
    arrays = jax.tree.leaves((scene.tissue, scene.stimuli, scene.field, 2 * [carry]))
    size = sum(x.nbytes for x in arrays if hasattr(x, "nbytes"))
    return {
        "memory_MB": row(size / 1e6, "MB", "arrays of the time loop, without the mesh on the host"),
        "time_s": row(seconds, "s", "of the loop here with fixed steps, from its first sample_ms"),
    }
