"""Drugs: how much of each current they leave."""

import csv
import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from heartsim.ionic import CURRENTS, AbstractIonicModel, conductances, scaled
from heartsim.mesh import did_you_mean

CHANNELS = {"hERG": "Kr", "Late_sodium": "NaL", "Peak_sodium": "Na"}
"""Names of CiPA's tables for currents."""
BINDING = {  # column of a table, parameter of the model that binds
    "hERG_Kmax": "bind_most",
    "hERG_Ku": "unbind",
    "hERG_n": "bind_hill",
    "hERG_halfmax": "bind_half",
    "hERG_Vhalf": "trap_half",
}
EMPTY = ("", "na", "nan")
OTHERS = ("wendyherg",)  # in CiPA's table beside hERG: hERG as another laboratory has it
COLUMN = re.compile(r"(?:I_?)?(.+?)(_?)(IC50|h)", re.IGNORECASE)


class Hill(NamedTuple):
    """Block of one current: half of it at IC50 [nM], with Hill coefficient h."""

    IC50: float
    h: float

    def left(self, concentration: ArrayLike) -> Array:
        """Share of the current at a free concentration [nM]: 1 / (1 + (C / IC50)^h). Gradients pass
        above 0 nM."""
        return 1 / (1 + (jnp.asarray(concentration, float) / self.IC50) ** self.h)


@dataclasses.dataclass(frozen=True)
class Drug:
    """One drug."""

    name: str
    blocks: Mapping[str, Hill]
    """By current: Na, NaL, CaL, to, Kr, Ks, K1 ..."""
    therapeutic: float | None = None
    """Free concentration [nM] that doses are multiples of; None where it is not known."""
    binding: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """How it binds hERG, by parameters of `ohara_rudy_cipa_2017_*`; empty where not known."""

    def at(self, dose: float) -> float:
        """Free concentration [nM] of a multiple of the therapeutic one; ValueError without that."""
        if self.therapeutic is None:
            raise ValueError(f"{self.name} has no therapeutic concentration, so no doses.")
        return dose * self.therapeutic


def read_drugs(path: str | Path) -> dict[str, Drug]:
    """Drugs of a CSV table, by name: a column `drug`, for each current its name with _IC50 [nM] and
    _h (as Kr_IC50, Kr_h; CiPA's hERG, ICaL, Late_sodium and Peak_sodium are known), where there
    are such `therapeutic` [nM] and hERG_Kmax, _Ku [1/ms], _n, _halfmax [nM^n], _Vhalf [mV].

    An IC50 that is missing, NA or 0, or a Hill coefficient of 0, is no block; one that is missing
    or NA is 1. ValueError names the file, drug and column.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; check the path.")
    rows = _rows(path)
    if not rows or "drug" not in rows[0]:
        raise ValueError(f"{path}: wanted a CSV table with a column drug and at least one row.")
    columns = _columns(list(rows[0]), path)
    found: dict[str, Drug] = {}
    for number, row in enumerate(rows, start=1):
        if not row["drug"]:
            raise ValueError(f"{path}: row {number} names no drug.")
        if row["drug"] in found:
            raise ValueError(f"{path}: {row['drug']} stands there twice; wanted one row a drug.")
        found[row["drug"]] = _drug(row, columns, path)
    return found


def drugs_of(path: str | Path, names: Sequence[str] = ()) -> list[Drug]:
    """Those named of a table (see `read_drugs`), all of none; ValueError names what it lacks."""
    drugs = read_drugs(path)
    for name in names:
        if name not in drugs:
            raise ValueError(f"{path} has no drug {name!r}; it has {', '.join(drugs)}.")
    return [drugs[name] for name in names or drugs]


def _rows(path: Path) -> list[dict[str, str]]:
    """By column, without the spaces around."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: wanted a CSV table in UTF-8 ({error}).") from None
    exact = {name.lower(): name for name in BINDING}
    return [
        {exact.get(k.strip().lower(), k.strip()): (v or "").strip() for k, v in row.items() if k}
        for row in rows
    ]


def dosed(
    model: AbstractIonicModel,
    doses: Sequence[tuple[Drug, ArrayLike]],
    binding: bool = True,
    without: Iterable[str] = (),
) -> AbstractIonicModel:
    """The membrane under free concentrations [nM] of drugs: a number each, or one per cell.

    Every current is scaled by the product of what each drug leaves of it. With `binding`, a drug
    whose binding to hERG is known binds a model that has such states, in place of its block of
    Kr. Currents in `without` are not blocked, nor bound. ValueError where the model has no such
    current, there is none of that name, nothing is known of a drug, a concentration is negative,
    or two drugs bind at once.
    """
    own, known, spared = conductances(model), model.named(), set(without)
    if strange := spared - {*CURRENTS, *own}:
        name = min(strange)
        raise ValueError(f"without: {name!r} is no current{did_you_mean(name, CURRENTS)}.")
    left: dict[str, Array] = {}
    bound: dict[str, ArrayLike] = {}
    for drug, concentration in doses:
        level = jnp.asarray(concentration, float)
        if not isinstance(level, jax.core.Tracer) and not (level >= 0).all():
            raise ValueError(
                f"{drug.name}: wanted concentrations of 0 nM or more, was given {level}."
            )
        if not (drug.blocks or drug.binding):
            raise ValueError(
                f"{drug.name}: no IC50 and no binding is given, so that nothing tells what it does."
            )
        binds = binding and bool(drug.binding) and set(drug.binding) <= set(known)
        binds = binds and "Kr" not in spared
        if binds and bound:
            raise ValueError(f"{drug.name}: two drugs cannot bind hERG at once; leave binding out.")
        bound |= {**drug.binding, "drug": level} if binds else {}
        for current, hill in drug.blocks.items():
            if current in spared or (binds and current == "Kr"):
                continue
            if current not in own:
                raise ValueError(
                    f"{drug.name} blocks {current}, of which {type(model).__name__} has no "
                    f"conductance; it has {', '.join(sorted(own)) or 'none'}."
                )
            left[own[current]] = left.get(own[current], 1.0) * hill.left(level)
    new = scaled(model, left)
    return new.with_named({k: jnp.asarray(v, known[k].dtype) for k, v in bound.items()})


def _columns(names: list[str], path: Path) -> dict[str, tuple[str, str]]:
    """Of the columns that say how a current is blocked: the current, and IC50 or h."""
    found: dict[str, tuple[str, str]] = {}
    standard = {current.lower(): current for current in CURRENTS}
    standard |= {name.lower(): current for name, current in CHANNELS.items()}
    for name in names:
        match = COLUMN.fullmatch(name)
        if not match and name not in BINDING and name.lower().rpartition("_")[0] in standard:
            raise ValueError(
                f"{path}: column {name}: of a current _IC50 and _h are known, of hERG also "
                f"{', '.join(BINDING)}."
            )
        if name in BINDING or (match and match[1].lower() in OTHERS):
            continue
        current = standard.get(match[1].lower()) if match else None
        if current is None and ("ic50" in name.lower() or (match and match[2])):
            raise ValueError(
                f"{path}: column {name}: wanted a current with _IC50 or _h, as Kr_IC50, of "
                f"{', '.join([*CURRENTS, *CHANNELS])}."
            )
        if match is None or current is None:
            continue
        one = (current, match[3].lower())
        if one in found.values():
            raise ValueError(f"{path}: column {name}: {current} has such a column already.")
        found[name] = one
    return found


def _drug(row: Mapping[str, str], columns: Mapping[str, tuple[str, str]], path: Path) -> Drug:
    def number(name: str) -> float | None:
        text = row.get(name, "")
        if text.lower() in EMPTY:
            return None
        try:
            value = float(text)
        except ValueError:
            raise ValueError(
                f"{path}: {row['drug']}, {name}: wanted a number, not {text!r}."
            ) from None
        if value < 0 and name not in ("hERG_Vhalf",):
            raise ValueError(f"{path}: {row['drug']}, {name}: wanted 0 or more, not {text}.")
        return value

    parts: dict[str, dict[str, float | None]] = {}
    for name, (current, part) in columns.items():
        parts.setdefault(current, {})[part] = number(name)
    blocks = {
        current: Hill(half, 1.0 if h is None else h)
        for current, of in parts.items()
        if (half := of.get("ic50")) and (h := of.get("h")) != 0
    }
    values = {parameter: number(name) for name, parameter in BINDING.items()}
    binding = {k: v for k, v in values.items() if v is not None}
    if binding and len(binding) < len(BINDING):
        raise ValueError(f"{path}: {row['drug']}: wanted all of {', '.join(BINDING)}, or none.")
    therapeutic = number("therapeutic")
    if therapeutic == 0:
        raise ValueError(f"{path}: {row['drug']}, therapeutic: wanted more than 0 nM, or nothing.")
    return Drug(row["drug"], blocks, therapeutic, binding)
