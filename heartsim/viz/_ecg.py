"""A 12-lead ECG on millimetre paper, true to scale: 25 mm is a second, 10 mm a millivolt."""

import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ._colours import INK
from ._figure import new_figure, save_png

LAYOUT = (
    ("I", "aVR", "V1", "V4"),
    ("II", "aVL", "V2", "V5"),
    ("III", "aVF", "V3", "V6"),
)
"""Rows of the standard page: each column holds three leads."""

DPI = 254.0  # ten pixels to the millimetre, so that grid lines fall on pixels
SPEED = 25.0  # mm/s
COLUMN_MS = 2500.0  # a page of four columns is ten seconds
_PULSE_MS = 200.0  # calibration pulse, 5 mm wide and 1 mV high
_MARGIN, _CALIBRATION, _GAP = 5.0, 15.0, 5.0  # mm: round the page, left of leads, between columns
_HEAD, _NAME, _PAD = 15.0, 6.0, 4.0  # mm: above the leads, above and below each trace
_MOST, _LEAST = 50.0, 2.5  # mm; a tallest lead above or below this changes the gain
_NARROWEST = 25.0  # mm, a column
_MINOR, _MAJOR = "#f7cfd3", "#e58e98"


class Ecg(NamedTuple):
    """Twelve leads against time."""

    time: Float[np.ndarray, " frames"]  # ms, ascending
    leads: dict[str, Float[np.ndarray, " frames"]]  # mV


class Page(NamedTuple):
    """Where everything lies on the paper, mm from its lower left corner."""

    gain: float  # mm/mV
    column: float  # width of a column
    windows: tuple[tuple[float, float], ...]  # ms, the part of the recording in each column
    strip: tuple[float, float] | None  # ms, the part in the rhythm strip
    baselines: tuple[float, ...]  # height of 0 mV: three rows, then the strip if there is one
    tops: tuple[float, ...]  # upper end of each of these rows
    size: tuple[float, float]  # width and height of the paper

    def x(self, column: int) -> float:
        """Left end of a column."""
        return _MARGIN + _CALIBRATION + column * (self.column + _GAP)


def ecg_png(ecg_csv: str | Path, out: str | Path) -> None:
    """Draw `ecg.csv` of a run (time_ms and twelve leads in mV) as a page of ECG paper.

    Three rows of four leads at 25 mm/s and 10 mm/mV at the picture's own resolution; 20 mm/mV
    where the tallest lead is under 0.25 mV, halved as often as needed where it is over 5 mV, and
    said on the page. Rows grow with their traces: nothing is cut off. Up to 2.5 s the same
    stretch stands in all columns; ten seconds or more fill the columns one after the other as on
    a recorder; between, each column holds the last 2.5 s. A rhythm strip of II stands below
    whenever the recording is longer than a column. ValueError for a file that is not such an ECG.
    """
    save_png(ecg_figure(read_ecg(ecg_csv)), out)


def read_ecg(path: str | Path) -> Ecg:
    """Read time_ms and the twelve leads; their order in the file does not matter."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            head, *rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as an ECG ({error}).") from error
    except ValueError as error:
        raise ValueError(f"{path}: is empty; an ECG has time_ms and twelve leads.") from error
    names = [name.strip() for name in head]
    wanted = ["time_ms", *(lead for row in LAYOUT for lead in row)]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ValueError(
            f"{path}: no column {', '.join(missing)}; an ECG has time_ms, I, II, ..., V6."
        )
    try:
        table = np.array([[float(cell) for cell in row] for row in rows]).reshape(-1, len(names))
    except ValueError as error:
        raise ValueError(f"{path}: a row is not {len(names)} numbers ({error}).") from error
    columns = dict(zip(names, table.T, strict=True))
    time, leads = columns["time_ms"], {name: columns[name] for name in wanted[1:]}
    if len(time) < 2 or not (np.diff(time) > 0.0).all():
        raise ValueError(f"{path}: time_ms must ascend over two rows or more.")
    for name, lead in leads.items():
        if not np.isfinite(lead).all():
            raise ValueError(f"{path}: lead {name} has a value that is not a finite number of mV.")
    return Ecg(time, leads)


def page_of(ecg: Ecg) -> Page:
    """Choose gain, columns and rows for a recording; see `ecg_png`."""
    first, last = float(ecg.time[0]), float(ecg.time[-1])
    if last - first >= 4.0 * COLUMN_MS:
        start = last - 4.0 * COLUMN_MS
        windows = tuple((start + k * COLUMN_MS, start + (k + 1) * COLUMN_MS) for k in range(4))
    else:
        windows = 4 * ((max(first, last - COLUMN_MS), last),)
    length = (windows[0][1] - windows[0][0]) * SPEED / 1000.0
    column = max(_NARROWEST, 5.0 * np.ceil(length / 5.0 - 1e-9))
    width = 2.0 * _MARGIN + _CALIBRATION + 4.0 * column + 3.0 * _GAP
    strip = None
    if last - first > COLUMN_MS:
        strip = (max(first, last - 4.0 * COLUMN_MS), last)
    rows = [list(row) for row in LAYOUT] + ([["II"]] if strip is not None else [])
    gain = _gain(max(float(np.ptp(lead)) for lead in ecg.leads.values()))
    y, baselines, tops = 0.0, [], []
    for row in rows:  # downwards from the head; the pulse of 1 mV stands in every row
        highest = max(1.0, *(float(ecg.leads[lead].max()) for lead in row))
        lowest = min(0.0, *(float(ecg.leads[lead].min()) for lead in row))
        tops.append(y)
        baselines.append(y - 5.0 * np.ceil((_NAME + highest * gain) / 5.0))
        y = baselines[-1] - 5.0 * np.ceil((_PAD - lowest * gain) / 5.0)
    height = _HEAD + _MARGIN - y
    up = height - _HEAD  # of the first row's top
    return Page(
        gain,
        float(column),
        windows,
        strip,
        tuple(float(up + b) for b in baselines),
        tuple(float(up + t) for t in tops),
        (float(width), float(height)),
    )


def _gain(tallest):
    """10 mm/mV, or what brings the tallest lead [mV, peak to peak] to a legible height."""
    gain = 10.0
    if tallest * gain < _LEAST:
        return 20.0
    while tallest * gain > _MOST:
        gain /= 2.0
    return gain


def ecg_figure(ecg: Ecg) -> Any:
    """The page as a matplotlib Figure whose only axes measure millimetres of paper."""
    page = page_of(ecg)
    figure = new_figure(*page.size, DPI)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set(xlim=(0.0, page.size[0]), ylim=(0.0, page.size[1]))
    _draw_paper(ax, page.size)
    for row, leads in enumerate(LAYOUT):
        _draw_pulse(ax, page, row)
        for column, lead in enumerate(leads):
            _draw_lead(ax, page, ecg, lead, row, page.x(column), page.windows[column])
    if page.strip is not None:
        _draw_pulse(ax, page, 3)
        _draw_lead(ax, page, ecg, "II", 3, page.x(0), page.strip)
    _write_head(ax, page)
    return figure


def _draw_paper(ax, size):
    """Lines every millimetre, stronger every five."""
    for step, colour, width in ((1.0, _MINOR, 0.1), (5.0, _MAJOR, 0.2)):
        for draw, across, along in ((ax.vlines, *size), (ax.hlines, *size[::-1])):
            draw(np.arange(0.0, across + step / 2, step), 0.0, along, colour, linewidth=_pt(width))


def _draw_pulse(ax, page: Page, row):
    """The calibration pulse: 1 mV for 0.2 s."""
    x, y, width = _MARGIN, page.baselines[row], _PULSE_MS * SPEED / 1000.0
    steps = [0.0, width / 2.0, width / 2.0, 1.5 * width, 1.5 * width, 2.0 * width]
    level = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0]) * page.gain
    ax.plot(x + np.array(steps), y + level, color=INK, linewidth=_pt(0.3), gid="calibration")


def _draw_lead(ax, page: Page, ecg: Ecg, lead, row, x, window):
    """One trace from `x`, its name above its beginning."""
    shown = (ecg.time >= window[0] - 1e-9) & (ecg.time <= window[1] + 1e-9)
    along = x + (ecg.time[shown] - window[0]) * SPEED / 1000.0
    up = page.baselines[row] + ecg.leads[lead][shown] * page.gain
    ax.plot(along, up, color=INK, linewidth=_pt(0.3), solid_joinstyle="round", gid=f"{lead}:{row}")
    ax.text(x, page.tops[row] - 1.0, lead, fontsize=10, fontweight="bold", color=INK, va="top")


def _write_head(ax, page: Page):
    """Speed, gain and the time shown; a gain other than 10 mm/mV is framed."""
    y = page.size[1] - _MARGIN
    words = f"{SPEED:g} mm/s   {page.gain:g} mm/mV"
    style: dict[str, Any] = {"color": INK, "fontsize": 11, "fontweight": "bold", "va": "center"}
    if page.gain != 10.0:
        words += "   (not the standard 10 mm/mV)"
        style["bbox"] = {"facecolor": "white", "edgecolor": INK, "pad": 2.0}
    ax.text(_MARGIN, y, words, **style)
    start, end = page.windows[0][0], page.windows[-1][1]
    same = " in each column" if page.windows[0] == page.windows[-1] else ""
    times = f"{start / 1000:.2f} to {end / 1000:.2f} s{same}"
    ax.text(_MARGIN, y - 6.0, times, color=INK, fontsize=10, va="center")


def _pt(mm: float) -> float:
    """Points of a width in mm."""
    return mm * 72.0 / 25.4
