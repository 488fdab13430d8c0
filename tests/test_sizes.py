"""Sizes with a little room: few of them, and never less than is needed."""

import jax
import numpy as np
import pytest

from heartsim import fem, mesh
from heartsim._sizes import nodal, roomy, up
from heartsim.ionic import Patchwork, by_name
from tests.bodies import random_tets


@pytest.mark.parametrize("steps", [4, 32])
def test_from_a_power_of_two_to_the_next_there_are_so_many_sizes(steps):
    """Each holds what asked for it, with less than a step to spare."""
    for power in range(13):
        asked = range(2**power, 2 ** (power + 1))
        given = [roomy(size, steps) for size in asked]
        assert all(0 <= b - a < max(1, 2**power / steps) for a, b in zip(asked, given, strict=True))
        assert len({size for size in given if size < 2 ** (power + 1)}) <= steps


def test_a_large_size_has_no_more_room_than_the_longest_step():
    """A million nodes, in steps of 4096 where an octave's would be 16 384; nothing takes nothing,
    and a multiple is itself."""
    assert roomy(10**6, 32, 4096) == up(10**6, 4096) == 245 * 4096
    assert (roomy(0, 32), up(0, 64), up(64, 64), up(65, 64)) == (0, 0, 64, 128)


def test_arrays_of_nodes_have_room_beyond_the_first():
    """No whole pages of 1024 numbers, where steps are 128 or more. What is rounded once stays, and
    a few nodes have no room."""
    assert [nodal(n, 8) for n in (0, 3, 8, 60, 65)] == [0, 8, 8, 64, 72]
    assert [nodal(n, 64) for n in (38_972, 38_977, 39_232, 39_650)] == [
        38_976,
        40_000,
        40_000,
        40_000,
    ]
    for nodes in range(8300, 100_000, 997):
        size = nodal(nodes, 64)
        assert nodes <= size <= nodes * 33 / 32 + 64
        assert size % 1024
        assert nodal(size, 64) == size


def test_like_meshes_have_matrices_of_one_shape():
    """Of 5000 and 5040 nodes, 26 to 28 of them around the richest, 980 to 1050 rows longer than 17:
    all these differ, and would after whole vectors of 64, too."""
    bodies = [random_tets(3, 5000), random_tets(4, 5000), random_tets(1, 5040)]
    found, shapes = [], set()
    for body in bodies:
        padded, _ = fem.compact(body)
        rows = fem.pattern(padded.cells, padded.n_nodes)
        length = (np.asarray(rows.neighbour) != np.arange(rows.n_nodes)).sum(axis=0)
        found.append((body.n_nodes, length.max(), (length > 17).sum()))
        shapes.add((rows.neighbour.shape, rows.long.near.shape, rows.long.short))
    assert found == [(5000, 26, 1050), (5000, 28, 979), (5040, 27, 1014)]
    assert shapes == {((28, 5056), (11, 1152), 17)}


def test_meshes_without_order_have_one_of_few_sizes_and_grids_their_own():
    """Of 4819 nodes, 64 and 38 steps of 128; of a grid a multiple of 64."""
    ball = mesh.ball(1.0, 0.12)
    padded, order = fem.compact(ball)
    assert (len(order), padded.n_nodes) == (4819, 64 + 38 * 128)
    assert fem.compact(ball, parts=3)[0].n_nodes == up(padded.n_nodes, 192)
    grid = mesh.slab((4.0, 2.0, 1.0), 0.1)
    assert fem.compact(grid)[0].n_nodes == up(grid.n_nodes, 64)


def test_patches_of_about_the_same_size_have_the_same():
    """1000 and 1003 nodes of one membrane, 500 and 497 of another: 1008 and 504 in either, 64 and
    59 steps of 16, 64 and 55 of 8."""
    models = [by_name("mitchell_schaeffer_2003"), by_name("aliev_panfilov_1996")]

    def shapes(first):
        patches = Patchwork(models, np.split(np.arange(1500), [first]))
        return [np.shape(x) for x in jax.tree.leaves(patches)]

    assert shapes(1000) == shapes(1003)
    assert (1008,) in shapes(1000)
    assert (504,) in shapes(1000)
