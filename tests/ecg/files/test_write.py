"""What is written is what the formats' own libraries read."""

import sys

import numpy as np
import pydicom
import pytest
from made_ecgs import made

from heartsim.ecg import Recording, read_ecg, write_ecg
from heartsim.ecg.files._contents import calm, library

NOTED = Recording(made().signal, 500.0, made().leads, ("a note", "another, longer one: µV"))


def scaled(factor) -> Recording:
    return Recording(made().signal * factor, 500.0, made().leads)


@pytest.mark.parametrize("name", ["a.dcm", "a.hea", "a.csv"])
@pytest.mark.parametrize("factor", [0.731, 9.31])  # below and above 3.2 mV
def test_written_and_read_again(tmp_path, name, factor):
    """To half a count: 0.1 µV where nothing exceeds 3.2 mV, 0.5 µV where nothing exceeds 16; CSV
    to seven digits."""
    recording = scaled(factor)
    largest = np.abs(recording.signal).max()
    assert (largest < 3.2) == (factor < 1)
    assert largest < 16
    write_ecg(recording, tmp_path / name)
    read = read_ecg(tmp_path / name)
    assert read.leads == recording.leads
    assert read.rate == recording.rate
    half = {True: 0.5e-4, False: 2.5e-4}[factor < 1] if name != "a.csv" else 1e-6
    error = np.abs(read.signal - recording.signal).max()
    assert error <= half * (1 + 1e-6)
    assert error > half / 10 or name == "a.csv"  # no finer than it says


def test_wfdb_as_wfdb_reads_it(tmp_path):
    write_ecg(NOTED, tmp_path / "made-1.hea")
    with calm():
        record = library("wfdb").rdrecord(str(tmp_path / "made-1"))
    assert record.sig_name == list(NOTED.leads)
    assert record.units == ["mV"] * 12
    assert record.fs == 500
    assert record.comments == ["a note", "another, longer one: uV"]  # ASCII
    assert record.base_date is None
    assert record.p_signal == pytest.approx(NOTED.signal, abs=0.51e-4)  # half a count
    assert {p.name for p in tmp_path.iterdir()} == {"made-1.hea", "made-1.dat"}


def test_dicom_as_pydicom_reads_it(tmp_path):
    """What PS3.3 asks of a General ECG, in this order: class, modality, groups and channels,
    integers, rate, codes of the leads, empty patient; then the waveform itself."""
    write_ecg(NOTED, tmp_path / "a.dcm")
    data = pydicom.dcmread(tmp_path / "a.dcm")
    assert data.SOPClassUID.name == "General ECG Waveform Storage"
    assert data.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
    assert data.Modality == "ECG"
    group = data.WaveformSequence[0]
    assert len(data.WaveformSequence) == 1
    assert (group.NumberOfWaveformChannels, group.NumberOfWaveformSamples) == (12, 1000)
    assert (group.WaveformBitsAllocated, group.WaveformSampleInterpretation) == (16, "SS")
    assert float(group.SamplingFrequency) == 500
    codes = [c.ChannelSourceSequence[0].CodeValue for c in group.ChannelDefinitionSequence]
    assert codes == [f"2:{n}" for n in (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)]
    assert data.PatientName == ""
    assert data.PatientID == ""
    assert data.PatientIdentityRemoved == "YES"
    assert [a.UnformattedTextValue for a in data.WaveformAnnotationSequence] == list(NOTED.notes)
    assert data.waveform_array(0) / 1000 == pytest.approx(NOTED.signal, abs=0.51e-4)


def test_an_identity_that_is_kept_goes_to_its_fields(tmp_path):
    notes = ("identity: PatientName: Roe^Jane", "identity: comment: tall", "a note")
    recording = Recording(made().signal, 500.0, made().leads, notes)
    write_ecg(recording, tmp_path / "a.dcm", keep_identity=True)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    assert data.PatientName == "Roe^Jane"
    assert data.PatientIdentityRemoved == "NO"
    assert len(data.WaveformAnnotationSequence) == 2
    kept = read_ecg(tmp_path / "a.dcm", keep_identity=True)
    assert "identity: PatientName: Roe^Jane" in kept.notes


@pytest.mark.parametrize(
    ("recording", "name", "words"),
    [
        (made(), "a.edf", r"cannot write \.edf; use \.csv"),
        (made(), "a b.hea", "no name of a WFDB record"),
        (made(), "none/a.csv", "cannot be written"),
        (made(rate=100.0), "a.dcm", "200 to 1000 samples a second, this recording 100"),
        (Recording(made().signal[:, :1], 500.0, ("vx",)), "a.dcm", "vx has no DICOM code"),
        (scaled(1e3), "a.hea", "integers hold 328 at most"),
        (scaled(np.nan), "a.dcm", "reaches nan mV"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, recording, name, words):
    with pytest.raises(ValueError, match=f"{name}: .*{words}"):
        write_ecg(recording, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(ValueError, match=r"a\.hea: .*wfdb.*heartsim\[ecg-files\]"):
        write_ecg(made(), tmp_path / "a.hea")
