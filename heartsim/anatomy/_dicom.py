"""DICOM: a folder with a series of slices, and segmentation objects."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ._image import Image, simple_itk

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"  # DICOM PS3.4, storage class UID
UNEVEN = 0.02  # of the distance of slices, by which they may differ


def read_series(folder: Path) -> Image:
    """The slices of a folder's one series, in the order of their places.

    ValueError names the folder where there is none or more than one, or slices are missing, doubled
    or oblique to one another.
    """
    itk = simple_itk()
    series = itk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if len(series) != 1:
        raise ValueError(
            f"{folder}: wanted one DICOM series in a folder, there are {len(series)}; put the "
            "slices of one stack into a folder of their own."
        )
    reader = itk.ImageSeriesReader()
    files = reader.GetGDCMSeriesFileNames(str(folder), series[0])
    reader.SetFileNames(files)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as fault:
        reason = str(fault).strip().splitlines()[-1]
        raise ValueError(f"{folder} cannot be read as a series: {reason}") from None
    if len(files) < 2:
        raise ValueError(f"{folder}: wanted a stack of slices, this is a single one.")
    places = np.array(
        [_numbers(reader.GetMetaData(k, "0020|0032")) for k in range(len(files))], float
    )
    ways = np.array(
        [_numbers(reader.GetMetaData(k, "0020|0037")) for k in range(len(files))], float
    )
    if np.ptp(ways, axis=0).max() > 1e-3:
        raise ValueError(f"{folder}: its slices do not lie side by side; wanted parallel ones.")
    values = itk.GetArrayFromImage(image)
    spacing = np.array(image.GetSpacing())
    return _stack(values, places, ways[0], spacing[:2], folder.name, str(folder))


def read_segmentation(file: Path) -> Image:
    """The segments of a DICOM segmentation object as labels by their numbers.

    ValueError names the file where it is none, its segments overlap, or slices are missing.
    """
    try:
        import pydicom
    except ModuleNotFoundError:
        raise ValueError(
            'DICOM segmentations need pydicom: python -m pip install "heartsim[images]"'
        ) from None
    try:
        data = pydicom.dcmread(file)
        pixels = np.asarray(data.pixel_array)
    except Exception as fault:
        raise ValueError(f"{file} cannot be read as DICOM: {fault}") from None
    if data.get("SOPClassUID") != SEGMENTATION:
        raise ValueError(
            f"{file}: is a DICOM image, no segmentation; give the folder of its series."
        )
    frames = list(data.PerFrameFunctionalGroupsSequence)
    shared = data.SharedFunctionalGroupsSequence[0]
    places = np.array([one.PlanePositionSequence[0].ImagePositionPatient for one in frames], float)
    numbers = [int(one.SegmentIdentificationSequence[0].ReferencedSegmentNumber) for one in frames]
    pixels = pixels.reshape(len(frames), *pixels.shape[-2:]) > 0
    slices, which = np.unique(places.round(3), axis=0, return_inverse=True)
    labels = np.zeros((len(slices), *pixels.shape[1:]), np.int32)
    for number, own, mask in zip(numbers, which.reshape(-1), pixels, strict=True):
        if (labels[own][mask] > 0).any():
            raise ValueError(f"{file}: segment {number} overlaps another one; wanted them apart.")
        labels[own][mask] = number
    way = np.array(_of(shared, frames, "PlaneOrientationSequence").ImageOrientationPatient, float)
    pixel = np.array(_of(shared, frames, "PixelMeasuresSequence").PixelSpacing, float)
    return _stack(labels, slices, way, pixel[::-1], file.name, str(file))


def _of(shared: Any, frames: list[Any], name: str) -> Any:
    return (shared if name in shared else frames[0])[name][0]


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split("\\")]


def _stack(
    values: Any,
    places: Float[np.ndarray, "slices 3"],
    way: Float[np.ndarray, " 6"],
    pixel: Float[np.ndarray, " 2"],
    name: str,
    file: str,
) -> Image:
    """Slices by their places [mm] along the normal; `pixel` between columns and between rows."""
    along, down = way[:3], way[3:]
    normal = np.cross(along, down)
    height = places @ normal
    order = np.argsort(height)
    gaps = np.diff(height[order])
    gap = float(np.median(gaps))
    if gap <= 0 or np.abs(gaps - gap).max() > UNEVEN * gap:
        k = int(np.argmax(np.abs(gaps - gap)))
        raise ValueError(
            f"{file}: slices are {gap:.2f} mm apart, but {gaps[k]:.2f} mm after the one at "
            f"{height[order][k]:.1f} mm; slices are missing or doubled."
        )
    return Image(
        values[order],
        np.array([*pixel, gap]),
        np.stack([along, down, normal], axis=1),
        places[order][0],
        name,
    )
