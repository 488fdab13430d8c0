"""What each conductance does to the action potential, by derivatives."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ._model import AbstractIonicModel
from ._pacing import Pacing, paced, sampled
from ._steps import RushLarsenMidpoint
from ._train import train

MARKERS = ("apd90_ms", "apd50_ms", "peak_mV", "rest_mV")
EVERY = 0.1  # ms between samples of the last beat


def beat_of(model: AbstractIonicModel, pacing: Pacing) -> Float[Array, " markers"]:
    """`MARKERS` of the last beat of one cell, as a function that can be differentiated forwards;
    the action potential counts from where the upstroke is half-way. NaN where it does not end."""
    stride = pacing.stride(EVERY)
    samples = pacing.steps // stride
    start = train(model, model.initial(1), pacing, pacing.beats - 1)

    def advance(cell, k):
        return paced(RushLarsenMidpoint(), model, cell, k < pacing.on, pacing)

    V = sampled(advance, lambda cell: cell[0][0], start, samples, stride)[1]
    dt = stride * pacing.dt
    rest, top = V[0], lax.stop_gradient(jnp.argmax(V))
    peak = V[top]
    index = jnp.arange(samples)
    half = rest + 0.5 * (peak - rest)
    up = jnp.argmax((half <= V) & (index <= top)) - 1

    def end(share: float):
        level = peak - share * (peak - rest)
        last = samples - 1 - jnp.argmax((level < V)[::-1])
        k = jnp.minimum(last, samples - 2)
        return jnp.where(last < samples - 1, _crossing(V, k, level), jnp.nan)

    onset = _crossing(V, jnp.maximum(up, 0), half)
    return jnp.stack([dt * (end(0.9) - onset), dt * (end(0.5) - onset), peak, rest])


def _crossing(V, k, level):
    """Where, counted in samples, the line from V[k] to the next has this level."""
    return k + (V[k] - level) / (V[k] - V[k + 1])


def sensitivity(
    model: AbstractIonicModel, names: Mapping[str, str], pacing: Pacing | None = None
) -> dict[str, dict[str, float]]:
    """The derivative of each of `MARKERS` by the logarithm of each parameter: a tenth of it is what
    10 % more of the parameter change, to first order. `names`: parameters by the names wanted.

    By forward mode, all parameters in one program; the beats before the last are part of it.
    """
    pacing = Pacing(dt=0.02) if pacing is None else pacing
    known = model.named()

    def of(logs):
        own = {name: known[name] * jnp.exp(logs[k]) for k, name in enumerate(names.values())}
        return beat_of(model.with_named(own), pacing)

    at = jnp.zeros(len(names), next(iter(known.values())).dtype)
    slopes = jax.jit(jax.jacfwd(of))(at)
    return {
        wanted: {m: float(slopes[i, k]) for i, m in enumerate(MARKERS)}
        for k, wanted in enumerate(names)
    }
