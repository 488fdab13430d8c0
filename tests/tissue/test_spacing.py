"""The strand on which plane waves err as on a mesh: closed forms."""

import dataclasses

import numpy as np
import pytest

from heartsim.mesh import Mesh, ball, cable, sheet, slab
from heartsim.tissue import DIAGONALS, spacing

ALIKE = (1.0, 1.0, 1.0)
WAYS = np.vstack([np.eye(3), DIAGONALS])


def framed(mesh: Mesh, frame=None) -> Mesh:
    """Fibres along the rows of `frame`, the axes at first."""
    frame = np.eye(3) if frame is None else frame
    return dataclasses.replace(
        mesh, frames=np.repeat(np.asarray(frame)[None], mesh.n_cells, axis=0)
    )


def test_a_cable_is_its_own_strand_and_has_no_other_way():
    found = spacing(framed(cable(4.0, 0.4)), ALIKE, WAYS)
    assert found[0] == pytest.approx(0.4)
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize("velocities", [ALIKE, (0.6, 0.3, 0.2)])
def test_along_the_axes_of_cubes_it_is_their_edge(velocities):
    """The stiffness of split cubes along their axes is that of the 7-point stencil."""
    found = spacing(framed(slab((2.0, 1.5, 1.0), 0.25)), velocities)
    assert found == pytest.approx(0.25, rel=1e-6)


def test_along_the_diagonal_of_squares_it_is_half_a_diagonal():
    """Between the lines of nodes across it lies edge/√2."""
    square = framed(sheet((4.0, 4.0), 0.5))
    assert spacing(square, ALIKE, DIAGONALS[:2]) == pytest.approx(0.5 / 2**0.5)


def test_without_fibres_it_is_the_mean_over_all_directions():
    body = ball(3.0, 0.5)
    assert body.frames is None
    rng = np.random.default_rng(0)
    every = rng.normal(size=(500, 3))
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    squares = spacing(framed(body), ALIKE, every) ** 2
    assert spacing(body, ALIKE)[0] ** 2 == pytest.approx(
        squares.mean(), rel=0.05
    )  # of 500 directions


def test_it_turns_with_the_frame_and_scales_with_the_mesh():
    body, turn = ball(3.0, 0.5), np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    own = spacing(framed(body, turn), (0.6, 0.3, 0.2), WAYS)
    turned = dataclasses.replace(body, points=body.points @ turn.T)
    assert spacing(framed(turned), (0.6, 0.3, 0.2), WAYS) == pytest.approx(own)
    twice = dataclasses.replace(body, points=2 * body.points)
    assert spacing(framed(twice, turn), (1.2, 0.6, 0.4), WAYS) == pytest.approx(2 * own)


def test_never_less_than_half_an_edge_and_none_out_of_a_sheet():
    found = spacing(framed(sheet((4.0, 4.0), 0.5)), ALIKE, WAYS)
    assert np.isnan(found).tolist() == [False, False, True, False, False, True, True, True, True]
    body = ball(3.0, 0.5)
    least = spacing(framed(body), (1.0, 0.3, 0.3))[1:]
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
        found = spacing(framed(both), ALIKE, inside=both.regions == tag)
        assert found == pytest.approx(edge)
