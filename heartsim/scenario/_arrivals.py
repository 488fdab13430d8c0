"""Where fronts start and how fast they travel, for the models that have arrival times."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray
from heartsim.mesh import Mesh
from heartsim.tissue import (
    FootCurrent,
    Front,
    Sources,
    arrival,
    diffusivity,
    monodomain_conductivity,
    require_sources,
    slowness,
    source_times,
    tensor,
)

from ._networks import Paths, paths_of
from ._places import site_of
from ._schema import Pulses, Scenario
from ._tissue import cells_of, fast_cells

_arrival = eqx.filter_jit(arrival)
_source_times = eqx.filter_jit(source_times)


def arrival_times(
    paths: Paths, M: Float[AnyArray, "cells 3 3"], start: Float[AnyArray, " inner"], n: int
) -> Float[Array, " nodes"]:
    """Arrival times [ms] at the `n` nodes of the muscle."""
    return _arrival(paths.front, M, start, paths.delay)[:n]


@eqx.filter_jit
def arrivals_of_many(
    front: Front,
    M: Float[AnyArray, "runs cells 3 3"],
    start: Float[AnyArray, "runs inner"],
    delay: Float[AnyArray, "runs links"] | None,
) -> Float[Array, "runs all"]:
    """Arrival times [ms] of several runs on one front, at the muscle's nodes and the trees'."""
    return jax.vmap(lambda M, start, delay: arrival(front, M, start, delay))(M, start, delay)


def start_times(
    scenario: Scenario,
    mesh: Mesh,
    nodes: Int[np.ndarray, " conductive"],
    paths: Paths,
    M: Float[AnyArray, "cells 3 3"],
) -> Float[np.ndarray, " inner"]:
    """The onset of each node that a stimulus touches, and of the roots of trees, by inner number;
    NEVER elsewhere. A point without radius starts a front there, and reaches the nodes around by
    its velocities `M`."""
    front, start = paths.front, paths.roots.copy()
    for number, pulses in enumerate(scenario.stimulus, start=1):
        if pulses.at.is_point:
            start = np.minimum(start, _from_points(number, pulses, front, M))
            continue
        site = site_of(number, pulses, mesh)
        own = front.place[np.flatnonzero(site[nodes])]
        if not own.size:
            raise ValueError(
                f"[[stimulus]] {number}: at touches no conductive node, all its "
                f"{site.sum()} nodes lie in regions with conductive = false."
            )
        start[own] = np.minimum(start[own], pulses.start_ms)
    return start


def _from_points(number: int, pulses: Pulses, front: Front, M) -> Float[np.ndarray, " inner"]:
    places = np.atleast_2d(np.asarray(pulses.at.point_mm, float))
    sources = Sources(
        *(jnp.asarray(x, float) for x in (places, np.full(len(places), pulses.start_ms)))
    )
    try:
        require_sources(front, sources)
    except ValueError as error:
        raise ValueError(f"[[stimulus]] {number}: at.point_mm: {error}") from None
    return np.asarray(_source_times(front, M, sources), float)


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
        cells = fast_cells(scenario.fast_layer.surfaces, mesh)
        velocity = [np.where(cells, scenario.fast_layer.velocity_m_s, v) for v in velocity]
    if mesh.frames is None and np.ptp(velocity, axis=0).any():
        raise ValueError(
            "[conduction]: the mesh has no fibres, so that velocities along and across them "
            "cannot differ: give three equal ones, or fibres."
        )
    return velocity, tuple(notes)


def foot_current(
    scenario: Scenario, mesh: Mesh, inner: Mesh, nodes: Int[np.ndarray, " real"]
) -> tuple[FootCurrent, tuple[str, ...]]:
    """What fires the membranes of the reaction-eikonal model, and what to tell the user."""
    paths = paths_of(scenario, mesh, inner)
    velocity, notes = velocities(scenario, inner)
    M = slowness(inner, *velocity)
    start = start_times(scenario, mesh, nodes, paths, M)
    T = arrival_times(paths, M, start, inner.n_nodes)
    notes += paths.notes
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
