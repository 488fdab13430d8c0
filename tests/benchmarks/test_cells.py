"""The benchmark of cells starts, and prints what it promises; its times are judged by a reader."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heartsim.ionic import CARDS

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "cells.py"
MACHINE = {
    "device",
    "precision",
    "python",
    "jax",
    "jaxlib",
    "xla_flags",
    "cores",
    "heartsim",
    "date",
}
TINY = ["--quick", "--cells", "64", "--steps", "2"]
STEPPERS = ["RushLarsen", "RushLarsenMidpoint", "RushLarsenStaggered"]
NO_SUNDIALS = "Myokit: there is no C compiler that finds SUNDIALS."


def run(folder, model, *options, data="nowhere"):
    """What it prints, and its two files."""
    files = [folder / "cells.json", folder / "cells.csv"]
    line = [sys.executable, str(PROGRAM), "--models", model, *TINY, *options]
    line += ["--json", str(files[0]), "--csv", str(files[1])]
    env = os.environ | {"HEARTSIM_DATA": str(data)}
    done = subprocess.run(line, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    with files[1].open(newline="") as file:
        return (
            done.stdout.splitlines(),
            json.loads(files[0].read_text()),
            list(csv.DictReader(file)),
        )


def assert_shape(told, printed, table, labels):
    """A row a line in all three, spreads in order, one core, an error beside every beat."""
    assert set(told["machine"]) == MACHINE
    device = told["machine"]["device"]
    assert not device.startswith("cpu") or device.endswith(" 1 cores")
    assert len(table) == len(told["rows"])
    assert printed[0].split()[:3] == ["model", "engine", "ns"]
    for row, line, flat in zip(told["rows"], printed[1:], table, strict=False):
        assert line.split()[:2] == [row["model"], row["engine"]]
        assert {key: flat[key] for key in row} == {key: str(x) for key, x in row.items()}
        assert {key: flat[key] for key in MACHINE} == {
            k: str(x) for k, x in told["machine"].items()
        }
        names = [f"beat_ms_{label}" for label in labels[row["engine"]]]
        for name in ("ns", "x", *names):
            assert 0 < row[f"least_{name}"] <= row[name] <= row[f"most_{name}"]
        for label in labels[row["engine"]]:
            assert row[f"dV_mV_{label}"] >= 0
            assert row[f"APD90_error_ms_{label}"] >= 0
        assert row["compile_s"] > 0


def test_cells_gives_the_error_of_each_stepper_beside_its_time(tmp_path):
    """In double precision the errors of a beat grow from dt 0.02 to 0.05 ms by 2.5 at first order
    and by 6.25 at second. 5 % and 10 % for terms of higher order: a stepper of the other order is
    off by more than a factor of 2."""
    options = ["--dts", "0.02", "0.05", "--converged", "0.0025", "--x64"]
    printed, told, table = run(tmp_path, "mitchell_schaeffer_2003", *options)
    assert [row["engine"] for row in told["rows"]] == STEPPERS
    assert_shape(told, printed, table, dict.fromkeys(STEPPERS, ("0.02", "0.05")))
    assert told["machine"]["precision"] == "float64"
    for row, ratio, within in zip(told["rows"], (2.5, 6.25, 6.25), (0.05, 0.1, 0.1), strict=True):
        assert (row["cells"], row["steps"]) == (64, 2)
        assert row["dV_mV_0.05"] / row["dV_mV_0.02"] == pytest.approx(ratio, rel=within)
    assert told["rows"][0]["x"] == 1.0
    (sentence,) = told["absent"]
    assert sentence.startswith("Myokit, or its file of mitchell_schaeffer_2003")
    assert sentence in printed


@pytest.mark.long
def test_peers_of_ten_tusscher_are_named_in_a_sentence_where_they_are_absent(tmp_path):
    printed, told, table = run(tmp_path, "ten_tusscher_2006_epi")
    assert told["machine"]["precision"] == "float32"
    assert_shape(told, printed, table, dict.fromkeys(STEPPERS, ("0.05",)))
    assert len(told["absent"]) == 3
    for name, sentence in zip(("torchcor", "finitewave"), told["absent"], strict=False):
        assert sentence.startswith(f"{name} is not in the environment of")


@pytest.mark.data
def test_myokit_runs_the_beat_or_a_sentence_says_what_it_lacks(tmp_path, shared_data):
    printed, told, table = run(tmp_path, "beeler_reuter_1977", data=shared_data)
    labels = dict.fromkeys(STEPPERS, ("0.05",)) | {"myokit": ("own",)}
    assert_shape(told, printed, table, labels)
    engines = [row["engine"] for row in told["rows"]]
    if told["absent"]:
        assert (engines, told["absent"]) == (STEPPERS, [NO_SUNDIALS])
    else:
        assert engines == [*STEPPERS, "myokit"]
        myokit = told["rows"][-1]
        assert myokit["cells"] == 1
        per_step = 1e6 * myokit["beat_ms_own"] / myokit["steps"]  # ns
        assert myokit["ns"] == pytest.approx(per_step, rel=1e-3)  # both to four digits


def test_an_unknown_model_is_refused_by_its_name():
    line = [sys.executable, str(PROGRAM), "--models", "luo_rudy_1992", *TINY]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode != 0
    assert "did you mean 'luo_rudy_1991'?" in done.stderr


def test_the_cost_on_a_card_is_that_of_the_family_in_the_kept_table():
    """To two digits, which is more than a noisy machine knows."""
    kept = json.loads((PROGRAM.parent / "cells.json").read_text())["rows"]
    ns = {row["model"]: row["ns"] for row in kept if row["engine"] == "RushLarsen"}
    for name, card in CARDS.items():
        own = [x for model, x in ns.items() if model.rsplit("_", 1)[0] == name.rsplit("_", 1)[0]]
        own += [x for model, x in ns.items() if name.startswith(model)]
        assert own, f"{name}: no cell of its family is in cells.json"
        assert card.cost == pytest.approx(own[0], rel=0.05), name


@pytest.mark.long
def test_precision_tells_what_single_precision_does(tmp_path):
    """One beat: rounding, far below a step's own error, but not nothing."""
    line = [sys.executable, str(PROGRAM.with_name("precision.py")), "--beats", "1"]
    line += ["--models", "beeler_reuter_1977", "--dt", "0.05"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head, row = map(str.split, done.stdout.splitlines())
    assert head == ["model", "dV_mV", "APD90_ms", "Na_i_%"]
    assert row[0] == "beeler_reuter_1977"
    assert 0 < float(row[1]) < 0.1
    assert float(row[2]) < 0.1
    assert row[3] == "-"
