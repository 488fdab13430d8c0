"""The strand on which plane waves err as on a mesh: closed forms."""

import dataclasses

import numpy as np
import pytest

from heartsim.mesh import Mesh, ball, cable, sheet, slab
from heartsim.tissue import WAYS, spacing
from tests.bodies import framed

ALIKE = (1.0, 1.0, 1.0)
TURN = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]


def test_a_cable_is_its_own_strand_and_has_no_other_way():
    found = spacing(cable(4.0, 0.4), ALIKE, WAYS)
    assert found[0] == pytest.approx(0.4)
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize("velocities", [ALIKE, (0.6, 0.3, 0.2)])
def test_along_the_axes_of_cubes_it_is_their_edge(velocities):
    """The stiffness of split cubes along their axes is that of the 7-point stencil."""
    found = spacing(slab((2.0, 1.5, 1.0), 0.25), velocities)
    assert found == pytest.approx(0.25, rel=1e-6)


def test_along_the_diagonal_of_squares_it_is_half_a_diagonal():
    """Between the lines of nodes across it lies edge/√2."""
    assert spacing(sheet((4.0, 4.0), 0.5), ALIKE, WAYS[3:5]) == pytest.approx(0.5 / 2**0.5)


def test_without_fibres_it_is_the_mean_over_all_directions():
    body = ball(3.0, 0.5)
    assert body.frames is None
    rng = np.random.default_rng(0)
    every = rng.normal(size=(500, 3))
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    squares = spacing(framed(body, np.eye(3)), ALIKE, every) ** 2
    mean = pytest.approx(squares.mean(), rel=0.05)  # of 500 of them
    assert spacing(body, ALIKE)[0] ** 2 == mean


def test_it_turns_with_the_frame_and_scales_with_the_mesh():
    body = ball(3.0, 0.5)
    own = spacing(framed(body, TURN), (0.6, 0.3, 0.2), WAYS)
    turned = dataclasses.replace(body, points=body.points @ TURN.T)
    assert spacing(framed(turned, np.eye(3)), (0.6, 0.3, 0.2), WAYS) == pytest.approx(own)
    twice = dataclasses.replace(body, points=2 * body.points)
    assert spacing(framed(twice, TURN), (1.2, 0.6, 0.4), WAYS) == pytest.approx(2 * own)


def test_never_less_than_half_an_edge_and_none_out_of_a_sheet():
    found = spacing(sheet((4.0, 4.0), 0.5), ALIKE, WAYS)
    assert np.isnan(found).tolist() == [False, False, True, False, False, True, True, True, True]
    body = ball(3.0, 0.5)
    least = spacing(framed(body, np.eye(3)), (1.0, 0.3, 0.3))[1:]
    ends = body.points[body.cells]
    pairs = np.triu_indices(4, 1)
    mean = np.linalg.norm(ends[:, pairs[0]] - ends[:, pairs[1]], axis=2).mean()
    assert least == pytest.approx(mean / 2)  # 0.1 to 0.2 of an edge by moments


def test_of_the_cells_inside_alone():
    """Two blocks of cubes of 0.2 and 0.4 mm."""
    fine, coarse = slab((0.8, 0.8, 0.8), 0.2), slab((1.6, 1.6, 1.6), 0.4)
    cells = np.concatenate([fine.cells, coarse.cells + fine.n_nodes])
    both = Mesh(
        points=np.concatenate([fine.points, coarse.points + 5.0]),
        cells=cells,
        regions=np.repeat([1, 2], [fine.n_cells, coarse.n_cells]),
    )
    for tag, edge in ((1, 0.2), (2, 0.4)):
        found = spacing(framed(both, np.eye(3)), ALIKE, inside=both.regions == tag)
        assert found == pytest.approx(edge)
