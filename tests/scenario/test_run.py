"""A run directory: what it holds, that it agrees with itself, and what stops a run."""

import csv
import errno
import json
from pathlib import Path

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ecg import twelve_leads
from heartsim.mesh import read_mesh
from heartsim.scenario import (
    Runaway,
    _checkpoint,
    _directory,
    build_scene,
    read_scenario,
    run_scenario,
    scenario_from,
)
from heartsim.scenario._directory import open_new
from heartsim.scenario._loop import _watch, recorded
from heartsim.scenario._state import initial_state
from heartsim.tissue import Crossing, Samples, begin

FILES = {
    "scenario.toml",
    "manifest.json",
    "summary.json",
    "activation.vtu",
    "activations.csv",
    "ecg.csv",
    "state.npz",
    "V.vtkhdf",
}


def table(path):
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    return head, np.array(rows, float)


@pytest.fixture
def run(data, folder):
    """One short run with a dead end, voltage kept; and its scene."""
    data["region"] = [{"tags": ["scar"], "conductive": False}]
    data["solver"]["duration_ms"] = 46.0
    data["output"]["voltage_every_ms"] = 5.0
    scenario = scenario_from(data, folder=folder)
    summary = run_scenario(scenario, folder / "out")
    return folder / "out", build_scene(scenario), summary


def test_a_run_directory_agrees_with_itself(run):
    out, scene, summary = run
    assert {p.name for p in out.iterdir()} == FILES
    assert not out.with_name("out.partial").exists()
    assert read_scenario(out / "scenario.toml") == scene.scenario
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == summary
    assert all(set(row) == {"value", "unit", "definition"} for row in summary.values())

    written = read_mesh(out / "activation.vtu")
    activation = written.point_data["activation_ms"]
    dead = np.setdiff1d(np.arange(written.n_nodes), scene.nodes)
    assert np.isnan(activation[dead]).all()
    assert np.isfinite(activation[scene.nodes]).all()
    assert set(written.node_sets) == {"lv_endo", "epi"}
    assert summary["activated"]["value"] == 1.0
    spread = np.nanmax(activation) - np.nanmin(activation)
    assert summary["total_activation_ms"]["value"] == pytest.approx(spread)

    head, rows = table(out / "activations.csv")
    assert head == ["node", "beat", "activation_ms"]
    nodes = rows[:, 0].astype(int)
    np.testing.assert_array_equal(np.sort(nodes), np.sort(scene.nodes))
    np.testing.assert_allclose(rows[:, 2], activation[nodes], atol=1e-4)  # four digits written


def test_voltage_frames_read_in_vtk_and_give_the_ecg(run):
    """The leads are summed inside the loop; from the frames on file they must come out again."""
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline as Pipeline
    from vtkmodules.vtkIOHDF import vtkHDFReader

    out, scene, _ = run
    reader = vtkHDFReader()
    reader.SetFileName(str(out / "V.vtkhdf"))
    reader.UpdateInformation()
    times = np.array(reader.GetOutputInformation(0).Get(Pipeline.TIME_STEPS()))
    np.testing.assert_array_equal(times, np.arange(5.0, 46.0, 5.0))
    with h5py.File(out / "V.vtkhdf") as file:
        frames = np.array(file["VTKHDF/PointData/V"]).reshape(len(times), -1)
    _, ecg = table(out / "ecg.csv")
    assert len(ecg) == 46
    for k, time in enumerate(times):
        reader.SetStep(k)
        reader.Update()
        shown = reader.GetOutput().GetPointData().GetArray("V")
        dead = np.setdiff1d(np.arange(frames.shape[1]), scene.nodes)
        assert all(np.isnan(shown.GetValue(int(node))) for node in dead[:3])
        V = frames[k, scene.nodes]
        np.testing.assert_array_equal([shown.GetValue(int(n)) for n in scene.nodes[:5]], V[:5])
        leads = twelve_leads((scene.field[:, : len(V)] @ V)[None])[0]
        row = ecg[np.flatnonzero(ecg[:, 0] == time)[0], 1:]
        # float32 sums of 400 terms of order 80 mV times the field's greatest entry
        np.testing.assert_allclose(row, leads, atol=1e-5 * 80 * np.abs(scene.field).max())


def test_two_beats_are_counted_and_the_last_stands_in_the_map(data, folder):
    data["stimulus"][0] |= {"beats": 2, "cycle_ms": 600.0}
    data["solver"]["duration_ms"] = 650.0
    summary = run_scenario(scenario_from(data, folder=folder), folder / "out")
    _, rows = table(folder / "out" / "activations.csv")
    first, second = (rows[rows[:, 1] == beat] for beat in (1, 2))
    assert len(first) == len(second) == 500
    assert len(rows) == 1000
    assert summary["beats"]["value"] == 2
    assert second[:, 2].min() > 600.0
    assert summary["earliest_activation_ms"]["value"] == pytest.approx(second[:, 2].min(), abs=1e-4)


def test_a_run_starts_from_the_state_of_another(data, folder):
    """Twenty milliseconds and twenty more cross the wall as forty do; only the last half diffusion
    of the first run, which the state leaves out, differs."""
    data["solver"]["duration_ms"] = 40.0
    data["solver"]["precision"] = "float64"
    run_scenario(scenario_from(data, folder=folder), folder / "whole")
    data["solver"]["duration_ms"] = 20.0
    run_scenario(scenario_from(data, folder=folder), folder / "first")
    data["heart"]["initial_state"] = "first/state.npz"
    run_scenario(scenario_from({**data, "stimulus": []}, folder=folder), folder / "second")
    whole, second = (
        read_mesh(folder / name / "activation.vtu").point_data["activation_ms"]
        for name in ("whole", "second")
    )
    late = whole > 21.0
    assert late.sum() > 50
    np.testing.assert_allclose(second[late] + 20.0, whole[late], atol=0.05)  # half a step of 0.1 ms
    data["region"] = [{"tags": ["scar"], "scale": {"tau_in": 2.0}}]
    with pytest.raises(ValueError, match="a run with membranes other than this one's"):
        run_scenario(scenario_from(data, folder=folder), folder / "third")


def test_a_state_of_a_membrane_of_another_name_is_refused(data, folder):
    """Of the same variables, but other equations."""
    data["solver"]["duration_ms"] = 1.0
    data["heart"]["ionic"] = "bueno_orovio_2008_endo"
    run_scenario(scenario_from(data, folder=folder), folder / "first")
    data["heart"] |= {"ionic": "bueno_orovio_2008_epi", "initial_state": "first/state.npz"}
    with pytest.raises(ValueError, match="a run with membranes other than this one's"):
        run_scenario(scenario_from(data, folder=folder), folder / "second")


def test_a_state_is_carried_on_to_membranes_that_count_from_elsewhere(data, folder):
    """Calcium of Beeler and Reuter is counted from where a run starts. Two runs that start at the
    limit cycle and at rest give the next one what they ended with, from wherever it would start."""
    data["heart"]["ionic"] = "beeler_reuter_1977"
    data["solver"] |= {"model": "reaction_eikonal", "diffusion": False, "duration_ms": 1.0}
    data["conduction"] = dict.fromkeys(("velocity_fibre_m_s", "velocity_sheet_m_s"), 0.6)
    data["conduction"]["velocity_normal_m_s"] = 0.6
    settled = {**data, "heart": {**data["heart"], "limit_cycle": 300.0}}

    def calcium(given):
        scene = build_scene(scenario_from(given, folder=folder), folder / "cache")
        return np.asarray(scene.tissue.ionic.plain(initial_state(scene).membrane).Ca_i)

    run_scenario(scenario_from(settled, folder=folder), folder / "end", cache=folder / "cache")
    wanted = calcium(settled)[0]
    assert wanted > 1.5 * calcium(data)[0]
    for given in (data, settled):
        given["heart"] = given["heart"] | {"initial_state": "end/state.npz"}
        far = calcium(given)[-20]  # 1 ms later, where nothing has fired
        assert far == pytest.approx(wanted, rel=0.02)  # it falls by that


def test_padding_that_fires_is_not_recorded():
    """As it does where a membrane beats by itself. Nodes 0 to 2 are real; 1 has fired before."""
    fired = Crossing(jnp.array([7, 2, 5, 7]), jnp.array([0.5, 0.0, 0.0, 0.5]))
    before = Crossing(jnp.array([-1, 2, -1, -1]), jnp.zeros(4))
    nothing = _checkpoint.Record(np.empty((0, 0)), np.empty(0, int), np.empty(0))
    record = recorded(nothing, before, fired, None, 0.1, real=3)
    assert record.node.tolist() == [2, 0]
    np.testing.assert_allclose(record.time, [0.5, 0.75])


@pytest.mark.parametrize("name", ["half.npz", "array.npy"])
def test_a_file_that_holds_no_state_is_named(data, folder, name):
    np.savez(folder / "whole.npz", V=np.zeros(100))
    whole = (folder / "whole.npz").read_bytes()
    (folder / "half.npz").write_bytes(whole[: len(whole) // 2])
    np.save(folder / "array.npy", np.zeros(100))
    data["heart"]["initial_state"] = name
    with pytest.raises(ValueError, match=rf"initial_state: .*{name} holds no state of a run"):
        run_scenario(scenario_from(data, folder=folder), folder / "out")


def test_a_beat_in_single_precision_is_that_in_double(data, folder):
    """To ten times what rounding was seen to do: activation 4e-5 ms, APD90 of 291 ms 1e-3 ms."""
    data["solver"]["duration_ms"] = 400.0
    beats = {}
    for precision in ("float32", "float64"):
        data["solver"]["precision"] = precision
        run_scenario(scenario_from(data, folder=folder), folder / precision)
        beats[precision] = read_mesh(folder / precision / "activation.vtu").point_data
        with np.load(folder / precision / "state.npz") as stored:
            assert stored["state_0"].dtype == precision
    for name, near in (("activation_ms", 4e-4), ("apd90_ms", 1e-2)):
        single, double = (beats[precision][name] for precision in ("float32", "float64"))
        assert np.isfinite(double).all()
        np.testing.assert_allclose(single, double, rtol=0, atol=near)
        assert (single != double).any()


def test_a_voltage_that_runs_away_at_padding_is_told_of_the_node_it_repeats(data, folder):
    """Of 500 nodes, padded to 512."""
    scene = build_scene(scenario_from(data, folder=folder))
    carry = begin(scene.tissue, 0.1, scene.detector)
    kept = Samples(None, None, jnp.array([508]), jnp.array([300.0]))
    with pytest.raises(Runaway, match=f"at 1 ms node {scene.nodes[499]} .* has V = 300 mV"):
        _watch(scene, carry, kept, 10)


def test_a_runaway_voltage_names_time_node_state_and_step(data, folder):
    data["stimulus"][0]["strength_mV_per_ms"] = 5000.0
    with pytest.raises(Runaway) as caught:
        run_scenario(scenario_from(data, folder=folder), folder / "out")
    said = str(caught.value)
    assert "the voltage ran away: at 1 ms node " in said
    assert " h = " in said
    assert "the step is dt_ms = 0.1: try a smaller dt_ms" in said
    assert not list(folder.glob("out*"))  # nothing that one could resume


def test_an_existing_directory_is_never_overwritten(data, folder):
    (folder / "out").mkdir()
    (folder / "out" / "precious.txt").write_text("keep")
    with pytest.raises(ValueError, match="out exists and is not overwritten; give another --out"):
        run_scenario(scenario_from(data, folder=folder), folder / "out")
    assert (folder / "out" / "precious.txt").read_text(encoding="utf-8") == "keep"


def test_an_empty_folder_may_be_filled_from_within(data, folder, monkeypatch):
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    data["solver"]["duration_ms"] = 10.0
    run_scenario(scenario_from(data, folder=folder), ".", keep=False)
    assert (Path.cwd() / "summary.json").is_file()
    assert not (folder / "here.partial").exists()


def test_of_two_runs_into_one_directory_the_second_is_refused(folder, monkeypatch):
    """Even where it looked before the first had made its folder."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "exists", lambda path: False)
        assert open_new(folder / "out").is_dir()
        with pytest.raises(ValueError, match=r"out\.partial holds a run .* go on with --resume"):
            open_new(folder / "out")
    assert open_new(folder / "out", resume=True).is_dir()


def test_a_missing_mesh_is_named(data, folder):
    data["heart"]["mesh"] = "no.vtu"
    with pytest.raises(FileNotFoundError, match=r"no\.vtu does not exist; check the path"):
        run_scenario(scenario_from(data, folder=folder), folder / "out")
    assert not list(folder.glob("out*"))


def test_a_full_disk_leaves_the_last_checkpoint(data, folder, monkeypatch):
    """The disk fills while the results are written: no result is there in part, and what was kept
    before can be gone on from."""
    data["solver"]["duration_ms"] = 30.0

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    scenario = scenario_from(data, folder=folder)
    with monkeypatch.context() as patch:
        patch.setattr(_directory, "_write_ecg", full)
        with pytest.raises(OSError, match="No space left"):
            run_scenario(scenario, folder / "out")
    left = {p.name for p in (folder / "out.partial").iterdir()}
    assert _checkpoint.POINTER in left
    assert "summary.json" not in left
    run_scenario(scenario, folder / "out", resume=True)
    assert (folder / "out" / "summary.json").is_file()
