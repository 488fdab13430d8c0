"""How the action potential shortens as the next stimulus comes earlier."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._markers import falls
from ._model import AbstractIonicModel
from ._pacing import Pacing, paced, sampled
from ._steps import AbstractMembraneStep, RushLarsenMidpoint
from ._train import train

FIRES = 0.6  # of the amplitude of the beat before, reached after a stimulus that has fired; ours
AFTER = 700.0  # ms that the last stimulus is followed


@dataclasses.dataclass(frozen=True)
class Restitution:
    """Of one early stimulus S2 after a train of S1."""

    interval: Float[np.ndarray, " intervals"]
    """ms from the last S1 to S2."""
    diastolic: Float[np.ndarray, " intervals"]
    """ms from 90 % repolarisation of the last S1's beat to S2; negative before it."""
    apd90: Float[np.ndarray, " intervals"]
    """ms, of the beat that S2 starts; nan where it starts none, or comes before 90 % of the beat
    before are gone."""

    @property
    def refractory(self) -> float:
        """Longest interval at which S2 does not fire [ms]; nan where it always does."""
        silent = self.interval[np.isnan(self.apd90)]
        return float(silent.max()) if silent.size else np.nan

    @property
    def steepest(self) -> float:
        """Greatest slope of APD90 over diastolic interval, between neighbouring intervals."""
        fires = ~np.isnan(self.apd90)
        if fires.sum() < 2:
            return np.nan
        return float((np.diff(self.apd90[fires]) / np.diff(self.diastolic[fires])).max())


def s1s2(
    model: AbstractIonicModel,
    intervals: Float[np.ndarray, " intervals"],
    pacing: Pacing | None = None,
    step: AbstractMembraneStep | None = None,
) -> Restitution:
    """S1 as `pacing` says, then one S2 after each of the intervals [ms], all in one program: as
    many cells, each with its own S2. APD90 is measured from the voltage before the last S1."""
    pacing = Pacing(beats=20) if pacing is None else pacing
    step = RushLarsenMidpoint() if step is None else step
    intervals = np.sort(np.asarray(intervals, float))
    if not len(intervals) or intervals[0] <= pacing.duration:
        raise ValueError(
            f"restitution: wanted intervals longer than a stimulus, {pacing.duration:g} ms."
        )
    start = train(model, model.initial(1), pacing, pacing.beats - 1)
    start = jax.tree.map(lambda x: jnp.repeat(x, len(intervals)), start)
    times = np.rint(intervals / pacing.dt).astype(int)
    samples = round((intervals[-1] + AFTER) / pacing.dt)
    V = np.asarray(_voltages(model, start, jnp.asarray(times), step, pacing, samples), float)
    rest, before = float(V[0, -1]), V[: times[-1], -1]  # of the latest S2 the beat before is whole
    top = int(np.argmax(before))
    rise = float(before[top]) - rest
    below = np.flatnonzero(before[top:] < float(before[top]) - 0.9 * rise)
    end = pacing.dt * (top + below[0]) if below.size else np.inf
    again = [
        _apd(V[:, n], k, rest, FIRES * rise, pacing) if pacing.dt * k > end else np.nan
        for n, k in enumerate(times.tolist())
    ]
    return Restitution(intervals, intervals - end, np.array(again))


@functools.partial(jax.jit, static_argnames=("pacing", "samples"))
def _voltages(model, start, second, step, pacing: Pacing, samples: int):
    """Of each cell, whose S2 comes at step `second`."""

    def advance(cells, k):
        fires = (k < pacing.on) | ((k >= second) & (k < second + pacing.on))
        return paced(step, model, cells, fires, pacing)

    return sampled(advance, lambda cells: cells[0], start, samples)[1]


def _apd(V, k: int, rest: float, least: float, pacing: Pacing) -> float:
    """APD90 of the beat that a stimulus at step k starts [ms]; nan where it does not."""
    late = k + 2 * pacing.on
    after = V[late:]
    top = late + int(np.argmax(after))
    rise = float(V[top]) - rest
    if rise < least:
        return np.nan
    onset = k + int(np.argmax(np.diff(V[k : top + 1])))
    t = pacing.dt * np.arange(len(V))
    end = falls(t, V[:, None], np.array([float(V[top]) - 0.9 * rise]))
    return float(end[0] - t[onset])
