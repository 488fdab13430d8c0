"""Images from files, whatever their format."""

import dataclasses
from pathlib import Path

import numpy as np

from ._dicom import read_segmentation, read_series
from ._image import ENDINGS, Image, simple_itk


def read_labels(path: str | Path, frame: int | None = None) -> Image:
    """A label image from NIfTI, NRRD or MetaImage by SimpleITK, a folder with a DICOM series or one
    a slice, or a DICOM segmentation (.dcm), whose segments' numbers are the labels.

    `frame` picks one of a 4-D image, or a phase of a series that has several, from 0. ValueError
    names the file and what was wanted: a known ending, three dimensions, whole numbers, axes at
    right angles.
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
    if path.is_dir():
        return read_series(path, frame)
    if path.suffix == ".dcm" and path.exists():
        return read_segmentation(path)
    if not path.name.endswith((*ENDINGS, ".dcm")):
        raise ValueError(
            f"{path}: wanted an image, one of {' '.join(ENDINGS)}, a DICOM segmentation (.dcm) or "
            "the folder of a DICOM series."
        )
    if not path.exists():
        raise ValueError(f"{path} does not exist; wanted an image.")
    itk = simple_itk()
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
    read = Image(
        values,
        np.array(image.GetSpacing()),
        np.array(image.GetDirection()).reshape(3, 3),
        np.array(image.GetOrigin()),
        path.name,
    )
    return _slices_last(read)


def _slices_last(image: Image) -> Image:
    """The same voxels, with thick slices as slices where the file has them as rows or columns."""
    thickest = int(np.argmax(image.spacing))
    order = [k for k in range(3) if k != thickest] + [thickest]
    turned = dataclasses.replace(
        image,
        values=image.values.transpose([2 - k for k in reversed(order)]),
        spacing=image.spacing[order],
        axes=image.axes[:, order],
    )
    return turned if turned.thick_slices else image


def _one_frame(image, frame: int | None, path: Path):
    size = image.GetSize()
    if len(size) == 4:
        if frame is None or not 0 <= frame < size[3]:
            raise ValueError(f"{path} has {size[3]} frames; choose one from 0 to {size[3] - 1}.")
        return image[..., frame]
    if len(size) != 3:
        raise ValueError(f"{path} has {len(size)} dimensions; wanted a stack of slices.")
    if frame:
        raise ValueError(f"{path} is a single frame; there is no frame {frame}.")
    return image
