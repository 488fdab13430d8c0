"""Current put into the tissue: a train of rectangular pulses at a group of nodes."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from heartsim._types import AnyArray, Time
from heartsim.ionic import param


class AbstractStimulus(eqx.Module):
    """A current that `simulate` adds to the membrane's, known beforehand at every step."""

    @abstractmethod
    def __call__(self, k: Int[Array, ""], dt: Time) -> Float[Array, " nodes"]:
        """Mean current over capacitance [mV/ms] over the step [k dt, (k + 1) dt]."""


class Stimulus(AbstractStimulus):
    """Pulses of `strength` at the nodes of `site`, `beats` of them, `cycle_steps` steps apart.

    The cycle is counted in steps, so that long trains keep exact time in float32; onset and
    duration are differentiable.
    """

    site: Bool[AnyArray, " nodes"]
    start: Float[Array, ""] | float = param(0.0)  # ms, onset of the first pulse
    duration: Float[Array, ""] | float = param(2.0)  # ms
    strength: Float[Array, ""] | float = param(50.0)  # mV/ms
    cycle_steps: int = eqx.field(static=True, default=1)
    beats: int = eqx.field(static=True, default=1)

    def __call__(self, k: Int[Array, ""], dt: Time) -> Float[Array, " nodes"]:
        """Mean stimulus [mV/ms] over the step [k dt, (k + 1) dt]: the overlap of pulse and
        step, so that a pulse delivers its exact charge strength · duration."""
        beat = jnp.arange(self.beats, dtype=jnp.int32)
        t = (k - beat * self.cycle_steps) * dt - self.start  # since each pulse's onset
        overlap = jnp.minimum(t + dt, self.duration) - jnp.maximum(t, 0.0)
        share = jnp.sum(jnp.clip(overlap, 0.0, dt)) / dt
        return jnp.where(self.site, self.strength * share, 0.0)


def whole_steps(time: float, dt: float, name: str) -> int:
    """`time` as a number of steps; ValueError where it is not a whole number of them."""
    steps = round(time / dt)
    if abs(steps * dt - time) > 1e-6 * dt * max(1, steps):
        raise ValueError(
            f"{name} = {time:g} ms is not a whole number of steps of {dt:g} ms; "
            f"use {steps * dt:g} ms, or another dt."
        )
    return steps
