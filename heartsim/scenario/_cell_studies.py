"""Studies of one cell model: its limit cycle, its dynamic restitution, a population of its
variants, what each conductance does. Each gives a table and its numbers."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from heartsim.ionic import (
    FIRED,
    AbstractIonicModel,
    Beat,
    Pacing,
    conductances,
    dynamic_restitution,
    flat,
    markers,
    pace,
    pace_cells,
    scaled,
    sensitivity,
)

from ._cell import DEFINITIONS, cell_of, smoothing_told
from ._cell_tables import KEPT, READ, Table, number, plain
from ._limit_cycle import limit_cycle
from ._rows import Rows, row

MANY = 1000  # variants, of more of which voltages are kept less often
EAD = 1.0  # mV of rise that count as an afterdepolarisation; ours


def settled_study(
    name: str,
    pacing: Pacing,
    factors: Mapping[str, float] | None = None,
    cache: Path | None = None,
    **named: Any,
) -> tuple[Beat, Table, Rows]:
    """The limit cycle of a cell (`named` as in `cell_of`): its beat, each variable as a stimulus
    begins, and how it got there."""
    with jax.enable_x64(True):
        model = cell_of(name, factors, **named)
        found = limit_cycle(model, pacing, cache)
        beat = pace(model, dataclasses.replace(pacing, beats=1), start=found.end)
    read = markers(beat)
    told = {key: row(read[key], *DEFINITIONS[key]) for key in DEFINITIONS if key in read}
    values = {"V": found.end[0]} | flat(found.end[1])
    table: Table = {"variable": list(values), "value": [float(x[0]) for x in values.values()]}
    return (
        beat,
        table,
        told
        | {
            "beats": row(found.beats, "1", "from the model's start"),
            "drift": row(
                found.drift,
                "1",
                "largest change of a variable a beat, over the last ten, as a share of itself",
            ),
            "drifting": row(found.variable, "", "the variable that changes so"),
            "states": row(
                dict(zip(*table.values(), strict=True)), "", "each variable as a stimulus begins"
            ),
        },
    )


def dynamic_study(
    name: str,
    cycles: Sequence[float],
    pacing: Pacing,
    factors: Mapping[str, float] | None = None,
    most: float = 5.0,
    **named: Any,
) -> tuple[Table, Rows]:
    """APD90 of two beats in a row at each cycle length, after `pacing.beats` beats of it; `named`
    as in `cell_of`."""
    with jax.enable_x64(True):
        model = cell_of(name, factors, **named)
        found = dynamic_restitution(model, np.array(cycles, float), pacing)
    table: Table = {
        "cycle_ms": list(map(float, cycles)),
        "diastolic_ms": plain(found.diastolic),
        "apd90_ms": plain(found.apd90[:, 1]),
        "alternans_ms": plain(found.alternans),
    }
    alternates = found.cycle_length[found.alternans > most]
    lost = found.cycle_length[np.isnan(found.alternans)]
    kept = found.cycle_length[found.cycle_length > lost.max(initial=0.0)]
    return table, {
        "cycle_ms": row(table["cycle_ms"], "ms", "between stimuli"),
        "diastolic_ms": row(table["diastolic_ms"], "ms", "cycle_ms less APD90 of the first beat"),
        "apd90_ms": row(table["apd90_ms"], "ms", "of the second beat; null: none that ends"),
        "alternans_ms": row(table["alternans_ms"], "ms", "by which the two beats differ"),
        "alternans_from_ms": row(
            float(alternates.max()) if alternates.size else np.nan,
            "ms",
            f"longest cycle length with alternans above {most:g} ms; null: none",
        ),
        "captured_ms": row(
            float(kept.min(initial=np.inf)),
            "ms",
            "shortest cycle length from which on every beat fires and ends",
        ),
    }


def population_study(
    name: str,
    n: int,
    pacing: Pacing,
    factors: Mapping[str, float] | None = None,
    spread: float = 0.2,
    seed: int = 0,
    **named: Any,
) -> tuple[Table, Rows]:
    """`n` variants of a cell (`named` as in `cell_of`), each conductance times its own factor
    exp(N(0, spread²)), in one program: factors and numbers of each, and where half and nine tenths
    of them lie."""
    if n < 1 or not spread > 0:
        raise ValueError(
            f"population: wanted a number and a spread above 0, was given {n}, {spread}."
        )
    rng = np.random.default_rng(seed)
    with jax.enable_x64(True):
        model = cell_of(name, factors, **named)
        own = _conductances(name, model)
        times = {current: np.exp(rng.normal(0.0, spread, n)) for current in own}
        variants = scaled(model, {own[c]: jnp.asarray(x) for c, x in times.items()})
        read = pace_cells(variants, n, pacing, every=0.1 if n <= MANY else 0.5).markers()
    kept = [key for key in KEPT if key in read]
    table: Table = {f"times_{c}": plain(x) for c, x in times.items()}
    table |= {key: plain(read[key]) for key in kept}
    rows: Rows = {key: _percentiles(read[key], *READ[key]) for key in kept}
    fired = ~(read["amplitude_mV"] < FIRED)
    endless = fired & ~np.isfinite(read["apd90_ms"])
    rows["variants"] = row(n, "1", f"spread {spread:g} of the logarithm, seed {seed}")
    rows["not_fired"] = row(int((~fired).sum()), "1", f"variants that rise by under {FIRED:g} mV")
    rows["not_ended"] = row(int(endless.sum()), "1", "variants whose beat does not end")
    rows["with_ead"] = row(
        int((read["ead_mV"] > EAD).sum()), "1", f"variants with ead_mV > {EAD:g}"
    )
    return table, rows


def _percentiles(values: Float[np.ndarray, " variants"], unit: str, words: str) -> dict[str, Any]:
    """Where half and nine tenths of the numbers lie that there are."""
    fine = values[np.isfinite(values)]
    marks = np.percentile(fine, (5, 25, 50, 75, 95)) if fine.size else np.full(5, np.nan)
    named = dict(zip(("p5", "p25", "median", "p75", "p95"), map(float, marks), strict=True))
    return row(named, unit, f"percentiles of the variants; {words}")


def sensitivity_study(
    name: str,
    pacing: Pacing,
    factors: Mapping[str, float] | None = None,
    smooth_mV: float | None = None,
    **named: Any,
) -> tuple[Table, Rows]:
    """What 10 % more of each conductance change, by derivatives; jumps are led over, by 1 mV where
    no other width is given, for behind a jump a derivative is wrong. `named` as in `cell_of`."""
    smooth_mV = 1.0 if smooth_mV is None else smooth_mV
    with jax.enable_x64(True):
        model = cell_of(name, factors, smooth_mV, **named)
        slopes = sensitivity(model, _conductances(name, model), pacing)
    order = sorted(slopes, key=lambda c: -abs(np.nan_to_num(slopes[c]["apd90_ms"])))
    table: Table = {"current": order}
    rows: Rows = {}
    for key in ("apd90_ms", "apd50_ms", "peak_mV", "rest_mV"):
        table[f"{key}_per_10_percent"] = [0.1 * slopes[c][key] for c in order]
        unit = key.rsplit("_", 1)[1]
        rows[f"{key}_per_10_percent"] = row(
            {c: number(0.1 * slopes[c][key]) for c in order},
            unit,
            f"change of {key} with 10 % more of each conductance, to first order; the action "
            "potential counts from half-way up",
        )
    return table, rows | smoothing_told(smooth_mV)


def _conductances(name: str, model: AbstractIonicModel) -> dict[str, str]:
    """Those of a model; ValueError where it has none."""
    found = conductances(model)
    if not found:
        raise ValueError(f"{name} has no conductances of currents by name, so nothing to vary.")
    return found
