"""Coordinates that stand upright on the plane of the base."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

UPRIGHT = 3.0  # mm below the base where walls stand upright, as slanted ones make slivers there


class BaseFrame(NamedTuple):
    """Height 0 is the base, the apex below it."""

    origin: Float[np.ndarray, " 3"]
    axes: Float[np.ndarray, "3 3"]
    """Columns: unit vectors in the patient, right-handed, the third upward."""

    def place(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Points of this frame in the patient."""
        return self.origin + x @ self.axes.T

    def back(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Points in the patient in this frame."""
        return (x - self.origin) @ self.axes


def frame_on(valves: Float[np.ndarray, "points 3"], inside: Float[np.ndarray, " 3"]) -> BaseFrame:
    """That of the plane nearest to points, the ventricles on the side of `inside`."""
    origin = valves.mean(axis=0)
    upward = np.linalg.svd(valves - origin, full_matrices=False)[2][2]
    upward = upward * np.sign((origin - inside) @ upward)
    along = np.linalg.svd(upward[None])[2][1]
    return BaseFrame(origin, np.stack([along, np.cross(upward, along), upward], axis=1))


def upright_grid(
    x: Float[np.ndarray, "points 3"], margin: float, step: float
) -> tuple[
    Float[np.ndarray, " 3"], Float[np.ndarray, " 3"], Float[np.ndarray, "grid 3"], tuple[int, ...]
]:
    """Corners of a box around points, up to the base; samples from its lower corner on, a little
    beyond the base; and how many along each axis. Samples higher than 3 mm below the base are
    those there, so that what is found at them goes on upright."""
    low, high = x.min(axis=0) - margin, x.max(axis=0) + margin
    high[2] = 0.0
    shape = tuple((np.ceil((high - low) / step).astype(int) + np.array([1, 1, 3])).tolist())
    grid = low + step * np.indices(shape).reshape(3, -1).T
    grid[:, 2] = np.minimum(grid[:, 2], -UPRIGHT)
    return low, high, grid, shape
