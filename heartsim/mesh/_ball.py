"""A ball of tetrahedra."""

import numpy as np

from ._mesh import Mesh
from ._stuffing import stuff


def ball(radius: float, edge: float, sweeps: int = 0) -> Mesh:
    """A ball about the origin [mm], of about `edge`, by isosurface stuffing; `sweeps` of smoothing
    make it a little rounder inside, and take longer than the rest."""
    if not 0 < edge <= radius:
        raise ValueError(
            f"ball: radius {radius} and edge {edge} mm are given; a positive edge no longer than "
            "the radius is wanted."
        )
    high = np.array([radius, radius, radius + 2 * edge]) + 0.01 * edge
    points, cells = stuff(
        lambda x: radius - np.linalg.norm(x, axis=1), -high[[0, 1, 0]], high, edge, sweeps
    )
    return Mesh(
        points=points,
        cells=cells,
        regions=np.ones(len(cells), np.int32),
        region_names=(("ball", 1),),
    )
