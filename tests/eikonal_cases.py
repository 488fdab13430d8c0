"""Bodies on which arrival times are compared with another code; made, not read."""

from typing import NamedTuple

import jax
import numpy as np
from bodies import jittered

from heartsim.mesh import Mesh, lv_ellipsoid, slab
from heartsim.tissue import slowness


class Case(NamedTuple):
    """Velocities [mm/ms] along fibre, sheet and normal, and the nodes that start at 0 ms."""

    velocity: tuple[float, float, float]
    seeds: tuple[int, ...]


CASES = {
    "jittered": Case((0.6, 0.4, 0.2), (250,)),
    "ventricle": Case((0.65, 0.48, 0.3), (17, 900)),
}


def body_of(name: str) -> Mesh:
    """A slab of uneven tetrahedra, or a left ventricle with rule-based fibres."""
    if name == "jittered":
        return jittered(slab((12.0, 9.0, 7.0), 1.0), share=0.25, seed=5)
    return lv_ellipsoid(edge=6.0)


def tensor_of(body: Mesh, case: Case):
    """The metric of a case in double precision."""
    with jax.enable_x64(True):
        return np.asarray(slowness(body, *case.velocity))
