"""`heartsim ecg` as a user meets it."""

import json

import pydicom
import pytest
from made_ecgs import LEADS, PERSONAL, made, write_muse

from heartsim.cli import run_command
from heartsim.ecg import Recording, measure, read_ecg, write_ecg


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder of a user: a clinical file with a patient in it, and a run."""
    recording = made(seconds=6.0)
    write_muse(tmp_path / "muse.xml", recording)
    (tmp_path / "run").mkdir()
    write_ecg(recording, tmp_path / "run" / "ecg.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("heartsim.cli._main.make_ready", lambda: None)  # not in this process
    return tmp_path


def refused(capsys, *words):
    """The one line on stderr of a command that ends with exit code 2."""
    assert run_command(["ecg", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("heartsim: ")
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize("source", ["muse.xml", "run"])
def test_it_prints_what_measure_finds(folder, capsys, source):
    assert run_command(["ecg", source, "--sex", "female", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    expected = measure(read_ecg("muse.xml"), sex="female")
    for name, row in expected.rows().items():
        assert rows[name]["unit"] == row["unit"]
        if isinstance(row["value"], float):  # the CSV holds III to aVF as rounded before
            assert rows[name]["value"] == pytest.approx(row["value"], abs=2.0)
    assert rows["heart_rate_per_min"]["value"] == pytest.approx(60.0, rel=1e-6)
    assert rows["per_lead"]["value"]["V2"]["pattern"] == expected.per_lead["V2"].pattern
    assert set(rows["criteria"]["value"]) == {"lbbb_strauss", "rbbb_aha"}
    rest = "200 ms of rest stand before the first stimulus"
    assert (rest in rows["notes"]["value"]) == (source == "run")


@pytest.mark.parametrize(("apart", "warned"), [(29.0, False), (-29.0, False), (31.0, True)])
def test_a_run_shows_its_activation_and_warns_if_its_qrs_is_another(folder, capsys, apart, warned):
    assert run_command(["ecg", "run", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert "total_activation_ms" not in rows
    qrs = rows["qrs_duration_ms"]["value"]
    activation = {"value": qrs + apart, "unit": "ms", "definition": "as measured in the tissue"}
    summary = {"activated": {"value": 1.0}, "total_activation_ms": activation}
    (folder / "run" / "summary.json").write_text(json.dumps(summary))
    assert run_command(["ecg", "run", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["total_activation_ms"] == activation
    sentence = f"warning: the QRS lasts {qrs:.0f} ms, but activation {qrs + apart:.0f} ms"
    assert (sentence in said.err) == warned
    assert bool(said.err) == warned


def test_tables_are_for_people(folder, capsys):
    assert run_command(["ecg", "muse.xml"]) == 0
    said = capsys.readouterr().out
    assert "qrs duration" in said
    assert all(f"\n {lead} " in said for lead in LEADS)


def test_it_converts_and_draws_without_naming_anybody(folder, capsys):
    for out in ("a.dcm", "a.hea", "a.csv"):
        assert run_command(["ecg", "muse.xml", "--out", out]) == 0
        again = read_ecg(out).signal  # to half a count of 0.1 µV
        assert again == pytest.approx(read_ecg("muse.xml").signal, abs=0.51e-4)
    assert run_command(["ecg", "muse.xml", "--png", "a.png"]) == 0
    assert (folder / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    said = capsys.readouterr().out
    written = [p for p in folder.iterdir() if p.is_file() and p.name != "muse.xml"]
    assert len(written) == 5
    for word in PERSONAL:
        assert word not in said
        assert not any(word.encode() in p.read_bytes() for p in written)
    assert run_command(["ecg", "muse.xml", "--out", "kept.dcm", "--keep-identity"]) == 0
    assert pydicom.dcmread("kept.dcm").PatientName == "Roe^Jane"


def test_a_file_that_fails_einthoven_is_read_only_without_the_check(folder, capsys):
    turned = made(seconds=6.0).signal.copy()
    turned[:, 2] *= -1
    write_ecg(Recording(turned, 500.0, LEADS), "bad.csv")
    assert "bad.csv: the limb leads disagree" in refused(capsys, "bad.csv", "--out", "a.dcm")
    assert not (folder / "a.dcm").exists()
    assert run_command(["ecg", "bad.csv", "--no-check", "--out", "a.dcm"]) == 0
    assert "were not checked" in capsys.readouterr().out


def test_bad_input_is_one_line_and_exit_code_2(folder, capsys):
    assert "none.hea: no such ECG file" in refused(capsys, "none.hea")
    assert "is not read as an ECG" in refused(capsys, "muse.pdf")
    assert "exists and is not overwritten" in refused(capsys, "run", "--out", "run/ecg.csv")
    (folder / "a.dat").touch()
    assert "a.dat exists" in refused(capsys, "run", "--out", "a.hea")
    assert "cannot write .edf" in refused(capsys, "run", "--out", "a.edf")
    assert "'other' is not one of" in refused(capsys, "run", "--sex", "other")
    (folder / "empty").mkdir()
    assert "empty holds no ecg.csv" in refused(capsys, "empty")
    write_ecg(Recording(made().signal[:, :2], 500.0, LEADS[:2]), "two.csv")
    assert "this lacks V1, V2" in refused(capsys, "two.csv", "--png", "two.png")
    write_ecg(Recording(made().signal * 0.0, 500.0, LEADS), "flat.csv")
    said = refused(capsys, "flat.csv", "--no-check", "--out", "flat.dcm")
    assert "flat.csv: " in said
    assert "Not measured, but written: flat.dcm." in said
