"""Where fronts start and how fast they travel, for the models that have arrival times."""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim.mesh import Mesh
from heartsim.tissue import (
    NEVER,
    FootCurrent,
    Front,
    arrival,
    diffusivity,
    front,
    monodomain_conductivity,
    slowness,
    tensor,
)

from ._front_schema import FastLayer
from ._places import site_of
from ._schema import Scenario
from ._tissue import cells_of

arrival_times = eqx.filter_jit(arrival)


def start_times(
    scenario: Scenario, mesh: Mesh, nodes: Int[np.ndarray, " conductive"], front: Front
) -> Float[np.ndarray, " inner"]:
    """The onset of each node that a stimulus touches, by inner number; NEVER elsewhere."""
    start = np.full(len(front.points), NEVER)
    for number, pulses in enumerate(scenario.stimulus, start=1):
        site = site_of(number, pulses, mesh)
        own = front.place[np.flatnonzero(site[nodes])]
        if not own.size:
            raise ValueError(
                f"[[stimulus]] {number}: at touches no conductive node, all its "
                f"{site.sum()} nodes lie in regions with conductive = false."
            )
        start[own] = np.minimum(start[own], pulses.start_ms)
    return start


def velocities(scenario: Scenario, mesh: Mesh):
    """Velocity of each cell along fibre, sheet and normal [mm/ms], and what was passed over."""
    bulk = scenario.conduction.velocities or ()  # `require_front` has made sure of them
    velocity = [np.full(mesh.n_cells, v) for v in bulk]
    notes = []
    for number, region in enumerate(scenario.region, start=1):
        cells = cells_of(region, mesh) if region.conductive else np.zeros(mesh.n_cells, bool)
        if region.velocities is not None:
            for along, v in zip(velocity, region.velocities, strict=True):
                along[cells] = v
        if scenario.solver.model == "eikonal" and (region.ionic is not None or region.scale):
            notes.append(f"eikonal: ionic and scale of [[region]] {number} are not used")
    if scenario.fast_layer is not None:
        cells = _fast_cells(scenario.fast_layer, mesh)
        velocity = [np.where(cells, scenario.fast_layer.velocity_m_s, v) for v in velocity]
    if mesh.frames is None:
        if np.ptp(velocity, axis=0).any():
            raise ValueError(
                "[conduction]: the mesh has no fibres, so that velocities along and across them "
                "cannot differ: give three equal ones, or fibres."
            )
        velocity = 3 * [velocity[0]]
    return velocity, tuple(notes)


def _fast_cells(layer: FastLayer, mesh: Mesh):
    try:
        nodes = np.concatenate([mesh.node_set(name) for name in layer.surfaces])
    except ValueError as error:
        raise ValueError(f"[fast_layer] surfaces: {error}") from None
    return np.isin(np.asarray(mesh.cells), nodes).any(axis=1)


def foot_current(
    scenario: Scenario, mesh: Mesh, inner: Mesh, nodes: Int[np.ndarray, " real"]
) -> tuple[FootCurrent, tuple[str, ...]]:
    """What fires the membranes of the reaction-eikonal model, and what to tell the user."""
    geometry = front(inner)
    velocity, notes = velocities(scenario, inner)
    start = start_times(scenario, mesh, nodes, geometry)
    T = arrival_times(geometry, slowness(inner, *velocity), start)
    notes += ("reaction-eikonal: a membrane activates about 1 ms after its arrival time",)
    return FootCurrent(T), notes


def untuned(scenario: Scenario, mesh: Mesh) -> Float[Array, "cells 3 3"]:
    """The diffusivity [mm²/ms] of the physiological conductivities of [ecg]: here diffusion only
    smooths, and one that is tuned to carry the front would run ahead of it."""
    ecg, bulk = scenario.ecg, scenario.conduction
    along, across = (
        diffusivity(monodomain_conductivity(i, e), bulk.chi_1_mm, bulk.C_m_uF_mm2)
        for i, e in (
            (ecg.sigma_il_mS_mm, ecg.sigma_el_mS_mm),
            (ecg.sigma_it_mS_mm, ecg.sigma_et_mS_mm),
        )
    )
    if mesh.frames is None:
        across = along
    return tensor(mesh, along, across, across)
