"""Planar conduction velocity on a one-dimensional strand: what an edge length does to a wave."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from heartsim._loops import on_processor
from heartsim._memory import pages_go_back
from heartsim.fem import ConjugateGradients
from heartsim.ionic import AbstractIonicModel, AbstractMembraneStep
from heartsim.mesh import cable

from ._events import Detector
from ._monodomain import AbstractSplitting, Monodomain, monodomain
from ._simulate import begin, simulate
from ._stimulus import Stimulus

CHUNK_MS = 10.0
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
) -> float:
    """Velocity [mm/ms = m/s] of a plane wave along a strand of edges `edge` [mm] with
    diffusivity D [mm²/ms]; NaN where no wave travels.

    On a regular mesh a plane wave along an axis sees this strand's mass and stiffness weights.
    One end is stimulated; the velocity is taken between half and 0.85 of the length.
    """
    segments = 64 * int(np.ceil(max(1.0, 16.0 / (64 * edge))))
    strand = cable(segments * edge, edge)
    tissue = _strand(strand, ionic, D, scheme)
    site = strand.points[:, 0] <= max(2.0, 3.01 * edge)
    pulse = Stimulus(site=site, duration=2.0, strength=35.7)
    near, far = segments // 2, int(0.85 * segments)
    detector = Detector(threshold=threshold)
    chunk = round(CHUNK_MS / scheme.dt)
    carry = begin(tissue, scheme.dt, detector)
    patience = max(2 * CHUNK_MS, edge / SLOWEST)
    while True:
        carry, _ = simulate(
            tissue,
            [pulse],
            dt=scheme.dt,
            steps=chunk,
            sample_every=chunk,
            detector=detector,
            start=carry,
        )
        times = np.asarray(carry.events.activation.time(scheme.dt), np.float64)
        if np.isfinite(times[far]):
            return float((far - near) * edge / (times[far] - times[near]))
        if float(carry.k) * scheme.dt - np.nanmax(times, initial=0.0) > patience:
            return float("nan")


def _strand(strand, ionic, D: float, scheme: Scheme) -> Monodomain:
    return monodomain(
        strand,
        jnp.broadcast_to(jnp.asarray(D, float) * jnp.eye(3), (strand.n_cells, 3, 3)),
        ionic,
        lumped=scheme.lumped,
        membrane_step=scheme.membrane_step,
        splitting=scheme.splitting,
        solver=ConjugateGradients(rtol=1e-5),
    )
