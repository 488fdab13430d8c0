"""`heartsim cell`."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from heartsim._files import whole_or_refused
from heartsim.ionic import Beat, Pacing
from heartsim.scenario import cell_models, imported_cell, paced_cell
from heartsim.viz import beat_png

from ._options import Json
from ._show import show

DEFAULT = Pacing()


def cell(
    model: Annotated[
        str | None, typer.Argument(help="Name of a cell model, or its file (.cellml .mmt .model)")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Name the built-in models.")] = False,
    imported: Annotated[
        Path | None, typer.Option("--import", help="Read a file of a model and check one beat.")
    ] = None,
    voltage: Annotated[
        str | None, typer.Option(help="With --import: which variable is the voltage.")
    ] = None,
    cycle_ms: Annotated[float, typer.Option(help="Between stimuli.")] = DEFAULT.cycle_length,
    beats: Annotated[int, typer.Option(min=1, help="The last one is measured.")] = DEFAULT.beats,
    stimulus: Annotated[
        float, typer.Option(help="mV/ms; 0 for a cell that beats by itself.")
    ] = DEFAULT.stimulus,
    duration_ms: Annotated[float, typer.Option(help="Of a stimulus.")] = DEFAULT.duration,
    dt_ms: Annotated[float, typer.Option(help="Step.")] = DEFAULT.dt,
    scale: Annotated[
        list[str] | None, typer.Option(help="Parameter times a factor, as g_Kr=0.5.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Every variable of the last beat.")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Picture of the beat.")] = None,
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
        beat, rows = paced_cell(model, pacing, _factors(scale or []))
        _keep(beat, csv_file, png, f"{Path(model).name}, {cycle_ms:g} ms")
        show(rows, as_json=as_json, title=model)


def _keep(beat: Beat, csv_file: Path | None, png: Path | None, title: str) -> None:
    if csv_file is not None:
        _write(beat, csv_file)
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


def _write(beat: Beat, path: Path) -> None:
    with whole_or_refused(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time_ms", "V_mV", *beat.state])
        columns = [beat.time, beat.V, *beat.state.values()]
        rows.writerows([f"{v:.8g}" for v in line] for line in zip(*columns, strict=True))
