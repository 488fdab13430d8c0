"""DICOM: a folder with a series of slices, and segmentation objects."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ._image import Image, simple_itk

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"  # DICOM PS3.4, storage class UID
UNEVEN = 0.02  # of the distance of slices, by which they may differ
ASIDE = 0.5  # pixels that a slice may lie beside the line through the others
PLACE_AND_WAY = ("0020|0032", "0020|0037")
FRAME_OF_REFERENCE = "0020|0052"
PHASES = ("0018|1060", "0020|0100", "0020|0013")
"""Trigger time, temporal position and instance number."""


class _Slice(NamedTuple):
    """One file of a series, and what it says about itself."""

    file: str
    series: str
    place: tuple[float, ...]
    """Middle of its first pixel, mm."""
    shape: tuple[Any, ...]
    """Direction, size, pixels and frame of reference: equal in all slices of a stack."""
    order: tuple[float, ...]
    """By each of `PHASES`; NaN where it does not say."""


def read_series(folder: Path, frame: int | None = None) -> Image:
    """The slices of a folder's series in the order of their places: of the only one, or of one
    series a slice, as short-axis cines are stored, that lie evenly in a common frame of reference.

    `frame` picks a phase, from 0, where each place has several images: by trigger time, else by
    temporal position or instance number. ValueError names the folder where there is no series, or
    several that make no stack; where slices are missing, doubled or oblique to one another; and
    where the phase is not told.
    """
    itk = simple_itk()
    slices = _one_stack(_slices(itk, folder), folder)
    chosen = _one_phase(slices, frame, folder)
    if len(chosen) < 2:
        raise ValueError(f"{folder}: wanted a stack of slices, this is a single one.")
    try:
        values = [itk.GetArrayFromImage(itk.ReadImage(one.file)) for one in chosen]
    except RuntimeError as fault:
        raise _unread(folder, fault) from None
    way, _, pixel, _ = chosen[0].shape
    places = np.array([one.place for one in chosen])
    return _stack(
        np.concatenate(values), places, np.array(way), np.array(pixel), folder.name, str(folder)
    )


def _slices(itk: Any, folder: Path) -> list[_Slice]:
    """What each file of each series says."""
    found = []
    for series in itk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        for file in itk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series):
            reader = itk.ImageFileReader()
            reader.SetFileName(file)
            try:
                reader.ReadImageInformation()
                place, way = (tuple(_numbers(reader.GetMetaData(tag))) for tag in PLACE_AND_WAY)
            except RuntimeError as fault:
                raise _unread(folder, fault) from None
            tags = {tag: reader.GetMetaData(tag) for tag in reader.GetMetaDataKeys()}
            order = tuple(_number(tags.get(tag, "")) for tag in PHASES)
            pixel, size = reader.GetSpacing()[:2], reader.GetSize()[:2]
            shape = (way, size, pixel, tags.get(FRAME_OF_REFERENCE, "").strip())
            found.append(_Slice(file, series, place, shape, order))
    return found


def _one_stack(slices: list[_Slice], folder: Path) -> list[_Slice]:
    """The same, if they are one stack."""
    places: dict[str, set[tuple[float, ...]]] = {}
    for one in slices:
        places.setdefault(one.series, set()).add(one.place)
    why = ""
    if len(places) > 1:
        if max(map(len, places.values())) > 1:
            why = "; only series of one slice each are joined"
        elif len(set.union(*places.values())) < len(places):
            why = "; two of them lie at one place"
        elif not _alike(slices):
            why = "; they differ in direction, size, pixels or frame of reference"
    if why or not places:
        raise ValueError(
            f"{folder}: wanted one DICOM series in a folder, there are {len(places)}; put the "
            f"slices of one stack into a folder of their own{why}."
        )
    if not _alike(slices):
        raise ValueError(f"{folder}: its slices do not lie side by side; wanted parallel ones.")
    return slices


def _alike(slices: list[_Slice]) -> bool:
    ways = np.array([one.shape[0] for one in slices])
    pixels = np.array([one.shape[2] for one in slices])
    rest = {(one.shape[1], one.shape[3]) for one in slices}
    same = max(np.ptp(ways, axis=0).max(), np.ptp(pixels, axis=0).max()) < 1e-3
    return bool(same) and len(rest) == 1


def _one_phase(slices: list[_Slice], frame: int | None, folder: Path) -> list[_Slice]:
    """One slice for each place."""
    there: dict[tuple[float, ...], list[_Slice]] = {}
    for one in slices:
        there.setdefault(one.place, []).append(one)
    groups = list(there.values())
    n, fewest = (f(map(len, groups)) for f in (max, min))
    times = np.array([[one.order for one in group] for group in groups if len(group) == n])
    told = [k for k in range(len(PHASES)) if (np.diff(np.sort(times[:, :, k])) > 0).all()]
    if n > fewest or not told:
        raise ValueError(
            f"{folder}: places have {fewest} to {n} images; slices are missing or doubled, or "
            "neither trigger time, temporal position nor instance number tells their phases apart."
        )
    if frame is None and n == 1:
        frame = 0
    if frame is None or not 0 <= frame < n:
        raise ValueError(f"{folder} has {n} frames; choose one from 0 to {n - 1}.")
    return [sorted(group, key=lambda one: one.order[told[0]])[frame] for group in groups]


def _unread(folder: Path, fault: RuntimeError) -> ValueError:
    reason = str(fault).strip().splitlines()[-1]
    return ValueError(f"{folder} cannot be read as a series: {reason}")


def read_segmentation(file: Path) -> Image:
    """The segments of a DICOM segmentation object as labels by their numbers; of a FRACTIONAL one
    the voxels of half the greatest value or more.

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
    numbers = [
        int(_of(shared, one, "SegmentIdentificationSequence", file).ReferencedSegmentNumber)
        for one in frames
    ]
    fractional = data.get("SegmentationType") == "FRACTIONAL"
    least = int(data.get("MaximumFractionalValue", 255)) / 2 if fractional else 1
    pixels = pixels.reshape(len(frames), *pixels.shape[-2:]) >= least
    slices, which = np.unique(places.round(3), axis=0, return_inverse=True)
    labels = np.zeros((len(slices), *pixels.shape[1:]), np.int32)
    for number, own, mask in zip(numbers, which.reshape(-1), pixels, strict=True):
        if (labels[own][mask] > 0).any():
            raise ValueError(f"{file}: segment {number} overlaps another one; wanted them apart.")
        labels[own][mask] = number
    plane = _of(shared, frames[0], "PlaneOrientationSequence", file)
    way = np.array(plane.ImageOrientationPatient, float)
    pixel = np.array(_of(shared, frames[0], "PixelMeasuresSequence", file).PixelSpacing, float)
    return _stack(labels, slices, way, pixel[::-1], file.name, str(file))


def _of(shared: Any, frame: Any, name: str, file: Path) -> Any:
    """An entry of a frame, where all do not share it; ValueError where neither has it."""
    holder = shared if name in shared else frame
    if name not in holder:
        raise ValueError(f"{file}: {name} is missing, without which nothing tells where it lies.")
    return holder[name][0]


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split("\\")]


def _number(text: str) -> float:
    """NaN where there is none."""
    return float(text) if text.strip() else np.nan


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
    aside = (places - places[0]) - np.outer(height - height[0], normal)
    if np.linalg.norm(aside, axis=1).max() > ASIDE * min(pixel):
        raise ValueError(
            f"{file}: a slice lies {np.linalg.norm(aside, axis=1).max():.1f} mm beside the line "
            "through the others; wanted a straight stack."
        )
    return Image(
        values[order],
        np.array([*pixel, gap]),
        np.stack([along, down, normal], axis=1),
        places[order][0],
        name,
    )
