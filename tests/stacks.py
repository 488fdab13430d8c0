"""A made-up short-axis stack, whose heart is known exactly."""

from pathlib import Path

import numpy as np

SPACING = np.array([1.5, 1.5, 8.0])  # mm
SIZE = (72, 80, 12)  # columns, rows, slices
MIDDLE = np.array([50.0, 62.0])  # mm along columns and rows, of the long axis
BASE = 84.0  # mm above the first slice: the highest slice with muscle is the one at 80
OUTER, INNER = np.array([34.0, 34.0, 76.0]), np.array([24.0, 24.0, 66.0])
CENTRE = 80.0  # mm, height of the ellipsoids' middle
RV_MIDDLE, RV = np.array([26.0, 0.0]), np.array([22.0, 27.0, 60.0])
AXES = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]  # oblique
ORIGIN = np.array([-40.0, 12.0, 7.0])
LABELS = "[labels]\nlv_cavity = 3\nlv_myocardium = 2\nrv_cavity = 1\n"


def inside(x: np.ndarray, axes: np.ndarray, off=(0.0, 0.0)) -> np.ndarray:
    """Whether places [mm] along columns, rows and slices lie in an ellipsoid."""
    centre = np.array([*(MIDDLE + off), CENTRE])
    return np.sum(((x - centre) / axes) ** 2, axis=-1) < 1


def labels() -> np.ndarray:
    """slices x rows x columns: 3 left cavity, 2 its muscle, 1 right cavity."""
    k, j, i = np.indices(SIZE[::-1])
    x = np.stack([i, j, k], axis=-1) * SPACING
    found = np.where(inside(x, RV, RV_MIDDLE), 1, 0)
    found[inside(x, OUTER)] = 2
    found[inside(x, INNER)] = 3
    found[k * SPACING[2] > BASE] = 0
    return found.astype(np.uint8)


def write(
    path: Path, values: np.ndarray, axes: np.ndarray = AXES, spacing=SPACING, origin=ORIGIN
) -> Path:
    import SimpleITK

    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing([float(s) for s in spacing[: values.ndim]])
    if values.ndim == 3:
        image.SetDirection(axes.ravel().tolist())
        image.SetOrigin(origin.tolist())
    SimpleITK.WriteImage(image, str(path))
    return path
