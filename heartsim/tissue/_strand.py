"""Planar conduction velocity on a one-dimensional strand: what an edge length does to a wave."""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from heartsim._loops import on_processor
from heartsim._memory import pages_go_back
from heartsim._types import AnyArray
from heartsim.fem import ConjugateGradients, compact
from heartsim.ionic import AbstractIonicModel, AbstractMembraneStep
from heartsim.mesh import cable

from ._events import Detector
from ._monodomain import AbstractSplitting, Monodomain, monodomain
from ._projection import Projection
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
) -> float:
    """Velocity [mm/ms = m/s] of a plane wave along a strand of edges `edge` [mm] with
    diffusivity D [mm²/ms]; NaN where no wave travels.

    On a regular mesh a plane wave along an axis sees this strand's mass and stiffness weights.
    One end is stimulated; the velocity is taken between half and 0.85 of 64 edges, or of as many
    times 64 as are 16 mm long.

    Compiling takes 2 s and a strand 0.02, so strands share their program where they can: dt is
    traced, and there are 64 nodes, or 192 of edges so short that these are too few.
    """
    segments = _segments(edge)
    strand, _ = compact(cable((_nodes(segments) - 1) * edge, edge))
    tissue = _strand(strand, ionic, D, scheme)
    near, far = segments // 2, int(0.85 * segments)
    times = _times(tissue, np.asarray(strand.points)[:, 0], edge, far, scheme.dt, threshold)
    return float((far - near) * edge / (times[far] - times[near]))


@on_processor()
@pages_go_back(collect=False)
def projected_velocity(
    ionic: AbstractIonicModel,
    D: Float[AnyArray, "3"],
    projection: Projection,
    scheme: Scheme,
    threshold: float = -40.0,
) -> float:
    """Velocity [mm/ms = m/s] of a plane wave along one direction of a mesh, on its projection, with
    diffusivity D [mm²/ms] along fibre, sheet and normal; NaN where no wave travels.

    As `strand_velocity`, on 640 nodes or twice, four times, ... as many where these are not 16 mm.
    """
    spacing = projection.spacing
    nodes = 640 * 2 ** max(0, int(np.ceil(np.log2(16.0 / (640 * spacing)))))
    K, M = projection.matrices(D, scheme.lumped, nodes)
    tissue = Monodomain(
        K=K,
        M=M,
        mass_floor=LEAST_MASS,
        ionic=ionic,
        membrane_step=scheme.membrane_step,
        splitting=scheme.splitting,
        solver=ConjugateGradients(rtol=1e-5),
    )
    x, read = spacing * np.arange(nodes), nodes // 8  # 5 reaches: of cubes each 16th is a strand
    times = _times(tissue, x, projection.edge, nodes * 17 // 20 - 1, scheme.dt, threshold)
    first, last = (times[at : at + read].mean() for at in (nodes // 2, nodes * 29 // 40))
    return float((nodes * 9 // 40) * spacing / (last - first))


def _times(
    tissue: Monodomain,
    x: Float[np.ndarray, " nodes"],
    edge: float,
    far: int,
    step: float,
    threshold: float,
) -> Float[np.ndarray, " nodes"]:
    """When a wave from one end reaches each node [ms], up to `far`; NaN there if it does not."""
    pulse = Stimulus(site=x <= max(2.0, 3.01 * edge), duration=2.0, strength=35.7)
    detector = Detector(threshold=threshold)
    dt = jnp.asarray(step, float)
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
        times = np.asarray(carry.events.activation.time(step), np.float64)
        waited = float(carry.k) * step - np.nanmax(times, initial=0.0)
        if np.isfinite(times[far]) or waited > patience:
            return times


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
