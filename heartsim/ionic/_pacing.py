"""How a cell is paced, and its state by name."""

import dataclasses
from typing import Any

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
    """ms."""
    potassium: bool = True
    """Whether potassium (of a file: what its stimulus has a part in) carries the stimulus into a
    cell with a balance of it; else, as in tissue, its charge is nobody's, and the cell loses
    potassium from beat to beat."""

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


def stepped(
    step: AbstractMembraneStep,
    model: AbstractIonicModel,
    cell: tuple[Any, Any],
    dt: ArrayLike,
    i_stim: ArrayLike,
    pacing: Pacing,
) -> tuple[Any, Any]:
    """V and the state of cells after a step under the stimulus of `pacing`."""
    V, state = step(model, *cell, dt, i_stim)
    return V, model.stimulated(state, dt * i_stim) if pacing.potassium else state


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
