"""Small bodies and models that several tests share."""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial import Delaunay

from heartsim import fem, ionic, tissue
from heartsim.mesh import Mesh


class NoState(NamedTuple):
    """A membrane without gates."""


class Passive(ionic.AbstractIonicModel):
    """A membrane that lets nothing through: the heat equation remains."""

    def rates(self, V, state):
        return ionic.Rates(jnp.zeros_like(V), state)

    def rest(self):
        return jnp.zeros((), float), NoState()


def heat(body: Mesh, D, *, rtol=1e-12, **options) -> tissue.Monodomain:
    """∂V/∂t = ∇·(D∇V) on a body, D one 3 x 3 tensor."""
    D = jnp.broadcast_to(jnp.asarray(D, float), (body.n_cells, 3, 3))
    return tissue.monodomain(
        body, D, Passive(), solver=fem.ConjugateGradients(rtol=rtol), **options
    )


def started(muscle: tissue.Monodomain, V, dt: float) -> tissue.Carry:
    """A run about to start from the voltage V."""
    state = muscle.initial()._replace(V=jnp.asarray(V, float))
    return tissue.begin(muscle, dt, tissue.Detector(), state)


def framed(body: Mesh, frame) -> Mesh:
    """The body with fibre, sheet and normal along the rows of `frame` everywhere."""
    frames = np.repeat(np.asarray(frame, float)[None], body.n_cells, axis=0)
    return dataclasses.replace(body, frames=frames)


def some_long(names, long):
    """The names as parameters of a test, those of which `long` holds marked so."""
    return [pytest.param(name, marks=pytest.mark.long) if long(name) else name for name in names]


def jittered(body: Mesh, share: float, seed: int) -> Mesh:
    """The body with its inner nodes moved at random by up to `share` of an edge."""
    points = np.array(body.points)
    edge = np.linalg.norm(points[body.cells[:, 1]] - points[body.cells[:, 0]], axis=1).min()
    move = np.random.default_rng(seed).uniform(-share * edge, share * edge, points.shape)
    for axis in range(3):
        x = points[:, axis]
        move[(x == x.min()) | (x == x.max()), axis] = 0.0
    return eqx.tree_at(lambda m: m.points, body, points + move)


def shuffled(body: Mesh, seed: int = 0) -> Mesh:
    """The body with its nodes numbered at random."""
    place = np.random.default_rng(seed).permutation(body.n_nodes)
    return eqx.tree_at(
        lambda m: (m.points, m.cells),
        body,
        (body.points[place], np.argsort(place)[body.cells].astype(np.int32)),
    )


def random_tets(seed: int, count: int, sides=(3.0, 2.0, 1.0)) -> Mesh:
    """Tetrahedra between `count` random points of a box, but for slivers: cells of less than 0.005
    of their longest edge cubed (a regular one has 0.118)."""
    points = np.random.default_rng(seed).uniform(0, sides, (count, 3))
    cells = Delaunay(points).simplices.astype(np.int32)
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    volume = np.linalg.det(edges) / 6
    cells[volume < 0] = cells[volume < 0][:, [1, 0, 2, 3]]
    longest = np.linalg.norm(points[cells][:, :, None] - points[cells][:, None], axis=3).max((1, 2))
    cells = cells[np.abs(volume) > 0.005 * longest**3]
    return Mesh(points, cells, np.ones(len(cells), np.int32))
