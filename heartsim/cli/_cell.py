"""`heartsim cell`."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from heartsim._files import whole_or_refused
from heartsim.scenario import (
    DrugPlan,
    Rows,
    Table,
    cell_models,
    drug_study,
    dynamic_study,
    imported_cell,
    model_table,
    paced_cell,
    population_study,
    restitution_of,
    sensitivity_study,
    settled_study,
    smoothing_told,
)
from heartsim.therapy import drugs_of
from heartsim.viz import (
    beat_png,
    cycles_png,
    doses_png,
    population_png,
    restitution_png,
    slopes_png,
)

from ._cache import tuning_folder
from ._cell_options import CellOptions, parts, steps
from ._options import free, takes
from ._show import show


@takes(CellOptions)
def cell(of: CellOptions) -> None:
    """Pace one cell and measure its last beat; study drugs, restitution, populations; list the
    models; read one from a file."""
    if sum([of.model is not None, of.listed, of.imported is not None]) != 1:
        raise ValueError("cell: give one of MODEL, --list and --import FILE.")
    free(of.csv_file, of.png)
    if of.listed:
        if of.png is not None:
            raise ValueError("cell: --list has no picture; leave out --png.")
        _keep(of, model_table())
        show(cell_models(), as_json=of.as_json, title="cell models", as_named=True)
    elif of.imported is not None:
        if of.smooth is not None:
            raise ValueError("cell: --import holds a file as it is; give --smooth with MODEL.")
        _import(of.imported, of)
    elif of.model is not None:
        rows = STUDIES[of.study()](of.model, of) | smoothing_told(of.smooth)
        show(rows, as_json=of.as_json, title=of.model, columns=COLUMNS.get(of.study(), ()))


def _pace(model: str, of: CellOptions) -> Rows:
    beat, rows = paced_cell(model, of.pacing(), of.factors(), **of.reading())
    if of.csv_file is not None:
        names = ("time_ms", "V_mV", *beat.state)
        _write(of.csv_file, names, zip(beat.time, beat.V, *beat.state.values(), strict=True))
    _picture(of, beat_png, beat.time, {"V": beat.V})
    return rows


def _early(model: str, of: CellOptions) -> Rows:
    assert of.s2 is not None
    intervals = steps("s2", of.s2)
    curve, rows = restitution_of(model, intervals, of.pacing(), of.factors(), **of.reading())
    _keep(
        of,
        {
            "interval_ms": curve.interval.tolist(),
            "diastolic_ms": curve.diastolic.tolist(),
            "s2_apd90_ms": curve.apd90.tolist(),
        },
    )
    _picture(of, restitution_png, curve.diastolic, curve.apd90)
    return rows


def _dynamic(model: str, of: CellOptions) -> Rows:
    assert of.dynamic is not None
    cycles = steps("dynamic", of.dynamic)
    table, rows = dynamic_study(model, cycles, of.pacing(), of.factors(), **of.reading())
    _keep(of, table)
    _picture(of, cycles_png, table)
    return rows


def _drug(model: str, of: CellOptions) -> Rows:
    assert of.drug is not None
    plan = DrugPlan(
        drugs_of(of.drug, parts(of.only)),
        of.doses(),
        together=of.together,
        binding=not of.static,
        without=parts(of.without),
    )
    table, rows = drug_study(
        model, plan, of.pacing(), of.factors(), tuning_folder(), **of.reading()
    )
    _keep(of, table)
    _picture(of, doses_png, table)
    return rows


def _population(model: str, of: CellOptions) -> Rows:
    assert of.population is not None
    table, rows = population_study(
        model, of.population, of.pacing(), of.factors(), of.spread, of.seed, **of.reading()
    )
    _keep(of, table)
    _picture(of, population_png, table)
    return rows


def _sensitivity(model: str, of: CellOptions) -> Rows:
    table, rows = sensitivity_study(model, of.pacing(), of.factors(), **of.reading())
    _keep(of, table)
    _picture(of, slopes_png, table)
    return rows


def _settle(model: str, of: CellOptions) -> Rows:
    beat, table, rows = settled_study(
        model, of.pacing(), of.factors(), tuning_folder(), **of.reading()
    )
    _keep(of, table)
    _picture(of, beat_png, beat.time, {"V": beat.V})
    return rows


STUDIES = {
    "pace": _pace,
    "s2": _early,
    "dynamic": _dynamic,
    "drug": _drug,
    "population": _population,
    "sensitivity": _sensitivity,
    "settle": _settle,
}


COLUMNS = {  # of the table that a study prints
    "s2": ("interval_ms", "diastolic_ms", "s2_apd90_ms"),
    "dynamic": ("cycle_ms", "diastolic_ms", "apd90_ms", "alternans_ms"),
    "drug": (
        "drug", "dose", "concentration_nM", "apd90_ms", "triangulation_ms", "ead_mV", "qnet_uC_uF",
        "drift",
    ),
}  # fmt: skip


def _import(path: Path, of: CellOptions) -> None:
    _, checked, rows = imported_cell(path, of.voltage, of.stimulus_name)
    if of.csv_file is not None:
        names = ("time_ms", "V_mV", "V_of_the_file_mV")
        _write(of.csv_file, names, zip(checked.time, checked.V, checked.reference, strict=True))
    if of.png is not None:
        lines = {"heartsim": checked.V, "the file's own equations": checked.reference}
        beat_png(checked.time, lines, of.png, path.name)
    show(rows, as_json=of.as_json, title=str(path))


def _picture(of: CellOptions, draw: Any, *what: Any) -> None:
    if of.png is not None:
        pace = "" if of.dynamic is not None else f", {of.pacing().cycle_length:g} ms"
        draw(*what, of.png, f"{Path(str(of.model)).name}{pace}")


def _keep(of: CellOptions, table: Table) -> None:
    if of.csv_file is not None:
        _write(of.csv_file, list(table), zip(*table.values(), strict=True))


def _write(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with whole_or_refused(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        written = csv.writer(file, lineterminator="\n")
        written.writerow(names)
        written.writerows([_told(value) for value in line] for line in rows)


def _told(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.8g}"
