"""One cell, paced: its last beat, and what is measured on it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._model import AbstractIonicModel
from ._steps import AbstractMembraneStep, RushLarsenMidpoint


@dataclasses.dataclass(frozen=True)
class Pacing:
    """How a cell is paced."""

    cycle_length: float = 1000.0
    """ms between stimuli."""
    beats: int = 1
    stimulus: float = 40.0
    """mV/ms; 0 for a cell that beats by itself."""
    duration: float = 1.0
    """ms of each stimulus."""
    dt: float = 0.01
    """ms."""

    def __post_init__(self):
        if not (self.cycle_length > 0 and self.dt > 0 and self.beats >= 1):
            raise ValueError(
                f"pacing: wanted a cycle, a step and a beat, was given {self.cycle_length:g} ms, "
                f"{self.dt:g} ms and {self.beats}."
            )
        if not 0 < self.duration < self.cycle_length or self.dt > self.duration:
            raise ValueError(
                f"pacing: a stimulus of {self.duration:g} ms does not fit in {self.cycle_length:g} "
                f"ms by steps of {self.dt:g} ms."
            )


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
    """Pace one cell from its start, or from V and state given (each of one node)."""
    pacing = Pacing() if pacing is None else pacing
    step = RushLarsenMidpoint() if step is None else step
    n = round(pacing.cycle_length / pacing.dt)
    on = round(pacing.duration / pacing.dt)
    carry = model.initial(1) if start is None else start

    @jax.jit
    def beat(model, carry):
        def one(carry, k):
            i_stim = jnp.where(k < on, pacing.stimulus, 0.0).astype(carry[0].dtype)
            now = flat(carry[1])
            kept = {name: now[name][0] for name in keep}
            return step(model, *carry, pacing.dt, i_stim), (carry[0][0], kept)

        return jax.lax.scan(one, carry, jnp.arange(n))

    before = drift = np.nan
    for number in range(pacing.beats):
        drift = float(carry[0][0]) - before
        before = float(carry[0][0])
        carry, (V, kept) = beat(model, carry)
        if not np.isfinite(float(carry[0][0])):
            raise ValueError(
                f"the voltage is not finite after beat {number + 1}; wanted a shorter dt than "
                f"{pacing.dt:g} ms."
            )
    time = pacing.dt * np.arange(n)
    return Beat(time, np.asarray(V), {k: np.asarray(x) for k, x in kept.items()}, carry, drift)


def flat(state: Any) -> dict[str, Any]:
    """The variables of a state by name, those of a channel in it among them."""
    own = state if isinstance(state, dict) else state._asdict()
    found: dict[str, Any] = {}
    for name, x in own.items():
        found |= x if isinstance(x, dict) else {name: x}
    return found


def variables(model: AbstractIonicModel) -> tuple[str, ...]:
    """Names of a membrane's state variables, without the voltage."""
    return tuple(flat(model.rest()[1]))


def markers(beat: Beat) -> dict[str, float]:
    """What is read from a beat: rest_mV (at its start), peak_mV, amplitude_mV, upstroke_mV_ms
    (greatest dV/dt), apd90_ms, apd70_ms, apd50_ms (from the greatest dV/dt to where 90 % ...
    of the amplitude are gone again; nan where they are not), triangulation_ms (APD90 - APD30)."""
    t, V = beat.time, beat.V.astype(float)
    rest, top = float(V[0]), int(np.argmax(V))
    peak = float(V[top])
    slope = np.gradient(V, t)
    onset = float(t[int(np.argmax(slope[: top + 1]))])
    found = {
        "rest_mV": rest,
        "peak_mV": peak,
        "amplitude_mV": peak - rest,
        "upstroke_mV_ms": float(slope[: top + 1].max()),
    }
    ends = {k: fall(t, V, top, peak - k / 100 * (peak - rest)) for k in (90, 70, 50, 30)}
    found |= {f"apd{share}_ms": ends[share] - onset for share in (90, 70, 50)}
    found["triangulation_ms"] = ends[90] - ends[30]
    return found


def fall(t, V, top: int, level: float) -> float:
    """When V last falls through a level after its peak [ms]; nan where it ends above."""
    after = V[top:]
    if after[-1] > level:
        return np.nan
    k = top + int(np.flatnonzero(after > level)[-1]) if (after > level).any() else top
    return float(t[k] + (V[k] - level) / (V[k] - V[k + 1]) * (t[k + 1] - t[k]))
