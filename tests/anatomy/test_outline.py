"""Distances to outlines and surfaces on grids."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from heartsim.anatomy._outline import distances, signed_distance, stacked
from heartsim.anatomy._wall import grown


def test_the_distance_to_a_ball_is_exact_near_it_and_to_less_than_a_step_beyond():
    """A ball of 15 mm, whose field is not its distance. Lines of the grid that cross it are at most
    1.2 x 1.5 mm apart, so that a crossing lies within half their diagonal, 0.96 mm, of the foot of
    each distance d: too much by at most 0.96² / 2d, 0.23 mm from 2 mm on."""
    radius, step = 15.0, np.array([1.0, 1.5, 1.2])
    n = np.ceil(70.0 / step).astype(int)
    middle = 0.5 * (n - 1) * step + 0.17
    places = np.moveaxis(np.indices(n), 0, -1) * step
    exact = radius - np.linalg.norm(places - middle, axis=-1)
    found = signed_distance(np.tanh(exact / 5.0) * (3.0 + places[..., 0] / 20.0), step)
    assert (np.sign(found) == np.sign(exact)).all()
    more = np.abs(found) - np.abs(exact)
    assert more.min() > -0.02  # crossings are interpolated linearly
    near = (np.abs(exact) > 2.0) & (np.abs(exact) < 9.7)  # exact from there to 10 mm as well
    assert more[near].max() < 0.23
    far = np.abs(exact) > 10.3
    assert more[far].max() < step.max()
    assert more[far].mean() < 0.15


def test_the_cap_of_an_apex_goes_on_where_the_wall_runs_outward():
    """Discs of 10, 18, 22 and 24 mm every 8 mm: from the lowest on the outline widens by 1 mm a mm,
    and an upright cap below would turn by as much at once. Over 4 mm, half the smoothing, it may
    turn by half of that. It holds half a slice below to 5 %: half a pixel on its small outlines."""
    rows, columns = np.indices((70, 70)) - 34.5
    radii, z = np.array([10.0, 18.0, 22.0, 24.0]), 8.0 * np.arange(4)
    d = radii[:, None, None] - np.hypot(rows, columns)
    levels = np.arange(-12.0, 30.0, 0.5)
    area = (stacked(d, z, levels, top=28.0) > 0).sum(axis=(1, 2))
    widening = np.gradient(np.sqrt(area / np.pi), levels)
    at = np.flatnonzero((levels > -2.5) & (levels < 5.0))  # above the tip
    outward = widening[at + 4] - widening[at - 4]
    assert outward.max() < 0.5
    curve = PchipInterpolator(z, radii)(np.arange(0.25, 28.0, 0.5).clip(max=24.0))
    held = np.pi * (np.sum(curve**2) * 0.5 + radii[0] ** 2 * 4.0)
    assert area[levels < 28.0].sum() * 0.5 == pytest.approx(held, rel=0.05)


def spheroid(gap):
    """Half a spheroid of 24 mm, 60 mm long, base at 0: places of its slices, and its radius."""
    z = -gap / 2 - gap * np.arange(int(60.0 / gap))[::-1]
    return z, lambda height: 24.0 * np.sqrt(1 - (height / 60.0) ** 2)


def test_interpolation_between_slices_is_exact_on_a_spheroid_to_third_order():
    """From the exact distances of slices 12, 6 and 3 mm apart: its radius between them to 0.010,
    0.0016 and 0.0002 mm in the mean, above the part about the apex, which is smoothed."""
    x = np.linspace(0.0, 30.0, 31)
    off, gaps = [], (12.0, 6.0, 3.0)
    for gap in gaps:
        z, radius = spheroid(gap)
        d = radius(z)[:, None, None] - np.hypot(x[:, None], x)
        levels = np.arange(-75.0, 0.1, 0.5)
        found = stacked(d, z, levels, top=0.0)[:, :, 0]
        own = np.flatnonzero((levels > -36.0) & (levels <= z[-1]))
        off.append(np.mean([abs(np.interp(0, -found[k], x) - radius(levels[k])) for k in own]))
    assert off[0] < 0.015
    order = np.polyfit(np.log(gaps), np.log(off), 1)[0]
    assert order == pytest.approx(2.7, abs=0.3)  # of monotone cubics: 2 at extrema, 4 elsewhere


def test_a_spheroid_comes_back_from_thick_slices_of_voxels():
    """Voxels of 0.75 x 0.75 x 8 mm: as large to 1 %, apex included, and its surface within a fifth
    of a pixel in the mean above the last slice."""
    (z, radius), pixel, step = spheroid(8.0), np.full(2, 0.75), 0.75
    across = np.hypot(*(np.indices((76, 76)) * 0.75 - 28.3))
    masks = across < radius(z)[:, None, None]
    levels = np.arange(-75.0, step, step)
    inside = stacked(distances(masks, pixel), z, levels, top=0.0) > 0
    area = inside.sum(axis=(1, 2)) * 0.75**2
    below = levels <= 0.0
    volume = np.trapezoid(area[below], levels[below])
    assert volume == pytest.approx(2 / 3 * np.pi * 24.0**2 * 60.0, rel=0.01)
    own = (levels > z[0]) & (levels < z[-1])
    assert np.abs(np.sqrt(area[own] / np.pi) - radius(levels[own])).mean() < 0.15


def test_muscle_put_on_a_thin_wall_is_told():
    """A ball of 20 mm within a wall of 1 mm, made 3 mm: the shell from 21 to 23 mm below the base
    plane through its middle. To 3 %: samples of 1 mm are in or out."""
    places = np.moveaxis(np.indices((61, 61, 61)), 0, -1) - 30.0
    away = np.linalg.norm(places, axis=-1)
    corner, step = np.full(3, -30.0), np.ones(3)
    fields, box = {"lv": 20.0 - away, "body": 21.0 - away}, (corner, np.array([30.0, 30.0, 0.5]))
    shell = 2 / 3 * np.pi * (23.0**3 - 21.0**3) / 1000
    plate = np.pi * (23.0**2 - 21.0**2) * 0.5 / 1000
    wall = grown(fields, corner, step, 3.0, 3.0, box)
    assert wall.thickened == pytest.approx(shell + plate, rel=0.03)
    assert grown(fields, corner, step, 0.9, 3.0, box).thickened == 0.0
