"""From unknowns to leads, and from leads to what a search makes small."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from heartsim._types import AnyArray
from heartsim.ecg import LEADS, lead_matrix
from heartsim.mesh import Mesh
from heartsim.tissue import (
    Front,
    Template,
    arrival,
    front,
    slowness,
    source_times,
    template_leads,
)

from ._unknowns import Parameters, Unknowns

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The other four are sums of these and would count them twice."""

PLATEAU = 300.0
"""ms; action potential duration of the template: nothing recovers within a QRS."""

VELOCITY = ((0.3, 1.2), (0.15, 0.8))
"""Bounds of the velocities along and across the fibre, mm/ms; ours, wide around what is used:
0.65 and 0.4 in our scenarios."""

ENDOCARDIUM = ("lv_endo", "rv_endo")


class Problem(eqx.Module):
    """One heart, one QRS, and what is free; a pytree, pass it as an argument."""

    mesh: Mesh
    front: Front
    field: Float[AnyArray, "leads nodes"]  # mV per mV, the independent leads
    time: Float[AnyArray, " frames"]  # ms
    measured: Float[AnyArray, "frames leads"]  # mV
    noise: Float[AnyArray, " leads"]  # mV, standard deviation
    unknowns: Unknowns
    template: Template
    fast: Float[AnyArray, " cells"]  # velocity over that along the fibre, alike in all directions

    def activation(self, parameters: Parameters) -> Float[Array, " nodes"]:
        """Activation times [ms]."""
        M = self.metric(parameters.velocity)
        return arrival(self.front, M, source_times(self.front, M, parameters.sources))

    def metric(self, velocity: Float[AnyArray, " 2"]) -> Float[Array, "cells 3 3"]:
        """M of each cell [ms²/mm²] at these velocities along and across the fibre [mm/ms]."""
        along, across = velocity
        is_fast, layer = self.fast > 0, self.fast * along
        along, across = (jnp.where(is_fast, layer, muscle) for muscle in (along, across))
        return slowness(self.mesh, along, across, across)

    def leads(self, T: Float[Array, " nodes"]) -> Float[Array, "frames leads"]:
        """The independent leads [mV] of an activation."""
        return template_leads(self.template, self.field, self.time, T, PLATEAU)

    def residual(
        self,
        theta: Float[AnyArray, " unknowns"],
        T: Float[Array, " nodes"],
        smooth: Float[AnyArray, "frames frames"],
    ) -> Float[Array, " rows"]:
        """(leads - measured) / noise at activation T, smoothed over time, then the rows of the
        prior. Without smoothing the mean square of the first part is χ²/n."""
        misfit = (self.leads(T) - self.measured) / self.noise
        return jnp.concatenate([(smooth @ misfit).ravel(), self.unknowns.prior(theta)])


def problem(
    mesh: Mesh,
    field: Float[AnyArray, "electrodes nodes"],
    time: Float[AnyArray, " frames"],
    measured: Float[AnyArray, "frames leads"],
    noise: Float[AnyArray, " leads"],
    *,
    sources: int = 3,
    velocity: Sequence[Sequence[float]] = VELOCITY,
    onset: Sequence[float] = (0.0, 40.0),
    template: Template | None = None,
    fast: Float[AnyArray, " cells"] | None = None,
) -> Problem:
    """A fit of `measured` [mV], in the order of `INDEPENDENT`, at times `time` [ms].

    `field` are the nine electrodes' (`ecg.lead_field`), `noise` the standard deviation of each
    lead [mV], `velocity` and `onset` the bounds of the free numbers [mm/ms, ms]. Sources lie on
    the node sets lv_endo and rv_endo. `fast` is 0 in muscle; elsewhere the cell conducts alike in
    all directions, at that multiple of the velocity along the fibre. ValueError where the mesh has
    no such set, no fibres, or numbers do not fit.
    """
    nodes = _endocardium(mesh)
    _require_fit(mesh, time, measured, noise)
    f = front(mesh)
    free = Unknowns(
        velocity=_real(velocity),
        onset=_real(onset),
        surface=_real(np.asarray(mesh.points)[nodes]),
        width=_real(f.spacing),
        sources=sources,
    )
    return Problem(
        mesh=jax.tree.map(jnp.asarray, _bare(mesh)),
        front=jax.tree.map(jnp.asarray, f),
        field=_real(_independent_rows() @ np.asarray(field, np.float64)),
        time=_real(time),
        measured=_real(measured),
        noise=_real(noise),
        unknowns=free,
        template=Template() if template is None else template,
        fast=_real(np.zeros(mesh.n_cells) if fast is None else fast),
    )


def _endocardium(mesh: Mesh):
    """The nodes that sources lie on."""
    sets = [mesh.node_sets[name] for name in ENDOCARDIUM if name in mesh.node_sets]
    if not sets:
        raise ValueError(
            "fit: the mesh has no node set lv_endo or rv_endo, and sources lie on the endocardium; "
            "add one of them."
        )
    return np.unique(np.concatenate([np.asarray(s) for s in sets]))


def _require_fit(mesh: Mesh, time, measured, noise) -> None:
    if mesh.frames is None:
        raise ValueError("fit: the mesh has no fibres, and two velocities are free; add fibres.")
    if np.shape(measured) != (len(time), len(INDEPENDENT)):
        raise ValueError(
            f"fit: measured leads of shape {np.shape(measured)} do not fit {len(time)} times and "
            f"the {len(INDEPENDENT)} leads {', '.join(INDEPENDENT)}."
        )
    if not (np.asarray(noise) > 0).all():
        raise ValueError("fit: the noise of every lead must be greater than 0 mV.")


def to_twelve(leads: Float[AnyArray, "frames leads"]) -> Float[np.ndarray, "frames twelve"]:
    """The twelve leads, in the order of `ecg.LEADS`, from the independent ones."""
    eight = _independent_rows()
    return np.asarray(leads, np.float64) @ (lead_matrix() @ np.linalg.pinv(eight)).T


def _independent_rows() -> Float[np.ndarray, "leads electrodes"]:
    return lead_matrix()[[LEADS.index(name) for name in INDEPENDENT]]


def _real(x) -> Array:
    return jnp.asarray(np.asarray(x), float)


def _bare(mesh: Mesh) -> Mesh:
    """What a program needs of a mesh; names and fields would only make it compile again."""
    return Mesh(mesh.points, mesh.cells, mesh.regions, mesh.frames)


def smoothing(time: Float[AnyArray, " frames"], width: float) -> Float[np.ndarray, "frames frames"]:
    """Rows of Gaussian weights of standard deviation `width` [ms], each of norm one, so that
    white noise keeps its variance; the unit matrix for 0."""
    t = np.asarray(time, float)
    if width == 0:
        return np.eye(len(t))
    weight = np.exp(-0.5 * ((t[:, None] - t) / width) ** 2)
    return weight / np.linalg.norm(weight, axis=1, keepdims=True)


# Few programs hold an eikonal solve, since each takes seconds to compile: `activated` and
# `linear_of`, and what else is done with arrival times stands in programs of its own.


@jax.jit
def activated(problem: Problem, parameters: Parameters) -> Float[Array, " nodes"]:
    """`Problem.activation`, compiled."""
    return problem.activation(parameters)


@jax.jit
def _leads(problem: Problem, T):
    return problem.leads(T)


def leads_of_sources(
    problem: Problem, parameters: Parameters
) -> tuple[Float[Array, " nodes"], Float[Array, "frames leads"]]:
    """Activation [ms] and leads [mV] at given parameters; the measured leads play no part."""
    T = activated(problem, parameters)
    return T, _leads(problem, T)


@jax.jit
def parameters_at(problem: Problem, theta) -> Parameters:
    """`Problem.unknowns` at θ, compiled."""
    return problem.unknowns(theta)


@jax.jit
def _residual(problem: Problem, theta, T, smooth):
    return problem.residual(theta, T, smooth)


def residual_of(problem: Problem, theta, smooth) -> Float[Array, " rows"]:
    """r at θ."""
    T = activated(problem, parameters_at(problem, theta))
    return _residual(problem, theta, T, smooth)


@jax.jit
def linear_of(problem: Problem, theta, smooth):
    """r and Jᵀ: one forward solve, then all tangents together along its rays."""

    def residual(theta):
        return problem.residual(theta, problem.activation(problem.unknowns(theta)), smooth)

    r, push = jax.linearize(residual, theta)
    return r, jax.vmap(push)(jnp.eye(len(theta), dtype=r.dtype))
