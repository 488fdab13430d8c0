"""Cell models by file in a scenario, and single cells as `heartsim cell` paces them."""

import csv
import json

import numpy as np
import pytest

from heartsim.cli import run_command
from heartsim.ionic import (
    CARDS,
    Beat,
    Deviating,
    Imported,
    Pacing,
    by_name,
    markers,
    pace,
    read_membrane,
)
from heartsim.scenario import build_scene, read_scenario, run_scenario, scenario_from
from heartsim.scenario._tissue import _named
from tests.cells import write


def test_a_tissue_of_a_model_in_a_file(data, folder):
    """The path is relative to the scenario; the written scenario has it whole, and the state of the
    end starts another run."""
    write(folder / "cell.mmt")
    data["heart"]["ionic"] = "cell.mmt"
    data["solver"]["duration_ms"] = 5.0
    scenario = scenario_from(data, folder=folder)
    assert scenario.heart.ionic == str((folder / "cell.mmt").resolve())
    run_scenario(scenario, folder / "out")
    again = read_scenario(folder / "out" / "scenario.toml")
    assert again.heart.ionic == scenario.heart.ionic
    heart = again.heart.model_copy(update={"initial_state": str(folder / "out" / "state.npz")})
    start = build_scene(again.model_copy(update={"heart": heart}))
    assert set(start.tissue.ionic.inner.rest()[1]) == {"h", "C", "O", "I", "Na"}
    run_scenario(again.model_copy(update={"heart": heart}), folder / "more")


def test_regions_may_have_models_of_files(data, folder):
    write(folder / "cell.mmt")
    data["region"] = [{"tags": ["scar"], "ionic": "cell.mmt", "scale": {"g_h": 0.5}}]
    data["solver"]["duration_ms"] = 2.0
    scenario = scenario_from(data, folder=folder)
    run_scenario(scenario, folder / "out")
    (own,) = (m for m in build_scene(scenario).tissue.ionic.models if isinstance(m, Deviating))
    assert isinstance(own.inner, Imported)
    assert float(own.inner.constants["g_h"]) == pytest.approx(0.01)


def test_a_voltage_that_is_not_clear_is_named_by_a_key(data, folder, two_voltages):
    """Two states in mV and no label: the message names both, and [heart] voltages answers it."""
    data["heart"]["ionic"] = str(two_voltages)
    with pytest.raises(ValueError, match=r"is not clear: membrane\.V, ions\.W"):
        build_scene(scenario_from(data, folder=folder))
    data["heart"]["voltages"] = {"cell.mmt": "membrane.V"}
    cell = build_scene(scenario_from(data, folder=folder)).tissue.ionic.inner
    assert cell.program.voltage == "V"
    assert set(cell.rest()[1]) == {"h", "C", "O", "I", "W", "Na"}


def test_a_file_that_is_missing_is_named(data, folder):
    data["heart"]["ionic"] = "none.cellml"
    with pytest.raises(FileNotFoundError, match=r"none\.cellml does not exist"):
        build_scene(scenario_from(data, folder=folder))


def test_the_command_paces_a_cell(tmp_path, capsys):
    options = ["--csv", str(tmp_path / "beat.csv"), "--png", str(tmp_path / "beat.png"), "--json"]
    options += ["--cycle-ms", "400", "--dt-ms", "0.02", "--scale", "g_Kr=0.5", "--beats", "2"]
    assert run_command(["cell", "ten_tusscher_2006_epi", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    with (tmp_path / "beat.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head[:2] == ["time_ms", "V_mV"]
    assert len(head) == 20
    V = np.array(rows, float)[:, 1]
    assert len(V) == 20_000
    assert told["peak_mV"]["value"] == pytest.approx(V.max(), abs=1e-3)
    start = float(by_name("ten_tusscher_2006_epi").rest()[0])
    assert told["drift_mV"]["value"] == pytest.approx(V[0] - start, abs=0.01)
    assert (tmp_path / "beat.png").stat().st_size > 5000


def test_the_command_lists_and_imports(tmp_path, capsys):
    assert run_command(["cell", "--list", "--json", "--csv", str(tmp_path / "list.csv")]) == 0
    listed = json.loads(capsys.readouterr().out)
    with (tmp_path / "list.csv").open(newline="") as file:
        written = {row["model"]: row for row in csv.DictReader(file)}
    assert list(written) == list(listed)
    mid = written["ten_tusscher_2006_mid"]
    cost = f"{CARDS['ten_tusscher_2006_mid'].cost:g}"
    assert (mid["variables"], mid["species"], mid["cost_ns"]) == ("19", "human", cost)
    assert mid["source"] in listed["ten_tusscher_2006_mid"]["value"]
    assert listed["ten_tusscher_2006_mid"]["value"].startswith(
        f"19 variables, {cost} ns; human, ventricle"
    )
    path = write(tmp_path / "cell.mmt")
    options = ["--png", str(tmp_path / "cell.png"), "--csv", str(tmp_path / "cell.csv"), "--json"]
    assert run_command(["cell", "--import", str(path), *options]) == 0
    told = json.loads(capsys.readouterr().out)
    with (tmp_path / "cell.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["time_ms", "V_mV", "V_of_the_file_mV"]
    t, V, own = np.array(rows, float).T
    assert len(t) > 1000
    apart = np.abs(V - own)[t > 20.0].max()
    assert told["largest_difference_mV"]["value"] * 0.99 <= np.abs(V - own).max()
    assert apart <= told["largest_difference_mV"]["value"] + 1e-5
    assert told["agrees"]["value"] is True
    assert told["settling"]["value"] == ["h"]
    assert told["together"]["value"] == ["C", "O", "I"]
    assert (tmp_path / "cell.png").stat().st_size > 5000


def test_an_import_that_misses_the_file_is_flagged(tmp_path, monkeypatch, capsys):
    """Read as another file with half of its i_h: agrees is no, and using the file later warns."""
    monkeypatch.setenv("HEARTSIM_CACHE", str(tmp_path / "cache"))
    path, other = write(tmp_path / "cell.mmt"), tmp_path / "other.mmt"
    other.write_text(path.read_text().replace("g_h = 0.02", "g_h = 0.01"))
    with monkeypatch.context() as wrong:
        wrong.setattr("heartsim.scenario._cell.read_membrane", lambda *_: read_membrane(other))
        assert run_command(["cell", "--import", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["agrees"]["value"] is False
    assert told["largest_difference_mV"]["value"] > 1.0
    by_name(str(path))  # as every command does that names the file
    warning = capsys.readouterr().err
    assert warning.startswith("warning: cell.mmt: a beat is ")
    assert "more than 1 mV" in warning


def test_the_command_measures_restitution(tmp_path, capsys):
    options = ["--csv", str(tmp_path / "curve.csv"), "--png", str(tmp_path / "curve.png"), "--json"]
    options += ["--cycle-ms", "600", "--dt-ms", "0.1", "--beats", "2", "--s2", "240", "600", "60"]
    assert run_command(["cell", "mitchell_schaeffer_2003", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["interval_ms"]["value"] == [240.0, 300.0, 360.0, 420.0, 480.0, 540.0, 600.0]
    assert told["s2_apd90_ms"]["value"][0] is None
    with (tmp_path / "curve.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["interval_ms", "diastolic_ms", "s2_apd90_ms"]
    assert (tmp_path / "curve.png").stat().st_size > 5000


@pytest.fixture
def two_voltages(tmp_path):
    """A file with two states in mV, and no label."""
    text = write(tmp_path / "cell.mmt").read_text().replace("    label membrane_potential\n", "")
    text = text.replace("dot(Na) =", "dot(W) = -membrane.V - W\n    in [mV]\ndot(Na) =")
    path = tmp_path / "cell.mmt"
    path.write_text(text.replace("ions.Na = 10\n", "ions.W = 0\nions.Na = 10\n"))
    return path


def test_a_stimulus_that_is_not_clear_is_named(data, folder, capsys):
    """Two terms of time: [heart] stimuli answers the question, and the command's option."""
    text = write(folder / "cell.mmt").read_text()
    text = text.replace("engine.pace * 40", "drive.a + drive.b")
    drive = "[drive]\na = if(engine.time < 1, 40, 0)\nb = sin(engine.time)\n"
    (folder / "cell.mmt").write_text(text + drive)
    command = ["cell", str(folder / "cell.mmt"), "--cycle-ms", "20", "--dt-ms", "0.1", "--json"]
    assert run_command(command) == 2
    assert "stimulus is not clear: drive.a, drive.b" in " ".join(capsys.readouterr().err.split())
    assert run_command([*command, "--stimulus-name", "a,b"]) == 0
    assert json.loads(capsys.readouterr().out)["peak_mV"]["value"] > -60.0
    data["heart"] |= {"ionic": "cell.mmt", "stimuli": {"cell.mmt": "drive.a,drive.b"}}
    heart = scenario_from(data, folder=folder).heart
    assert _named(heart.ionic, heart).program.paced


@pytest.mark.parametrize(
    "study",
    [
        "", "--s2 240 300 60", "--dynamic 300 400 100", "--population 2", "--sensitivity",
        "--settle", "--drug table.csv",
    ],
)  # fmt: skip
def test_every_study_takes_the_voltage_that_is_named(
    two_voltages, tmp_path, monkeypatch, capsys, study
):
    """Without it the question, with another name the states that there are; paced with it below."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("drug,K1_IC50,therapeutic\na,5,5\n")
    words = ["cell", str(two_voltages), *study.split()]
    assert run_command(words) == 2
    assert "not clear: membrane.V, ions.W. Name it" in " ".join(capsys.readouterr().err.split())
    assert run_command([*words, "--voltage", "U"]) == 2
    assert "there is no one state 'U'" in " ".join(capsys.readouterr().err.split())


def test_a_file_with_two_voltages_is_paced(two_voltages, tmp_path, monkeypatch, capsys):
    """Named in the words of the question; it is the file's first use, so its beat is checked."""
    monkeypatch.setenv("HEARTSIM_CACHE", str(tmp_path / "cache"))
    pacing = ["--cycle-ms", "50", "--dt-ms", "0.05", "--json"]
    assert run_command(["cell", str(two_voltages), "--voltage", "membrane.V", *pacing]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["rest_mV"]["value"] == pytest.approx(-80.0)
    assert told.err.startswith("note: cell.mmt: a beat is within 0.0")
    assert run_command(["cell", str(two_voltages), "--voltage", "membrane.V", *pacing]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["luo_rudy_1991", "--voltage", "V"], "built in; voltage and stimulus are named of a file"),
        ([], "give one of MODEL, --list and --import FILE"),
        (["ten_tusscher_2006_epi", "--list"], "give one of MODEL"),
        (["--list", "--png", "list.png"], "--list has no picture; leave out --png"),
        (["ten_tuscher_2006_epi"], "did you mean 'ten_tusscher_2006_epi'"),
        (["ten_tusscher_2006_epi", "--scale", "g_Kr"], "--scale g_Kr: wanted a factor"),
        (["ten_tusscher_2006_epi", "--scale", "g_Krr=2"], "did you mean 'g_Kr'"),
        (["ten_tusscher_2006_epi", "--dt-ms", "2"], "a stimulus of 1 ms does not fit"),
        (
            ["ten_tusscher_2006_epi", "--dt-ms", "0.7"],
            "a stimulus of 1 ms is no whole number of steps of 0.7 ms; use 0.7 ms, or another dt.",
        ),
        (
            ["ten_tusscher_2006_epi", "--dt-ms", "0.5", "--cycle-ms", "20.3"],
            "a cycle of 20.3 ms is no whole number of steps of 0.5 ms; use 20.5 ms, or another dt.",
        ),
        (["ten_tusscher_2006_epi", "--s2", "9", "3", "1"], "wanted FIRST, LAST and STEP in ms"),
        (["ten_tusscher_2006_epi", "--cycle-ms", "-1"], "wanted a cycle, a step and a beat"),
        (["fabbri_2017", "--settle", "--stimulus", "0"], "--settle is of beats that a stimulus"),
        (
            ["stewart_2009", "--stimulus", "0", "--cycle-ms", "600", "--dt-ms", "0.1"],
            "no whole beat lies within the 1800 ms that it was watched, three cycle lengths",
        ),
    ],
)
def test_one_sentence_for_each_mistake(words, said, capsys):
    assert run_command(["cell", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_cycle_of_a_heart_rate_passes():
    """70 beats a minute: to 3e-6 a whole number of steps."""
    assert Pacing(60000 / 70).steps == 85714


def test_a_cell_that_runs_away_is_named():
    with pytest.raises(
        ValueError, match=r"not finite from .* of beat 1 on, .*; wanted a shorter dt than 1 ms"
    ):
        pace(by_name("ten_tusscher_2006_epi"), Pacing(100.0, dt=1.0, stimulus=5000.0))


def test_markers_of_a_beat_that_is_known_exactly():
    """Up by 100 mV over 1 ms at 10 ms, flat to 110 ms, down by 1 mV/ms: APD90 is 190 ms from the
    middle of the rise, within a step of 0.1 ms."""
    t = np.arange(0.0, 300.0, 0.1)
    V = np.interp(t, [0, 10, 11, 110, 210, 300], [-80.0, -80, 20, 20, -80, -80])
    found = markers(Beat(t, V, {}, (None, None), np.nan))
    assert found["rest_mV"] == -80.0
    assert found["peak_mV"] == pytest.approx(20.0)
    assert found["upstroke_mV_ms"] == pytest.approx(100.0)
    for share in (90, 70, 50):
        onset = found[f"apd{share}_ms"] - (110 + share)
        assert -11.0 <= onset <= -10.0
    assert found["triangulation_ms"] == pytest.approx(60.0, abs=0.1)
    cut = markers(Beat(t[:1500], V[:1500], {}, (None, None), np.nan))
    assert np.isnan(cut["apd90_ms"])


def test_a_cell_that_beats_by_itself_is_measured_by_its_own_beat(tmp_path, capsys):
    """The sinus node without a word about stimuli: every 0.81 s, as docs/cell-models.md has it; one
    beat is written, which begins and ends at its lowest voltage. A ventricular cell that nobody
    stimulates has no action potential, so no afterdepolarisation."""
    words = ["--dt-ms", "0.1", "--csv", str(tmp_path / "beat.csv"), "--json"]
    assert run_command(["cell", "fabbri_2017", *words]) == 0
    told = {name: row["value"] for name, row in json.loads(capsys.readouterr().out).items()}
    assert told["own_cycle_ms"] == pytest.approx(813.0, abs=2.0)
    assert told["apd90_ms"] == pytest.approx(149.4, abs=0.5)
    assert told["ead_mV"] == 0.0
    assert told["drift_mV"] is told["alternans_ms"] is None
    with (tmp_path / "beat.csv").open(newline="") as file:
        _, *rows = csv.reader(file)
    V = np.array([row[1] for row in rows], float)
    for lowest in (V[0], V[-1], told["rest_mV"]):
        assert lowest == pytest.approx(V.min(), abs=0.02)
    assert 0.1 * len(V) == pytest.approx(813.0, abs=5.0)
    words = ["--stimulus", "0", "--dt-ms", "0.1", "--cycle-ms", "300", "--json"]
    assert run_command(["cell", "luo_rudy_1991", *words]) == 0
    quiet = json.loads(capsys.readouterr().out)
    for name in ("apd90_ms", "ead_mV", "own_cycle_ms"):
        assert quiet[name]["value"] is None


def test_what_fires_after_a_beat_is_no_part_of_it():
    """Of two action potentials of known corners the first is measured, and the second is no
    afterdepolarisation; a bump of 30 mV is no action potential, nor the end of one that a rise of
    30 mV follows."""
    t = np.arange(0.0, 600.0, 0.1)
    one = ([0, 10, 11, 110, 210], [-80.0, -80, 20, 20, -80])
    two = ([400, 401, 500, 600], [-80.0, 19, 19, -80])
    V = np.interp(t, *np.concatenate([one, two], axis=1))
    found, alone = (markers(Beat(t, x, {}, (None, None), np.nan)) for x in (V, np.interp(t, *one)))
    assert found == alone
    assert found["ead_mV"] == 0.0
    assert found["apd90_ms"] == pytest.approx(190.0, abs=1.0)
    bump = np.interp(t, [0, 10, 11, 300, 350, 400, 600], [-80.0, -80, -50, -70, -60, -80, -80])
    assert np.isnan(markers(Beat(t, bump, {}, (None, None), np.nan))["ead_mV"])
    stays = np.interp(t, [0, 10, 11, 100, 150, 250, 600], [-20.0, -20, 30, 20, -25, 5, -5])
    assert np.isnan(markers(Beat(t, stays, {}, (None, None), np.nan))["apd90_ms"])
