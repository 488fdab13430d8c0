"""How a run goes through time: by one fixed step, or by larger ones where little happens."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from heartsim._loops import sparing
from heartsim._types import Time
from heartsim.fem import REPEATED, split

from ._events import Detector, Events
from ._monodomain import SPLIT_STATE, AbstractTissue, State, Step
from ._stimulus import AbstractStimulus


class Carry(NamedTuple):
    """Where a run stands: hand it back to go on exactly from there."""

    k: Int[Array, ""]  # base steps done
    state: State
    events: Events
    stride: Int[Array, ""]  # base steps in a step, as the state is made ready for it
    wanted: Int[Array, ""]  # the stride to try next


SPLIT_CARRY = Carry(REPEATED, SPLIT_STATE, split(1), REPEATED, REPEATED)
"""How a carry is split among devices."""


class Run(NamedTuple):
    """What stays the same through a run."""

    tissue: AbstractTissue
    stimuli: Sequence[AbstractStimulus]
    detector: Detector
    dt: Time  # ms, of a base step

    def i_stim(self, k: Int[Array, ""]) -> Float[Array, "..."] | float:
        """Mean stimulus [mV/ms] over base step k."""
        return sum((stimulus(k, self.dt) for stimulus in self.stimuli), start=0.0)

    def ready(self, carry: Carry, steps: Int[Array, ""] | int) -> tuple[Carry, Any]:
        """What the first of a series of so many steps of its stride takes."""
        dt = carry.stride * self.dt
        state, past = self.tissue.ready(carry.state, carry.events.V, dt, steps)
        return carry._replace(state=state), past

    def step(
        self, coupling: Any, carry: Carry, i_stim: Float[Array, "..."] | float, past: Any
    ) -> tuple[Carry, Step]:
        """The carry one step of its stride later, and that step; `past` is the one before's."""
        k, state, events, stride, _ = carry
        done = self.tissue.step(coupling, state, i_stim, stride * self.dt, past)
        events = self.detector(events, done.V, k, self.dt, stride)
        return carry._replace(k=k + stride, state=done.state, events=events), done


class AbstractStepping(eqx.Module):
    """How the time between two samples is passed."""

    @abstractmethod
    def longest_step(self, dt: float) -> float:
        """ms, where base steps are `dt`."""

    @abstractmethod
    def prepare(self, run: Run, carry: Carry) -> tuple[Any, Carry]:
        """What is made once and handed to every frame, and the carry made ready for it."""

    @abstractmethod
    def frame(self, run: Run, prepared: Any, carry: Carry, count: int) -> Carry:
        """`count` base steps later."""


class Fixed(AbstractStepping):
    """Every step is a base step. Differentiable in both modes."""

    def longest_step(self, dt):
        """A base step."""
        return dt

    def prepare(self, run, carry):
        """The coupling of tissue; a carry that longer steps left is restarted."""
        return run.tissue.coupling(run.dt), _restarted(run, carry, jnp.int32(1))

    def frame(self, run, prepared, carry, count):
        """See AbstractStepping."""

        def one(so_far, _):
            carry, past = so_far
            carry, done = run.step(prepared, carry, run.i_stim(carry.k), past)
            return (carry, done.past), None

        start = run.ready(carry, count)
        return lax.scan(sparing(one), start, length=count)[0][0]


class Adaptive(AbstractStepping):
    """Steps of 1, 2, ... base steps: those that part a sample evenly, up to `longest`. All nodes
    step together, and all steps between two samples are alike.

    A step passes where its error of V, as the membrane's step estimates it (first order against
    second), is within `tolerance` at every node. Where one does not, the time since the last
    sample is done again with the next shorter stride; after a sample the next longer one is
    tried if the error, growing as its square, has room for it. While a stimulus acts, and where
    nothing shorter is left, base steps pass whatever their error.

    Forward mode differentiates the steps that were taken, not their choice; reverse mode does not
    pass the open-ended loops: use Fixed there.
    """

    tolerance: float = 0.1  # mV, in a step
    longest: float = 0.5  # ms

    def longest_step(self, dt):
        """As it was told, at least a base step."""
        return max(dt, self.longest)

    def prepare(self, run, carry):
        """Nothing: the coupling depends on the stride. ValueError where the error of a step is not
        known, or dt is not before tracing."""
        if not run.tissue.estimates_error:
            raise ValueError(
                "Adaptive: the membrane's step does not estimate its error; use "
                "RushLarsenStaggered or RushLarsenMidpoint."
            )
        if isinstance(run.dt, jax.core.Tracer):
            raise ValueError(
                "Adaptive: dt is an array or traced, and strides are counted from its value; give "
                "a plain number, or stepping=Fixed()."
            )
        return None, carry

    def frame(self, run, prepared, carry, count):
        """See AbstractStepping."""
        most = max(1, round(self.longest / run.dt))
        longest = min(most, count)
        strides = jnp.array([m for m in range(1, longest + 1) if count % m == 0], jnp.int32)
        last = len(strides) - 1
        busy = _stimulated(run, carry, count)

        def attempt(tried):
            level, _, _ = tried
            done, error = _through(run, _restarted(run, carry, strides[level]), count)
            accepted = (error <= self.tolerance) | (level == 0)
            longer = jnp.minimum(level + 1, last)
            growth = (strides[longer] / strides[level]) ** 2
            room = ~busy & (error * growth <= 0.5 * self.tolerance)
            level = jnp.where(accepted, jnp.where(room, longer, level), level - 1)
            return level, done, accepted

        wanted = jnp.minimum(jnp.searchsorted(strides, carry.wanted), last)
        first = (jnp.where(busy, 0, wanted), carry, jnp.array(False))
        level, done, _ = lax.while_loop(lambda tried: ~tried[2], attempt, first)
        return done._replace(wanted=strides[level])


def _stimulated(run: Run, carry: Carry, count: int) -> Bool[Array, ""]:
    """Whether a stimulus acts at any node in the next `count` base steps."""

    def acts(j, most):
        return jnp.maximum(most, lax.stop_gradient(jnp.abs(run.i_stim(carry.k + j))))

    none = jnp.zeros_like(carry.events.V)
    return run.tissue.spread.greatest(lax.fori_loop(0, count, acts, none)) > 0


def _restarted(run: Run, carry: Carry, stride: Int[Array, ""]) -> Carry:
    """The carry made ready for steps of another stride, from V as it was seen last."""

    def again():
        seen = carry.state._replace(V=carry.events.V)
        return carry._replace(state=run.tissue.begin(seen, stride * run.dt), stride=stride)

    return lax.cond(stride == carry.stride, lambda: carry, again)


def _through(run: Run, carry: Carry, count: int) -> tuple[Carry, Float[Array, ""]]:
    """`count` base steps by the carry's stride, and the greatest error [mV] of a step."""
    coupling = run.tissue.coupling(carry.stride * run.dt)

    def one(_, so_far):
        carry, past, most = so_far
        i_stim = jnp.where(carry.stride == 1, run.i_stim(carry.k), 0.0)
        carry, done = run.step(coupling, carry, i_stim, past)
        return carry, done.past, jnp.maximum(most, done.error)

    steps = count // carry.stride
    start = (*run.ready(carry, steps), jnp.zeros_like(carry.events.V))
    carry, _, most = lax.fori_loop(0, steps, one, start)
    return carry, run.tissue.spread.greatest(most)
