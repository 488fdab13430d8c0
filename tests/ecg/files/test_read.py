"""Clinical files: the shared recordings, and made ones of the formats that have none."""

import csv
import re
import sys

import made_ecgs
import numpy as np
import pydicom
import pytest
from made_ecgs import LEADS, PERSONAL, made

from heartsim.ecg import Recording, read_ecg, write_ecg

HALF = made_ecgs.COUNT / 2
MADE = {
    "a.edf": made_ecgs.write_edf,
    "muse.xml": made_ecgs.write_muse,
    "aecg.xml": made_ecgs.write_aecg,
    "a.scp": made_ecgs.write_scp,
}


@pytest.mark.data
def test_cpsc2018_as_its_index_says(shared_data):
    """Greatest value to the index's three digits."""
    folder = shared_data / "ecg" / "cpsc2018"
    with (folder / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 34
    for row in rows:
        read = read_ecg(folder / f"{row['record']}.hea")
        assert read.leads == tuple(row["lead_names"].split())
        assert read.rate == float(row["fs_hz"])
        assert len(read.signal) == int(row["samples"])
        assert np.abs(read.signal).max() == pytest.approx(float(row["max_abs_mV"]), abs=6e-4)
        assert read.notes == ()


@pytest.mark.data
@pytest.mark.parametrize("name", ["ptb_s0010/s0010_re", "ptbxl_00001/00001_hr"])
def test_wfdb_begins_with_the_values_that_the_header_states(shared_data, name):
    """The header's sixth column is the first sample in counts, its third counts per mV."""
    path = shared_data / "ecg" / f"{name}.hea"
    lines = [
        line.split() for line in path.read_text(encoding="utf-8").splitlines() if ".dat " in line
    ]
    read = read_ecg(path)
    for _, _, gain, _, _, first, *_, lead in lines:
        usual = next(n for n in LEADS if n.casefold() == lead.casefold())
        per_mV = float(re.match(r"[\d.]+", gain)[0])
        assert read.lead(usual)[0] == pytest.approx(int(first) / per_mV, abs=1e-12)
    assert read.leads[:12] == LEADS


@pytest.mark.data
def test_dicom_is_counts_times_sensitivity(shared_data):
    """1.25 µV to a count; Einthoven to one count; the median beat is left alone."""
    path = shared_data / "ecg" / "dicom" / "waveform_ecg.dcm"
    read = read_ecg(path)
    assert read.leads == LEADS
    assert read.rate == 1000.0
    assert read.signal.shape == (10000, 12)
    counts = read.signal / 1.25e-3
    assert counts == pytest.approx(np.round(counts), abs=1e-9)
    assert path.read_bytes().find(np.round(counts).astype("<i2").tobytes()) > 0
    assert np.abs(read.lead("I") + read.lead("III") - read.lead("II")).max() <= 1.25e-3
    assert read.notes == ("multiplex group 1 of 2, the longest",)


@pytest.mark.data
def test_a_record_of_two_leads_is_read_and_its_reader_warned(shared_data):
    read = read_ecg(shared_data / "ecg" / "mitbih_100" / "100.hea")
    assert set(read.leads) == {"MLII", "V5"}
    assert "too few limb leads" in read.notes[0]


@pytest.mark.parametrize("name", MADE)
def test_made_files_return_the_signal(tmp_path, name):
    """Exactly in what is stored; leads computed from I and II to a count and a half, since each
    was rounded by half of one."""
    MADE[name](tmp_path / name, made())
    read = read_ecg(tmp_path / name)
    assert read.leads == LEADS
    assert read.rate == 500.0
    stored = [LEADS.index(lead) for lead in made_ecgs.INDEPENDENT]
    assert read.signal[:, stored] == pytest.approx(made().signal[:, stored], abs=1e-6)
    assert read.signal == pytest.approx(made().signal, abs=3 * HALF)
    derived = [note for note in read.notes if "computed from I and II" in note]
    assert len(derived) == (name in ("muse.xml", "a.scp"))


def test_other_signals_of_an_edf_are_left_out(tmp_path):
    MADE["a.edf"](tmp_path / "a.edf", made())
    assert read_ecg(tmp_path / "a.edf").notes == ("left out: Breath",)


def test_a_rate_that_is_no_whole_number_survives(tmp_path):
    for name in ("aecg.xml", "a.scp"):
        MADE[name](tmp_path / name, made(rate=1e6 / 3906))  # SCP counts whole µs
        assert read_ecg(tmp_path / name).rate == pytest.approx(1e6 / 3906, rel=1e-12)


@pytest.mark.parametrize("name", [*MADE, "a.dcm", "a.hea"])
@pytest.mark.parametrize("out", ["out.dcm", "out.hea", "out.csv"])
def test_nobody_is_named_unless_asked_for(tmp_path, name, out):
    """Neither in the notes nor in a file written from them; with keep_identity in both, but CSV,
    which holds no notes."""
    source = tmp_path / name
    _with_patient(source)
    held = source.read_bytes()
    assert all(word.encode() in held or word == "1951" for word in PERSONAL)
    read = read_ecg(source)
    assert not any(word in " ".join(read.notes) for word in PERSONAL)
    asked = read_ecg(source, keep_identity=True)
    assert "Roe" in " ".join(asked.notes)
    for number, recording in enumerate((read, asked)):  # the second: asked to read, not to write
        path = tmp_path / f"{number}{out}"
        write_ecg(recording, path)
        for file in tmp_path.glob(f"{number}out*"):
            # DICOM's own random identifiers may hold 1951 by chance, and so does 19:51 of the day
            held = re.sub(rb"[0-9.]{30,}", b"", file.read_bytes())
            held = re.sub(rb"(?<!\d)\d{6}(?!\d)", b"", held)
            assert not any(word.encode() in held for word in PERSONAL), file
    write_ecg(asked, tmp_path / f"kept-{out}", keep_identity=True)
    assert (b"Roe" in (tmp_path / f"kept-{out}").read_bytes()) == (out != "out.csv")


def _with_patient(path):
    """A file with PERSONAL in it."""
    if path.name in MADE:
        MADE[path.name](path, made())
        return
    write_ecg(made(), path)
    if path.suffix == ".hea":
        with path.open("a") as header:
            header.write("# Jane Roe, MRN4711, born 1951, palpitations\n")
        return
    data = pydicom.dcmread(path)
    data.PatientName, data.PatientID, data.PatientBirthDate = "Roe^Jane", "MRN4711", "19510304"
    data.PatientComments = "palpitations"
    data.save_as(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time_ms,I\n", "two rows"),
        ("time_ms,I\n0,1\n1,x\n", "row 3 is not 2 numbers"),
        ("time_ms,I\n0,1\n1\n", "row 3 is not 2 numbers"),
        ("time_ms,I\n0,1\n1,1\n5,1\n", "even steps"),
        ("time_ms\n0\n1\n", "no lead"),
        ("I,II\n0,1\n1,1\n", "give the rate"),
        ("time_ms,I,lead i\n0,1,1\n1,1,1\n", "two leads bear the name I"),
        ("time_ms,I\n0,1\n1,nan\n", "lead I has no value in 1 of its 2"),
    ],
)
def test_bad_csv(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"a\.csv: .*{words}"):
        read_ecg(tmp_path / "a.csv")


def test_csv_takes_its_rate_from_the_time_or_the_caller(tmp_path):
    recording = made()
    write_ecg(recording, tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    bare = "\n".join(line.split(",", 1)[1] for line in lines)
    (tmp_path / "bare.csv").write_text(bare)
    assert read_ecg(tmp_path / "a.csv").rate == 500.0
    assert read_ecg(tmp_path / "bare.csv", rate=500.0).rate == 500.0
    with pytest.raises(ValueError, match="says 500 Hz, and the rate is given as 250"):
        read_ecg(tmp_path / "a.csv", rate=250.0)


def test_padding_of_a_dicom_is_no_signal(tmp_path):
    write_ecg(made(), tmp_path / "a.dcm")
    data = pydicom.dcmread(tmp_path / "a.dcm")
    group = data.WaveformSequence[0]
    counts = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12).copy()
    counts[-100:, 4] = -32768
    group.WaveformData = counts.tobytes()
    group.add_new("WaveformPaddingValue", "OW", np.int16(-32768).tobytes())
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(ValueError, match="lead aVL has no value in 100 of its 1000 samples"):
        read_ecg(tmp_path / "a.dcm")
    assert np.isnan(read_ecg(tmp_path / "a.dcm", check=False).signal).sum() == 100


def test_cabreras_lead_is_turned(tmp_path):
    recording = made()
    turned = recording.signal * np.where(np.array(LEADS) == "aVR", -1, 1)
    names = tuple("-aVR" if lead == "aVR" else lead for lead in LEADS)
    write_ecg(Recording(turned, 500.0, names), tmp_path / "a.csv")
    read = read_ecg(tmp_path / "a.csv")
    assert read.signal == pytest.approx(recording.signal, abs=1e-12)
    assert "negative" in read.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.dcm", b"nonsense", "damaged, or not .dcm"),
        ("a.hea", b"nonsense", "damaged, or not .hea"),
        ("a.edf", b"nonsense", "damaged, or not .edf"),
        ("a.scp", b"nonsense", "this format is not known"),
        ("a.xml", b"<note/>", "this format is not known"),
        ("a.pdf", b"", r"\.pdf is not read as an ECG; use .*\.hea"),
    ],
)
def test_what_is_no_ecg_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{re.escape(name)}: .*{words}"):
        read_ecg(tmp_path / name)


def test_damage_missing_units_and_missing_files_are_refused(tmp_path):
    made_ecgs.write_muse(tmp_path / "a.xml", made(), damaged=True)
    made_ecgs.write_scp(tmp_path / "a.scp", made(), damaged=True)
    made_ecgs.write_aecg(tmp_path / "b.xml", made(), unit="")
    for name, words in (("a.xml", "checksum"), ("a.scp", "checksum"), ("b.xml", "no unit")):
        with pytest.raises(ValueError, match=words):
            read_ecg(tmp_path / name)
    with pytest.raises(ValueError, match="no such ECG file"):
        read_ecg(tmp_path / "c.xml")
    with pytest.raises(ValueError, match="states its own rate"):
        read_ecg(tmp_path / "a.scp", rate=500.0)


@pytest.mark.parametrize(
    ("name", "package"),
    [("a.hea", "wfdb"), ("a.dcm", "pydicom"), ("a.edf", "edfio"), ("a.scp", "ecgdatakit")],
)
def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch, name, package):
    (tmp_path / name).touch()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=rf"{package}.*pip install 'heartsim\[ecg-files\]'"):
        read_ecg(tmp_path / name)
