"""A map of a time on a surface: views, isochrones, colour bar, scale and names of the sides."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from heartsim._types import AnyArray

from ._colours import INK, NEVER, line_colour, time_colours
from ._figure import new_figure
from ._raster import Raster, View, Window, rasterise

_DPI = 160.0
_PANEL, _GAP, _MARGIN = 84.0, 5.0, 7.0  # mm: side of a view, between views, around them
_FOOT, _HEAD, _BAR = 16.0, 25.0, 34.0  # mm: below and above the views, right of them
_PIXELS = 1060  # a side of a view's raster: two for each pixel of the picture, to smooth edges
_MOST_LINES = 60  # isochrones; more would only blacken the map
_NAME_ROOM = 22  # pixels of the raster between a number on a line and the edge


class Field(NamedTuple):
    """How a nodal field is named on its map."""

    title: str
    label: str  # of the colour bar, with unit
    span: str  # what last minus first is called
    absent: str  # what grey means


def map_figure(
    points: Float[AnyArray, "nodes 3"],
    triangles: Int[AnyArray, "faces 3"],
    values: Float[AnyArray, " nodes"],
    views: Sequence[View],
    field: Field,
    *,
    isochrone_ms: float = 10.0,
    uniform: bool = False,
    note: str = "",
) -> Any:
    """A matplotlib Figure with one panel for each of `views`, all at one scale.

    `values` [ms] at all nodes, inner ones too: title and colours span the whole heart, so that
    the earliest time has the first colour even where the surface does not show it.
    """
    values = np.asarray(values, float)
    levels, spacing = isochrone_levels(values, isochrone_ms)
    norm, colours = time_norm(values), time_colours(uniform)
    ink = [line_colour(colours(norm(level))) for level in levels]
    width = 2 * _MARGIN + len(views) * (_PANEL + _GAP) + _BAR
    figure = new_figure(width, _FOOT + _PANEL + _HEAD, _DPI)
    windows = windows_of(np.asarray(points, float)[np.unique(triangles)], views)
    for k, (view, window) in enumerate(zip(views, windows, strict=True)):
        ax = axes_at(figure, _MARGIN + k * (_PANEL + _GAP), _FOOT, _PANEL, _PANEL)
        raster = rasterise(points, triangles, values, view, window)
        draw_surface(ax, raster, window, colours(norm(np.ma.masked_invalid(raster.value))))
        draw_isochrones(ax, raster, window, levels, ink)
        name_sides(ax, view, raster, window.half)
    _scale_bar(figure.axes[0], windows[0].half)
    colour_bar(figure, norm, colours, levels, ink, field.label)
    _write_words(figure, values, field, spacing, note)
    return figure


def isochrone_levels(
    values: Float[AnyArray, " nodes"], spacing: float
) -> tuple[Float[np.ndarray, " levels"], float]:
    """Multiples of the spacing [ms] strictly between the first and the last finite value, and
    the spacing: twice the one asked for, and twice again, while there were more than 60 lines."""
    if not (np.isfinite(spacing) and spacing > 0.0):
        raise ValueError(f"isochrone_ms: {spacing} is not a positive number of milliseconds.")
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return np.zeros(0), spacing
    while np.ptp(known) > _MOST_LINES * spacing:
        spacing *= 2.0
    first = np.floor(known.min() / spacing) + 1
    last = np.ceil(known.max() / spacing) - 1
    return spacing * np.arange(first, last + 1), spacing


def time_norm(values):
    """From the first to the last finite value; a millisecond wide where they are one."""
    from matplotlib.colors import Normalize

    known = values[np.isfinite(values)]
    first, last = (known.min(), known.max()) if known.size else (0.0, 0.0)
    return Normalize(first, max(last, first + 1.0) if last - first < 1e-9 else last)


def windows_of(points, views):
    """For each view the square round the surface, all of one size, with room for names."""
    centres, halves = [], []
    for view in views:
        axes = np.stack([view.right, view.up, view.towards])
        along = points @ axes.T
        low, high = along.min(axis=0), along.max(axis=0)
        centres.append((low + high) / 2.0 @ axes)
        halves.append((high - low)[:2].max() / 2.0)
    half = 1.17 * max(*halves, 1e-6)
    return [Window(centre, half, _PIXELS) for centre in centres]


def axes_at(figure, left, bottom, width, height):
    """Bare axes at a place in mm from the lower left corner of the figure."""
    total = figure.get_size_inches() * 25.4
    box = (left / total[0], bottom / total[1], width / total[0], height / total[1])
    ax = figure.add_axes(box)
    ax.set_axis_off()
    return ax


def draw_surface(ax, raster: Raster, window: Window, rgba):
    """Colour times shade; hidden edges are darkened, and all edges smoothed."""
    shade = np.where(raster.edges(window.pixel), 0.4, raster.shade)
    cover = raster.seen[..., None].astype(float)
    colour = cover * rgba[..., :3] * shade[..., None]  # the background must not bleed in
    n, h = window.pixels // 2, window.half
    colour, cover = (a.reshape(n, 2, n, 2, -1).mean(axis=(1, 3)) for a in (colour, cover))
    picture = np.concatenate([colour / np.where(cover > 0.0, cover, 1.0), cover], axis=-1)
    ax.imshow(picture, origin="lower", extent=(-h, h, -h, h), interpolation="nearest")


def draw_isochrones(ax, raster: Raster, window: Window, levels, ink):
    """Lines of equal time where the surface is seen, not across the edges of its parts; every
    second one is named, away from the edges."""
    from matplotlib.patheffects import withStroke
    from scipy.ndimage import minimum_filter

    shown = raster.seen & ~raster.edges(window.pixel) & np.isfinite(raster.value)
    x = (np.arange(window.pixels) + 0.5) * window.pixel - window.half
    for lines, mask in ((True, shown), (False, minimum_filter(shown, 2 * _NAME_ROOM + 1))):
        time = np.ma.masked_where(~mask, raster.value)
        inside = (levels > time.min()) & (levels < time.max()) if mask.any() else levels < -np.inf
        if not inside.any():
            continue
        colours = [c for c, yes in zip(ink, inside, strict=True) if yes]
        drawn = ax.contour(
            x, x, time, levels=levels[inside], colors=colours, linewidths=0.9 if lines else 0.0
        )
        if not lines:
            named = [level for level in levels[::2] if level in drawn.levels]
            for text in ax.clabel(drawn, named, fmt="%g", fontsize=9, inline=False, colors=INK):
                text.set_path_effects([withStroke(linewidth=2.0, foreground="white")])


def name_sides(ax, view: View, raster: Raster, h: float, size: float = 12.0):
    """The view's name above it, and what lies at each of its four sides."""
    style = {"color": INK, "fontsize": size, "ha": "center", "va": "center"}
    ax.text(0.0, 1.12 * h, view.name, **{**style, "fontsize": 1.25 * size, "fontweight": "bold"})
    if not raster.seen.any():
        ax.text(0.0, 0.0, "seen edge on", **style)
        return
    rows, columns = (np.flatnonzero(raster.seen.any(axis=k)) for k in (1, 0))
    place = lambda k: (2.0 * k / len(raster.seen) - 1.0) * h  # noqa: E731
    middle = (place(rows[0]) + place(rows[-1])) / 2.0
    ax.text(place(columns[0]) - 0.1 * h, middle, view.left_name, **style, fontweight="bold")
    ax.text(place(columns[-1]) + 0.1 * h, middle, view.right_name, **style, fontweight="bold")
    ax.text(0.0, place(rows[-1]) + 0.08 * h, view.top_name, **style)
    lowest = place(np.median(np.flatnonzero(raster.seen[rows[0]])))  # an apex is rarely central
    ax.text(lowest, place(rows[0]) - 0.08 * h, view.bottom_name, **style)


def _scale_bar(ax, h: float):
    """A length of 1, 2 or 5 times a power of ten mm, about a quarter of the view."""
    power = 10.0 ** np.floor(np.log10(0.5 * h))
    length = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= 0.5 * h)
    x, y = -0.97 * h, -1.0 * h
    ax.plot([x, x + length], [y, y], color=INK, linewidth=3, solid_capstyle="butt", clip_on=False)
    ax.text(x, y + 0.03 * h, f"{length:g} mm", color=INK, fontsize=12, va="bottom")


def colour_bar(
    figure, norm, colours, levels, ink, label, bottom: float = _FOOT + 2.0, height=_PANEL - 4.0
):
    """Vertical bar, earliest on top as the eye reads, with the isochrones drawn on it."""
    from matplotlib.cm import ScalarMappable

    left = figure.get_size_inches()[0] * 25.4 - _MARGIN - _BAR + 6.0
    ax = axes_at(figure, left, bottom, 6.0, height)
    ax.set_axis_on()
    bar = figure.colorbar(ScalarMappable(norm, colours), cax=ax)
    bar.ax.invert_yaxis()
    apart = 0.06 * (norm.vmax - norm.vmin)  # nearer names would overlap
    clear = levels[(levels - norm.vmin > apart) & (norm.vmax - levels > apart)]
    ticks = [norm.vmin, *clear[:: max(1, -(-len(clear) // 12))], norm.vmax]
    bar.set_ticks(ticks, labels=[f"{tick:.1f}".removesuffix(".0") for tick in ticks])
    bar.ax.hlines(levels, 0.0, 1.0, colors=ink, linewidth=0.9)
    bar.ax.tick_params(labelsize=12)
    bar.set_label(label, fontsize=12)


def _write_words(figure, values, field: Field, spacing, note):
    """Title with first, last and span; beside it what lines and grey mean; the note below."""
    known = np.isfinite(values)
    width, height = figure.get_size_inches() * 25.4
    left, right, top, foot = _MARGIN / width, 1.0 - _MARGIN / width, 1.0 - 8.0 / height, 3 / height
    title, lines = f"{field.title}: {field.absent} anywhere", ""
    if known.any():
        first, last = values[known].min(), values[known].max()
        title = f"{field.title}: {first:.1f} to {last:.1f} ms, {field.span} {last - first:.1f} ms"
        lines = f"isochrones every {spacing:g} ms"
    figure.text(left, top, title, fontsize=17, fontweight="bold", color=INK)
    figure.text(right, top, lines, fontsize=12, color=INK, ha="right")
    figure.text(left, foot, textwrap.fill(note, 140), fontsize=11, color=INK, va="bottom")
    if not known.all():
        words = f"{field.absent} ({np.mean(~known):.1%} of nodes)"
        below = top - 6.5 / height
        named = figure.text(right, below, words, fontsize=12, color=INK, ha="right")
        start = named.get_window_extent().x0 / figure.bbox.width - 2.0 / width
        figure.text(start, below, "■", fontsize=14, color=NEVER, ha="right")
