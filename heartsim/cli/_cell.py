"""`heartsim cell`."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from heartsim._files import whole_or_refused
from heartsim.ionic import Beat, Pacing, Restitution
from heartsim.scenario import cell_models, imported_cell, paced_cell, restitution_of
from heartsim.viz import beat_png, restitution_png

from ._options import Json
from ._show import show

DEFAULT = Pacing()
Model = Annotated[
    str | None, typer.Argument(help="Name of a cell model, or its file (.cellml .mmt .model)")
]
Listed = Annotated[bool, typer.Option("--list", help="Name the built-in models.")]
Imported = Annotated[
    Path | None, typer.Option("--import", help="Read a file of a model and check one beat.")
]
Voltage = Annotated[str | None, typer.Option(help="With --import: which variable is the voltage.")]
Scale = Annotated[list[str] | None, typer.Option(help="Parameter times a factor, as g_Kr=0.5.")]
Early = Annotated[
    tuple[float, float, float] | None,
    typer.Option(help="One early stimulus after FIRST to LAST ms, each STEP: restitution."),
]
Table = Annotated[Path | None, typer.Option("--csv", help="Every variable, or the curve.")]


def cell(
    model: Model = None,
    listed: Listed = False,
    imported: Imported = None,
    voltage: Voltage = None,
    cycle_ms: Annotated[float, typer.Option(help="Between stimuli.")] = DEFAULT.cycle_length,
    beats: Annotated[int, typer.Option(min=1, help="The last one is measured.")] = DEFAULT.beats,
    stimulus: Annotated[
        float, typer.Option(help="mV/ms; 0 for a cell that beats by itself.")
    ] = DEFAULT.stimulus,
    duration_ms: Annotated[float, typer.Option(help="Of a stimulus.")] = DEFAULT.duration,
    dt_ms: Annotated[float, typer.Option(help="Step.")] = DEFAULT.dt,
    scale: Scale = None,
    s2: Early = None,
    csv_file: Table = None,
    png: Annotated[Path | None, typer.Option(help="Picture of the beat or the curve.")] = None,
    as_json: Json = False,
) -> None:
    """Pace one cell and measure its last beat; list the models; read one from a file."""
    if sum([model is not None, listed, imported is not None]) != 1:
        raise ValueError("cell: give one of MODEL, --list and --import FILE.")
    if listed:
        show(cell_models(), as_json=as_json, title="cell models", as_named=True)
    if imported is not None:
        _import(imported, voltage, png, as_json)
    if model is not None:
        pacing = Pacing(cycle_ms, beats, stimulus, duration_ms, dt_ms)
        title, factors = f"{Path(model).name}, {cycle_ms:g} ms", _factors(scale or [])
        if s2 is None:
            beat, rows = paced_cell(model, pacing, factors)
            _keep(beat, csv_file, png, title)
        else:
            curve, rows = restitution_of(model, _intervals(*s2), pacing, factors)
            _keep_curve(curve, csv_file, png, title)
        show(rows, as_json=as_json, title=model)


def _intervals(first: float, last: float, step: float) -> list[float]:
    if not (0 < first <= last and step > 0):
        raise ValueError(
            f"--s2 {first:g} {last:g} {step:g}: wanted FIRST, LAST and STEP in ms, rising."
        )
    return np.arange(first, last + step / 2, step).tolist()


def _keep_curve(curve: Restitution, csv_file: Path | None, png: Path | None, title: str) -> None:
    if csv_file is not None:
        names = ("interval_ms", "diastolic_ms", "s2_apd90_ms")
        _write(csv_file, names, (curve.interval, curve.diastolic, curve.apd90))
    if png is not None:
        restitution_png(curve.diastolic, curve.apd90, png, title)


def _keep(beat: Beat, csv_file: Path | None, png: Path | None, title: str) -> None:
    if csv_file is not None:
        names = ("time_ms", "V_mV", *beat.state)
        _write(csv_file, names, (beat.time, beat.V, *beat.state.values()))
    if png is not None:
        beat_png(beat.time, {"V": beat.V}, png, title)


def _import(path: Path, voltage: str | None, png: Path | None, as_json: bool) -> None:
    _, checked, rows = imported_cell(path, voltage)
    if png is not None:
        lines = {"heartsim": checked.V, "the file's own equations": checked.reference}
        beat_png(checked.time, lines, png, path.name)
    show(rows, as_json=as_json, title=str(path))


def _factors(given: list[str]) -> dict[str, float]:
    """Of options as g_Kr=0.5."""
    found = {}
    for text in given:
        name, _, factor = text.partition("=")
        try:
            found[name] = float(factor)
        except ValueError:
            raise ValueError(f"--scale {text}: wanted a factor, as in g_Kr=0.5.") from None
    return found


def _write(path: Path, names: Sequence[str], columns: Sequence[np.ndarray]) -> None:
    with whole_or_refused(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(names)
        rows.writerows([f"{v:.8g}" for v in line] for line in zip(*columns, strict=True))
