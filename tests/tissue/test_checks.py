"""What an eikonal solve refuses, and in which words."""

import jax
import numpy as np
import pytest

from heartsim.fem import compact
from heartsim.mesh import slab, submesh
from heartsim.tissue import (
    NEVER,
    Sources,
    arrival,
    front,
    require_reached,
    require_velocities,
    slowness,
    source_times,
)


def test_the_part_that_no_source_reaches_is_named():
    body = slab((12.0, 3.0, 3.0), 1.0)
    x = body.points[body.cells].mean(axis=1)[:, 0]
    thirds, _ = submesh(body, (np.abs(x - 4) > 1) & (np.abs(x - 9) > 1))
    n = thirds.n_nodes
    f = front(thirds)
    M = slowness(thirds, 0.6, 0.4, 0.4)

    @jax.jit
    def solve(sources):
        return arrival(f, M, source_times(f, M, sources))

    def times(*places):
        k = len(places)  # one program for all: three sources, the last one more than once
        places = np.array(places)[np.minimum(np.arange(3), k - 1)]
        return np.asarray(solve(Sources(places, np.zeros(3))))

    left, middle, right = (1.0, 1.0, 1.0), (6.0, 1.0, 1.0), (11.0, 1.0, 1.0)
    require_reached(thirds, times(left, middle, right))
    with pytest.raises(
        ValueError, match=rf"no source reaches \d+ of {n} nodes: one part around \(1"
    ):
        require_reached(thirds, times(left, middle))
    T = times(left)
    lost = thirds.points[T >= NEVER / 2]
    with pytest.raises(
        ValueError, match=rf"reaches {len(lost)} of {n} nodes: 2 parts, the largest"
    ):
        require_reached(thirds, T)
    # with network times after the mesh's, and with padding that belongs to no cell
    require_reached(thirds, np.append(times(left, middle, right), NEVER))
    padded, order = compact(thirds)
    assert padded.n_nodes > len(order)
    T = np.full(padded.n_nodes, NEVER)
    T[: len(order)] = 1.0
    require_reached(padded, T)


@pytest.mark.parametrize("bad", [0.0, -0.4, float("nan"), float("inf")])
def test_a_velocity_that_is_not_positive_is_refused(bad):
    body = slab((3.0, 3.0, 3.0), 1.0)
    with pytest.raises(ValueError, match=rf"velocity \(sheet\): {bad:g} mm/ms, where a positive"):
        slowness(body, 0.6, bad, 0.4)
    cells = np.full(body.n_cells, 0.4)
    cells[[3, 5]] = bad
    with pytest.raises(
        ValueError, match=rf"\(normal\): {bad:g} mm/ms in 2 of {body.n_cells} places"
    ):
        slowness(body, 0.6, 0.4, cells)
    require_velocities(fibre=0.6, sheet=cells[:2])


def test_traced_velocities_pass():
    """They have no numbers yet; the program must compile."""
    body = slab((3.0, 3.0, 3.0), 1.0)
    assert jax.jit(lambda v: slowness(body, v, v, v))(0.5).shape == (body.n_cells, 3, 3)
