"""When each node fires and recovers: interpolated crossings, carried through the loop."""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from heartsim._loops import read_first
from heartsim._types import Time
from heartsim.ionic import param

SPAN = 5.0
"""ms; longer than the dip before a wave on coarse edges, shorter than any rest."""
BLANK = 50.0
"""ms after an activation in which no other counts, unless the node repolarised: longer than the
wiggles of an upstroke, shorter than any cycle of a fibrillating heart; ours."""

AT_REST, EXCITED = -1.0, -2.0
"""In place of the share of a step."""


class Crossing(NamedTuple):
    """A moment as the step at whose end V was seen last before it, and how many steps later it is,
    1 at most where steps are not longer than dt; step -1 is never.

    Time is (step + fraction) dt: exact in float32 however long the run, and differentiable
    through the fraction.
    """

    step: Int[Array, " nodes"]
    fraction: Float[Array, " nodes"]

    def time(self, dt: Time) -> Float[Array, " nodes"]:
        """ms; NaN where never."""
        return jnp.where(self.step < 0, jnp.nan, (self.step + self.fraction) * dt)


class Events(NamedTuple):
    """What the detector remembers of every node."""

    V: Float[Array, " nodes"]  # seen last, mV
    low: Float[Array, " nodes"]  # resting potential: least `high` of the spans since recovery, mV
    high: Float[Array, " nodes"]  # greatest since the last activation; at rest, in this span, mV
    activation: Crossing  # last upward crossing of the threshold
    repolarisation: Crossing  # last downward crossing of the repolarisation level

    def excited(self) -> Bool[Array, " nodes"]:
        """Activated and not yet repolarised."""
        return self.activation.step > self.repolarisation.step

    def duration(self, dt: Time) -> Float[Array, " nodes"]:
        """Action potential duration [ms]; NaN where not (yet) repolarised after activation."""
        a, r = self.activation, self.repolarisation
        apd = ((r.step - a.step) + (r.fraction - a.fraction)) * dt
        return jnp.where((r.step < 0) | self.excited(), jnp.nan, apd)


class Detector(eqx.Module):
    """Activation: V crosses `threshold` upward while not excited, or 50 ms after the activation
    before: so is a fast rhythm counted, whose waves meet tissue that is still to recover.
    Repolarisation: V falls below peak - `share` (peak - low); with share 0.9 the duration between
    is APD90.

    Both moments are interpolated linearly between two steps. Time is cut into spans of 5 ms, and
    `low` is the least of their greatest V at rest: on coarse edges a consistent mass makes V dip
    by many mV for a millisecond or two before the wave, which is no rest.
    """

    threshold: Float[Array, ""] | float = param(-40.0)  # mV
    share: Float[Array, ""] | float = param(0.9)  # 1

    def start(self, V: Float[Array, " nodes"]) -> Events:
        """Nothing has happened yet."""
        never = Crossing(jnp.full(V.shape, -1, jnp.int32), jnp.zeros_like(V))
        return Events(V, V, V, never, never)

    def __call__(
        self,
        events: Events,
        V: Float[Array, " nodes"],
        k: Int[Array, ""],
        dt: Time,
        stride: Int[Array, ""] | int = 1,
    ) -> Events:
        """Take note of V seen at (k + stride) dt [ms], at the end of a step of `stride` dt."""
        fires, recovers = read_first(partial(self._crosses, k, dt), (events, V))
        high = jnp.maximum(events.high, V)
        span = jnp.maximum(1, jnp.round(SPAN / dt)).astype(k.dtype)
        ends = fires == jnp.where((k + stride) // span > k // span, AT_REST, jnp.nan)
        low = jnp.where(ends, jnp.minimum(events.low, high), events.low)
        return Events(
            V=V,
            low=jnp.where(recovers >= 0, V, low),
            high=jnp.where((fires >= 0) | (recovers >= 0) | ends, V, high),
            activation=_crossed(events.activation, fires, k, stride),
            repolarisation=_crossed(events.repolarisation, recovers, k, stride),
        )

    def _crosses(self, k, dt, at):
        """By what share of the step each node fires, and recovers."""
        events, V = at
        excited, before = events.excited(), events.V
        up = (self.threshold > before) & (self.threshold <= V)
        again = (k - events.activation.step) * dt >= BLANK
        fires = _share((~excited | again) & up, excited, before, V, self.threshold)
        high = jnp.maximum(events.high, V)
        level = high - self.share * (high - events.low)
        down = excited & (level <= before) & (level > V)
        return fires, _share(down, excited, before, V, level)


def _share(now, excited, before, V, level) -> Float[Array, " nodes"]:
    """The share of the step after which V crosses `level`, where it does so `now`; elsewhere what
    the node is. All that follows from a crossing reads this one array, and not the six that tell
    it."""
    part = jnp.where(now, level - before, jnp.where(excited, EXCITED, AT_REST))
    return part / jnp.where(now, V - before, 1.0)  # V - before is never 0 where a crossing is


def _crossed(old: Crossing, share, k, stride) -> Crossing:
    """Steps only grow; as a choice, both would be written under a mask where they stand, which
    AMD's processors without vectors of 512 bits do in three times the time."""
    now = share >= 0
    step = jnp.maximum(old.step, jnp.where(now, k, -1))
    return Crossing(step, jnp.where(now, stride * share, 0) + jnp.where(now, 0, old.fraction))
