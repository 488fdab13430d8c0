"""The map as a reader measures it: colours, lines, sides, scale, words."""

import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv
from matplotlib.text import Text

from heartsim.mesh import Mesh, cable
from heartsim.viz import (
    FIELDS,
    NEVER,
    View,
    activation_png,
    heart_views,
    isochrone_levels,
    map_figure,
    time_colours,
)

FRONT = View("Front", np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]))


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    """A fifth of the pixels: what these tests measure does not depend on their number."""
    monkeypatch.setattr("heartsim.viz._map._PIXELS", 480)


def draw(heart, values=None, **keywords):
    values = heart.values if values is None else values
    field = FIELDS["activation_ms"]
    return map_figure(heart.points, heart.triangles, values, heart.views, field, **keywords)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def panels(figure):
    return [ax for ax in figure.axes if ax.images]


def colour_at(ax, x, y):
    """Red, green, blue that the panel shows at (x, y) mm."""
    picture = ax.images[0].get_array()
    left, right, bottom, top = ax.images[0].get_extent()
    row = int((y - bottom) / (top - bottom) * picture.shape[0])
    return np.asarray(picture[row, int((x - left) / (right - left) * picture.shape[1])][:3])


def hue(rgb):
    return 360.0 * rgb_to_hsv(np.asarray(rgb))[0]


@pytest.fixture
def strip():
    """A wave along x at 0.6 mm/ms over a flat strip of 60 by 20 mm, from x = -30 mm at 2 ms."""
    x, y = np.meshgrid(np.linspace(-30.0, 30.0, 31), np.linspace(-10.0, 10.0, 11))
    points = np.stack([x, y, 0.0 * x], axis=-1).reshape(-1, 3)
    a = (np.arange(10)[:, None] * 31 + np.arange(30)).ravel()
    triangles = np.concatenate([np.stack([a, a + 1, a + 32], 1), np.stack([a, a + 32, a + 31], 1)])
    return points, triangles, 2.0 + (points[:, 0] + 30.0) / 0.6


def test_isochrones_lie_every_10_ms_at_the_place_the_wave_had_then(strip):
    figure = map_figure(*strip, [FRONT], FIELDS["activation_ms"])
    (ax,) = panels(figure)
    lines = ax.collections[0]
    assert lines.levels == pytest.approx(np.arange(10.0, 101.0, 10.0))
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        # wave at x = 0.6 (level - 2) - 30; the contour is exact on a linear field
        assert path.vertices[:, 0] == pytest.approx(0.6 * (level - 2.0) - 30.0, abs=1e-6)
        assert np.ptp(path.vertices[:, 1]) > 19.0  # across the strip of 20 mm, less a few pixels
    named = [float(text.get_text()) for text in ax.texts if text.get_text().isdigit()]
    assert sorted(named) == list(np.arange(10.0, 101.0, 20.0))


def test_isochrones_are_multiples_of_the_spacing_within_the_map():
    levels, spacing = isochrone_levels(np.array([20.0, np.nan, 47.0]), 10.0)
    assert (list(levels), spacing) == ([30.0, 40.0], 10.0)
    assert list(isochrone_levels(np.array([-14.0, 9.0]), 5.0)[0]) == [-10.0, -5.0, 0.0, 5.0]
    assert isochrone_levels(np.array([np.nan]), 10.0)[0].size == 0
    levels, spacing = isochrone_levels(np.array([0.0, 900.0]), 10.0)  # 89 lines: too many
    assert spacing == 20.0
    assert len(levels) == 44
    with pytest.raises(ValueError, match="positive number of milliseconds"):
        isochrone_levels(np.array([0.0, 1.0]), 0.0)


def test_the_spacing_drawn_stands_on_the_map(heart):
    assert "isochrones every 10 ms" in words(draw(heart))
    assert "isochrones every 20 ms" in words(draw(heart, 10.0 * heart.values))


def test_earliest_is_red_and_latest_is_purple(strip):
    colours = time_colours()
    hues = np.array([hue(colours(x)[:3]) for x in np.linspace(0.0, 1.0, 65)])
    assert hues[0] < 10.0 or hues[0] > 350.0
    assert 260.0 < hues[-1] < 290.0
    rising = np.where(hues > 350.0, hues - 360.0, hues)
    assert (np.diff(rising) > 0.0).all()  # red, yellow, green, blue, purple in this order
    (ax,) = panels(map_figure(*strip, [FRONT], FIELDS["activation_ms"]))
    assert hue(colour_at(ax, -29.7, 1.0)) % 355.0 < 10.0  # shading does not turn the hue
    assert 255.0 < hue(colour_at(ax, 29.7, 1.0)) < 290.0


def test_the_uniform_scale_darkens_evenly_from_early_to_late(strip):
    rgb = time_colours(uniform=True)(np.linspace(0.0, 1.0, 33))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = 116.0 * np.cbrt(luminance) - 16.0  # CIE L*, for luminance above 0.9 %
    assert luminance.min() > 0.009
    steps = -np.diff(lightness)
    # an even scale falls by (93 - 13) / 32 = 2.5 a step; the clinical one rises and falls
    assert steps.min() > 1.5
    assert steps.max() < 3.5
    (ax,) = panels(map_figure(*strip, [FRONT], FIELDS["activation_ms"], uniform=True))
    assert 50.0 < hue(colour_at(ax, -29.7, 1.0)) < 65.0  # yellow
    assert 225.0 < hue(colour_at(ax, 29.7, 1.0)) < 250.0  # blue


def test_what_was_never_activated_is_grey_and_says_so(strip):
    points, triangles, values = strip
    values = np.where(points[:, 0] > 9.0, np.nan, values)
    figure = map_figure(points, triangles, values, [FRONT], FIELDS["activation_ms"])
    (ax,) = panels(figure)
    grey, coloured = colour_at(ax, 20.0, 1.0), colour_at(ax, -20.0, 1.0)
    assert np.ptp(grey) < 1e-6
    assert grey[0] / NEVER[0] == pytest.approx(1.0, abs=0.3)  # NEVER times the shade
    assert np.ptp(coloured) > 0.3
    assert max(path.vertices[:, 0].max() for path in ax.collections[0].get_paths()) < 10.0
    assert f"never activated ({np.isnan(values).mean():.1%} of nodes)" in words(figure)
    assert not any(
        "never" in text for text in words(map_figure(*strip, [FRONT], FIELDS["apd90_ms"]))
    )


def test_a_heart_that_was_never_activated_still_ends_in_a_picture(heart, tmp_path):
    figure = draw(heart, np.full_like(heart.values, np.nan))
    figure.savefig(tmp_path / "never.png")
    assert "Activation: never activated anywhere" in words(figure)
    draw(heart, np.full_like(heart.values, 7.0)).savefig(tmp_path / "at_once.png")


def test_a_sheet_is_drawn_and_the_view_along_it_says_why_it_is_empty(strip):
    points, triangles, values = strip
    views = heart_views(np.eye(3)[0], np.eye(3)[1], np.eye(3)[2])  # base view: along the sheet
    figure = map_figure(points, triangles, values, views, FIELDS["activation_ms"])
    assert words(figure).count("seen edge on") == 1
    assert "seen edge on" in [text.get_text() for text in panels(figure)[2].texts]


def test_title_and_colour_bar_give_first_last_and_total_in_ms(heart):
    values = heart.values - heart.values.min() + 2.0
    figure = draw(heart, values)
    last = values.max()
    assert f"Activation: 2.0 to {last:.1f} ms, total {last - 2.0:.1f} ms" in words(figure)
    bar = next(ax for ax in figure.axes if ax.get_ylabel() == "activation time (ms)")
    assert bar.get_ylim() == pytest.approx((last, 2.0))  # earliest on top
    ticks = [label.get_text() for label in bar.get_yticklabels()]
    assert (ticks[0], ticks[-1]) == ("2", f"{last:.1f}".removesuffix(".0"))
    assert {"20", "50"} <= set(ticks)


def test_each_view_is_seen_from_where_it_says():
    left, up, front = np.eye(3)[0], np.eye(3)[2], -np.eye(3)[1]
    sides = {"R": -left, "L": left, "base": up, "apex": -up, "anterior": front}
    sides["posterior"] = -front
    views = heart_views(up, left, front)
    assert [view.name for view in views] == ["Anterior", "Posterior", "Basal"]
    for view, towards in zip(views, (front, -front, up), strict=True):
        assert view.towards == pytest.approx(towards)
        assert np.cross(view.right, view.up) == pytest.approx(view.towards)  # no mirror image
        assert sides[view.right_name] == pytest.approx(view.right)
        assert sides[view.left_name] == pytest.approx(-view.right)
        assert sides[view.top_name] == pytest.approx(view.up)
        assert sides[view.bottom_name] == pytest.approx(-view.up)
    assert [view.right_name for view in views] == ["L", "R", "L"]


def test_all_views_share_one_scale_and_the_bar_has_the_length_it_states(heart):
    figure = draw(heart)
    scales = [ax.transData.transform([[0, 0], [1, 0], [0, 1]]) for ax in panels(figure)]
    pixels = [(s[1, 0] - s[0, 0], s[2, 1] - s[0, 1]) for s in scales]
    assert pixels == pytest.approx(np.full((3, 2), pixels[0][0]))
    (bar,) = panels(figure)[0].lines
    assert f"{np.ptp(bar.get_xdata()):g} mm" in words(figure)
    assert np.ptp(bar.get_xdata()) == 20.0  # a quarter of a window of 90 mm, rounded down


def test_activation_png_reads_the_field_of_a_mesh_with_axes_of_its_own(heart, tmp_path):
    tissue = Mesh(
        points=heart.points,
        cells=heart.triangles.astype(np.int32),
        regions=np.ones(len(heart.triangles), np.int32),
        point_data={"activation_ms": heart.values},
    )
    out = tmp_path / "activation.png"
    activation_png(tissue, out)
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["activation.png"]  # no temporary left
    activation_png(tissue, tmp_path / "apd90.png", field="apd90_ms", values=heart.values + 250.0)
    with pytest.raises(ValueError, match="field 'lat' is unknown; use activation_ms, "):
        activation_png(tissue, out, field="lat")
    with pytest.raises(ValueError, match="point data 'apd90_ms' is missing"):
        activation_png(tissue, out, field="apd90_ms")
    with pytest.raises(ValueError, match="activation_png: 2 values, but the mesh has "):
        activation_png(tissue, out, values=np.zeros(2))
    with pytest.raises(ValueError, match=r"nowhere/activation.png: cannot be written \(No such"):
        activation_png(tissue, tmp_path / "nowhere" / "activation.png")
    with pytest.raises(ValueError, match="lines only"):
        activation_png(cable(10.0, 1.0), out, values=np.zeros(11))


def test_no_display_no_opengl_and_no_global_plotting_state(tmp_path):
    program = """
import sys
import heartsim.viz as viz
assert "matplotlib" not in sys.modules, "importing heartsim.viz loads matplotlib"
from heartsim.mesh import sheet, write_mesh
tissue = sheet((20.0, 10.0), 1.0)
write_mesh(tissue, "a.vtu")
viz.activation_png("a.vtu", "a.png", values=tissue.points[:, 0])
for name in ("vtkmodules.vtkRenderingOpenGL2", "matplotlib.pyplot", "tkinter"):
    assert name not in sys.modules, name
"""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    environment = {key: value for key, value in os.environ.items() if key not in screens}
    command = [sys.executable, "-c", program]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path, timeout=120)
    assert (tmp_path / "a.png").stat().st_size > 10_000
