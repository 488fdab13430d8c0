"""Many beats on the way to the limit cycle, by adaptive steps."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float

from ._imported import called
from ._model import AbstractIonicModel
from ._pacing import Pacing, flat, lost, stepped
from ._steps import Adaptive

STEP = Adaptive(tolerance=0.01)
LONGEST = 1.0  # ms, of a step between stimuli
FLOOR = 1e-3  # a smaller variable's change counts as a share of this: gates that are shut, calcium
CHUNK = 10  # beats between looks at the drift: the steps leave a noise of 1e-4 from beat to beat


class Settled(NamedTuple):
    """Cells after many beats."""

    end: tuple[Any, Any]
    """V and state as the next stimulus begins."""
    beats: int
    drift: float
    """Largest change of any variable a beat, over the last ten, as a share of itself."""
    variable: str
    """Which that is."""


def train(
    model: AbstractIonicModel, start: tuple[Any, Any], pacing: Pacing, beats: int
) -> tuple[Any, Any]:
    """V and state after so many beats of `pacing`, whose dt and beats are not used: substeps are as
    long as 0.01 mV each allow, in V alone, for all cells together."""
    return start if beats == 0 else _beats(model, start, pacing, beats)


def settle(
    model: AbstractIonicModel,
    pacing: Pacing,
    start: tuple[Any, Any] | None = None,
    drift: float = 1e-4,
    most: int = 1000,
) -> Settled:
    """Pace until, over ten beats, no variable of any cell changes by more than the share `drift` a
    beat, or for `most` beats. A cell that alternates beat by beat settles too. ValueError
    names variables that are lost."""
    now = model.initial(1) if start is None else start
    done, found, name = 0, np.inf, ""
    while done < most and found > drift:
        chunk = min(CHUNK, most - done)
        before, now = now, _beats(model, now, pacing, chunk)
        done += chunk
        if bad := lost(now):
            raise ValueError(f"{called(model)}: {', '.join(bad)} not finite after {done} beats.")
        shares, names = drifts(before, now, chunk)
        worst = int(np.argmax(shares))
        found, name = float(shares[worst]), names[worst]
    return Settled(now, done, found, name)


def _beats(model: AbstractIonicModel, start: Any, pacing: Pacing, beats: int) -> Any:
    spans = np.array([pacing.duration, pacing.cycle_length - pacing.duration])
    steps = np.ceil(spans / LONGEST).astype(int)
    return _run(model, start, beats, steps, spans / steps, pacing.stimulus, pacing.potassium)


@functools.partial(jax.jit, static_argnames="potassium")
def _run(model, start, beats, steps, dt, stimulus, potassium: bool):
    """One program for all ways of pacing."""

    def part(carry, k: int, i_stim):
        def step(_, carry):
            return stepped(STEP, model, carry, dt[k].astype(carry[0].dtype), i_stim, potassium)

        return lax.fori_loop(0, steps[k], step, carry)

    def beat(_, carry):
        i_stim = jnp.asarray(stimulus, carry[0].dtype)
        return part(part(carry, 0, i_stim), 1, 0.0)

    return lax.fori_loop(0, beats, beat, start)


def drifts(before: Any, after: Any, beats: int) -> tuple[Float[np.ndarray, " cells"], list[str]]:
    """Of each cell, V and states of which are `beats` apart: the largest change of a variable a
    beat, as a share of itself (of 0.001 where it is less), and which that is."""
    (V, x), (W, y) = before, after
    a, b = ({"V": v} | flat(s) for v, s in ((V, x), (W, y)))
    change = [np.abs(np.asarray(b[name] - a[name])) / _size(a[name]) / beats for name in a]
    shares, names = np.array(change), list(a)
    return shares.max(axis=0), [names[k] for k in shares.argmax(axis=0)]


def _size(x: Any) -> np.ndarray:
    return np.maximum(np.abs(np.asarray(x)), FLOOR)
