"""One cell: which models there are, a paced beat and its numbers, a model from a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from heartsim.ionic import (
    CARDS,
    MODELS,
    MOST,
    Beat,
    Checked,
    Imported,
    Pacing,
    Restitution,
    by_name,
    check_import,
    markers,
    pace,
    parameters,
    read_membrane,
    s1s2,
    scaled,
    variables,
)

from ._rows import Rows, row

DEFINITIONS = {
    "rest_mV": ("mV", "voltage as the last beat's stimulus begins"),
    "peak_mV": ("mV", "highest voltage of the beat"),
    "amplitude_mV": ("mV", "peak_mV less rest_mV"),
    "upstroke_mV_ms": ("mV/ms", "greatest rise before the peak, the stimulus included"),
    "apd90_ms": ("ms", "from the greatest rise until 90 % of the amplitude are gone for good"),
    "apd70_ms": ("ms", "the same of 70 %"),
    "apd50_ms": ("ms", "the same of 50 %"),
    "triangulation_ms": ("ms", "from 30 % to 90 % of the amplitude gone"),
    "drift_mV": ("mV", "of the voltage between the starts of the last two beats; null of one beat"),
}


def cell_models() -> Rows:
    """Every built-in model with what it is of."""
    return {
        name: row(
            f"{1 + len(variables(MODELS[name]()))} variables; {card.species}, {card.tissue}; "
            f"{card.source}",
            "",
            "built-in cell model",
        )
        for name, card in CARDS.items()
    }


def paced_cell(
    name: str, pacing: Pacing | None = None, factors: Mapping[str, float] | None = None
) -> tuple[Beat, Rows]:
    """The last beat of a built-in model, or of one in a file, with parameters times their factors;
    and what is read from it. ValueError names model, parameter or key."""
    model = by_name(name)
    model = scaled(model, factors) if factors else model
    beat = pace(model, pacing, keep=variables(model))
    found = markers(beat) | {"drift_mV": beat.drift}
    return beat, {key: row(found[key], unit, words) for key, (unit, words) in DEFINITIONS.items()}


def restitution_of(
    name: str,
    intervals: Sequence[float],
    pacing: Pacing | None = None,
    factors: Mapping[str, float] | None = None,
) -> tuple[Restitution, Rows]:
    """APD90 of one early stimulus after each of the intervals [ms], and what is read from it."""
    model = by_name(name)
    found = s1s2(scaled(model, factors) if factors else model, np.array(intervals), pacing)

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


def imported_cell(path: str | Path, voltage: str | None = None) -> tuple[Imported, Checked, Rows]:
    """A model of a file, its first beat beside the file's own equations, and what was found."""
    model = read_membrane(path, voltage)
    checked = check_import(path, model, voltage=voltage)
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
