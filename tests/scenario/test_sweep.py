"""Sweeps: grids and samples, failures, resuming, and the same on a cluster."""

import csv
import errno
import functools
import json
import os
import time
from pathlib import Path
from unittest.mock import Mock

import jax
import numpy as np
import pytest
import tomli_w

from heartsim.scenario import _batch, _directory, _sweep, on_dask, read_sweep, run_sweep
from heartsim.scenario._batch import Alone
from heartsim.scenario._dask import Lost
from heartsim.scenario._directory import partial_of
from heartsim.scenario._sweep import Run, sweep_tasks
from heartsim.scenario._sweep_schema import SweepFile, combinations

VELOCITY = "conduction.velocity_fibre_m_s"


@pytest.fixture
def base(data, folder):
    """An eikonal scenario on the wall, which takes a second."""
    data["conduction"] = {f"velocity_{d}_m_s": 0.5 for d in ("fibre", "sheet", "normal")}
    data["solver"] = {"model": "eikonal", "duration_ms": 60.0}
    (folder / "base.toml").write_text(tomli_w.dumps(data))
    return folder


def sweep_of(folder, vary, **more):
    path = folder / "sweep.toml"
    path.write_text(tomli_w.dumps({"base": "base.toml", "vary": vary} | more))
    return path


GRID = [
    {"key": VELOCITY, "values": [0.4, 0.8]},
    {"key": "stimulus.1.start_ms", "values": [0.0, 5.0]},
]


def test_a_grid_is_every_combination_and_each_run_is_the_scenario_it_says(base):
    table = run_sweep(sweep_of(base, GRID), base / "out", cache=base / "tuned")
    assert [(r[VELOCITY], r["stimulus.1.start_ms"]) for r in table] == [
        (0.4, 0.0),
        (0.4, 5.0),
        (0.8, 0.0),
        (0.8, 5.0),
    ]
    latest = [r["latest_activation_ms"] for r in table]
    assert latest[1] - latest[0] == pytest.approx(5.0, abs=1e-3)
    assert latest[0] > latest[2]  # a slower fibre is later
    summary = json.loads(
        (base / "out" / "runs" / "0003" / "summary.json").read_text(encoding="utf-8")
    )
    assert latest[2] == summary["latest_activation_ms"]["value"]
    with (base / "out" / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["latest_activation_ms"]) for r in rows] == latest
    assert {r["status"] for r in rows} == {"done"}
    parquet = pytest.importorskip("pyarrow.parquet").read_table(base / "out" / "table.parquet")
    assert parquet.column("latest_activation_ms").to_pylist() == latest
    assert not (base / "out" / "rows").exists()


def test_values_of_several_types_are_text_in_parquet(base):
    parquet = pytest.importorskip("pyarrow.parquet")
    given = {"solver.thickening": ["auto", 2.0], "region.1.tags": [[1], ["scar"]]}
    base_text = (base / "base.toml").read_text(encoding="utf-8")
    (base / "base.toml").write_text(base_text + '\n[[region]]\ntags = ["muscle"]\n')
    run_sweep(sweep_of(base, [{"key": k, "values": v} for k, v in given.items()]), base / "out")
    table = parquet.read_table(base / "out" / "table.parquet")
    assert table.column("solver.thickening").to_pylist() == ["auto", "auto", "2.0", "2.0"]
    assert table.column("region.1.tags").to_pylist() == 2 * ["[1]", "['scar']"]
    assert table.column("run").to_pylist() == [1, 2, 3, 4]


def test_a_section_that_the_base_leaves_out_has_its_defaults(base):
    text = (base / "base.toml").read_text(encoding="utf-8")
    head, _, tail = text.partition("[conduction]")
    (base / "base.toml").write_text(head + "[[" + tail.split("[[", 1)[1])
    (task,) = sweep_tasks(read_sweep(sweep_of(base, [{"key": VELOCITY, "values": [0.9]}])))
    assert task.scenario.conduction.velocity_fibre_m_s == 0.9
    assert task.scenario.conduction.velocity_sheet_m_s == 0.40  # as docs/scenario.md says


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol", "random"])
def test_a_sample_stays_between_its_bounds_and_comes_again_with_its_seed(method):
    vary = [
        {"key": VELOCITY, "between": [0.4, 0.8]},
        {"key": "conduction.velocity_sheet_m_s", "between": [0.01, 1.0], "scale": "log"},
    ]
    given = {"base": "b", "vary": vary, "sample": {"runs": 20, "method": method, "seed": 4}}
    values = np.array([list(c.values()) for c in combinations(SweepFile.model_validate(given))])
    assert values.shape == (20, 2)
    assert ((values[:, 0] >= 0.4) & (values[:, 0] < 0.8)).all()
    assert 3 < (values[:, 1] < 0.1).sum() < 17  # half of them below the geometric middle
    again = [list(c.values()) for c in combinations(SweepFile.model_validate(given))]
    assert (values == again).all()
    if method == "latin_hypercube":  # one in each twentieth
        assert sorted(np.floor((values[:, 0] - 0.4) / 0.02)) == list(range(20))


def test_a_run_that_fails_is_a_row_and_the_others_go_on(base):
    """A stimulus far away touches no node."""
    vary = [{"key": "stimulus.1.at.point_mm", "values": [[0.0, 0, 0], [500.0, 0, 0]]}]
    good, bad = run_sweep(sweep_of(base, vary), base / "out")
    assert good["status"] == "done"
    assert bad["status"].startswith("failed: [[stimulus]] 1")
    assert "latest_activation_ms" not in bad
    assert (
        json.loads((base / "out" / "summary.json").read_text(encoding="utf-8"))["failed"]["value"]
        == 1
    )


@pytest.mark.parametrize("batch", [1, 3])
def test_an_absent_file_fails_its_own_run_alone(base, batch):
    vary = [{"key": "heart.mesh", "values": ["wall.vtu", "gone.vtu", "wall.vtu"]}]
    rows = run_sweep(sweep_of(base, vary), base / "out", batch=batch)
    assert [r["status"][:6] for r in rows] == ["done", "failed", "done"]
    assert "gone.vtu does not exist; check the path" in rows[1]["status"]


def test_a_run_too_large_for_the_memory_fails_alone_and_a_full_disk_stops_all(base, monkeypatch):
    def short(scenario, own, **_):
        partial_of(own).mkdir()  # with a checkpoint
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")

    monkeypatch.setattr(_sweep, "run_scenario", short)
    rows = run_sweep(sweep_of(base, GRID[:1]), base / "out")
    assert [r["status"] for r in rows] == 2 * ["failed: RESOURCE_EXHAUSTED: Out of memory"]
    assert list((base / "out" / "runs").iterdir()) == []
    monkeypatch.setattr(_sweep, "run_scenario", Mock(side_effect=OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        run_sweep(sweep_of(base, GRID[:1]), base / "again")


def test_a_batch_too_large_for_the_memory_is_run_one_by_one(base, monkeypatch):
    short = Mock(side_effect=jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED"))
    monkeypatch.setattr(_batch, "_fronts", short)
    rows = run_sweep(sweep_of(base, GRID[:1]), base / "out", batch=2)
    assert [r["status"] for r in rows] == ["done", "done"]
    short.assert_called_once()


def test_a_sweep_that_is_stopped_goes_on_without_repeating(base):
    class Stop(Exception):
        pass

    def progress(done, whole):
        if done == 2:
            raise Stop

    sweep = sweep_of(base, GRID, keep="table")
    with pytest.raises(Stop):
        run_sweep(sweep, base / "out", progress=progress)
    before = {p: p.stat().st_mtime_ns for p in (base / "out.partial" / "rows").iterdir()}
    assert len(before) == 2
    seen = []

    def later(done, whole):
        seen.append(done)
        for path, written in before.items():
            assert path.stat().st_mtime_ns == written

    table = run_sweep(sweep, base / "out", resume=True, progress=later)
    assert seen == [3, 4]
    assert table == run_sweep(sweep, base / "whole")
    assert list((base / "out" / "runs").iterdir()) == []


def test_run_10000_does_not_keep_run_1000_out_of_its_batch(base, monkeypatch):
    given = []

    def left(scenarios, cache):
        given.extend(scenarios)
        return [Alone("")] * len(scenarios)

    monkeypatch.setattr(_sweep, "run_batch", left)
    for name in ("rows", "runs/10000"):
        (base / "out" / name).mkdir(parents=True)
    tasks = sweep_tasks(read_sweep(sweep_of(base, GRID[:1])))
    batch = [t._replace(number=number) for t, number in zip(tasks, (1000, 1001), strict=True)]
    Run(base / "out", None, keep=False)(batch)
    assert given == [t.scenario for t in batch]


def test_what_is_not_kept_is_not_written(base, monkeypatch):
    kept = run_sweep(sweep_of(base, GRID), base / "kept")

    def refuse(*_):
        raise AssertionError("a map was written")

    monkeypatch.setattr(_directory, "write_mesh", refuse)
    assert run_sweep(sweep_of(base, GRID, keep="table"), base / "table") == kept
    assert list((base / "table" / "runs").iterdir()) == []


def test_another_sweep_is_not_gone_on_with(base):
    def stop(done, whole):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_of(base, GRID), base / "out", progress=stop)
    with pytest.raises(ValueError, match="belongs to another sweep, as the sweep file has changed"):
        run_sweep(sweep_of(base, GRID[:1]), base / "out", resume=True)
    mesh = base / "wall.vtu"
    mesh.write_bytes(mesh.read_bytes() + b"\n")
    with pytest.raises(ValueError, match=r"another sweep, as .*wall\.vtu has changed since"):
        run_sweep(sweep_of(base, GRID), base / "out", resume=True)


@pytest.mark.parametrize(
    ("vary", "more", "said"),
    [
        ([{"key": "conduction.velocity_fibr_m_s", "values": [1.0]}], {}, "did you mean"),
        ([{"key": VELOCITY, "values": [-1.0]}], {}, "must be greater than 0"),
        ([{"key": "stimulus.2.start_ms", "values": [1.0]}], {}, "a number from 1 to 1"),
        ([{"key": "stimulus.1", "values": [1.0]}], {}, "name the entry's number, and the key"),
        ([{"key": VELOCITY}], {}, "give either values or between"),
        ([{"key": VELOCITY, "between": [1.0, 0.5]}], {"sample": {"runs": 2}}, "must rise"),
        ([{"key": VELOCITY, "between": [0.5, 1.0]}], {}, "needs values"),
        ([{"key": VELOCITY, "values": [0.5]}], {"sample": {"runs": 2}}, "needs between"),
        (2 * [{"key": VELOCITY, "values": [0.5]}], {}, "two [[vary]] have the key"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_run(base, vary, more, said):
    with pytest.raises(ValueError, match=r".*") as caught:
        sweep_tasks(read_sweep(sweep_of(base, vary, **more)))
    assert said in str(caught.value)


def test_a_run_that_is_lost_is_a_row_and_the_others_go_on(base):
    def losing(one, batches):
        first, second = batches
        one(second[1:])  # its row is kept
        yield Lost(second, "its worker was lost 4 times")
        yield one(first)

    rows = run_sweep(sweep_of(base, GRID), base / "out", through=losing, batch=2)
    lost = "failed: its worker was lost 4 times"
    assert [r["status"] for r in rows] == ["done", "done", lost, "done"]
    assert (rows[2][VELOCITY], rows[2]["stimulus.1.start_ms"]) == (0.8, 0.0)


class Killed:
    """Does a run, but the first time that run 2 comes its process dies."""

    def __init__(self, one, mark: Path):
        self.one, self.mark = one, mark

    def __call__(self, batch):
        if batch[0].number == 2 and not self.mark.exists():
            self.mark.write_text("")
            time.sleep(0.5)
            os._exit(1)
        return self.one(batch)


def leave_a_mark(folder):
    """What a worker does first."""
    (folder / str(os.getpid())).touch()


@pytest.mark.filterwarnings("ignore")  # distributed's own, as its processes come and go
def test_a_cluster_that_loses_a_worker_gives_the_same_table(base):
    prepared = base / "prepared"
    prepared.mkdir()
    through = on_dask("local", workers=2, prepare=functools.partial(leave_a_mark, prepared))

    def losing(one, tasks):
        return through(Killed(one, base / "killed"), tasks)

    there = run_sweep(sweep_of(base, GRID), base / "there", through=losing)
    assert (base / "killed").exists()
    assert len(list(prepared.iterdir())) == 3  # two workers and the one in place of the lost
    assert there == run_sweep(sweep_of(base, GRID), base / "here")
    for run in ("0001", "0004"):
        one, other = (base / name / "runs" / run / "ecg.csv" for name in ("there", "here"))
        assert one.exists() == other.exists()
        if one.exists():
            assert one.read_bytes() == other.read_bytes()
