"""How the action potential shortens as the next stimulus comes earlier."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from ._markers import over
from ._model import AbstractIonicModel
from ._pacing import Pacing, paced, sampled
from ._steps import AbstractMembraneStep, RushLarsenMidpoint
from ._train import train

FIRES = 0.6  # of the amplitude of the beat before, reached after a stimulus that has fired; ours
SOON = 100.0  # ms after a stimulus within which its beat has risen so far; ours
AFTER = 1500.0  # ms that the last stimulus is followed


@dataclasses.dataclass(frozen=True)
class Restitution:
    """Of one early stimulus S2 after a train of S1."""

    interval: Float[np.ndarray, " intervals"]
    """ms from the last S1 to S2."""
    diastolic: Float[np.ndarray, " intervals"]
    """ms from 90 % repolarisation of the last S1's beat to S2; negative before it."""
    apd90: Float[np.ndarray, " intervals"]
    """ms, of the beat that S2 starts; nan where it starts none, comes before 90 % of the beat
    before are gone, or starts one that does not end."""
    fires: Bool[np.ndarray, " intervals"]
    """Whether S2 starts a beat after 90 % of the beat before are gone."""

    @property
    def refractory(self) -> float:
        """Longest interval at which S2 does not fire [ms]; nan where it always does."""
        silent = self.interval[~self.fires]
        return float(silent.max()) if silent.size else np.nan

    @property
    def steepest(self) -> float:
        """Greatest slope of APD90 over diastolic interval, between neighbouring intervals."""
        known = ~np.isnan(self.apd90)
        if known.sum() < 2:
            return np.nan
        return float((np.diff(self.apd90[known]) / np.diff(self.diastolic[known])).max())


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
    if not below.size:
        raise ValueError(
            f"restitution: the beat of the last S1 does not end in {intervals[-1]:g} ms, the "
            "longest interval; wanted a longer one."
        )
    end = pacing.dt * (top + below[0])
    beats = [_apd(V[:, n], k, rest, rise, pacing) for n, k in enumerate(times.tolist())]
    apd90, fires = (np.array(each) for each in zip(*beats, strict=True))
    late = pacing.dt * times > end
    return Restitution(intervals, intervals - end, np.where(late, apd90, np.nan), fires & late)


@functools.partial(jax.jit, static_argnames=("pacing", "samples"))
def _voltages(model, start, second, step, pacing: Pacing, samples: int):
    """Of each cell, whose S2 comes at step `second`."""

    def advance(cells, k):
        fires = (k < pacing.on) | ((k >= second) & (k < second + pacing.on))
        return paced(step, model, cells, fires, pacing)

    return sampled(advance, lambda cells: cells[0], start, samples)[1]


def _apd(V, k: int, rest: float, usual: float, pacing: Pacing) -> tuple[float, bool]:
    """APD90 [ms] of the beat that a stimulus at step k starts, where it ends, and whether it does
    start one. What a cell fires by itself later is another beat."""
    late = k + 2 * pacing.on
    top = np.maximum.accumulate(V[late:])
    if top[round(SOON / pacing.dt)] - rest < FIRES * usual:
        return np.nan, False
    gone = np.flatnonzero((top - rest >= FIRES * usual) & (V[late:] < top - 0.9 * (top - rest)))
    if not gone.size:
        return np.nan, True
    peak = late + int(np.argmax(V[late : late + gone[0]]))
    onset = k + int(np.argmax(np.diff(V[k : peak + 1])))
    t, level = pacing.dt * np.arange(len(V) - k), V[peak] - 0.9 * (V[peak] - rest)
    begun = np.array([t[onset - k]])
    end = over(t, V[k:, None], np.array([level]), begun)
    return float(end[0] - begun[0]), True
