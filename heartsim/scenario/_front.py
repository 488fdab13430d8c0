"""A run of the eikonal model: arrival times, voltages by a template, leads."""

from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim.mesh import Mesh, submesh
from heartsim.tissue import (
    NEVER,
    Front,
    arrival,
    front,
    repolarise_backwards,
    slowness,
    template_leads,
)
from heartsim.tissue import Template as Shape

from ._checkpoint import Record
from ._front_schema import FastLayer, Template
from ._leads import leads_of
from ._scene import build_mesh, conducting, site_of
from ._schema import Scenario
from ._summary import Times
from ._tissue import Speed, cells_of

_arrival, _template_leads = eqx.filter_jit(arrival), eqx.filter_jit(template_leads)


class FrontScene(NamedTuple):
    """An eikonal run, ready to start."""

    scenario: Scenario
    mesh: Mesh  # as the user sees it, in the order of activation.vtu
    nodes: Int[np.ndarray, " conductive"]  # number in `mesh` of each node of the front
    front: Front
    M: Float[Array, "cells 3 3"]  # ms²/mm²
    start: Float[np.ndarray, " inner"]  # ms
    field: Float[np.ndarray, "electrodes conductive"] | None
    speeds: list[Speed]
    notes: tuple[str, ...]


def build_front(scenario: Scenario, cache: Path | None = None) -> FrontScene:
    """The objects of an eikonal scenario; ValueError names what does not fit the mesh."""
    mesh = build_mesh(scenario)
    inner, nodes = submesh(mesh, conducting(scenario, mesh))
    geometry = front(inner)
    start = start_times(scenario, mesh, nodes, geometry)
    velocity, notes = _velocities(scenario, inner)
    field, flags = leads_of(scenario.ecg, mesh, inner, cache)
    return FrontScene(
        scenario=scenario,
        mesh=mesh,
        nodes=nodes,
        front=geometry,
        M=slowness(inner, *velocity),
        start=start,
        field=field,
        speeds=[],
        notes=tuple(mesh.notes) + flags + notes,
    )


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


def activate(scene: FrontScene) -> tuple[Record, Times]:
    """Activations and leads of the record, and the times on the user's mesh."""
    T = np.asarray(_arrival(scene.front, scene.M, scene.start), float)
    template = template_of(scene.scenario)
    apd = np.asarray(repolarise_backwards(T, template.apd_ms, template.apd_slope), float)
    reached = NEVER / 2 > T
    node = np.flatnonzero(reached)
    node = node[np.argsort(T[node], kind="stable")]
    leads = _leads(scene, template, T, apd)

    def on_mesh(values):
        whole = np.full(scene.mesh.n_nodes, np.nan)
        whole[scene.nodes] = np.where(reached, values, np.nan)
        return whole

    return Record(leads, node, T[node]), Times(on_mesh(T), on_mesh(T + apd), on_mesh(apd))


def template_of(scenario: Scenario) -> Template:
    """The scenario's template, or the default one."""
    return Template() if scenario.template is None else scenario.template


def _leads(scene: FrontScene, template: Template, T, apd) -> np.ndarray:
    sample, duration = scene.scenario.output.sample_ms, scene.scenario.solver.duration_ms
    if scene.field is None:
        return np.empty((0, 0))
    t = sample * (1 + jnp.arange(round(duration / sample)))
    shape = Shape(
        w_up=jnp.asarray(template.upstroke_ms, float),
        w_down=jnp.asarray(template.recovery_ms, float),
    )
    field, T, apd = (jnp.asarray(x, float) for x in (scene.field, T, apd))
    return np.asarray(_template_leads(shape, field, t, T, apd))


def _velocities(scenario: Scenario, mesh: Mesh):
    """Velocity of each cell along fibre, sheet and normal [mm/ms], and what was passed over."""
    bulk = scenario.conduction.velocities or ()  # `require_front` has made sure of them
    velocity = [np.full(mesh.n_cells, v) for v in bulk]
    notes = ["eikonal: [heart] ionic and layers are not used, the template stands in"]
    for number, region in enumerate(scenario.region, start=1):
        cells = cells_of(region, mesh) if region.conductive else np.zeros(mesh.n_cells, bool)
        if region.velocities is not None:
            for along, v in zip(velocity, region.velocities, strict=True):
                along[cells] = v
        if region.ionic is not None or region.scale:
            notes.append(f"eikonal: ionic and scale of [[region]] {number} are not used")
    if scenario.fast_layer is not None:
        cells = _fast_cells(scenario.fast_layer, mesh)
        velocity = [np.where(cells, scenario.fast_layer.velocity_m_s, v) for v in velocity]
    if mesh.frames is None:
        if any(np.ptp([v[c] for v in velocity]) > 0 for c in range(mesh.n_cells)):
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
