"""The software renderer against geometry known in closed form."""

import time

import numpy as np
import pytest

from heartsim.viz import View, Window, rasterise

FRONT = View("front", np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]))
WINDOW = Window(np.zeros(3), 10.0, 200)  # pixels of 0.1 mm
SQUARE = np.array([[-5.0, -4, 0], [5, -4, 0], [5, 4, 0], [-5, 4, 0]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def place(window):
    """Position [mm] of each pixel centre across and up the picture."""
    x = (np.arange(window.pixels) + 0.5) * window.pixel - window.half
    return np.meshgrid(x, x)


def test_a_linear_field_on_a_tilted_plane_is_shown_exactly():
    points = SQUARE + np.outer(SQUARE[:, 0], [0.0, 0.0, 0.7])
    raster = rasterise(points, HALVES, 3.0 + 2.0 * points[:, 0] - points[:, 1], FRONT, WINDOW)
    x, y = place(WINDOW)
    inside = (abs(x) < 5.0) & (abs(y) < 4.0)
    assert np.array_equal(raster.seen, inside)
    # rounding of barycentric coordinates: 1e-12 of values up to 17
    assert raster.value[inside] == pytest.approx(3.0 + 2.0 * x[inside] - y[inside], abs=1e-10)
    assert raster.depth[inside] == pytest.approx(0.7 * x[inside], abs=1e-10)
    assert np.isnan(raster.value[~inside]).all()


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 3, 0, 1]])
def test_what_is_nearer_hides_what_is_behind_in_whatever_order_they_come(order):
    points = np.concatenate([SQUARE, SQUARE / 2.0 + [0.0, 0.0, 3.0]])
    triangles = np.concatenate([HALVES, HALVES + 4])[order]
    raster = rasterise(points, triangles, np.repeat([1.0, 2.0], 4), FRONT, WINDOW)
    x, y = place(WINDOW)
    front = (abs(x) < 2.5) & (abs(y) < 2.0)
    assert raster.value[front] == pytest.approx(2.0)
    assert raster.depth[front] == pytest.approx(3.0)
    assert raster.value[raster.seen & ~front] == pytest.approx(1.0)
    behind = View("behind", -FRONT.right, FRONT.up, -FRONT.towards)
    assert rasterise(points, triangles, points[:, 2], behind, WINDOW).value[raster.seen].max() < 0.1


def test_edges_mark_a_hidden_edge_and_leave_a_slope_alone():
    points = np.concatenate([SQUARE, SQUARE / 2.0 + [0.0, 0.0, 3.0]])
    triangles = np.concatenate([HALVES, HALVES + 4])
    raster = rasterise(points, triangles, np.zeros(8), FRONT, WINDOW)
    edge = raster.edges(WINDOW.pixel)
    assert np.array_equal(np.flatnonzero(edge[100]), [74, 125])  # just outside |x| = 2.5 mm
    steep = SQUARE + np.outer(SQUARE[:, 0], [0.0, 0.0, 10.0])  # 84 degrees
    assert not rasterise(steep, HALVES, np.zeros(4), FRONT, WINDOW).edges(WINDOW.pixel).any()


def test_a_triangle_with_an_unknown_node_is_unknown_throughout():
    values = np.array([0.0, np.nan, 0.0, 0.0])  # node 1 belongs to the lower right half only
    raster = rasterise(SQUARE, HALVES, values, FRONT, WINDOW)
    x, y = place(WINDOW)
    lower = raster.seen & (y < 0.8 * x - 1e-6)
    assert np.isnan(raster.value[lower]).all()
    assert (raster.value[raster.seen & (y > 0.8 * x + 1e-6)] == 0.0).all()


def test_a_surface_seen_edge_on_covers_nothing():
    side = View("side", np.array([0, 1.0, 0]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]))
    assert not rasterise(SQUARE, HALVES, np.zeros(4), side, WINDOW).seen.any()


def test_what_faces_the_light_is_brighter_and_either_side_may_face_the_viewer():
    tilt = lambda slope: SQUARE + np.outer(SQUARE[:, 1], [0.0, 0.0, slope])  # noqa: E731
    shade = lambda points, faces: rasterise(  # noqa: E731
        points, faces, np.zeros(4), FRONT, WINDOW
    ).shade[100, 100]
    assert shade(tilt(-0.4), HALVES) > shade(tilt(0.0), HALVES) > shade(tilt(0.4), HALVES)
    assert shade(tilt(0.4), HALVES) == pytest.approx(shade(tilt(0.4), HALVES[:, ::-1]))


def test_working_in_small_batches_changes_nothing(heart, monkeypatch):
    window = Window(np.array([0.0, 0.0, -35.0]), 45.0, 120)
    whole = rasterise(heart.points, heart.triangles, heart.values, heart.views[0], window)
    monkeypatch.setattr("heartsim.viz._raster._CANDIDATES", 500)
    parts = rasterise(heart.points, heart.triangles, heart.values, heart.views[0], window)
    for a, b in zip(whole, parts, strict=True):
        assert np.array_equal(a, b, equal_nan=True)


def test_a_large_heart_is_drawn_in_seconds():
    n = 224  # a wavy sheet of 2 n² = 100,352 triangles over the whole picture
    x, y = np.meshgrid(np.linspace(-9, 9, n + 1), np.linspace(-9, 9, n + 1))
    points = np.stack([x, y, np.sin(x) * np.cos(y)], axis=-1).reshape(-1, 3)
    a = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    triangles = np.concatenate(
        [np.stack([a, a + 1, a + n + 2], 1), np.stack([a, a + n + 2, a + n + 1], 1)]
    )
    start = time.process_time()
    raster = rasterise(points, triangles, points[:, 2], FRONT, Window(np.zeros(3), 10.0, 1000))
    # about 0.6 s of CPU on a quiet machine; ten times that still is "seconds"
    assert time.process_time() - start < 6.0
    assert raster.seen.mean() == pytest.approx(0.81, abs=1e-6)
    X, Y = place(Window(np.zeros(3), 10.0, 1000))
    error = np.abs(raster.value - np.sin(X) * np.cos(Y))[raster.seen].max()
    assert error < 2.0 * (18 / n) ** 2 / 8 * 1.1  # linear interpolation: (|u_xx| + |u_yy|) h² / 8
