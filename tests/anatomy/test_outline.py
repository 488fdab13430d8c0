"""Distances to outlines and surfaces on grids."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from heartsim.anatomy._outline import signed_distance, stacked


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
