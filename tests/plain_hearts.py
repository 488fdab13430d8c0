"""A made-up heart with nothing that tells what is what, and how far directions lie apart."""

import numpy as np

from heartsim.mesh import Mesh, biventricular_ellipsoid

MADE = biventricular_ellipsoid(4.0)


def bare(mesh, **more):
    """Points and cells, and nothing that tells what is what."""
    return plain(mesh.points, mesh.cells, **more)


def plain(points, cells, **more):
    return Mesh(points=points, cells=cells, regions=np.ones(len(cells), np.int32), **more)


def between(a, b):
    """Degrees between directions without sign."""
    return np.degrees(np.arccos(np.clip(np.abs(np.sum(a * b, axis=-1)), 0, 1)))
