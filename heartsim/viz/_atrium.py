"""What was found in an atrium's shape: openings, bundles and fibres."""

from pathlib import Path

import numpy as np

from heartsim.mesh import Mesh, boundary_triangles, read_mesh

from ._anatomy import cells_seen, draw_fibres, paint
from ._atrial_views import PATIENT, SIDES, atrial_views
from ._colours import INK, NEVER
from ._figure import new_figure, save_png
from ._map import axes_at, windows_of
from ._raster import Sight, View, Window, look

Colour = tuple[float, float, float]
OPENINGS: dict[str, tuple[str, Colour]] = {  # node set: words, colour (as for ventricles)
    "mitral_valve": ("mitral valve", (0.94, 0.89, 0.26)),
    "lspv": ("LSPV", (0.84, 0.37, 0.0)),
    "lmpv": ("LMPV", (0.80, 0.60, 0.70)),
    "lipv": ("LIPV", (0.90, 0.62, 0.0)),
    "lpv": ("left vein", (0.84, 0.37, 0.0)),
    "rspv": ("RSPV", (0.0, 0.45, 0.70)),
    "rmpv": ("RMPV", (0.0, 0.20, 0.45)),
    "ripv": ("RIPV", (0.34, 0.71, 0.91)),
    "rpv": ("right vein", (0.0, 0.45, 0.70)),
    "tricuspid_valve": ("tricuspid valve", (0.94, 0.89, 0.26)),
    "svc": ("SVC", (0.0, 0.45, 0.70)),
    "ivc": ("IVC", (0.34, 0.71, 0.91)),
    "coronary_sinus": ("coronary sinus", (0.84, 0.37, 0.0)),
    "appendage": ("appendage", (0.0, 0.62, 0.45)),
}
WALL: dict[str, tuple[str, Colour]] = {  # of a wall that was built, before its veins have names
    "endo": ("inside", (0.93, 0.72, 0.68)),
    "veins": ("veins", (0.90, 0.62, 0.0)),
}
BUNDLES: dict[int, tuple[str, Colour]] = {  # as `heartsim.anatomy.BUNDLES` numbers them
    1: ("mitral ring", (0.96, 0.92, 0.55)),
    2: ("left veins", (0.95, 0.70, 0.45)),
    3: ("right veins", (0.55, 0.75, 0.90)),
    4: ("body", (0.86, 0.86, 0.86)),
    11: ("tricuspid ring", (0.96, 0.92, 0.55)),
    12: ("SVC", (0.55, 0.75, 0.90)),
    13: ("IVC", (0.75, 0.88, 0.96)),
    14: ("lateral wall", (0.86, 0.86, 0.86)),
    15: ("crista", (0.93, 0.55, 0.50)),
    16: ("intercaval", (0.95, 0.75, 0.55)),
    17: ("septum", (0.70, 0.85, 0.70)),
}
_DPI, _PANEL, _GAP, _MARGIN = 160.0, 84.0, 8.0, 12.0  # mm
_FOOT, _ROW, _HEAD = 14.0, 110.0, 25.0  # mm


def atrium_png(mesh: str | Path | Mesh, out: str | Path) -> None:
    """Draw an atrium from four sides, once with its openings in colours, once with its bundles in
    colours and fibres as strokes. Sides are its own (`atrial_views`). ValueError where openings,
    bundles or fibres are missing: `heartsim anatomy --atrium` writes them."""
    name = "atrium_png"
    if not isinstance(mesh, Mesh):
        name, mesh = str(mesh), read_mesh(mesh)
    if "bundle" not in mesh.cell_data or mesh.frames is None:
        raise ValueError(f"{name}: no cell data bundle or no fibres; heartsim anatomy adds them.")
    views = atrial_views(mesh)
    if not views:
        raise ValueError(
            f"{name}: node sets of an atrium's openings are missing; wanted mitral_valve and veins "
            "on both sides, or tricuspid_valve, svc and ivc."
        )
    width = 2 * _MARGIN + len(views) * (_PANEL + _GAP)
    figure = new_figure(width, _FOOT + _ROW + _PANEL + _HEAD, _DPI)
    windows = windows_of(np.asarray(mesh.points, float), views)
    for k, (view, window) in enumerate(zip(views, windows, strict=True)):
        sight = look(mesh.points, boundary_triangles(mesh), view, window)
        for row, draw in enumerate((_draw_openings, _draw_bundles)):
            left, bottom = _MARGIN + k * (_PANEL + _GAP), _FOOT + (1 - row) * _ROW
            draw(axes_at(figure, left, bottom, _PANEL, _PANEL), mesh, sight, view, window)
    bundles = np.unique(np.asarray(mesh.cell_data["bundle"]).astype(int)).tolist()
    _head(figure, 0, "Openings", [OPENINGS[key] for key in OPENINGS if key in mesh.node_sets])
    _head(figure, 1, "Bundles and fibres", [BUNDLES[b] for b in bundles if b in BUNDLES])
    words = f"{SIDES}; fibres are by rule"
    height = figure.get_size_inches()[1] * 25.4
    figure.text(0.01, 3 / height, words, fontsize=11, color=INK, va="bottom")
    save_png(figure, out)


def openings_png(mesh: Mesh, out: str | Path) -> None:
    """Draw an atrium's wall in the patient's axes, as it is built from labels, from four sides with
    its openings in colours; bundles and fibres come later (`atrium_png`)."""
    figure = new_figure(2 * _MARGIN + 4 * (_PANEL + _GAP), _FOOT + _PANEL + _HEAD, _DPI)
    windows = windows_of(np.asarray(mesh.points, float), PATIENT)
    for k, (view, window) in enumerate(zip(PATIENT, windows, strict=True)):
        sight = look(mesh.points, boundary_triangles(mesh), view, window)
        ax = axes_at(figure, _MARGIN + k * (_PANEL + _GAP), _FOOT, _PANEL, _PANEL)
        _draw_openings(ax, mesh, sight, view, window, inside=WALL["endo"][1])
    keys = WALL | OPENINGS
    _head(figure, 0, "Openings", [keys[key] for key in keys if key in mesh.node_sets])
    save_png(figure, out)


def _draw_openings(
    ax, mesh: Mesh, sight: Sight, view: View, window: Window, inside: Colour = NEVER
) -> None:
    """Faces that touch an opening, in its colour."""
    rgb = np.tile(np.array(NEVER), (len(sight.pixel), 1))

    def seen(key: str):
        own = np.isin(np.arange(mesh.n_nodes), mesh.node_sets.get(key, []))
        return own[sight.corners]

    rgb[seen("endo").all(axis=1)] = inside
    for key in ("veins", *OPENINGS):
        rgb[seen(key).any(axis=1)] = (WALL | OPENINGS)[key][1]
    paint(ax, mesh, sight, view, window, rgb)


def _draw_bundles(ax, mesh: Mesh, sight: Sight, view: View, window: Window) -> None:
    cell = cells_seen(mesh, sight)
    bundle = np.asarray(mesh.cell_data["bundle"]).astype(int)[cell]
    rgb = np.array([BUNDLES.get(b, ("", NEVER))[1] for b in range(bundle.max() + 1)])[bundle]
    paint(ax, mesh, sight, view, window, rgb)
    draw_fibres(ax, mesh, sight, view, window, cell)


def _head(figure, row: int, title: str, keys: list[tuple[str, Colour]]) -> None:
    """Title of a row, and beside it what its colours mean."""
    width, height = figure.get_size_inches() * 25.4
    top = 1.0 - (8.0 + row * _ROW) / height
    style = {"fontsize": 17, "fontweight": "bold", "color": INK}
    figure.text(_MARGIN / width, top, title, **style)
    for k, (name, colour) in enumerate(keys):
        x = (_MARGIN + 75.0 + 43.0 * k) / width
        figure.text(x, top, "■", fontsize=14, color=colour)
        figure.text(x + 5.0 / width, top, name, fontsize=12, color=INK)
