"""What was found in a heart's shape: surfaces, segments and fibres."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh, boundary_triangles, heart_axes, read_mesh, submesh

from ._activation import heart_views
from ._colours import INK, NEVER
from ._figure import new_figure, save_png
from ._map import axes_at, draw_surface, name_sides, windows_of
from ._raster import Sight, View, Window, look

Key = tuple[str, tuple[float, float, float]]
"""Name and colour."""

SURFACES: dict[
    str, Key
] = {  # node set: name, colour (Okabe and Ito's, told apart by the colour-blind)
    "mitral": ("mitral", (0.80, 0.47, 0.65)),
    "aortic": ("aortic", (0.20, 0.20, 0.20)),
    "tricuspid": ("tricuspid", (0.0, 0.62, 0.45)),
    "pulmonary": ("pulmonary", (0.90, 0.62, 0.0)),
    "base": ("base", (0.94, 0.89, 0.26)),
    "lv_endo": ("LV endocardium", (0.84, 0.37, 0.0)),
    "rv_endo": ("RV endocardium", (0.0, 0.45, 0.70)),
    "epi": ("epicardium", (0.34, 0.71, 0.91)),
    "left_atrium_endo": ("LA inside", (0.72, 0.52, 0.80)),
    "left_atrium_epi": ("LA outside", (0.47, 0.31, 0.60)),
    "right_atrium_endo": ("RA inside", (0.78, 0.68, 0.50)),
    "right_atrium_epi": ("RA outside", (0.52, 0.41, 0.24)),
}
SCAR: dict[str, Key] = {
    "scar": ("scar", (0.80, 0.27, 0.20)),
    "no_reflow": ("no reflow", (0.45, 0.10, 0.12)),
    "border": ("border zone", (0.95, 0.72, 0.30)),
    "healthy": ("elsewhere", (0.80, 0.83, 0.86)),
}
NUMBERS = "1 to 17: American Heart Association; 18 to 26: right free wall; strokes: fibres"
_DPI, _PANEL, _GAP, _MARGIN = 160.0, 84.0, 5.0, 7.0  # mm
_FOOT, _ROW, _HEAD = 14.0, 110.0, 25.0  # mm
_STROKE = 26  # pixels of a view between fibres
_LETTER, _LINE = 2.4, 6.0  # mm, of a name at 12 points
_LEAST = 1500  # pixels of a segment to carry its number


def anatomy_png(mesh: str | Path | Mesh, out: str | Path) -> None:
    """Draw a heart from the front, cut open, from behind and onto the base: each face in the
    colour of its surface, the first of the node sets mitral, aortic, tricuspid, pulmonary, base,
    lv_endo, rv_endo, epi and those of atria that holds its corners (grey: of none, as where it is
    cut). Where the mesh has cell data `segment`, below the same with each segment in a colour and
    by its number, and the fibres, where it has any.

    ValueError for a mesh without any of these sets, and of lines.
    """
    name = "anatomy_png"
    if not isinstance(mesh, Mesh):
        name, mesh = str(mesh), read_mesh(mesh)
    there = [key for key in SURFACES if key in mesh.node_sets]
    if not there:
        raise ValueError(f"{name}: none of the node sets {', '.join(SURFACES)} is in the mesh.")
    axes = heart_axes(mesh)
    shown = _views(mesh, axes)
    drawn = [(_draw_surfaces, "Surfaces", "", [SURFACES[key] for key in there])]
    if "segment" in mesh.cell_data:
        drawn.append((_draw_segments, "Segments and fibres", NUMBERS, []))
    marked = [name for name in SCAR if name in dict(mesh.region_names)]
    if marked:
        drawn.append((_draw_scar, "Scar", "", [SCAR[name] for name in [*marked, "healthy"]]))
    rows = len(drawn)
    figure = new_figure(
        2 * _MARGIN + len(shown) * (_PANEL + _GAP), _FOOT + (rows - 1) * _ROW + _PANEL + _HEAD, _DPI
    )
    windows = windows_of(np.asarray(mesh.points, float), [view for _, view in shown])
    for k, ((part, view), window) in enumerate(zip(shown, windows, strict=True)):
        sight = look(part.points, boundary_triangles(part), view, window)
        for row, (draw, *_) in enumerate(drawn):
            bottom = _FOOT + (rows - 1 - row) * _ROW
            ax = axes_at(figure, _MARGIN + k * (_PANEL + _GAP), bottom, _PANEL, _PANEL)
            draw(ax, part, sight, view, window)
    for row, (_, title, words, keys) in enumerate(drawn):
        _head(figure, row, title, words, keys)
    height = figure.get_size_inches()[1] * 25.4
    figure.text(0.01, 3 / height, axes.flag, fontsize=11, color=INK, va="bottom")
    save_png(figure, out)


def _views(mesh: Mesh, axes) -> list[tuple[Mesh, View]]:
    """From the front, the hind half from the front, from behind, onto the base."""
    front, *others = heart_views(axes.apex_to_base, axes.right_to_left, axes.posterior_to_anterior)
    middle = np.asarray(mesh.points)[mesh.cells].mean(axis=1)
    behind = (middle - axes.origin) @ axes.posterior_to_anterior < 0
    opened, _ = submesh(mesh, behind)
    shown = [(mesh, front), (opened, front._replace(name="Cut open"))]
    return shown + [(mesh, view) for view in others]


def _draw_surfaces(ax, mesh: Mesh, sight: Sight, view: View, window: Window) -> None:
    rgb = np.tile(np.array(NEVER), (len(sight.pixel), 1))
    for key in reversed(SURFACES):
        own = np.isin(np.arange(mesh.n_nodes), mesh.node_sets.get(key, []))
        rgb[own[sight.corners].all(axis=1)] = SURFACES[key][1]
    paint(ax, mesh, sight, view, window, rgb)


def _draw_segments(ax, mesh: Mesh, sight: Sight, view: View, window: Window) -> None:
    cell = cells_seen(mesh, sight)
    segment = np.asarray(mesh.cell_data["segment"]).astype(int)[cell]
    paint(ax, mesh, sight, view, window, _segment_colours()[segment])
    if mesh.frames is not None:
        draw_fibres(ax, mesh, sight, view, window, cell)
    x, y = places(sight, window)
    for number in np.unique(segment[segment > 0]):
        own = segment == number
        if own.sum() >= _LEAST:
            at = np.argmin((x - np.median(x[own])) ** 2 + (y - np.median(y[own])) ** 2 + 1e9 * ~own)
            box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none"}
            style = {"ha": "center", "va": "center", "fontsize": 11, "color": INK, "bbox": box}
            ax.text(x[at], y[at], str(number), fontweight="bold", **style)


def draw_fibres(
    ax, mesh: Mesh, sight: Sight, view: View, window: Window, cell: Int[np.ndarray, " hit"]
) -> None:
    """Strokes along the fibres of the cells seen, as long as they lie across the line of sight."""
    row, column = np.divmod(sight.pixel, window.pixels)
    some = (row % _STROKE == _STROKE // 2) & (column % _STROKE == _STROKE // 2)
    f = np.asarray(mesh.frames)[cell[some], 0] @ np.stack([view.right, view.up], axis=1)
    half = 0.8 * _STROKE * window.half / window.pixels * f
    ends = np.stack(places(sight, window), axis=1)[some]
    ax.plot(*np.stack([ends - half, ends + half]).transpose(2, 0, 1), color=INK, linewidth=0.9)


def places(sight: Sight, window: Window) -> list[Float[np.ndarray, " hit"]]:
    """Where each pixel seen lies on the axes, to the right and up, mm."""
    row, column = np.divmod(sight.pixel, window.pixels)
    return [(2 * (k + 0.5) / window.pixels - 1) * window.half for k in (column, row)]


def _draw_scar(ax, mesh: Mesh, sight: Sight, view: View, window: Window) -> None:
    cell = cells_seen(mesh, sight)
    rgb = np.tile(np.array(SCAR["healthy"][1]), (len(cell), 1))
    tags = dict(mesh.region_names)
    for name in ("border", "scar", "no_reflow"):
        if name in tags:
            rgb[np.asarray(mesh.regions)[cell] == tags[name]] = SCAR[name][1]
    paint(ax, mesh, sight, view, window, rgb)


def paint(ax, mesh: Mesh, sight: Sight, view: View, window: Window, rgb) -> None:
    """The surface in these colours, one for each pixel seen, and the names of its sides."""
    rgba = np.ones((window.pixels**2, 4))
    rgba[sight.pixel, :3] = rgb
    raster = sight.of(np.zeros(mesh.n_nodes))
    draw_surface(ax, raster, window, rgba.reshape(window.pixels, window.pixels, 4))
    name_sides(ax, view, raster, window.half)


def cells_seen(mesh: Mesh, sight: Sight) -> Int[np.ndarray, " hit"]:
    """The tetrahedron whose face each pixel looks at, or the triangle itself."""
    faces = [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]] if mesh.dim == 3 else [[0, 1, 2]]
    sides = np.sort(np.asarray(mesh.cells), axis=1)[:, faces]
    key = sides.reshape(-1, 3).astype(np.int64) @ (mesh.n_nodes ** np.array([2, 1, 0]))
    order = np.argsort(key)
    wanted = np.sort(sight.corners, axis=1).astype(np.int64) @ (mesh.n_nodes ** np.array([2, 1, 0]))
    return order[np.searchsorted(key[order], wanted)] // len(faces)


def _segment_colours() -> Float[np.ndarray, "segments 3"]:
    """Sides of the left ventricle by hue, heights by lightness; the right one grey; 0: none."""
    from matplotlib.colors import hsv_to_rgb

    hue = np.array([0.0, 0.10, 0.17, 0.36, 0.55, 0.75])  # anterior, septal, inferior, lateral
    left = [(h, s, 0.95) for s in (0.62, 0.38) for h in hue]
    left += [(h, 0.22, 0.97) for h in (0.0, 0.13, 0.36, 0.65)] + [(0.0, 0.0, 0.93)]
    right = [(0.6, 0.10 + 0.10 * (k % 3), 0.85 - 0.08 * (k // 3)) for k in range(9)]
    return np.vstack([NEVER, hsv_to_rgb(np.array(left + right))])


def _head(figure, row: int, title: str, words: str, keys: list[Key]) -> None:
    """Title of a row, and beside it what its colours mean."""
    width, height = figure.get_size_inches() * 25.4
    top = 1.0 - (8.0 + row * _ROW) / height
    style = {"fontsize": 17, "fontweight": "bold", "color": INK}
    figure.text(_MARGIN / width, top, title, **style)
    figure.text((_MARGIN + 85.0) / width, top, words, fontsize=12, color=INK)
    x = start = _MARGIN + 60.0
    for name, colour in keys:
        if x + 12.0 + _LETTER * len(name) > width:
            x, top = start, top - _LINE / height
        figure.text(x / width, top, "■", fontsize=14, color=colour)
        figure.text((x + 5.0) / width, top, name, fontsize=12, color=INK)
        x += 12.0 + _LETTER * len(name)
