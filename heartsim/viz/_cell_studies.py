"""Studies of cells as pictures: restitution by steady pacing, drugs over dose, populations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._cell import COLOURS
from ._figure import new_figure, save_png

Columns = Mapping[str, Sequence[Any]]
SHADES = (
    "#1b4f8f", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8c564b", "#999933", "#44aa99",
    "#882255", "#333333", "#e69f00", "#6a3d9a",
)  # fmt: skip
"""Distinct to colour-blind readers too; the order is that of the drugs."""


def cycles_png(table: Columns, out: str | Path, title: str = "") -> None:
    """APD90 of two beats in a row over cycle length [ms]: two branches where they alternate."""
    cycle, second, differ = (_column(table, k) for k in ("cycle_ms", "apd90_ms", "alternans_ms"))
    first = _column(table, "cycle_ms") - _column(table, "diastolic_ms")
    figure = new_figure(120.0, 95.0, 150.0)
    axes = figure.add_subplot()
    both = np.isfinite(differ)
    axes.plot(cycle[both], first[both], "o-", color=COLOURS[0], markersize=4, label="one beat")
    axes.plot(cycle[both], second[both], "s--", color=COLOURS[1], markersize=3.5, label="the next")
    lone = np.where(np.isfinite(first), first, second)[~both]
    axes.plot(cycle[~both], lone, "o", color="0.5", fillstyle="none", label="not every beat whole")
    _frame(axes, "cycle length (ms)", "APD90 (ms)")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.legend(frameon=False)
    figure.tight_layout()
    save_png(figure, out)


def doses_png(table: Columns, out: str | Path, title: str = "") -> None:
    """APD90, and qNet where there is one, of each drug over its dose; without drug at dose 0."""
    panels = [("apd90_ms", "APD90 (ms)")]
    if any(value is not None for value in table.get("qnet_uC_uF", ())):
        panels.append(("qnet_uC_uF", "qNet (µC/µF)"))
    names = [name for name in dict.fromkeys(table["drug"]) if name != "none"]
    figure = new_figure(30.0 + 90.0 * len(panels), 95.0, 150.0)
    for k, (key, label) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), k)
        dose, values = _column(table, "dose"), _column(table, key)
        for n, name in enumerate(names):
            own = np.array([drug in (name, "none") for drug in table["drug"]])
            shade = SHADES[n % len(SHADES)]
            axes.plot(dose[own], values[own], "o-", color=shade, markersize=3.5, label=name)
            lost = dose[own & ~np.isfinite(values)]
            top = {"transform": axes.get_xaxis_transform(), "clip_on": False}
            axes.plot(lost, np.ones(len(lost)), "x", color=shade, **top)
            if len(lost):
                axes.text(lost[0], 1.03, "does not end", fontsize=7, ha="right", **top)
        _frame(axes, "dose (times therapeutic)", label)
    figure.suptitle(title, x=0.02, ha="left", fontweight="bold")
    figure.axes[-1].legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.02, 1.0))
    figure.subplots_adjust(left=0.1, right=0.82, bottom=0.16, top=0.88, wspace=0.35)
    save_png(figure, out)


def population_png(table: Columns, out: str | Path, title: str = "") -> None:
    """How many of the variants have which APD90."""
    apd = _column(table, "apd90_ms")
    figure = new_figure(120.0, 95.0, 150.0)
    axes = figure.add_subplot()
    axes.hist(apd[np.isfinite(apd)], bins="auto", color=COLOURS[0], alpha=0.85)
    _frame(axes, "APD90 (ms)", "variants")
    lost = int((~np.isfinite(apd)).sum())
    ends = f", of {lost} the beat does not end" if lost else ""
    head = f"{title}\n{len(apd)} variants{ends}"
    axes.set_title(head, loc="left", fontweight="bold", fontsize=9)
    figure.tight_layout()
    save_png(figure, out)


def slopes_png(table: Columns, out: str | Path, title: str = "") -> None:
    """What 10 % more of each conductance do to APD90, largest first."""
    names, change = list(table["current"]), _column(table, "apd90_ms_per_10_percent")
    figure = new_figure(120.0, 40.0 + 5.0 * len(names), 150.0)
    axes = figure.add_subplot()
    axes.barh(names, change, color=[COLOURS[int(x < 0)] for x in change])
    axes.invert_yaxis()
    axes.axvline(0.0, color="0.3", linewidth=0.8)
    _frame(axes, "change of APD90 with 10 % more (ms)", "conductance")
    axes.set_title(title, loc="left", fontweight="bold", fontsize=9)
    figure.tight_layout()
    save_png(figure, out)


def _column(table: Columns, name: str) -> Any:
    """Numbers, None as nan."""
    return np.array([np.nan if v is None else v for v in table[name]], float)


def _frame(axes: Any, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
