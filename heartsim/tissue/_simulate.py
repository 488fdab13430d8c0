"""The time loop."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray
from heartsim.fem import REPEATED, split

from ._events import Detector, Events
from ._monodomain import SPLIT_STATE, AbstractTissue, State
from ._stimulus import AbstractStimulus


class Carry(NamedTuple):
    """Where a run stands: hand it back to go on exactly from there."""

    k: Int[Array, ""]  # steps done
    state: State
    events: Events


SPLIT_CARRY = Carry(REPEATED, SPLIT_STATE, split(1))
"""How a carry is split among devices."""


class Samples(NamedTuple):
    """What was kept after every `sample_every` steps."""

    leads: Float[Array, "frames leads"] | None  # mV
    V: Float[Array, "frames nodes"] | None  # mV
    worst: Int[Array, " frames"]  # the node of the greatest |V|, or the first that is NaN
    V_worst: Float[Array, " frames"]  # its voltage, mV


@eqx.filter_jit
def simulate(
    tissue: AbstractTissue,
    stimuli: Sequence[AbstractStimulus],
    *,
    dt: float,
    steps: int,
    sample_every: int,
    leads: Float[AnyArray, "leads nodes"] | None = None,
    keep_V: bool = False,
    detector: Detector | None = None,
    start: Carry | None = None,
) -> tuple[Carry, Samples]:
    """Run `steps` steps of `dt` [ms] from `start` (rest if None).

    Activation and repolarisation are detected at every step; after every `sample_every` steps
    the leads (`leads` @ V), the voltage if `keep_V`, and the worst voltage are kept. Pure and
    differentiable in both modes; a reverse sweep stores one state per sample, not per step.
    Where the tissue is spread over devices, all of them compute.
    """
    if steps % sample_every:
        raise ValueError(f"simulate: sample_every={sample_every} does not divide steps={steps}.")
    detector = Detector() if detector is None else detector
    carry = begin(tissue, dt, detector) if start is None else start

    def run(tissue, stimuli, leads, detector, carry):
        coupling = tissue.coupling(dt)

        def one(carry, _):
            k, state, events = carry
            i_stim = sum((stimulus(k, dt) for stimulus in stimuli), start=0.0)
            state, V = tissue.step(coupling, state, i_stim, dt)
            return Carry(k + 1, state, detector(events, V, k, dt)), None

        @jax.checkpoint
        def frame(carry, _):
            carry, _ = lax.scan(jax.checkpoint(one), carry, length=sample_every)
            V = carry.events.V
            seen = None if leads is None else tissue.spread.total(jnp.asarray(leads, V.dtype) @ V)
            return carry, Samples(seen, V if keep_V else None, *tissue.spread.worst(V))

        return lax.scan(frame, carry, length=steps // sample_every)

    kept = Samples(REPEATED, split(2), REPEATED, REPEATED)
    out = (SPLIT_CARRY, kept)
    return tissue.spread.run(run, out, tissue, stimuli, leads, detector, carry)


@eqx.filter_jit
def begin(
    tissue: AbstractTissue, dt: float, detector: Detector, state: State | None = None
) -> Carry:
    """The carry at time 0, from a state (rest if None)."""

    def first(tissue, detector, state):
        state = tissue.initial() if state is None else state
        return Carry(jnp.int32(0), tissue.begin(state, dt), detector.start(state.V))

    return tissue.spread.run(first, SPLIT_CARRY, tissue, detector, state)


@eqx.filter_jit
def rest(tissue: AbstractTissue) -> State:
    """Every node at the membrane's resting state."""
    return tissue.spread.run(lambda tissue: tissue.initial(), SPLIT_STATE, tissue)


def activation_time(carry: Carry, dt: float) -> Float[Array, " nodes"]:
    """When each node last fired [ms], in a run of steps `dt` [ms]; NaN where it never did."""
    return carry.events.activation.time(dt)
