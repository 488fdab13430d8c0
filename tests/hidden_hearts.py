"""Hearts with a hidden truth, for fits: leads with noise, and what they were made from."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from heartsim.ecg import SIGMA_IL, SIGMA_IT, default_electrodes, lead_field
from heartsim.fit import Parameters, Problem, leads_of_sources, problem
from heartsim.mesh import Mesh, boundary_triangles
from heartsim.tissue import Sources, tensor


class Hidden(NamedTuple):
    """A problem, and the truth behind its leads."""

    problem: Problem
    truth: Parameters
    activation: np.ndarray  # ms


def blank(mesh: Mesh, electrodes, time, sources: int) -> Problem:
    """A problem whose leads are yet to be made."""
    field = lead_field(mesh, electrodes, tensor(mesh, SIGMA_IL, SIGMA_IT, SIGMA_IT))
    zeros = np.zeros((len(time), 8))
    return problem(mesh, np.asarray(field), time, zeros, np.ones(8), sources=sources)


def hide(mesh: Mesh, truth: Parameters, noise=0.01, *, end=120.0, seed=0, finer=None) -> Hidden:
    """Leads of `truth` on `mesh`, or on `finer`, with noise in parts of their greatest value."""
    electrodes, _ = default_electrodes(mesh)
    time, count = np.arange(0.0, end, 2.0), len(truth.sources.onset)
    own = blank(mesh, electrodes, time, count)
    model = own if finer is None else blank(finer, electrodes, time, count)
    T, leads = (np.asarray(x, float) for x in leads_of_sources(model, truth))
    sd = noise * np.abs(leads).max()
    leads = leads + sd * np.random.default_rng(seed).normal(size=leads.shape)
    given = jnp.asarray(leads, float), jnp.full(8, sd)
    made = eqx.tree_at(lambda p: (p.measured, p.noise), own, given)
    return Hidden(made, truth, T[: mesh.n_nodes])


def parameters(velocity, position, onset) -> Parameters:
    """Parameters from plain numbers."""
    velocity, position, onset = (
        jnp.asarray(np.asarray(x), float) for x in (velocity, position, onset)
    )
    return Parameters(velocity, Sources(position, onset))


def sites(mesh: Mesh, rng: np.random.Generator, count: int, apart: float) -> np.ndarray:
    """Random points of the endocardial triangles, below the base, at least `apart` [mm]."""
    nodes = [mesh.node_sets[name] for name in ("lv_endo", "rv_endo") if name in mesh.node_sets]
    faces = boundary_triangles(mesh)
    low = np.asarray(mesh.point_data["apicobasal"])[faces].max(axis=1) < 0.85
    faces = faces[np.isin(faces, np.concatenate(nodes)).all(axis=1) & low]
    chosen: list[np.ndarray] = []
    while len(chosen) < count:
        point = rng.dirichlet(np.ones(3)) @ np.asarray(mesh.points)[rng.choice(faces)]
        if all(np.linalg.norm(point - other) > apart for other in chosen):
            chosen.append(point)
    return np.array(chosen)
