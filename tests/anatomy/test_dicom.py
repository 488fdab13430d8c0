"""DICOM in: a series of slices and a segmentation object, written here from a made-up heart."""

import dataclasses
import locale

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from heartsim import anatomy

SPACING = np.array([1.5, 2.0, 8.0])
LABELS = anatomy.short_axis_labels(anatomy.made_up(), SPACING)


@pytest.fixture(autouse=True)
def kept_locale():
    """GDCM leaves the locale of C behind when it writes a series; reading does not."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


def write_series(folder, image, skip=(), uid=None, apart=False, time=None):
    """One file a slice, in no order of their names; `apart`: a series a slice, as cines are."""
    folder.mkdir(exist_ok=True)
    uid = generate_uid() if uid is None else uid
    for k, values in enumerate(image.values.astype(np.uint16)):
        if k in skip:
            continue
        slice_ = SimpleITK.GetImageFromArray(values)
        slice_.SetSpacing(image.spacing[:2].tolist())
        place = image.place(np.array([[0.0, 0.0, k * image.spacing[2]]]))[0]
        tags = {
            "0008|0060": "MR",
            "0020|000e": f"{uid}.{k + 2}" if apart else uid,
            "0020|000d": uid + ".1",
            "0020|0032": "\\".join(f"{v:.6f}" for v in place),
            "0020|0037": "\\".join(f"{v:.9f}" for v in image.axes[:, :2].T.ravel()),
            "0020|0013": str(100 - k),
            "0020|0052": "1.2.3",
        }
        if time is not None:
            tags["0018|1060"] = str(time)
        for tag, value in tags.items():
            slice_.SetMetaData(tag, value)
        writer = SimpleITK.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{'' if time is None else time}_{(7 * k) % 31:02d}.dcm"))
        writer.Execute(slice_)
    return folder


def write_segmentation(path, image, overlap=False, change=lambda data: None):
    frames, masks = [], []
    for number in (1, 2, 3):
        for k in range(len(image.values)):
            mask = image.values[k] == number
            if overlap and number == 2:
                mask = mask | (image.values[k] == 1)
            if not mask.any():
                continue
            frame, place = Dataset(), Dataset()
            place.ImagePositionPatient = [
                float(v) for v in image.place(np.array([[0.0, 0.0, k * image.spacing[2]]]))[0]
            ]
            frame.PlanePositionSequence = Sequence([place])
            segment = Dataset()
            segment.ReferencedSegmentNumber = number
            frame.SegmentIdentificationSequence = Sequence([segment])
            frames.append(frame)
            masks.append(mask)
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.Modality = "SEG"
    data.NumberOfFrames, data.SamplesPerPixel = len(frames), 1
    data.Rows, data.Columns = image.values.shape[1:]
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PhotometricInterpretation = "MONOCHROME2"
    way, pixel, shared = Dataset(), Dataset(), Dataset()
    way.ImageOrientationPatient = [round(float(v), 9) for v in image.axes[:, :2].T.ravel()]
    pixel.PixelSpacing = [float(image.spacing[1]), float(image.spacing[0])]
    shared.PlaneOrientationSequence = Sequence([way])
    shared.PixelMeasuresSequence = Sequence([pixel])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    data.PixelData = np.array(masks, np.uint8).tobytes()
    change(data)
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


def voxels_alike(a, b):
    """The same label at the same places, whichever way either runs and wherever it ends."""
    where = np.argwhere(a.values > 0)
    x = a.place(where[:, ::-1] * a.spacing)
    at = np.rint(b.voxels(x)).astype(int)
    np.testing.assert_array_equal(b.values[tuple(at.T)], a.values[tuple(where.T)])
    assert (b.values > 0).sum() == len(where)


def test_a_series_is_read_where_it_lies(tmp_path):
    image = anatomy.read_labels(write_series(tmp_path / "series", LABELS))
    voxels_alike(LABELS, image)
    np.testing.assert_allclose(image.spacing, SPACING, rtol=1e-5)


def test_a_cine_of_one_series_a_slice_is_read_a_phase_at_a_time(tmp_path):
    """Three phases, whose files lie in another order than their trigger times."""
    uid = generate_uid()
    for k, time in enumerate((400.0, 5.0, 80.0)):
        values = np.where(LABELS.values == 3, 10 + k, LABELS.values)
        image = dataclasses.replace(LABELS, values=values)
        folder = write_series(tmp_path / "cine", image, uid=uid, apart=True, time=time)
    for frame, cavity in enumerate((11, 12, 10)):
        image = anatomy.read_labels(folder, frame)
        assert set(np.unique(image.values)) == {0, 1, 2, cavity}
        voxels_alike(
            dataclasses.replace(LABELS, values=np.where(LABELS.values == 3, cavity, LABELS.values)),
            image,
        )
    for frame in (None, 3):
        with pytest.raises(ValueError, match="cine has 3 frames; choose one from 0 to 2"):
            anatomy.read_image(folder, frame)
    next(folder.glob("80*")).unlink()
    with pytest.raises(ValueError, match="places have 2 to 3 images; slices are missing"):
        anatomy.read_image(folder, 0)


def test_series_that_make_no_stack_are_not_joined(tmp_path):
    turned = dataclasses.replace(LABELS, axes=LABELS.axes[:, [1, 0, 2]] * [1, 1, -1])
    aside = dataclasses.replace(LABELS, origin=LABELS.origin + 30.0 * LABELS.axes[:, 0])
    for name, other, said in (
        ("turned", turned, "differ in direction, size, pixels or frame of reference"),
        ("aside", aside, "a slice lies 30.0 mm beside the line"),
    ):
        first = write_series(tmp_path / name, LABELS, skip=range(4, 99), apart=True, time=1)
        write_series(first, other, skip=range(4), apart=True, time=1)
        with pytest.raises(ValueError, match=said):
            anatomy.read_image(first)


@pytest.mark.data
def test_the_short_axis_cines_of_a_patient_are_one_stack(shared_data, tmp_path):
    """Of biv-me's example: six series of one slice, 17.7 mm apart, among long-axis ones."""
    place = shared_data / "cmr/bivme_example_patient1"
    files = sorted((place / "dicom_ED").glob("*retro.dcm"))
    for file in files:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    image = anatomy.read_image(tmp_path)
    assert image.values.shape == (6, 208, 256)
    np.testing.assert_allclose(image.spacing, [1.40625, 1.40625, 17.70], atol=0.01)
    for file in files:
        data = pydicom.dcmread(file)
        k, row, column = np.rint(image.voxels(np.array([data.ImagePositionPatient], float)))[0]
        assert (row, column) == (0, 0)
        np.testing.assert_array_equal(image.values[int(k)], data.pixel_array)
    with pytest.raises(ValueError, match="there are 11; put the slices of one stack"):
        anatomy.read_image(place / "dicom_ED")


def test_a_segmentation_is_read_where_it_lies(tmp_path):
    image = anatomy.read_labels(write_segmentation(tmp_path / "seg.dcm", LABELS))
    voxels_alike(LABELS, image)
    built = anatomy.build_ventricles(image, anatomy.Labels(**anatomy.NUMBERS, rv_wall_mm=5.0), 4.0)
    assert built.mesh_volumes["lv_cavity"] == pytest.approx(84.9, rel=0.03)  # of the ellipsoid


def test_of_a_fractional_segmentation_half_and_more_counts(tmp_path):
    def fractional(data):
        data.SegmentationType, data.MaximumFractionalValue = "FRACTIONAL", 200
        values = np.frombuffer(data.PixelData, np.uint8) * np.uint8(100)
        data.PixelData = np.where(values, values, 99).astype(np.uint8).tobytes()

    image = anatomy.read_labels(write_segmentation(tmp_path / "seg.dcm", LABELS, change=fractional))
    voxels_alike(LABELS, image)


def test_a_segmentation_of_one_segment_may_say_so_once(tmp_path):
    one = dataclasses.replace(LABELS, values=(LABELS.values == 1).astype(np.int32))

    def shared(data):
        own = [one.SegmentIdentificationSequence for one in data.PerFrameFunctionalGroupsSequence]
        for frame in data.PerFrameFunctionalGroupsSequence:
            del frame.SegmentIdentificationSequence
        data.SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence = own[0]

    voxels_alike(
        one, anatomy.read_labels(write_segmentation(tmp_path / "s.dcm", one, change=shared))
    )

    def without(data):
        del data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence

    with pytest.raises(ValueError, match=r"s2\.dcm: PixelMeasuresSequence is missing"):
        anatomy.read_labels(write_segmentation(tmp_path / "s2.dcm", one, change=without))


def test_one_sentence_for_each_mistake(tmp_path):
    with pytest.raises(ValueError, match="wanted one DICOM series in a folder, there are 0"):
        anatomy.read_image(tmp_path)
    gap = write_series(tmp_path / "gap", LABELS, skip=(4,))
    with pytest.raises(ValueError, match=r"8\.00 mm apart, but 16\.00 mm after the one .* missing"):
        anatomy.read_image(gap)
    two = write_series(tmp_path / "two", LABELS)
    for file in gap.iterdir():
        (two / f"x{file.name}").write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="there are 2; put the slices of one stack"):
        anatomy.read_image(two)
    with pytest.raises(ValueError, match="is a DICOM image, no segmentation"):
        anatomy.read_image(next(gap.iterdir()))
    both = write_segmentation(tmp_path / "both.dcm", LABELS, overlap=True)
    with pytest.raises(ValueError, match="segment 2 overlaps another one"):
        anatomy.read_image(both)
    (tmp_path / "text.dcm").write_text("nothing")
    with pytest.raises(ValueError, match="cannot be read as DICOM"):
        anatomy.read_image(tmp_path / "text.dcm")
