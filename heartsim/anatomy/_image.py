"""Images from files: voxels, and where they lie in the patient."""

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Shaped

from heartsim._files import whole_or_refused

ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")

THIN = 3.0  # mm; slices thicker than this, and than twice their pixels, are a stack


@dataclasses.dataclass(frozen=True)
class Image:
    """A stack of slices, of labels or intensities. Places are in mm in the patient's axes: x to
    the left, y backward, z to the head (DICOM's, LPS), whatever the file's own convention."""

    values: Shaped[np.ndarray, "slices rows columns"]
    spacing: Float[np.ndarray, " 3"]
    """mm between columns, rows and slices."""
    axes: Float[np.ndarray, "3 3"]
    """Columns: unit vectors along columns, rows and slices."""
    origin: Float[np.ndarray, " 3"]
    """Middle of the first voxel."""
    name: str

    def volume(self, mask: Bool[np.ndarray, "slices rows columns"]) -> float:
        """mL of a mask's voxels."""
        return float(mask.sum()) * float(np.prod(self.spacing)) / 1000

    def around(self, mask: Bool[np.ndarray, "slices rows columns"], margin: float) -> "Image":
        """The part of it that has a mask, with a margin [mm] as far as it goes."""
        there, reach = np.argwhere(mask), np.ceil(margin / self.spacing[::-1]).astype(int)
        low = np.maximum(there.min(axis=0) - reach, 0)
        cut = tuple(map(slice, low.tolist(), (there.max(axis=0) + reach + 1).tolist()))
        origin = self.place((low[::-1] * self.spacing)[None])[0]
        return dataclasses.replace(self, values=self.values[cut], origin=origin)

    @property
    def thick_slices(self) -> bool:
        """Whether slices are to be interpolated between, as those of a short-axis stack."""
        return bool(self.spacing[2] > max(THIN, 2 * self.spacing[:2].max()))

    def place(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Points in mm along columns, rows and slices from the first voxel, in the patient."""
        return self.origin + x @ self.axes.T

    def middles(self, mask: Bool[np.ndarray, "slices rows columns"]) -> Float[np.ndarray, "own 3"]:
        """Middles of a mask's voxels in the patient."""
        return self.place(np.argwhere(mask)[:, ::-1] * self.spacing)

    def voxels(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Slice, row and column of points in the patient, as real numbers."""
        return ((x - self.origin) @ np.linalg.inv(self.axes).T / self.spacing)[:, ::-1]


def write_image(image: Image, path: str | Path) -> None:
    """An image in a file of one of `ENDINGS`, in its own frame; whole or not there."""
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        raise ValueError(f"{path}: wanted one of {' '.join(ENDINGS)}.")
    itk = simple_itk()
    values = image.values
    out = itk.GetImageFromArray(values.astype(np.uint8 if values.dtype.kind in "iub" else float))
    out.SetSpacing(image.spacing.tolist())
    out.SetDirection(image.axes.ravel().tolist())
    out.SetOrigin(image.origin.tolist())
    with whole_or_refused(path) as part:
        itk.WriteImage(out, str(part))


def simple_itk():
    """SimpleITK, or ValueError that says how to get it."""
    try:
        import SimpleITK
    except ModuleNotFoundError:
        raise ValueError(
            'images need SimpleITK: python -m pip install "heartsim[images]"'
        ) from None
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    return SimpleITK
