"""Planar conduction velocity on a one-dimensional strand: what an edge length does to a wave."""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from heartsim._loops import on_processor
from heartsim._memory import pages_go_back
from heartsim.fem import ConjugateGradients, compact
from heartsim.ionic import AbstractIonicModel, AbstractMembraneStep
from heartsim.mesh import cable

from ._events import Detector
from ._monodomain import AbstractSplitting, Monodomain, monodomain
from ._simulate import begin, simulate
from ._stimulus import Stimulus

STEPS = 100  # between two looks
LEAST_MASS = 0.5  # eigenvalue under Jacobi scaling of the consistent mass of lines
PATIENCE = 20.0  # ms without a node that fires
SLOWEST = 0.02  # mm/ms; a wave slower than this is taken for none


class Scheme(NamedTuple):
    """How a run steps: what, beside the edge length, decides its velocity error."""

    dt: float  # ms
    lumped: float
    membrane_step: AbstractMembraneStep
    splitting: AbstractSplitting


@on_processor()
@pages_go_back(collect=False)  # a tuning runs many strands
def strand_velocity(
    ionic: AbstractIonicModel,
    D: float,
    edge: float,
    scheme: Scheme,
    threshold: float = -40.0,
    beside: float | None = None,
) -> float:
    """Velocity [mm/ms = m/s] of a plane wave along a strand of edges `edge` [mm] with
    diffusivity D [mm²/ms]; NaN where no wave travels.

    On a regular mesh a plane wave along an axis sees this strand's mass and stiffness weights.
    One end is stimulated; the velocity is taken between half and 0.85 of 64 edges, or of as many
    times 64 as are 16 mm long.

    Compiling takes 2 s and a strand 0.02, so strands share their program where they can: dt is
    traced, and there are 64 nodes, or 192 of edges so short that these are too few. To share that
    of a strand of edges `beside` [mm] costs three times as long a step.
    """
    segments = _segments(edge)
    nodes = max(_nodes(segments), _nodes(_segments(edge if beside is None else beside)))
    strand, _ = compact(cable((_nodes(segments) - 1) * edge, edge), parts=nodes // 64)
    tissue = _strand(strand, ionic, D, scheme)
    site = strand.points[:, 0] <= max(2.0, 3.01 * edge)
    pulse = Stimulus(site=site, duration=2.0, strength=35.7)
    near, far = segments // 2, int(0.85 * segments)
    detector = Detector(threshold=threshold)
    dt = jnp.asarray(scheme.dt, float)
    carry = begin(tissue, dt, detector)
    patience = max(PATIENCE, edge / SLOWEST)
    while True:
        carry, _ = simulate(
            tissue,
            [pulse],
            dt=dt,
            steps=STEPS,
            sample_every=STEPS,
            detector=detector,
            start=carry,
        )
        times = np.asarray(carry.events.activation.time(scheme.dt), np.float64)
        if np.isfinite(times[far]):
            return float((far - near) * edge / (times[far] - times[near]))
        if float(carry.k) * scheme.dt - np.nanmax(times, initial=0.0) > patience:
            return float("nan")


def _segments(edge: float) -> int:
    return 64 * int(np.ceil(max(1.0, 16.0 / (64 * edge))))


def _nodes(segments: int) -> int:
    """Whole vectors: some strands end one node earlier so, far from where they are read."""
    return 64 if segments == 64 else 192 * int(np.ceil(segments / 192))


def _strand(strand, ionic, D: float, scheme: Scheme) -> Monodomain:
    tissue = monodomain(
        strand,
        jnp.broadcast_to(jnp.asarray(D, float) * jnp.eye(3), (strand.n_cells, 3, 3)),
        ionic,
        lumped=scheme.lumped,
        membrane_step=scheme.membrane_step,
        splitting=scheme.splitting,
        solver=ConjugateGradients(rtol=1e-5),
    )
    # the least of all masses, whatever the lumped share: a static number that differs by share
    # would cost each its own program
    return dataclasses.replace(tissue, mass_floor=LEAST_MASS)
