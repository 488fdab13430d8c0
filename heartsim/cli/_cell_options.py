"""The options of `heartsim cell`."""

import dataclasses
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from heartsim.ionic import CARDS, Pacing

from ._options import Json

DEFAULT = Pacing()
BEATS = {"drug": 100, "dynamic": 100, "s2": 20}  # of a study, where none are given
DT = {"drug": 0.02, "dynamic": 0.02, "population": 0.02, "sensitivity": 0.02}  # ms
CYCLE = {"drug": 2000.0}  # ms
DRUG_STIMULUS = (80.0, 0.5)  # mV/ms for ms, as CiPA's simulations of drugs
Model = Annotated[
    str | None, typer.Argument(help="Name of a cell model, or its file (.cellml .mmt .model)")
]
Listed = Annotated[bool, typer.Option("--list", help="Name the built-in models.")]
Imported = Annotated[
    Path | None, typer.Option("--import", help="Read a file of a model and check one beat.")
]
Voltage = Annotated[str | None, typer.Option(help="Which variable of a file is the voltage.")]
StimulusName = Annotated[
    str | None, typer.Option(help="Which variable of a file is the stimulus; several as a,b.")
]
Cycle = Annotated[float | None, typer.Option(help="Between stimuli; 1000, with --drug 2000.")]
Beats = Annotated[
    int | None,
    typer.Option(min=1, help="The last is measured; 1, --s2 20, --dynamic and --drug 100."),
]
Stimulus = Annotated[
    float | None, typer.Option(help="mV/ms; 0: its own beat; 40, --drug 80, sinus node 0.")
]
Scale = Annotated[list[str] | None, typer.Option(help="Parameter times a factor, as g_Kr=0.5.")]
Smooth = Annotated[
    float | None, typer.Option(help="mV: sigmoids of this width in place of jumps; none.")
]
Early = Annotated[
    tuple[float, float, float] | None,
    typer.Option(help="One early stimulus after FIRST to LAST ms, each STEP: restitution."),
]
Dynamic = Annotated[
    tuple[float, float, float] | None,
    typer.Option(help="Steady pacing every FIRST to LAST ms, each STEP: restitution, alternans."),
]
Drug = Annotated[Path | None, typer.Option(help="Table of drugs (CSV), all or --only some.")]
Doses = Annotated[
    str | None, typer.Option("--dose", help="Multiples of the therapeutic concentration; 1,2,3,4.")
]
Only = Annotated[str | None, typer.Option(help="With --drug: these alone, as a,b.")]
Together = Annotated[bool, typer.Option("--together", help="With --drug: all at once.")]
Static = Annotated[bool, typer.Option("--static", help="With --drug: block of Kr, no binding.")]
Without = Annotated[str | None, typer.Option(help="With --drug: currents left alone, as NaL,K1.")]
Population = Annotated[int | None, typer.Option(min=1, help="So many variants at once.")]
Spread = Annotated[float, typer.Option(help="With --population: of ln of each conductance.")]
Sensitivity = Annotated[
    bool, typer.Option("--sensitivity", help="What each conductance does, by derivatives.")
]
Settle = Annotated[bool, typer.Option("--settle", help="Pace to the limit cycle; its states.")]
Table = Annotated[Path | None, typer.Option("--csv", help="Every variable, the curve, a table.")]


@dataclasses.dataclass
class CellOptions:
    """One field an option."""

    model: Model = None
    listed: Listed = False
    imported: Imported = None
    voltage: Voltage = None
    stimulus_name: StimulusName = None
    cycle_ms: Cycle = None
    beats: Beats = None
    stimulus: Stimulus = None
    duration_ms: Annotated[float | None, typer.Option(help="Of a stimulus.")] = None
    dt_ms: Annotated[float | None, typer.Option(help="Step of the beat measured.")] = None
    scale: Scale = None
    smooth: Smooth = None
    s2: Early = None
    dynamic: Dynamic = None
    drug: Drug = None
    dose: Doses = None
    only: Only = None
    together: Together = False
    static: Static = False
    without: Without = None
    population: Population = None
    spread: Spread = 0.2
    seed: Annotated[int, typer.Option(min=0, help="With --population.")] = 0
    sensitivity: Sensitivity = False
    settle: Settle = False
    csv_file: Table = None
    png: Annotated[Path | None, typer.Option(help="Picture of the beat or the curve.")] = None
    as_json: Json = False

    def study(self) -> str:
        """Which study is asked for: one at most."""
        asked = {
            "s2": self.s2 is not None,
            "dynamic": self.dynamic is not None,
            "drug": self.drug is not None,
            "population": self.population is not None,
            "sensitivity": self.sensitivity,
            "settle": self.settle,
        }
        chosen = [name for name, wanted in asked.items() if wanted]
        if len(chosen) > 1:
            raise ValueError(f"cell: give one of --{' --'.join(chosen)}, not several.")
        of_drugs = [self.dose is not None, self.only, self.together, self.static, self.without]
        if self.drug is None and any(of_drugs):
            raise ValueError("cell: --dose, --only, --together, --static, --without want --drug.")
        return chosen[0] if chosen else "pace"

    def pacing(self) -> Pacing:
        """As given, the rest as the study has it."""
        study = self.study()
        strength, duration = DEFAULT.stimulus, DEFAULT.duration
        if study == "drug":
            strength, duration = DRUG_STIMULUS
        if study != "pace" and self.stimulus == 0:
            raise ValueError(
                f"cell: --{study} is of beats that a stimulus starts; wanted --stimulus above 0."
            )
        if study == "pace" and self.model in CARDS and CARDS[self.model].tissue == "sinus node":
            strength = 0.0
        return Pacing(
            _given(self.cycle_ms, CYCLE.get(study, DEFAULT.cycle_length)),
            BEATS.get(study, DEFAULT.beats) if self.beats is None else self.beats,
            _given(self.stimulus, strength),
            _given(self.duration_ms, duration),
            _given(self.dt_ms, DT.get(study, DEFAULT.dt)),
        )

    def reading(self) -> dict[str, Any]:
        """How the cell is read: what of a file is named, and the width of sigmoids."""
        named = {"voltage": self.voltage, "stimulus": self.stimulus_name}
        return named | {"smooth_mV": self.smooth}

    def factors(self) -> dict[str, float]:
        """Of options as g_Kr=0.5."""
        found = {}
        for text in self.scale or []:
            name, _, factor = text.partition("=")
            try:
                found[name] = float(factor)
            except ValueError:
                raise ValueError(f"--scale {text}: wanted a factor, as in g_Kr=0.5.") from None
            if not 0 <= found[name] < math.inf:
                raise ValueError(f"--scale {text}: wanted a factor of 0 or more.")
        return found

    def doses(self) -> list[float]:
        """Of 0.5,1,2,4."""
        try:
            return [
                float(text) for text in ("1,2,3,4" if self.dose is None else self.dose).split(",")
            ]
        except ValueError:
            raise ValueError(f"--dose {self.dose}: wanted numbers, as in 0.5,1,2,4.") from None


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


def steps(option: str, given: tuple[float, float, float]) -> list[float]:
    """FIRST to LAST by STEP."""
    first, last, step = given
    if not (0 < first <= last and step > 0):
        raise ValueError(
            f"--{option} {first:g} {last:g} {step:g}: wanted FIRST, LAST and STEP in ms, rising."
        )
    return np.arange(first, last + step / 2, step).tolist()


def parts(text: str | None) -> list[str]:
    """Of a,b."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]
