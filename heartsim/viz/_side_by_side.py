"""Maps and leads of several activations side by side, on one scale each."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, boundary_triangles

from ._activation import FIELDS, map_views
from ._colours import INK, line_colour, time_colours
from ._ecg import read_ecg
from ._figure import new_figure
from ._map import (
    axes_at,
    colour_bar,
    draw_isochrones,
    draw_surface,
    isochrone_levels,
    name_sides,
    time_norm,
    windows_of,
)
from ._raster import look

_PANEL, _GAP, _ROW, _NAME, _HEAD, _FOOT, _BAR = 50.0, 5.0, 54.0, 62.0, 16.0, 12.0, 34.0  # mm
_DPI = 130.0
_LETTERS = 24  # of a row's name in a line of it
_COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888")
"""Okabe and Ito's colours, which the colour-blind tell apart; black is the baseline."""


def maps_figure(
    mesh: Mesh, fields: Sequence[AnyArray], names: Sequence[str], texts: Sequence[Sequence[str]]
) -> Any:
    """One row for each field of times [ms], with its name and lines of text, and one column for
    each view of the heart, on one colour scale."""
    views, note = map_views(mesh)
    triangles = boundary_triangles(mesh)
    values = np.concatenate([np.asarray(f, float) for f in fields])
    levels, spacing = isochrone_levels(values, 10.0)
    norm, colours = time_norm(values), time_colours(False)
    ink = [line_colour(colours(norm(level))) for level in levels]
    width = _NAME + len(views) * (_PANEL + _GAP) + _BAR
    height = _HEAD + len(fields) * _ROW + _FOOT
    figure = new_figure(width, height, _DPI)
    windows = windows_of(np.asarray(mesh.points, float)[np.unique(triangles)], views)
    sights = [look(mesh.points, triangles, *pair) for pair in zip(views, windows, strict=True)]
    for k, (field, name, lines) in enumerate(zip(fields, names, texts, strict=True)):
        bottom = height - _HEAD - (k + 1) * _ROW
        _write(figure, name, lines, (bottom + _ROW - 8.0) / height, 4.0 / width)
        for v, (view, window, sight) in enumerate(zip(views, windows, sights, strict=True)):
            ax = axes_at(figure, _NAME + v * (_PANEL + _GAP), bottom, _PANEL, _PANEL)
            raster = sight.of(field)
            shade = colours(norm(np.ma.masked_invalid(raster.value)))
            draw_surface(ax, raster, window, shade)
            draw_isochrones(ax, raster, window, levels, ink)
            name_sides(ax, view, raster, window.half, size=9.0)
    label = FIELDS["activation_ms"].label
    colour_bar(
        figure, norm, colours, levels, ink, label, bottom=height - _HEAD - 100.0, height=96.0
    )
    style = {"color": INK, "va": "top"}
    title = f"Activation, isochrones every {spacing:g} ms"
    figure.text(4.0 / width, 1 - 5.0 / height, title, fontsize=15, fontweight="bold", **style)
    figure.text(4.0 / width, 3.0 / height, note, color=INK, fontsize=8, va="bottom")
    return figure


def _write(figure, name: str, lines: Sequence[str], y: float, x: float) -> None:
    """The name of a row of maps, and what is known of it."""
    step = 6.0 / figure.get_size_inches()[1] / 25.4
    title = textwrap.wrap(name, _LETTERS)
    for k, part in enumerate(title):
        figure.text(x, y - k * step, part, fontsize=11, fontweight="bold", color=INK, va="top")
    y -= (len(title) - 1) * step
    for k, line in enumerate(lines):
        figure.text(x, y - (k + 1.2) * step, line, fontsize=9.5, color=INK, va="top")


def leads_figure(beats: Sequence[tuple[str, Path]]) -> Any:
    """The twelve leads of several ecg.csv over each other, with a legend."""
    foot = 18.0 + 6.0 * -(-len(beats) // 3)  # mm, for the legend
    figure = new_figure(230.0, 120.0 + foot, _DPI)
    panels = figure.subplots(3, 4, sharex=True, sharey=True)
    for k, (name, path) in enumerate(beats):
        ecg = read_ecg(path)
        style = {"color": _COLOURS[k % len(_COLOURS)], "linewidth": 1.6 if k == 0 else 1.0}
        style["linestyle"] = "-" if k < len(_COLOURS) else "--"
        for ax, (lead, values) in zip(panels.ravel(), ecg.leads.items(), strict=True):
            ax.plot(ecg.time, values, label=name, **style)
            ax.set_title(lead, loc="left", fontsize=11, fontweight="bold", color=INK)
    for ax in panels.ravel():
        ax.grid(alpha=0.3)
        ax.axhline(0.0, color=INK, linewidth=0.5)
    for ax in panels[-1]:
        ax.set_xlabel("time (ms)")
    for ax in panels[:, 0]:
        ax.set_ylabel("mV")
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=9
    )
    figure.subplots_adjust(
        left=0.08, right=0.98, top=0.95, bottom=foot / (120.0 + foot), hspace=0.35, wspace=0.12
    )
    return figure
