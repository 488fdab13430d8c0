"""Directions of fields in cells, also in those in which the field is one value."""

import numpy as np
import pytest
from bodies import jittered

from heartsim.anatomy._directions import LAYERS, directions
from heartsim.anatomy._wall import grown
from heartsim.mesh import sheet, slab

BODIES = {
    "triangles": sheet((4.0, 2.0), 0.5),
    "tetrahedra": jittered(slab((4.0, 2.0, 1.0), 0.5), 0.1, 3),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_linear_field_has_its_slope(name):
    """Exactly, to round-off; on a surface the slope within it."""
    body = BODIES[name]
    slope = np.array([1.0, -2.0, 3.0 if body.dim == 3 else 0.0])
    found = directions(body, np.asarray(body.points) @ slope)
    assert found == pytest.approx(np.broadcast_to(slope, found.shape), abs=1e-9)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("flat", [0.6, 1.6])
def test_where_it_is_one_value_the_cells_around_tell(name, flat):
    """One value up to x = 0.6 and 1.6 mm, two and four layers of cells: along x there too, within
    what the tetrahedra at the kink (45° at most) lean aside."""
    body = BODIES[name]
    x = np.asarray(body.points)[:, 0]
    found = directions(body, np.maximum(x - flat, 0.0))
    along = found[:, 0] / np.linalg.norm(found, axis=1)
    assert (x[np.asarray(body.cells)].max(axis=1) < flat).sum() > 4  # there are such cells
    assert along.min() > np.cos(np.pi / 4)


def test_farther_than_so_many_layers_nothing_is_told():
    body = BODIES["tetrahedra"]
    long = slab((0.5 * (LAYERS + 5), 0.5, 0.5), 0.5)
    x = np.asarray(long.points)[:, 0]
    found = directions(long, np.maximum(x - x.max() + 0.6, 0.0))
    assert (found == 0).all(axis=1).any()
    assert not directions(body, np.zeros(body.n_nodes)).any()


def test_a_right_cavity_within_the_left_wall_is_refused():
    """A right cavity of 1 mm beside a left one, where the wall between is to be 3 mm."""
    x = np.stack(np.meshgrid(*3 * [np.arange(-20.0, 21.0)], indexing="ij"), axis=-1)
    left = 8.0 - np.linalg.norm(x, axis=-1)
    right = 1.0 - np.linalg.norm(x - [9.0, 0.0, 0.0], axis=-1)
    fields = {"lv": left, "body": left + 3.0, "rv": right}
    with pytest.raises(ValueError, match=r"right cavity lies within 3\.0 mm of the left one"):
        grown(fields, np.full(3, -20.0), np.ones(3), 3.0, 3.0, (x[0, 0, 0], x[-1, -1, -1]))
