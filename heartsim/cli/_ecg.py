"""`heartsim ecg`."""

import json
import sys
from enum import StrEnum
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heartsim.ecg import LEADS, Measures, Recording, after_rest, measure, read_ecg, write_ecg
from heartsim.scenario import Rows, row
from heartsim.viz import ecg_png

from ._options import Json, free
from ._show import show

APART_MS = 30.0
"""How far QRS and activation of a run may lie apart before it is said: twice the 15 ms between two
readers of one QRS in Curtin et al. (2018), IEEE J. Transl. Eng. Health Med. 6, 1900211 (abstract
read); on the shipped heart, paced and in sinus rhythm, they differ by 13 ms at most."""


class Sex(StrEnum):
    """What the rules for bundle branch block know."""

    FEMALE = "female"
    MALE = "male"


def ecg(
    source: Annotated[
        Path,
        typer.Argument(help="A run directory, or .csv .hea .dcm .xml (aECG, MUSE) .scp .edf"),
    ],
    out: Annotated[Path | None, typer.Option(help="Write the leads: .csv, .dcm or .hea.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the twelve leads on ECG paper.")] = None,
    sex: Annotated[
        Sex | None, typer.Option(help="Whose limit of QRS duration Strauss's rule takes.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Hz, for a CSV without time_ms.")] = None,
    check: Annotated[
        bool, typer.Option(help="Hold the leads to Einthoven's law and to an ECG's size.")
    ] = True,
    keep_identity: Annotated[
        bool, typer.Option("--keep-identity", help="Copy names, dates and comments, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure the leads of a run or of a clinical file SOURCE; convert and draw them."""
    free(*_made(out, png))
    recording = _read(source, rate, check, keep_identity)
    if out is not None:
        write_ecg(recording, out, keep_identity=keep_identity)
    if png is not None:
        _draw(recording, source, png)
    try:
        measures = measure(recording, sex=None if sex is None else sex.value)
    except ValueError as error:
        raise ValueError(f"{source}: {error}{_all_the_same(out, png)}") from error
    rows = _about(recording) | measures.rows() | _activation(source)
    show(rows | (_details(measures) if as_json else {}), as_json=as_json, title=str(source))
    if not as_json:
        _show_leads(measures)
    _warn_if_apart(rows)


def _made(out: Path | None, png: Path | None) -> list[Path]:
    """The files that would be written; WFDB is two."""
    signals = [out.with_suffix(".dat")] if out is not None and out.suffix == ".hea" else []
    return [file for file in (out, *signals, png) if file is not None]


def _all_the_same(out: Path | None, png: Path | None) -> str:
    """What was done although nothing could be measured."""
    made = [str(file) for file in _made(out, png)]
    return f" Not measured, but written: {', '.join(made)}." if made else ""


def _read(source: Path, rate: float | None, check: bool, keep_identity: bool) -> Recording:
    """The ecg.csv of a run is our own, and small hearts give small leads: it goes unchecked. The
    rest before its first stimulus is put before it."""
    if source.is_dir():
        leads = source / "ecg.csv"
        if not leads.is_file():
            raise ValueError(f"{source} holds no ecg.csv; give the directory of a run with an ECG.")
        read = read_ecg(leads, check=False)
        return after_rest(Recording(read.signal, read.rate, read.leads))
    return read_ecg(source, rate=rate, check=check, keep_identity=keep_identity)


def _draw(recording: Recording, source: Path, png: Path) -> None:
    missing = [lead for lead in LEADS if lead not in recording.leads]
    if missing:
        raise ValueError(f"{source}: a page shows twelve leads; this lacks {', '.join(missing)}.")
    with TemporaryDirectory() as folder:
        leads = Path(folder) / "ecg.csv"
        write_ecg(recording, leads)
        ecg_png(leads, png)


def _about(recording: Recording) -> Rows:
    rows = {
        "rate_Hz": row(recording.rate, "Hz", "samples per second of each lead"),
        "duration_s": row(
            recording.signal.shape[0] / recording.rate, "s", "length of the whole recording"
        ),
    }
    notes = list(recording.notes)
    return rows | ({"notes": row(notes, "", "what a reader should know")} if notes else {})


def _activation(source: Path) -> Rows:
    """Of a run: how long its tissue took to activate, as its summary has it."""
    summary, name = source / "summary.json", "total_activation_ms"
    if not summary.is_file():
        return {}
    rows: Rows = json.loads(summary.read_text(encoding="utf-8"))
    return {name: rows[name]} if name in rows else {}


def _warn_if_apart(rows: Rows) -> None:
    """Say on stderr that a run's QRS is not as long as its activation."""
    qrs = rows["qrs_duration_ms"]["value"]
    activation = rows.get("total_activation_ms", {"value": None})["value"]
    if qrs is not None and activation is not None and abs(qrs - activation) > APART_MS:
        print(
            f"warning: the QRS lasts {qrs:.0f} ms, but activation {activation:.0f} ms; look at the "
            "leads, whose slow or small parts may have been taken for the ST segment.",
            file=sys.stderr,
        )


def _details(measures: Measures) -> Rows:
    """What has more than one value: lead by lead, and rule by rule."""
    leads = {
        name: {field: row(value, "", "")["value"] for field, value in waves._asdict().items()}
        for name, waves in measures.per_lead.items()
    }
    rules = {name: verdict.criteria for name, verdict in measures.verdicts.items()}
    return {
        "per_lead": row(leads, "", "waves of each lead in mV and ms; see heartsim.ecg.LeadWaves"),
        "criteria": row(rules, "", "each criterion of each rule"),
    }


def _show_leads(measures: Measures) -> None:
    """A line for each lead: amplitudes in mV, times in ms."""
    table = Table(box=None, title="waves in mV, times in ms from QRS onset", title_justify="left")
    for column in ("lead", "QRS", "Q", "R", "S", "R peak", "notches, slurs", "T"):
        table.add_column(column, justify="left" if column in ("lead", "QRS") else "right")
    for name, w in measures.per_lead.items():
        sizes = [f"{size:.3f}" for size in (w.q, w.r, w.s)]
        peak = "-" if isnan(w.r_peak_time) else f"{w.r_peak_time:.0f}"
        t = "-" if isnan(w.t_amplitude) else f"{w.t_amplitude:.3f}"
        table.add_row(name, w.pattern, *sizes, peak, f"{w.notches}, {w.slurs}", t)
    Console(soft_wrap=True).print(table)
