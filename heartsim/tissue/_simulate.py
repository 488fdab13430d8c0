"""The time loop."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._jit import jitted
from heartsim._types import AnyArray, Time
from heartsim.fem import REPEATED, split

from ._events import Detector
from ._monodomain import SPLIT_STATE, AbstractTissue, State
from ._stepping import SPLIT_CARRY, AbstractStepping, Carry, Fixed, Run
from ._stimulus import AbstractStimulus


class Samples(NamedTuple):
    """What was kept after every `sample_every` steps."""

    leads: Float[Array, "frames leads"] | None  # mV
    V: Float[Array, "frames nodes"] | None  # mV
    worst: Int[Array, " frames"]  # the node of the greatest |V|, or the first that is NaN
    V_worst: Float[Array, " frames"]  # its voltage, mV


@jitted
def simulate(
    tissue: AbstractTissue,
    stimuli: Sequence[AbstractStimulus],
    *,
    dt: Time,
    steps: int,
    sample_every: int,
    leads: Float[AnyArray, "leads nodes"] | None = None,
    keep_V: bool = False,
    detector: Detector | None = None,
    start: Carry | None = None,
    stepping: AbstractStepping = Fixed(),  # noqa: B008  frozen
) -> tuple[Carry, Samples]:
    """Run `steps` steps of `dt` [ms] from `start` (rest if None).

    Activation and repolarisation are detected at every step; after every `sample_every` steps
    the leads (`leads` @ V), the voltage if `keep_V`, and the worst voltage are kept. Pure and
    differentiable in both modes; a reverse sweep stores one state per sample and, of one sample
    after the other, little more than one per staggered step (two per midpoint step). Where the
    tissue is spread over devices, all of them compute. With `stepping=Adaptive()` dt is the least
    step, and a number that is not traced.
    """
    if steps % sample_every:
        raise ValueError(f"simulate: sample_every={sample_every} does not divide steps={steps}.")
    detector = Detector() if detector is None else detector
    carry = begin(tissue, dt, detector) if start is None else start

    def through(tissue, stimuli, leads, detector, carry):
        run = Run(tissue, stimuli, detector, dt)
        prepared, carry = stepping.prepare(run, carry)

        @jax.checkpoint
        def frame(carry, _):
            carry = stepping.frame(run, prepared, carry, sample_every)
            V = carry.events.V
            seen = None if leads is None else tissue.spread.total(jnp.asarray(leads, V.dtype) @ V)
            return carry, Samples(seen, V if keep_V else None, *tissue.spread.worst(V))

        return lax.scan(frame, carry, length=steps // sample_every)

    kept = Samples(REPEATED, split(2), REPEATED, REPEATED)
    out = (SPLIT_CARRY, kept)
    return tissue.spread.run(through, out, tissue, stimuli, leads, detector, carry)


@jitted
def begin(
    tissue: AbstractTissue, dt: Time, detector: Detector, state: State | None = None
) -> Carry:
    """The carry at time 0, from a state (rest if None)."""

    def first(tissue, detector, state):
        state = tissue.initial() if state is None else state
        one = jnp.int32(1)
        return Carry(0 * one, tissue.begin(state, dt), detector.start(state.V), one, one)

    return tissue.spread.run(first, SPLIT_CARRY, tissue, detector, state)


@eqx.filter_jit
def rest(tissue: AbstractTissue) -> State:
    """Every node at the membrane's resting state."""
    return tissue.spread.run(lambda tissue: tissue.initial(), SPLIT_STATE, tissue)


def activation_time(carry: Carry, dt: Time) -> Float[Array, " nodes"]:
    """When each node last fired [ms], in a run of steps `dt` [ms]; NaN where it never did."""
    return carry.events.activation.time(dt)
