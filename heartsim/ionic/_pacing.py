"""How a cell is paced, and its state by name."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from ._model import AbstractIonicModel
from ._steps import AbstractMembraneStep


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
    """ms; cycle and stimulus are whole numbers of it, to 1e-4 of themselves, so that heart rates
    pass, as 60 000 / 70 ms."""
    potassium: bool = True
    """Whether potassium (of a file: what its stimulus has a part in) carries the stimulus into a
    cell with a balance of it; else, as in tissue, its charge is nobody's, and the cell loses
    potassium from beat to beat."""

    @property
    def steps(self) -> int:
        """In a cycle."""
        return round(self.cycle_length / self.dt)

    @property
    def on(self) -> int:
        """In a stimulus."""
        return round(self.duration / self.dt)

    def stride(self, every: float) -> int:
        """Steps between samples so many ms apart, one at least."""
        return max(1, round(every / self.dt))

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
        for what, span, steps in (
            ("stimulus", self.duration, self.on),
            ("cycle", self.cycle_length, self.steps),
        ):
            if abs(steps * self.dt - span) > 1e-4 * span:
                raise ValueError(
                    f"pacing: a {what} of {span:g} ms is no whole number of steps of {self.dt:g} "
                    f"ms; use {steps * self.dt:g} ms, or another dt."
                )


def stepped(
    step: AbstractMembraneStep,
    model: AbstractIonicModel,
    cells: tuple[Any, Any],
    dt: ArrayLike,
    i_stim: ArrayLike,
    potassium: bool,
) -> tuple[Any, Any]:
    """V and the state of cells after a step under a stimulus, which potassium carries or nobody."""
    V, state = step(model, *cells, dt, i_stim)
    return V, model.stimulated(state, dt * i_stim) if potassium else state


def paced(
    step: AbstractMembraneStep,
    model: AbstractIonicModel,
    cells: tuple[Any, Any],
    fires: ArrayLike,
    pacing: Pacing,
) -> tuple[Any, Any]:
    """V and the state of cells after a step of `pacing`, under its stimulus where it fires."""
    i_stim = jnp.where(fires, pacing.stimulus, 0.0).astype(cells[0].dtype)
    return stepped(step, model, cells, pacing.dt, i_stim, pacing.potassium)


def sampled(
    advance: Callable[[Any, Any], Any],
    keep: Callable[[Any], Any],
    start: Any,
    samples: int,
    stride: int = 1,
) -> tuple[Any, Any]:
    """What comes of `start` after samples x stride steps, step k being advance(carry, k), and what
    `keep` takes of it before each stride of them."""

    def one(carry, k):
        return advance(carry, k), None

    def sample(carry, k):
        return lax.scan(one, carry, k * stride + jnp.arange(stride))[0], keep(carry)

    return lax.scan(sample, start, jnp.arange(samples))


def flat(state: Any) -> dict[str, Any]:
    """The variables of a state by name, those of a channel in it among them."""
    own = state if isinstance(state, dict) else state._asdict()
    found: dict[str, Any] = {}
    for name, x in own.items():
        found |= x if isinstance(x, dict) else {name: x}
    return found


def lost(cells: tuple[Any, Any]) -> list[str]:
    """Names of those variables of cells, `V` the voltage, that are not finite."""
    now = {"V": cells[0]} | flat(cells[1])
    return [name for name, x in now.items() if not np.isfinite(np.asarray(x)).all()]


def variables(model: AbstractIonicModel) -> tuple[str, ...]:
    """Names of a membrane's state variables, without the voltage."""
    return tuple(flat(model.rest()[1]))
