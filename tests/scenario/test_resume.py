"""A run that is killed and resumed equals the uninterrupted one, byte for byte; anything that
would make it another run is refused."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tomli_w

from heartsim._files import NEW
from heartsim.scenario import (
    _checkpoint,
    _directory,
    run_scenario,
    run_sweep,
    scenario_from,
    to_toml,
)
from heartsim.scenario._checkpoint import POINTER
from heartsim.scenario._loop import voltage_file
from heartsim.scenario._sweep import sweep_tasks
from heartsim.scenario._sweep_schema import SweepFile, Vary

RESULTS = ("ecg.csv", "activation.vtu", "activations.csv", "state.npz", "V.vtkhdf")

PROGRAM = """
import sys
from pathlib import Path
from heartsim.scenario import run_scenario
run_scenario(sys.argv[1], sys.argv[2], resume=sys.argv[3] == "resume", cache=Path(sys.argv[4]))
"""


@pytest.fixture
def scenario(data, folder):
    data["output"]["voltage_every_ms"] = 4.0
    return scenario_from(data, folder=folder)


def start(folder, out, resume):
    words = [
        sys.executable,
        "-c",
        PROGRAM,
        str(folder / "run.toml"),
        str(out),
        resume,
        str(folder / "tuned"),
    ]
    return subprocess.Popen(
        words, env=os.environ | {"JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
    )


def stopped(scenario, out, after_ms):
    """A run that breaks off at a simulated time, in this process."""

    class Stop(Exception):
        pass

    def progress(done, whole):
        if done >= after_ms:
            raise Stop

    with pytest.raises(Stop):
        run_scenario(scenario, out, progress=progress)


def test_killed_in_mid_beat_and_resumed_equals_the_uninterrupted_run(data, folder):
    """A real SIGKILL, at a moment of its own: as soon as two checkpoints have been written."""
    data["solver"] |= {"duration_ms": 300.0, "dt_ms": 0.05}  # long enough to be hit
    data["output"]["voltage_every_ms"] = 100.0
    (folder / "run.toml").write_text(to_toml(scenario_from(data, folder=folder)))
    victim, pointer = start(folder, folder / "killed", "anew"), folder / "killed.partial" / POINTER
    seen: set[str] = set()
    while len(seen) < 2 and victim.poll() is None:
        time.sleep(0.002)
        if pointer.is_file():
            seen.add(pointer.read_text(encoding="utf-8"))
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    assert not (folder / "killed").exists()
    assert start(folder, folder / "killed", "resume").wait() == 0
    assert start(folder, folder / "whole", "anew").wait() == 0
    for name in RESULTS:
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_resume_goes_on_and_does_not_begin_again(scenario, folder):
    stopped(scenario, folder / "out", after_ms=40.0)
    calls = []
    run_scenario(
        scenario, folder / "out", resume=True, progress=lambda done, whole: calls.append(done)
    )
    assert calls == [50.0, 60.0]  # the checkpoint of 40 ms was the last one kept
    run_scenario(scenario, folder / "whole")
    for name in RESULTS:
        assert (folder / "out" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_what_a_killed_process_left_half_written_does_not_stay(scenario, folder):
    stopped(scenario, folder / "out", after_ms=30.0)
    left = folder / "out.partial" / f"{NEW}checkpoint-40.npz-x"
    left.mkdir()
    (left / "checkpoint-40.npz").write_bytes(b"half")
    run_scenario(scenario, folder / "out", resume=True)
    assert not list((folder / "out").glob(f"{NEW}*"))


def test_voltages_from_before_the_first_checkpoint_do_not_stay(scenario, folder):
    """Frames of a killed run, whose chunks began elsewhere."""
    (folder / "out.partial").mkdir()
    np.save(folder / "out.partial" / voltage_file(7), np.zeros((3, 5)))
    run_scenario(scenario, folder / "out", resume=True)
    run_scenario(scenario, folder / "whole")
    assert (folder / "out/V.vtkhdf").read_bytes() == (folder / "whole/V.vtkhdf").read_bytes()


def test_a_stopped_run_is_not_thrown_away_unasked(scenario, folder):
    stopped(scenario, folder / "out", after_ms=30.0)
    with pytest.raises(ValueError, match="holds a run that was stopped; go on with --resume"):
        run_scenario(scenario, folder / "out")


def test_a_damaged_checkpoint_is_refused(scenario, folder):
    stopped(scenario, folder / "out", after_ms=30.0)
    kept = next((folder / "out.partial").glob("checkpoint-*.npz"))
    whole = kept.read_bytes()
    kept.write_bytes(whole[:200] + b"\x00\xff" + whole[202:])
    for damage in ("bytes", "gone", "pointer"):
        if damage == "gone":
            kept.unlink()
        if damage == "pointer":
            (folder / "out.partial" / POINTER).write_text("{")
        with pytest.raises(ValueError, match="the checkpoint is damaged"):
            run_scenario(scenario, folder / "out", resume=True)


@pytest.mark.parametrize("why", ["damaged", "another version"])
def test_in_a_sweep_a_run_whose_checkpoint_is_refused_begins_anew(data, folder, why, monkeypatch):
    (folder / "base.toml").write_text(tomli_w.dumps(data))
    sweep = SweepFile(
        base=str(folder / "base.toml"), vary=[Vary(key="stimulus.1.start_ms", values=[0.0])]
    )
    runs = folder / "out.partial" / "runs"
    runs.mkdir(parents=True)
    stopped(sweep_tasks(sweep)[0].scenario, runs / "0001", after_ms=30.0)
    if why == "damaged":
        (runs / "0001.partial" / POINTER).write_text("{")
    else:
        monkeypatch.setattr(_directory, "version", lambda package: "0.0")
    (row,) = run_sweep(sweep, folder / "out", resume=True)
    assert row["status"] == "done"
    assert [p.name for p in (folder / "out" / "runs").iterdir()] == ["0001"]


def refused(scenario, folder, what):
    with pytest.raises(ValueError, match=f"the checkpoint belongs to another {what}"):
        run_scenario(scenario, folder / "out", resume=True)
    assert (folder / "out.partial" / POINTER).is_file()


def test_another_scenario_precision_mesh_or_machine_is_refused(scenario, data, folder, monkeypatch):
    stopped(scenario, folder / "out", after_ms=30.0)
    longer = {**data, "solver": {**data["solver"], "duration_ms": 70.0}}
    refused(scenario_from(longer, folder=folder), folder, "scenario: solver duration_ms was 60")
    double = {**data, "solver": {**data["solver"], "precision": "float64"}}
    refused(scenario_from(double, folder=folder), folder, "precision")
    with monkeypatch.context() as patch:
        more = _checkpoint.machine() | {"device count": 4}
        patch.setattr(_directory, "machine", lambda: more)
        refused(scenario, folder, "device count: was 1, is 4")
    with monkeypatch.context() as patch:
        patch.setenv("XLA_FLAGS", "--xla_cpu_prefer_vector_width=128")
        refused(scenario, folder, "XLA_FLAGS: was .*, is --xla_cpu_prefer_vector_width=128")
    mesh = folder / "wall.vtu"
    mesh.write_bytes(mesh.read_bytes() + b"\n")
    refused(scenario, folder, "input file")


def test_a_checkpoint_holds_every_carried_array(scenario, folder):
    """What is loaded equals what was carried, to the bit: state and detector."""
    stopped(scenario, folder / "out", after_ms=30.0)
    pointer = json.loads((folder / "out.partial" / POINTER).read_text(encoding="utf-8"))
    with np.load(folder / "out.partial" / pointer["file"]) as stored:
        carried = [name for name in stored.files if name.startswith("carry_")]
        # k, stride, wanted; V and h of the membrane; of the detector V, low,
        # high and step and fraction of two crossings
        assert len(carried) == 3 + 2 + 3 + 4
        assert int(stored["carry_0"]) == 300  # steps of 0.1 ms at 30 ms
        assert len(stored["leads"]) == 30
