"""Distances to outlines and surfaces on grids."""

import numpy as np

from heartsim.anatomy._outline import signed_distance


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
