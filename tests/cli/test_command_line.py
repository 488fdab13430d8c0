"""The command line as a user meets it: what it prints, where, and its exit codes."""

import dataclasses
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import heartsim
from heartsim import ionic, tissue
from heartsim._vectors import FLAG, _gains_by_512_bits
from heartsim.cli import _cache, _doctor, _run, _show, run_command
from heartsim.cli._pictures import draw_pictures
from heartsim.mesh import slab, write_mesh


def test_run_writes_a_directory_with_pictures(folder, capsys):
    assert run_command(["run", "wall.toml", "--out", "out", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out) == json.loads(
        (folder / "out" / "summary.json").read_text(encoding="utf-8")
    )
    for name in ("activation.png", "ecg.png"):
        assert (folder / "out" / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "Research use only" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_a_run_that_activates_a_part_warns_on_terminal_and_in_the_report(folder, capsys):
    """10 ms, in which the wave reaches a part of 24 mm; the whole run above says nothing."""
    wall = folder / "wall.toml"
    wall.write_text(wall.read_text(encoding="utf-8").replace("60.0", "10.0"))
    assert run_command(["run", "wall.toml", "--out", "out", "--json"]) == 0
    said = capsys.readouterr()
    share = 100 * json.loads(said.out)["activated"]["value"]
    assert 0 < share < 99
    sentence = f"activation: only {share:.3g} % of the conductive nodes activated"
    assert said.err.startswith(f"warning: {sentence}")
    assert "larger or stronger, refine the mesh, or run for longer" in said.err
    notes = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["notes"]
    assert notes[0].startswith(sentence)
    assert sentence in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_a_run_that_ends_before_its_last_activation_warns_on_the_terminal(folder, capsys):
    """24 mm at 0.6 mm/ms are 40 ms less the 2.5 mm that start at once, leads 20 ms."""
    wall = (folder / "wall.toml").read_text(encoding="utf-8")
    eikonal = wall.replace("60.0", "20.0") + 'model = "eikonal"\n'
    for axis, velocity in (("fibre", 0.6), ("sheet", 0.4), ("normal", 0.4)):
        eikonal = eikonal.replace(f"sigma_{axis}_mS_mm = 0.2", f"velocity_{axis}_m_s = {velocity}")
    (folder / "wall.toml").write_text(eikonal)
    assert run_command(["run", "wall.toml", "--out", "out", "--json"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("warning: activation: the last node activates at ")
    assert "leads end with the run at 20 ms; make [solver] duration_ms longer" in said[0]


@pytest.mark.parametrize(("share", "drawn"), [(0.6, True), (0.4, False)])
def test_recovery_has_a_map_where_most_nodes_recovered(folder, share, drawn):
    body = slab((24.0, 4.0, 3.0), 1.0)
    x = np.asarray(body.points)[:, 0]
    late = np.where(x <= 24.0 * share, 300.0 + x, np.nan)
    fields = {"activation_ms": x, "repolarisation_ms": late}
    write_mesh(dataclasses.replace(body, point_data=fields), folder / "activation.vtu")
    (folder / "manifest.json").write_text("{}")
    draw_pictures(folder)
    assert (folder / "repolarisation.png").is_file() is drawn
    headings = [
        h in (folder / "report.html").read_text(encoding="utf-8")
        for h in ("<h3>Activation", "<h3>Repol")
    ]
    assert headings == [True, drawn]


def test_check_runs_nothing_and_states_what_would_be(folder, capsys):
    assert run_command(["check", "wall.toml", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["nodes"]["value"] == 500
    assert rows["stimulus_1_nodes"]["value"] > 0
    assert rows["time_s"]["value"] > 0
    assert rows["memory_MB"]["value"] > 0
    across = rows["untuned_velocity_error_across_percent"]
    sigma = float(re.search(r"σ = ([\d.]+)", across["definition"])[1])
    cell = heartsim.by_name("mitchell_schaeffer_2003")
    scheme = tissue.Scheme(0.1, 0.0, ionic.RushLarsenStaggered(), tissue.Strang())
    on_edges, fine = (  # the wall is of cubes
        tissue.strand_velocity(cell, sigma / 1.4, edge, scheme._replace(dt=dt, lumped=lumped))
        for edge, dt, lumped in ((1.0, 0.1, 0.0), (0.1, 0.01, 0.5))
    )
    strand = 100 * (on_edges / fine - 1)
    assert across["value"] == pytest.approx(strand, abs=0.3)  # reading a wave between nodes
    assert abs(strand) > 1.0
    assert not (folder / "out").exists()


def test_tables_are_for_people(folder, capsys):
    assert run_command(["mesh", "info", "wall.vtu"]) == 0
    said = capsys.readouterr().out
    assert "edge quantiles" in said
    assert "mm" in said


def test_mesh_converts_refines_and_never_overwrites(folder, capsys, refused):
    assert run_command(["mesh", "convert", "wall.vtu", "wall.pts", "--refine", "1", "--json"]) == 0
    fine = json.loads(capsys.readouterr().out)
    assert fine["cells"]["value"] == 8 * 1728
    assert run_command(["mesh", "info", "wall.pts", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["nodes"] == fine["nodes"]
    np.testing.assert_allclose(again["box_mm"]["value"], [24.0, 4.0, 3.0], rtol=1e-12)
    for out in ("wall.pts", "wall", "wall.elem"):
        assert "wall.pts exists and is not overwritten" in refused(
            "mesh", "convert", "wall.vtu", out
        )
    (folder / "other.elem").write_text("mine")
    said = refused("mesh", "convert", "wall.vtu", "other")
    assert "other.elem exists and is not overwritten" in said
    assert (folder / "other.elem").read_text() == "mine"


@pytest.mark.parametrize("option", ["--csv", "--png"])
def test_a_cell_overwrites_nothing(folder, option, refused):
    (folder / "mine").write_text("mine")
    said = refused("cell", "mitchell_schaeffer_2003", option, "mine")
    assert "mine exists and is not overwritten" in said


def test_tune_cv_finds_the_velocity_and_keeps_it(folder, capsys, refused):
    words = "tune-cv --edge-mm 1.0 --velocity-m-s 0.5 --ionic mitchell_schaeffer_2003 --json"
    assert run_command(words.split()) == 0
    first = capsys.readouterr().out
    rows = json.loads(first)
    assert rows["reached_for_0.5_m_s"]["value"] == pytest.approx(0.5, rel=0.002)  # tune's own aim
    assert len(list((folder / "cache" / "tuning").glob("*.json"))) == 1
    assert run_command(words.split()) == 0
    assert capsys.readouterr().out == first
    assert "give either --mesh or --edge-mm" in refused("tune-cv", "--velocity-m-s", "1")
    assert "step 0.0 ms must be > 0" in refused(*words.split(), "--dt-ms", "0")


def test_tune_cv_on_a_mesh_is_along_fibre_sheet_and_normal(folder, capsys, refused):
    """Two velocities: the second is that across the fibre, whatever way."""
    words = "tune-cv --mesh wall.vtu --ionic mitchell_schaeffer_2003 --dt-ms 0.1 --lumped-mass 1"
    fast = ["--velocity-m-s", "0.6"]
    assert run_command([*words.split(), *fast, "--velocity-m-s", "0.4", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    for way, wanted in (("fibre", 0.6), ("sheet", 0.4), ("normal", 0.4)):
        assert rows[f"reached_{way}_m_s"]["value"] == pytest.approx(wanted, rel=0.002)
    cell = heartsim.by_name("mitchell_schaeffer_2003")
    scheme = tissue.Scheme(0.1, 1.0, ionic.RushLarsenStaggered(), tissue.Strang())
    sigma = 1.4 * tissue.tune_velocity(cell, 0.4, 1.0, scheme).D  # the wall is of cubes
    assert rows["sigma_normal_mS_mm"]["value"] == pytest.approx(sigma, rel=0.02)
    assert "up to three: along" in refused(*words.split(), *(4 * fast))
    assert "step 0.0 ms must be > 0" in refused(*words.split(), *fast, "--dt-ms", "0")


def test_bad_input_is_one_line_and_exit_code_2(folder, refused):
    assert "no.toml does not exist" in refused("run", "no.toml", "--out", "out")
    assert "no.vtu: this mesh file does not exist" in refused("mesh", "info", "no.vtu")
    wall = (folder / "wall.toml").read_text(encoding="utf-8")
    (folder / "bad.toml").write_text(wall.replace("dt_ms", "dt_mss"))
    said = refused("run", "bad.toml", "--out", "out")
    assert "bad.toml: [solver] dt_mss is not a key; did you mean dt_ms?" in said
    below_a_file = folder / "wall.toml" / "out"
    assert "Not a directory" in refused("run", "wall.toml", "--out", below_a_file)
    assert "--outt" in refused("run", "wall.toml", "--outt", "out")
    assert "SCENARIO" in refused("run").upper()


@pytest.mark.parametrize("name", ["view", "twin"])
def test_a_command_that_is_not_built_names_those_that_are(name, refused):
    said = refused(name, "x.toml")
    assert f"{name} is not a command of this version" in said
    for command in (
        "demo",
        "run",
        "check",
        "mesh",
        "tune-cv",
        "fit",
        "hand-over",
        "plan",
        "doctor",
    ):
        assert command in said


def test_a_full_disk_says_how_to_go_on(folder, monkeypatch, refused):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out.partial/ecg.csv")

    monkeypatch.setattr(_run, "run_scenario", full)
    said = refused("run", "wall.toml", "--out", "out")
    assert "out.partial/ecg.csv: No space left on device; make room there" in said
    assert "--resume" in said


def test_a_fault_of_ours_says_so_and_ends_with_1(folder, capsys, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(_run, "run_scenario", broken)
    assert run_command(["run", "wall.toml", "--out", "out"]) == 1
    said = capsys.readouterr().err
    assert "this is a fault of ours: ZeroDivisionError: division by zero" in said
    assert "Traceback" not in said


def test_ctrl_c_says_how_to_go_on(folder, capsys, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_run, "run_scenario", stopped)
    assert run_command(["run", "wall.toml", "--out", "out"]) == 130
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        *("demo", "run", "check", "tune-cv", "fit", "hand-over", "plan", "doctor"),
        *("mesh info", "mesh convert"),
    ],
)
def test_every_command_has_help_with_an_example(capsys, words):
    assert run_command([*words.split(), "--help"]) == 0
    said = capsys.readouterr().out
    assert f"Example:  heartsim {words}" in said
    assert "--json" in said


def test_doctor_tells_devices_precision_and_places(folder, capsys):
    assert run_command(["doctor", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["float32"]["value"] is True
    assert rows["float64"]["value"] is True
    assert rows["pictures"]["value"] is True
    assert rows["cache"]["value"] == str(folder / "cache")


def test_doctor_says_how_to_mend_a_missing_opengl(monkeypatch):
    def missing(name):
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(_doctor.importlib, "import_module", missing)
    assert "apt install" in _doctor._rendering()["vtk_files"]["value"]


def test_the_command_line_asks_for_caches_and_wide_vectors_and_the_library_does_not():
    """In processes of their own: JAX's settings are global."""
    ask = (
        "import os, jax; "
        "print([jax.config.jax_compilation_cache_dir, os.environ.get('XLA_FLAGS', '')])"
    )
    library = f"import heartsim, heartsim.cli; {ask}"
    command = f"from heartsim.cli import run_command; run_command(['doctor']); {ask}"
    untold = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    last = [
        subprocess.run(
            [sys.executable, "-c", words], capture_output=True, text=True, check=True, env=untold
        ).stdout.splitlines()[-1]
        for words in (library, command)
    ]
    wide = f"{FLAG}=512" if _gains_by_512_bits() else ""
    assert last == [str([None, ""]), str([str(_cache.compile_folder()), wide])]


def test_python_runs_it_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "heartsim", "unheard-of"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "unheard-of" in done.stderr


def test_plain_lines_off_a_terminal_reckon_the_time_left(capsys, monkeypatch):
    """A run of 100 ms that takes 1 s for each 10 ms, after 5 s of preparation."""
    clock = iter([0.0, 5.0, 5.0] + [t for k in range(1, 10) for t in (5.0 + k, 5.0 + k)])
    monkeypatch.setattr(_show.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(_show, "EVERY", 0.0)
    with _show.progress_bar() as advance:
        for k in range(1, 11):
            advance(10.0 * k, 100.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "10 of 100 ms"
    assert lines[4] == "50 of 100 ms 5 s left"
    assert lines[-1] == "100 of 100 ms 0 s left"


def test_a_stage_is_named_when_it_begins_and_has_its_seconds_when_it_ends(capsys):
    with _show.stages() as stage:
        stage("outlines")
        assert capsys.readouterr().err == "outlines:"
        stage("tetrahedra")
        assert re.fullmatch(r" \d+\.\d s\ntetrahedra:", capsys.readouterr().err)
    assert re.fullmatch(r" \d+\.\d s\n", capsys.readouterr().err)

    def fails():
        with _show.stages() as stage:
            stage("outlines")
            raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        fails()
    assert capsys.readouterr().err == "outlines:\n"  # the sentence has a line of its own
    with _show.stages(quiet=True) as stage:
        stage("outlines")
    assert capsys.readouterr().err == ""
