"""One cell: which models there are, a paced beat and its numbers, a model from a file."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from heartsim.ionic import (
    CARDS,
    MODELS,
    MOST,
    AbstractIonicModel,
    Beat,
    Checked,
    Imported,
    Pacing,
    Restitution,
    by_name,
    check_import,
    jumps,
    keep_check,
    markers,
    own_beat,
    pace,
    parameters,
    read_membrane,
    s1s2,
    scaled,
    smoothed,
    train,
    variables,
)

from ._rows import Rows, row

DEFINITIONS = {
    "rest_mV": ("mV", "voltage as the last beat's stimulus begins; without one, the lowest before"),
    "peak_mV": ("mV", "highest voltage of the beat"),
    "amplitude_mV": ("mV", "peak_mV less rest_mV"),
    "upstroke_mV_ms": ("mV/ms", "greatest rise before the peak, the stimulus included"),
    "apd90_ms": (
        "ms",
        "from the greatest rise until 90 % of the amplitude are gone for good, or before another "
        "action potential; null, as all that is of one, where amplitude_mV is below 60",
    ),
    "apd70_ms": ("ms", "the same of 70 %"),
    "apd50_ms": ("ms", "the same of 50 %"),
    "triangulation_ms": ("ms", "from 30 % to 90 % of the amplitude gone"),
    "ead_mV": (
        "mV",
        "rise of the voltage later than 100 ms after the greatest rise and before 90 % are gone: "
        "an early afterdepolarisation; null of an amplitude below 60 mV: no action potential",
    ),
    "calcium_uM": ("uM", "rise of cytosolic calcium over the beat; null of a model without it"),
    "alternans_ms": ("ms", "of apd90_ms between the last two beats; null of one beat"),
    "drift_mV": ("mV", "of the voltage between the starts of the last two beats; null of one beat"),
    "own_cycle_ms": ("ms", "between upstrokes, of a cell that beats without a stimulus"),
}


def cell_models() -> Rows:
    """Every built-in model with what it is of."""
    told = zip(*model_table().values(), strict=True)
    return {
        name: row(
            f"{count} variables, {cost:g} ns; {species}, {tissue}; {source}",
            "",
            "built-in cell model; ns per cell and step on one core",
        )
        for name, species, tissue, count, cost, source in told
    }


def model_table() -> dict[str, Sequence[Any]]:
    """The same in columns."""
    cards = list(CARDS.values())
    return {
        "model": list(CARDS),
        "species": [card.species for card in cards],
        "tissue": [card.tissue for card in cards],
        "variables": [1 + len(variables(MODELS[name]())) for name in CARDS],
        "cost_ns": [card.cost for card in cards],
        "source": [card.source for card in cards],
    }


def paced_cell(
    name: str,
    pacing: Pacing | None = None,
    factors: Mapping[str, float] | None = None,
    **named: Any,
) -> tuple[Beat, Rows]:
    """The last beat of a built-in model, or of one in a file, with parameters times their factors;
    and what is read from it. Where the stimulus is 0 it is a beat of the cell's own (`own_beat`),
    of three cycle lengths that it is watched. `named` as in `cell_of`. ValueError names model,
    parameter or key."""
    pacing = Pacing() if pacing is None else pacing
    with jax.enable_x64(True):  # concentrations drift in single precision
        model = cell_of(name, factors, **named)
        keep = variables(model)
        if pacing.stimulus == 0:
            start = train(model, model.initial(1), pacing, pacing.beats - 1)
            watch = dataclasses.replace(pacing, beats=1, cycle_length=3 * pacing.cycle_length)
            beat, cycle = own_beat(pace(model, watch, start, keep=keep))
            found = {"own_cycle_ms": cycle, "alternans_ms": np.nan}
        else:
            beat, before = _two(model, pacing, keep)
            found = {"alternans_ms": abs(markers(beat)["apd90_ms"] - before)}
    found |= markers(beat) | {"drift_mV": beat.drift}
    found["calcium_uM"] = 1000 * float(np.ptp(beat.state.get("Ca_i", np.nan)))
    return beat, {key: row(found[key], *of) for key, of in DEFINITIONS.items() if key in found}


def _two(model: AbstractIonicModel, pacing: Pacing, keep: tuple[str, ...]) -> tuple[Beat, float]:
    """The last beat, and APD90 of the one before; nan of one beat."""
    if pacing.beats == 1:
        return pace(model, pacing, keep=keep), np.nan
    first = pace(model, dataclasses.replace(pacing, beats=pacing.beats - 1), keep=keep)
    beat = pace(model, dataclasses.replace(pacing, beats=1), start=first.end, keep=keep)
    drift = float(beat.V[0] - first.V[0])
    return dataclasses.replace(beat, drift=drift), markers(first)["apd90_ms"]


def cell_of(
    name: str,
    factors: Mapping[str, float] | None = None,
    smooth_mV: float | None = None,
    **named: str | None,
) -> AbstractIonicModel:
    """A built-in model, or that of a file, with parameters times their factors, its jumps led over
    by sigmoids of a width if that is given. `named`: what of a file is its `voltage` and its
    `stimulus`, as `by_name` takes them."""
    model = by_name(name, **named)
    model = model if smooth_mV is None else smoothed(model, smooth_mV)
    return scaled(model, factors) if factors else model


def smoothing_told(smooth_mV: float | None) -> Rows:
    """The width of the sigmoids that lead over jumps, where they do."""
    words = "of the sigmoids that lead over jumps at fixed voltages; absent: they jump as published"
    return {} if smooth_mV is None else {"smooth_mV": row(smooth_mV, "mV", f"width {words}")}


def restitution_of(
    name: str,
    intervals: Sequence[float],
    pacing: Pacing | None = None,
    factors: Mapping[str, float] | None = None,
    **named: Any,
) -> tuple[Restitution, Rows]:
    """APD90 of one early stimulus after each of the intervals [ms], and what is read from it.
    `named` as in `cell_of`."""
    with jax.enable_x64(True):
        found = s1s2(cell_of(name, factors, **named), np.array(intervals), pacing)

    def told(values: Float[np.ndarray, " intervals"]) -> list[float | None]:
        return [None if np.isnan(v) else round(float(v), 2) for v in values]

    return found, {
        "interval_ms": row(told(found.interval), "ms", "from the last S1 to S2"),
        "diastolic_ms": row(
            told(found.diastolic), "ms", "from 90 % repolarisation of the last S1's beat to S2"
        ),
        "s2_apd90_ms": row(told(found.apd90), "ms", "of the beat that S2 starts; null: none"),
        "refractory_ms": row(found.refractory, "ms", "longest interval at which S2 starts none"),
        "steepest_slope": row(
            found.steepest, "1", "greatest slope of s2_apd90_ms over diastolic_ms"
        ),
    }


def imported_cell(
    path: str | Path, voltage: str | None = None, stimulus: str | None = None
) -> tuple[Imported, Checked, Rows]:
    """A model of a file, its first beat beside the file's own equations, and what was found."""
    model = read_membrane(path, voltage, stimulus)
    checked = check_import(path, model, voltage=voltage, stimulus=stimulus)
    keep_check(path, checked.largest, voltage, stimulus)
    of = model.program
    worst = max(checked.states, key=lambda name: checked.states[name])
    rows = {
        "variables": row(1 + len(of.states), "1", "voltage and all others"),
        "voltage": row(of.voltage, "", "which variable is the voltage"),
        "settling": row(
            [name for name, *_ in of.relaxing], "", "variables stepped by exact exponentials"
        ),
        "together": row(
            [name for name, *_ in of.coupled], "", "variables that turn into one another"
        ),
        "stepped": row([name for name, _ in of.changing], "", "variables stepped by their slope"),
        "stimulus": row(of.paced, "", "whether the file has a stimulus, which is left out"),
        "jumps": row(
            jumps(model),
            "1",
            "choices by the voltage alone, exact here; --smooth 1 leads over each by a sigmoid "
            "of 1 mV",
        ),
        "parameters": row(sorted(parameters(model)), "", "constants that may be scaled"),
        "largest_difference_mV": row(
            checked.largest,
            "mV",
            "of one beat from the file's own equations, integrated by LSODA, away from upstrokes",
        ),
        "worst_variable": row(
            f"{worst}, {100 * checked.states[worst]:.2g} %", "", "and its difference, of its range"
        ),
        "agrees": row(checked.largest < MOST, "", f"whether that is below {MOST:g} mV"),
    }
    return model, checked, rows
