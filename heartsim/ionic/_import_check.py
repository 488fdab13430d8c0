"""Whether an imported model does what its file says: one beat by another program."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from ._imported import Imported, imported
from ._pace import Beat, pace
from ._pacing import Pacing
from ._reference import integrated, reference_of
from ._steps import AbstractMembraneStep

AROUND = 5.0  # ms on either side of an upstroke, where a small shift is a large difference
STEEP = 5.0  # mV/ms; steeper is an upstroke
MOST = 1.0  # mV, of a model that does what its file says
OWN = 0.5  # 1/ms, the stimulus of a model whose voltage has a unit of its own, from 0 on


class Checked(NamedTuple):
    """Our beat against the file's own equations, written out by Myokit and integrated by LSODA."""

    time: Float[np.ndarray, " steps"]
    V: Float[np.ndarray, " steps"]
    """mV."""
    reference: Float[np.ndarray, " steps"]
    """mV."""
    largest: float
    """|ΔV| [mV] farther than 5 ms from any upstroke."""
    states: dict[str, float]
    """Largest difference of each other state, as a share of its range in the beat."""


def check_import(
    path: str | Path,
    model: Imported,
    pacing: Pacing | None = None,
    step: AbstractMembraneStep | None = None,
    voltage: str | None = None,
    stimulus: str | None = None,
) -> Checked:
    """One beat from the file's start, in float64, both under a stimulus to the voltage alone; none
    for a file without one."""
    of = model.program
    pacing = Pacing(cycle_length=500.0) if pacing is None else pacing
    strength = 0.0 if not of.paced else pacing.stimulus if of.start[0] < -20.0 else OWN
    pacing = dataclasses.replace(pacing, beats=1, stimulus=strength, potassium=False)
    with jax.enable_x64(True):
        ours = pace(imported(of), pacing, step=step, keep=of.states)
    reference = reference_of(Path(path), voltage, stimulus)
    theirs = integrated(reference, pacing, ours.time)
    return compared(ours, theirs[of.voltage] / of.per_mV, theirs)


def compared(
    ours: Beat, V: Float[np.ndarray, " steps"], states: Mapping[str, Float[np.ndarray, " steps"]]
) -> Checked:
    """A beat against another's voltage [mV] and states at the same times."""
    shares = {
        name: float(np.abs(states[name] - x).max()) / max(float(np.ptp(states[name])), 1e-30)
        for name, x in ours.state.items()
    }
    steep = ours.time[np.abs(np.gradient(V, ours.time)) > STEEP]
    away = np.ones(len(V), bool)
    if steep.size:
        near = np.searchsorted(steep, ours.time)
        before, after = steep[np.maximum(near - 1, 0)], steep[np.minimum(near, len(steep) - 1)]
        away = np.minimum(np.abs(ours.time - before), np.abs(after - ours.time)) > AROUND
    largest = float(np.abs(V - ours.V)[away].max()) if away.any() else np.nan
    return Checked(ours.time, ours.V, V, largest, shares)
