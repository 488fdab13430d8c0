"""Cells on either side of a surface that runs through a body."""

import numpy as np
import pytest

from heartsim.mesh import conform, dihedral_angles, stuff
from heartsim.mesh._topology import TET_FACES, first_of_equal_rows, signed_volumes

EDGE = 2.0  # mm


def ball(x):
    """Of 20 mm around 0."""
    return 20.0 - np.linalg.norm(x, axis=1)


def within(x):
    """A sphere of 8 mm in the half ball."""
    return 8.0 - np.linalg.norm(x - [0.0, 0.0, -10.0], axis=1)


def through(x):
    """A sphere of 10 mm that bites into its surface and base."""
    return 10.0 - np.linalg.norm(x - [15.0, 0.0, -3.0], axis=1)


@pytest.mark.parametrize("level", [within, through])
def test_no_cell_crosses_and_none_gets_lost(level):
    """Rims on the boundary may lie 0.35 of the longest edge (1.4 of the mean) off the surface."""
    points, cells = stuff(ball, np.full(3, -22.0), np.array([22.0, 22.0, 0.0]), EDGE)
    more, new = conform(points, cells, level)
    volume = signed_volumes(more, new)
    assert volume.min() > 0
    assert volume.sum() == pytest.approx(signed_volumes(points, cells).sum(), rel=1e-9)
    assert dihedral_angles(more, new).min() > 5.0  # as asked of hearts; stuffing alone has 20
    faces, count = first_of_equal_rows(np.sort(new[:, TET_FACES].reshape(-1, 3), axis=1))
    assert count.max() == 2  # cells meet face to face
    outer = np.unique(np.sort(new[:, TET_FACES].reshape(-1, 3), axis=1)[faces[count == 1]])
    value = level(more)
    apart = np.minimum(value[new].max(axis=1), -value[new].min(axis=1))
    assert apart.max() < 0.35 * 1.4 * EDGE
    assert not (apart[~np.isin(new, outer).any(axis=1)] > 0.02 * EDGE).any()


def test_a_surface_elsewhere_changes_nothing():
    points, cells = stuff(ball, np.full(3, -22.0), np.array([22.0, 22.0, 0.0]), 4.0)
    same = conform(points, cells, lambda x: x[:, 2] - 100.0)
    assert same[0] is points
    assert same[1] is cells
