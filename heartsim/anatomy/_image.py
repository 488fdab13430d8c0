"""Images from files: voxels, and where they lie in the patient."""

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from heartsim._files import whole_or_refused

ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


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

    def place(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Points in mm along columns, rows and slices from the first voxel, in the patient."""
        return self.origin + x @ self.axes.T

    def voxels(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Slice, row and column of points in the patient, as real numbers."""
        return ((x - self.origin) @ np.linalg.inv(self.axes).T / self.spacing)[:, ::-1]


def read_labels(path: str | Path, frame: int | None = None) -> Image:
    """A label image from NIfTI, NRRD or MetaImage, by SimpleITK.

    `frame` picks one of a 4-D image, from 0. ValueError names the file and what was wanted: a
    known ending, three dimensions, whole numbers, axes at right angles.
    """
    image = read_image(path, frame)
    labels = np.rint(image.values).astype(np.int32)
    if not np.array_equal(labels, image.values):
        raise ValueError(
            f"{path}: wanted one whole number a voxel; this looks like an image of intensities. "
            "Give the segmentation."
        )
    return dataclasses.replace(image, values=labels)


def read_image(path: str | Path, frame: int | None = None) -> Image:
    """An image of intensities, as `read_labels` reads labels."""
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        raise ValueError(f"{path}: wanted an image, one of {' '.join(ENDINGS)}.")
    if not path.exists():
        raise ValueError(f"{path} does not exist; wanted an image.")
    itk = _simple_itk()
    try:
        image = itk.ReadImage(str(path))
    except RuntimeError as fault:
        reason = str(fault).strip().splitlines()[-1]
        raise ValueError(f"{path} cannot be read as an image: {reason}") from None
    image = _one_frame(image, frame, path)
    values = itk.GetArrayFromImage(image)
    if values.ndim != 3:
        raise ValueError(f"{path}: wanted one number a voxel, there are {values.shape[-1]}.")
    if min(values.shape) < 2:
        raise ValueError(f"{path}: wanted a stack of slices, this is a single one.")
    return Image(
        values,
        np.array(image.GetSpacing()),
        np.array(image.GetDirection()).reshape(3, 3),
        np.array(image.GetOrigin()),
        path.name,
    )


def write_image(image: Image, path: str | Path) -> None:
    """An image in a file of one of `ENDINGS`, in its own frame; whole or not there."""
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        raise ValueError(f"{path}: wanted one of {' '.join(ENDINGS)}.")
    itk = _simple_itk()
    values = image.values
    out = itk.GetImageFromArray(values.astype(np.uint8 if values.dtype.kind in "iub" else float))
    out.SetSpacing(image.spacing.tolist())
    out.SetDirection(image.axes.ravel().tolist())
    out.SetOrigin(image.origin.tolist())
    with whole_or_refused(path) as part:
        itk.WriteImage(out, str(part))


def _one_frame(image, frame: int | None, path: Path):
    size = image.GetSize()
    if len(size) == 4:
        if frame is None or not 0 <= frame < size[3]:
            raise ValueError(f"{path} has {size[3]} frames; choose one from 0 to {size[3] - 1}.")
        return image[..., frame]
    if len(size) != 3:
        raise ValueError(f"{path} has {len(size)} dimensions; wanted a stack of slices.")
    return image


def _simple_itk():
    try:
        import SimpleITK
    except ModuleNotFoundError:
        raise ValueError(
            'images need SimpleITK: python -m pip install "heartsim[images]"'
        ) from None
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    return SimpleITK
