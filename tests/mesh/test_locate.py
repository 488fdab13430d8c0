"""Which cell holds a point."""

import numpy as np
import pytest
from bodies import jittered

from heartsim import mesh

BODY = jittered(mesh.slab((6.0, 5.0, 4.0), 1.0), 0.2, 0)


def test_points_are_found_and_their_weights_make_them():
    x = np.random.default_rng(0).uniform(-1.0, [7.0, 6.0, 5.0], (500, 3))
    cell, weights = mesh.locate_points(BODY, x)
    inside = ((x > 0) & (x < [6.0, 5.0, 4.0])).all(axis=1)
    assert np.array_equal(cell >= 0, inside)
    made = np.einsum("pk,pkd->pd", weights[inside], BODY.points[BODY.cells[cell[inside]]])
    assert made == pytest.approx(x[inside], abs=1e-12)
    assert (weights[~inside] == 0).all()
    assert weights.min() >= -1e-9


def test_nodes_lie_in_a_cell_of_their_own():
    cell, weights = mesh.locate_points(BODY, BODY.points)
    assert (BODY.cells[cell] == np.arange(BODY.n_nodes)[:, None]).any(axis=1).all()
    assert weights.max(axis=1) == pytest.approx(1.0)


def test_a_long_cell_among_small_ones_is_found():
    """Its middle is far from its tip, and the middles of many small cells are nearer."""
    small = mesh.slab((1.0, 1.0, 1.0), 0.2)
    tip = np.array([[1.5, 0.4, 0.4], [60.0, 0.0, 0.0], [60.0, 9.0, 0.0], [60.0, 0.0, 9.0]])
    both = mesh.Mesh(
        np.concatenate([small.points, tip]),
        np.append(small.cells, [small.n_nodes + np.arange(4)], axis=0).astype(np.int32),
        np.ones(small.n_cells + 1, np.int32),
    )
    cell, weights = mesh.locate_points(both, np.array([[1.6, 0.4, 0.41]]))
    assert cell[0] == small.n_cells
    assert weights[0] @ tip == pytest.approx([1.6, 0.4, 0.41])


def test_a_ball_is_round_and_full():
    """Nodes of the skin on the sphere; the volume less by what the chords cut off."""
    ball = mesh.ball(10.0, 2.0)
    skin = np.unique(mesh.boundary_triangles(ball))
    assert np.linalg.norm(ball.points[skin], axis=1) == pytest.approx(10.0, abs=1e-6)
    volume = mesh.signed_volumes(ball.points, ball.cells)
    assert volume.min() > 0
    assert volume.sum() == pytest.approx(4 / 3 * np.pi * 1000, rel=0.03)
    assert mesh.mean_ratio(ball.points, ball.cells).min() > 0.3
