"""Drugs and doses on one cell model."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from heartsim.ionic import AbstractIonicModel, Cells, Pacing, drifts, pace_cells, train
from heartsim.therapy import Drug, dosed

from ._cell import cell_of
from ._cell_tables import KEPT, READ, Table, plain
from ._limit_cycle import limit_cycle
from ._rows import Rows, row

HEADS = {
    "drug": ("", "which, none first"),
    "dose": ("1", "multiple of the therapeutic concentration"),
    "concentration_nM": ("nM", "free concentration"),
}
SPAN = 10  # beats that a drift is taken over, as the control's
DRIFT = "largest change of a variable a beat, over the last ten"
DRIFTS = {
    "drift": ("1", f"{DRIFT} before those measured (all, of fewer), as a share of itself"),
    "drifting": ("", "the variable that changes so"),
}


@dataclasses.dataclass(frozen=True)
class DrugPlan:
    """Which drugs a cell is given, and how."""

    drugs: Sequence[Drug]
    doses: Sequence[float]
    """Multiples of each drug's therapeutic concentration."""
    together: bool = False
    """All at once, at the same multiples; else one after the other."""
    binding: bool = True
    """Whether a drug whose binding to hERG is known binds it; else it blocks Kr."""
    without: Sequence[str] = ()
    """Currents that are left alone."""

    def __post_init__(self):
        if not self.doses or min(self.doses) < 0:
            raise ValueError(f"doses: wanted multiples of 0 or more, was given {self.doses}.")
        for drug in self.drugs:
            self.levels(drug)

    @property
    def groups(self) -> list[list[Drug]]:
        """What is given at once."""
        return [list(self.drugs)] if self.together else [[drug] for drug in self.drugs]

    def levels(self, drug: Drug) -> Float[np.ndarray, " doses"]:
        """Free concentrations [nM]."""
        return np.array([drug.at(float(dose)) for dose in self.doses])

    def heads(self) -> Table:
        """Of each cell what it is given, the first nothing."""
        found: Table = {
            "drug": ["none", *(_called(group) for group in self.groups for _ in self.doses)],
            "dose": [0.0, *(float(dose) for _ in self.groups for dose in self.doses)],
        }
        if not self.together:
            found["concentration_nM"] = [
                0.0, *(float(c) for drug in self.drugs for c in self.levels(drug))
            ]  # fmt: skip
        return found


def drug_study(
    name: str,
    plan: DrugPlan,
    pacing: Pacing | None = None,
    factors: Mapping[str, float] | None = None,
    cache: Path | None = None,
    **named: Any,
) -> tuple[Table, Rows]:
    """A cell (`named` as in `cell_of`) under each drug at each dose.

    It first reaches its limit cycle without drug (kept in the folder `cache`), then takes
    `pacing.beats` + 1 beats with it, all drugs and doses in one program. Numbers are of the
    longer of the last two beats, each cell's drift is that of the ten before (see `drifts`).
    ValueError names a current that the model lacks.
    """
    pacing = Pacing(cycle_length=2000.0, beats=100, dt=0.02) if pacing is None else pacing
    with jax.enable_x64(True):
        model = cell_of(name, factors, **named)
        control = limit_cycle(model, pacing, cache)
        side = _side_by_side(model, plan)
        n = 1 + len(plan.groups) * len(plan.doses)
        start = jax.tree.map(lambda x: jnp.repeat(x, n), control.end)
        two, changes, names = _paced(side, start, pacing)
    read = _worse(*(cells.markers() for cells in two))
    told = {key: READ[key] for key in KEPT if key in read}
    found = plan.heads()
    heads = {key: of for key, of in HEADS.items() if key in found}
    found |= {key: plain(read[key]) for key in told}
    found |= {"drift": plain(changes), "drifting": names}
    of = heads | told | DRIFTS
    of_control = f"{DRIFT} of these, as a share of itself ({control.variable})"
    return found, {key: row(list(found[key]), *of[key]) for key in of} | {
        "control_beats": row(control.beats, "1", "beats without drug before"),
        "control_drift": row(control.drift, "1", of_control),
    }


def _paced(side: AbstractIonicModel, start: Any, pacing: Pacing) -> tuple[list[Cells], Any, Any]:
    """The last two beats of cells, and how far each drifted in the ten before them, in what."""
    n, span = len(start[0]), min(SPAN, pacing.beats - 1)
    one = dataclasses.replace(pacing, beats=1)
    early = train(side, start, pacing, pacing.beats - 1 - span)
    late = train(side, early, pacing, span)
    before = pace_cells(side, n, one, late, every=0.1)
    last = pace_cells(side, n, one, before.end, every=0.1)
    changes, names = drifts(early, late, span) if span else ([np.nan] * n, [""] * n)
    return [before, last], changes, names


def _worse(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Of each cell what is read from the longer of two beats, one that does not end above all."""
    ends = [np.nan_to_num(read["apd90_ms"], nan=np.inf) for read in (one, other)]
    longer = ends[0] > ends[1]
    read = {name: np.where(longer, one[name], other[name]) for name in one}
    return read | {"alternans_ms": np.abs(one["apd90_ms"] - other["apd90_ms"])}


def _called(drugs: Sequence[Drug]) -> str:
    return " + ".join(drug.name for drug in drugs)


def _side_by_side(model: AbstractIonicModel, plan: DrugPlan) -> AbstractIonicModel:
    """One membrane of many cells: the first without drug, then each group at each dose."""
    own = [model.named()]
    for group in plan.groups:
        doses = [(drug, plan.levels(drug)) for drug in group]
        own.append(dosed(model, doses, plan.binding, plan.without).named())
    new = {}
    for name, value in model.named().items():
        if any(lane[name] is not value for lane in own):
            lanes = [(1, own[0]), *((len(plan.doses), lane) for lane in own[1:])]
            new[name] = jnp.concatenate([jnp.broadcast_to(lane[name], n) for n, lane in lanes])
    return model.with_named(new)
