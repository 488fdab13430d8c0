"""A run of the eikonal model: arrival times, voltages by a template, leads."""

from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, submesh
from heartsim.tissue import (
    NEVER,
    repolarise_backwards,
    slowness,
    template_leads,
)
from heartsim.tissue import Template as Shape

from ._arrivals import arrival_times, start_times, velocities
from ._checkpoint import Record
from ._conduct import Speed
from ._front_schema import Template
from ._leads import leads_of
from ._networks import Paths, paths_of
from ._scene import build_mesh, conducting, idle
from ._schema import Scenario
from ._summary import Times

_template_leads = eqx.filter_jit(template_leads)

TEMPLATE = "eikonal: [heart] ionic, layers and [[gradient]] are not used, the template stands in"


class FrontScene(NamedTuple):
    """An eikonal run, ready to start."""

    scenario: Scenario
    mesh: Mesh  # as the user sees it, in the order of activation.vtu
    nodes: Int[np.ndarray, " conductive"]  # number in `mesh` of each node of the front
    paths: Paths
    M: Float[Array, "cells 3 3"]  # ms²/mm²
    start: Float[np.ndarray, " inner"]  # ms
    field: Float[np.ndarray, "electrodes conductive"] | None
    speeds: list[Speed]
    notes: tuple[str, ...]


def build_front(scenario: Scenario, cache: Path | None = None) -> FrontScene:
    """The objects of an eikonal scenario; ValueError names what does not fit the mesh."""
    mesh = build_mesh(scenario)
    inner, nodes = submesh(mesh, conducting(scenario, mesh))
    paths = paths_of(scenario, mesh, inner)
    velocity, notes = velocities(scenario, inner)
    M = slowness(inner, *velocity)
    field, flags = leads_of(scenario.ecg, mesh, inner, cache)
    return FrontScene(
        scenario=scenario,
        mesh=mesh,
        nodes=nodes,
        paths=paths,
        M=M,
        start=start_times(scenario, mesh, nodes, paths, M),
        field=field,
        speeds=[],
        notes=tuple(mesh.notes) + flags + notes + paths.notes + idle(scenario, inner) + (TEMPLATE,),
    )


def activate(scene: FrontScene) -> tuple[Record, Times]:
    """Activations and leads of the record, and the times on the user's mesh."""
    return at_times(scene, arrival_times(scene.paths, scene.M, scene.start, len(scene.nodes)))


def at_times(scene: FrontScene, T: Float[AnyArray, " conductive"]) -> tuple[Record, Times]:
    """What `activate` gives, from arrival times [ms]."""
    T = np.asarray(T, float)
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
