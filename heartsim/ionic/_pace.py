"""One cell, paced: its last beat, and what is measured on it."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ._imported import called
from ._markers import FIRED, beat_markers
from ._model import AbstractIonicModel
from ._pacing import Pacing, flat, lost, paced, sampled, variables
from ._steps import AbstractMembraneStep, RushLarsenMidpoint
from ._train import train


@dataclasses.dataclass(frozen=True)
class Beat:
    """The last beat of a paced cell, at every step."""

    time: Float[np.ndarray, " steps"]
    """ms since its stimulus."""
    V: Float[np.ndarray, " steps"]
    """mV."""
    state: Mapping[str, Float[np.ndarray, " steps"]]
    """What was asked to be kept."""
    end: tuple[Any, Any]
    """V and state of the one node after it."""
    drift: float
    """mV between the starts of the last two beats; nan of the first."""


def pace(
    model: AbstractIonicModel,
    pacing: Pacing | None = None,
    start: tuple[Any, Any] | None = None,
    step: AbstractMembraneStep | None = None,
    keep: tuple[str, ...] = (),
) -> Beat:
    """Pace one cell from its start, or from V and state given (each of one node); all beats but the
    last by adaptive steps (`train`). ValueError names the variables that are no longer finite."""
    pacing = Pacing() if pacing is None else pacing
    step = RushLarsenMidpoint() if step is None else step
    carry = model.initial(1) if start is None else start
    drift = np.nan
    if pacing.beats > 1:
        before = train(model, carry, pacing, pacing.beats - 2)
        carry = train(model, before, pacing, 1)
        drift = float(carry[0][0] - before[0][0])
    one, begun = dataclasses.replace(pacing, beats=1), carry
    carry, (V, kept) = _beat(model, begun, step, one, keep)
    if lost(carry):
        _, (V, kept) = _beat(model, begun, step, one, variables(model))
        raise ValueError(_loss(model, pacing, {"V": V} | kept, lost(carry)))
    time = pacing.dt * np.arange(pacing.steps)
    return Beat(time, np.asarray(V), {k: np.asarray(x) for k, x in kept.items()}, carry, drift)


def _loss(model: AbstractIonicModel, pacing: Pacing, beat: dict[str, Any], bad: list[str]) -> str:
    """Which variables of a beat were the first that are not finite, since when, and at which V."""
    fine = {name: np.append(np.isfinite(beat[name]), False) for name in bad}
    since = {name: int(np.argmin(x)) for name, x in fine.items()}
    first = min(since.values())
    when = f"before beat {pacing.beats}"
    if first > 0:
        when = f"from {first * pacing.dt:g} ms of beat {pacing.beats} on, V being "
        when += f"{float(beat['V'][first - 1]):.4g} mV"
    return (
        f"{called(model)}: {', '.join(n for n in bad if since[n] == first)} not finite {when}; "
        f"wanted a shorter dt than {pacing.dt:g} ms, or equations that have a value there."
    )


@functools.partial(jax.jit, static_argnames=("pacing", "keep"))
def _beat(model, cell, step, pacing: Pacing, keep: tuple[str, ...]):
    def look(cell):
        now = flat(cell[1])
        return cell[0][0], {name: now[name][0] for name in keep}

    def advance(cell, k):
        return paced(step, model, cell, k < pacing.on, pacing)

    return sampled(advance, look, cell, pacing.steps)


def markers(beat: Beat) -> dict[str, float]:
    """What is read from a beat: rest_mV (at its start), peak_mV, amplitude_mV, upstroke_mV_ms
    (greatest dV/dt), apd90_ms, apd70_ms, apd50_ms (from the greatest dV/dt to where 90 % ...
    of the amplitude are gone for good, or before another action potential; nan where they are not),
    triangulation_ms (APD90 - APD30) and ead_mV: by how much the voltage rises again, later than 100
    ms after the greatest dV/dt and before 90 % are gone; nan where the amplitude is below 60 mV,
    as then no action potential was started."""
    t, V = beat.time, beat.V.astype(float)
    top = int(np.argmax(V))
    slope = np.gradient(V, t)[: top + 1]
    onset, steepest = np.array([t[int(np.argmax(slope))]]), np.array([slope.max()])
    found = beat_markers(t, V[:, None], onset, steepest, np.array([V[top]]))
    return {name: float(x[0]) for name, x in found.items()}


def own_beat(watched: Beat) -> tuple[Beat, float]:
    """The last whole beat of a cell that nobody stimulates, from one lowest voltage to the next,
    and the ms between its upstroke and the next (where a tenth of the amplitude is reached). All
    that was watched, and nan, of a cell that rests; ValueError where no beat is whole."""
    V = watched.V.astype(float)
    if np.ptp(V) < FIRED:
        return watched, np.nan
    high = V.min() + 0.1 * np.ptp(V) < V
    ups = np.flatnonzero(~high[:-1] & high[1:])
    if len(ups) < 3:
        raise ValueError(
            "the cell beats by itself, but no whole beat lies within the "
            f"{watched.time[-1]:.0f} ms that it was watched, three cycle lengths; wanted longer "
            "ones."
        )
    before, own, after = ups[-3:]
    k = slice(before + np.argmin(V[before:own]), own + np.argmin(V[own:after]) + 1)
    time, state = watched.time[k] - watched.time[k][0], {n: x[k] for n, x in watched.state.items()}
    beat = Beat(time, watched.V[k], state, watched.end, np.nan)
    return beat, float(watched.time[after] - watched.time[own])
