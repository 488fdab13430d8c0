"""General ECG Waveform Storage, written through pydicom."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .._recording import Recording
from ._contents import IDENTITY, library
from ._counts import to_counts
from ._dicom_codes import GENERAL_ECG, MDC_LEAD, PERSONAL, RATES

EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
"""What DICOM demands to be there, and lets be empty."""

NO_DATE = "19000101"
"""Stands where DICOM demands a date and none is told."""


def write_dicom(recording: Recording, path: Path) -> None:
    """One multiplex group of 16-bit counts. Patient and study are left empty or stand at NO_DATE,
    marked as removed; the recording's notes become annotations, and notes on identity go to
    their fields where there is one.

    ValueError for a rate outside RATES, or a lead that has no code.
    """
    low, high = RATES
    if not low <= recording.rate <= high:
        raise ValueError(
            f"a General ECG in DICOM has {low:g} to {high:g} samples a second, this recording "
            f"{recording.rate:g}; write .hea or .csv, or resample it."
        )
    other = [name for name in recording.leads if name not in MDC_LEAD]
    if other:
        raise ValueError(
            f"lead {', '.join(other)} has no DICOM code here; keep the twelve leads, or write "
            ".hea or .csv."
        )
    pydicom = library("pydicom")
    data = _dataset(pydicom)
    notes = [note for note in recording.notes if not _identify(data, note)]
    data.WaveformSequence = [_group(pydicom, recording)]
    if notes:
        data.WaveformAnnotationSequence = [_annotation(pydicom, note) for note in notes]
    data.save_as(path, enforce_file_format=True)


def _dataset(pydicom):
    """All but the waveform: who and when are empty."""
    uid = pydicom.uid
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = uid.UID(GENERAL_ECG)
    meta.MediaStorageSOPInstanceUID = uid.generate_uid()
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    data = pydicom.Dataset()
    data.file_meta = meta
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    now = datetime.now(UTC)
    data.InstanceCreationDate, data.InstanceCreationTime = f"{now:%Y%m%d}", f"{now:%H%M%S}"
    for empty in EMPTY:
        setattr(data, empty, "")
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = "leads and rate only"
    data.LongitudinalTemporalInformationModified = "REMOVED"
    data.StudyInstanceUID, data.SeriesInstanceUID = uid.generate_uid(), uid.generate_uid()
    data.Modality, data.Manufacturer = "ECG", "heartsim"
    data.SeriesNumber = data.InstanceNumber = 1
    data.ContentDate, data.ContentTime = NO_DATE, "000000"
    data.AcquisitionDateTime = f"{NO_DATE}000000"
    data.AcquisitionContextSequence = []
    return data


def _identify(data, note: str) -> bool:
    """Put a note on identity, as `read_ecg` writes it, where DICOM has it; False for others."""
    if not note.startswith(IDENTITY):
        return False
    data.PatientIdentityRemoved = "NO"
    field, _, value = note.removeprefix(IDENTITY).partition(": ")
    if field in PERSONAL:
        setattr(data, field, value)
    return field in PERSONAL


def _group(pydicom, recording: Recording):
    counts, step = to_counts(recording)
    group = pydicom.Dataset()
    group.WaveformOriginality, group.MultiplexGroupLabel = "ORIGINAL", "RHYTHM"
    group.NumberOfWaveformSamples, group.NumberOfWaveformChannels = counts.shape
    group.SamplingFrequency = f"{recording.rate:.10g}"
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.ChannelDefinitionSequence = [_channel(pydicom, lead, step) for lead in recording.leads]
    group.add_new("WaveformData", "OW", np.ascontiguousarray(counts, dtype="<i2").tobytes())
    return group


def _channel(pydicom, lead: str, step: float):
    channel = pydicom.Dataset()
    channel.ChannelSourceSequence = [_code(pydicom, MDC_LEAD[lead], "MDC", f"Lead {lead}")]
    channel.ChannelSensitivity = f"{step * 1000:g}"
    channel.ChannelSensitivityUnitsSequence = [_code(pydicom, "uV", "UCUM", "microvolt")]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    return channel


def _annotation(pydicom, note: str):
    annotation = pydicom.Dataset()
    annotation.ReferencedWaveformChannels = [1, 0]
    annotation.UnformattedTextValue = note[:1024]
    return annotation


def _code(pydicom, value: str, scheme: str, meaning: str):
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
