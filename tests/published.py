"""Built-in cell models beside the files that say the same: which belong together, and how."""

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import myokit
import numpy as np

from heartsim.ionic import AbstractIonicModel, Coupled, Relaxation, by_name
from heartsim.ionic._myokit import read_model
from heartsim.ionic._pacing import flat
from heartsim.ionic._reference import Reference, reference_of

CONCENTRATIONS = ("Ca", "Na_", "K_", "Cl_")  # as names of states begin


@dataclasses.dataclass(frozen=True)
class Case:
    """A built-in model and a file of it."""

    model: str
    file: str
    """Under cellmodels/."""
    renamed: dict[str, str] = dataclasses.field(default_factory=dict)
    """States of the file, by our names, where those differ."""
    set: dict[str, float | str] = dataclasses.field(default_factory=dict)
    """Constants of the file that choose the cell, by component.name."""
    ours: dict[str, float | bool] = dataclasses.field(default_factory=dict)
    """Fields of ours that the file has otherwise."""
    starts_apart: tuple[str, ...] = ()
    """Variables whose start we take from elsewhere."""
    stimulus: float = 40.0
    """mV/ms for 1 ms; 0 of a cell that beats by itself."""
    quick: bool = False
    """Whether its beat is tested every time."""

    def build(self) -> AbstractIonicModel:
        """Ours, with the file's numbers."""
        model = by_name(self.model)
        return type(model)(**(vars(model) | self.ours))

    def reference(self, shared: Path, scratch: Path) -> Reference:
        """The file's equations, its states by our names."""
        path = shared / "cellmodels" / self.file
        if self.set:
            model = read_model(path)
            for name, value in self.set.items():
                model.set_value(name, value)
            path = scratch / f"{self.model}.mmt"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                myokit.save(str(path), model)
        of = reference_of(path)
        names = [self.renamed.get(name, name) for name in of.names]
        names[of.voltage] = "V"
        return of._replace(names=names)


def derivatives(model: AbstractIonicModel, V: Any, state: Any) -> dict[str, Any]:
    """dx/dt of each variable by name [its unit per ms], V among them [mV/ms]."""
    i_ion, changes = model.rates(V, state)
    x = flat(state)

    def slope(name: str, change: Any) -> Any:
        if isinstance(change, Relaxation):
            return change.rate * (change.limit - x[name])
        if isinstance(change, Coupled):
            return change.drive + sum(rate * x[other] for other, rate in change.row.items())
        return change.value

    return {"V": -i_ion} | {k: slope(k, c) for k, c in flat(changes).items()}


def around(name: str, start: float, rng: np.random.Generator, n: int) -> np.ndarray:
    """Values of a state variable: concentrations within a factor of 2 of where they start, shares
    anywhere from 0 to 1."""
    if name.startswith(CONCENTRATIONS):
        return start * np.exp(rng.uniform(-0.7, 0.7, n))
    return rng.uniform(0.01, 0.99, n)


def filled(state: Any, values: dict[str, np.ndarray]) -> Any:
    """A state with other values, by name."""
    parts = state if isinstance(state, dict) else state._asdict()
    new = {
        name: filled(x, values) if isinstance(x, dict) else jnp.asarray(values[name])
        for name, x in parts.items()
    }
    return new if isinstance(state, dict) else type(state)(**new)
