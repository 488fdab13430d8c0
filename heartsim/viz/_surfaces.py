"""The named surfaces of a heart: what was taken for epicardium, endocardium and base."""

from pathlib import Path

import numpy as np

from heartsim.mesh import Mesh, boundary_triangles, heart_axes, read_mesh, submesh

from ._activation import heart_views
from ._colours import INK, NEVER
from ._figure import new_figure, save_png
from ._map import axes_at, draw_surface, name_sides, windows_of
from ._raster import View, Window, look

SURFACES = {  # node set: name, colour (Okabe and Ito's, told apart by the colour-blind)
    "base": ("base", (0.94, 0.89, 0.26)),
    "lv_endo": ("LV endocardium", (0.84, 0.37, 0.0)),
    "rv_endo": ("RV endocardium", (0.0, 0.45, 0.70)),
    "epi": ("epicardium", (0.34, 0.71, 0.91)),
}
_DPI, _PANEL, _GAP, _MARGIN = 160.0, 84.0, 5.0, 7.0  # mm
_FOOT, _HEAD = 14.0, 25.0  # mm


def surfaces_png(mesh: str | Path | Mesh, out: str | Path) -> None:
    """Draw a heart from the front, cut open, from behind and onto the base, each face in the
    colour of its surface: the first of the node sets base, lv_endo, rv_endo and epi that holds its
    corners; grey: of none, as where it is cut.

    ValueError for a mesh without any of these sets, and of lines.
    """
    name = "surfaces_png"
    if not isinstance(mesh, Mesh):
        name, mesh = str(mesh), read_mesh(mesh)
    there = [key for key in SURFACES if key in mesh.node_sets]
    if not there:
        raise ValueError(f"{name}: none of the node sets {', '.join(SURFACES)} is in the mesh.")
    axes = heart_axes(mesh)
    front, *others = heart_views(axes.apex_to_base, axes.right_to_left, axes.posterior_to_anterior)
    middle = np.asarray(mesh.points)[mesh.cells].mean(axis=1)
    behind = (middle - axes.origin) @ axes.posterior_to_anterior < 0
    opened, _ = submesh(mesh, behind)
    shown = [(mesh, front), (opened, front._replace(name="Cut open"))]
    shown += [(mesh, view) for view in others]
    figure = new_figure(2 * _MARGIN + len(shown) * (_PANEL + _GAP), _FOOT + _PANEL + _HEAD, _DPI)
    windows = windows_of(np.asarray(mesh.points, float), [view for _, view in shown])
    for k, ((part, view), window) in enumerate(zip(shown, windows, strict=True)):
        ax = axes_at(figure, _MARGIN + k * (_PANEL + _GAP), _FOOT, _PANEL, _PANEL)
        _draw(ax, part, view, window)
    _legend(figure, there, axes.flag)
    save_png(figure, out)


def _draw(ax, mesh: Mesh, view: View, window: Window) -> None:
    sight = look(mesh.points, boundary_triangles(mesh), view, window)
    rgba = np.ones((window.pixels**2, 4))
    rgba[sight.pixel, :3] = NEVER
    for key in reversed(SURFACES):
        own = np.isin(np.arange(mesh.n_nodes), mesh.node_sets.get(key, []))
        rgba[sight.pixel[own[sight.corners].all(axis=1)], :3] = SURFACES[key][1]
    raster = sight.of(np.zeros(mesh.n_nodes))
    draw_surface(ax, raster, window, rgba.reshape(window.pixels, window.pixels, 4))
    name_sides(ax, view, raster, window.half)


def _legend(figure, there: list[str], flag: str) -> None:
    width, height = figure.get_size_inches() * 25.4
    top = 1.0 - 8.0 / height
    figure.text(_MARGIN / width, top, "Surfaces", fontsize=17, fontweight="bold", color=INK)
    for k, key in enumerate(there):
        name, colour = SURFACES[key]
        x = (_MARGIN + 60.0 + 55.0 * k) / width
        figure.text(x, top, "■", fontsize=14, color=colour)
        figure.text(x + 5.0 / width, top, name, fontsize=12, color=INK)
    figure.text(_MARGIN / width, 3 / height, flag, fontsize=11, color=INK, va="bottom")
