"""Runs of a sweep that are computed together are those that each is alone."""

import copy
import dataclasses
import json
import os
from pathlib import Path
from unittest.mock import Mock

import equinox as eqx
import jax
import numpy as np
import pytest
import tomli_w

from heartsim.mesh import slab, write_mesh
from heartsim.scenario import _sweep, build_scene, on_dask, run_sweep, scenario_from
from heartsim.scenario._batch import begin_many, bodies_of, run_batch, simulate_many
from heartsim.scenario._directory import Done
from heartsim.tissue import Fixed
from tests.bodies import some_long

START = "stimulus.1.start_ms"
VELOCITIES = {f"velocity_{d}_m_s": 0.5 for d in ("fibre", "sheet", "normal")}
MODELS = {
    "monodomain": {"solver": {"duration_ms": 40.0, "dt_ms": 0.1}},
    "patches": {
        "solver": {"duration_ms": 40.0, "dt_ms": 0.1, "steps": "fixed"},
        "region": [{"tags": ["scar"], "scale": {"tau_in": 1.2}}],
    },
    "reaction_eikonal": {
        "conduction": VELOCITIES,
        "solver": {"model": "reaction_eikonal", "duration_ms": 60.0},
    },
    "without diffusion": {
        "conduction": VELOCITIES,
        "solver": {"model": "reaction_eikonal", "duration_ms": 60.0, "diffusion": False},
    },
    "eikonal": {"conduction": VELOCITIES, "solver": {"model": "eikonal", "duration_ms": 60.0}},
}


@pytest.fixture
def sweep(data, folder):
    """Makes a sweep of a model over the values of a key; another wall lies beside the first."""
    other = slab((22.0, 5.0, 3.0), 1.0)
    frames = np.broadcast_to(np.eye(3), (other.n_cells, 3, 3)).copy()
    write_mesh(dataclasses.replace(other, frames=frames), folder / "other.vtu")

    def make(model, key, values, keep="runs", **more):
        base = copy.deepcopy(data) | MODELS[model] | more
        (folder / "base.toml").write_text(tomli_w.dumps(base))
        path = folder / "sweep.toml"
        vary = [{"key": key, "values": values}]
        path.write_text(tomli_w.dumps({"base": "base.toml", "keep": keep, "vary": vary}))
        return path

    return make


def notes(out):
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))["notes"]


def table_of(path):
    return np.loadtxt(path, delimiter=",", skiprows=1)


def assert_same_runs(one, other, runs):
    """To 1e-3 ms, as float32 in sums of another order leaves it; leads to 1e-4 of their size."""
    for number in range(1, runs + 1):
        a, b = (out / "runs" / f"{number:04d}" for out in (one, other))
        assert {p.name for p in a.iterdir()} == {p.name for p in b.iterdir()}
        times = [table_of(x / "activations.csv") for x in (a, b)]
        by_node = [t[np.lexsort((t[:, 1], t[:, 0]))] for t in times]
        np.testing.assert_allclose(*by_node, rtol=0, atol=1e-3)
        leads = [table_of(x / "ecg.csv") for x in (a, b)]
        np.testing.assert_allclose(*leads, rtol=0, atol=1e-4 * np.abs(leads[0][:, 1:]).max())
        if (a / "state.npz").exists():
            with np.load(a / "state.npz") as first, np.load(b / "state.npz") as second:
                assert first["structure"] == second["structure"]
                np.testing.assert_array_equal(first["nodes"], second["nodes"])
                # mV; steep repolarisation turns 1e-3 ms into 1e-2 mV
                np.testing.assert_allclose(first["state_0"], second["state_0"], atol=1e-2)


def assert_same_rows(one, other):
    assert [r["status"] for r in one] == len(one) * ["done"]
    for a, b in zip(one, other, strict=True):
        assert list(a) == list(b)
        numbers = [k for k, x in a.items() if isinstance(x, float)]
        np.testing.assert_allclose([a[k] for k in numbers], [b[k] for k in numbers], atol=2e-3)


@pytest.mark.parametrize("model", list(MODELS))
def test_runs_together_are_those_alone(sweep, folder, model):
    path = sweep(model, START, [0.0, 3.0, 7.5])
    alone = run_sweep(path, folder / "alone")
    together = run_sweep(path, folder / "together", batch=3)
    assert_same_rows(together, alone)
    assert_same_runs(folder / "together", folder / "alone", 3)
    assert notes(folder / "together") == []
    assert any("one of 3 runs" in n for n in notes(folder / "together" / "runs" / "0002"))


@pytest.mark.parametrize("model", ["monodomain", "reaction_eikonal"])
def test_hearts_of_different_size_are_padded(sweep, folder, model):
    path = sweep(model, "heart.mesh", ["wall.vtu", "other.vtu"])
    alone = run_sweep(path, folder / "alone")
    together = run_sweep(path, folder / "together", batch=2)
    assert_same_rows(together, alone)
    assert alone[0]["conductive_nodes"] != alone[1]["conductive_nodes"]
    assert_same_runs(folder / "together", folder / "alone", 2)
    assert notes(folder / "together") == []


def test_what_is_of_another_kind_runs_alone_and_is_noted(sweep, folder):
    """An eikonal batch shares one front, so that a run on another mesh stays behind."""
    path = sweep("eikonal", "heart.mesh", ["wall.vtu", "other.vtu", "wall.vtu"])
    rows = run_sweep(path, folder / "out", batch=3)
    assert [r["status"] for r in rows] == 3 * ["done"]
    (note,) = notes(folder / "out")
    assert note == "run 2 was not batched: no other run of its batch is of its kind"


def test_membranes_and_steps_are_kinds(data, folder):
    def scenario(**solver):
        ionic = solver.pop("ionic", "mitchell_schaeffer_2003")
        heart, steps = data["heart"] | {"ionic": ionic}, {"duration_ms": 1.0, "steps": "fixed"}
        return scenario_from(data | {"heart": heart, "solver": steps | solver}, folder=folder)

    others = [{"ionic": "aliev_panfilov_1996"}, {"dt_ms": 0.1}, {"rtol": 1e-4}]
    found = run_batch([scenario(), *(scenario(**other) for other in others), scenario()])
    assert [isinstance(x, Done) for x in found] == [True, False, False, False, True]


def test_a_batch_of_none_is_refused(sweep, folder):
    with pytest.raises(ValueError, match="batch = 0 was given"):
        run_sweep(sweep("eikonal", START, [0.0]), folder / "out", batch=0)


def test_runs_that_keep_voltages_run_alone(sweep, folder):
    path = sweep("monodomain", START, [0.0, 3.0], output={"voltage_every_ms": 10.0})
    run_sweep(path, folder / "out", batch=2)
    assert (folder / "out" / "runs" / "0001" / "V.vtkhdf").exists()
    assert "keeps voltages" in notes(folder / "out")[0]


def test_where_only_rows_are_kept_voltages_are_no_reason_to_run_alone(sweep, folder):
    more = {"output": {"voltage_every_ms": 10.0}}
    rows = run_sweep(sweep("monodomain", START, [0.0, 3.0], "table", **more), folder / "a", batch=2)
    assert notes(folder / "a") == []
    assert_same_rows(rows, run_sweep(sweep("monodomain", START, [0.0, 3.0], **more), folder / "b"))


@pytest.fixture(scope="module")
def cluster():
    """The address of a real Dask scheduler with two worker processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


DASK = pytest.mark.filterwarnings("ignore")  # distributed's own, as its processes come and go


@DASK
@pytest.mark.parametrize("model", some_long(["monodomain", "eikonal"], "monodomain".__eq__))
def test_batches_on_a_cluster_are_those_here(sweep, folder, cluster, model):
    """To the last digit; the second run touches nothing, so that the first runs alone."""
    places = [[x, 0.0, 0.0] for x in (0.0, 500.0, 2.0, 3.0)]
    path = sweep(model, "stimulus.1.at.point_mm", places)
    there = run_sweep(path, folder / "there", batch=2, through=on_dask(cluster))
    here = run_sweep(path, folder / "here", batch=2)
    assert there == here
    assert [r["status"][:6] for r in here] == ["done", "failed", "done", "done"]
    for run in ("0001", "0003", "0004"):
        one, other = (folder / name / "runs" / run for name in ("there", "here"))
        for name in ("activations.csv", "ecg.csv"):
            assert (one / name).read_bytes() == (other / name).read_bytes()
    assert notes(folder / "there") == notes(folder / "here")
    assert any("one of 2 runs" in n for n in notes(folder / "there" / "runs" / "0004"))


class Killed:
    """Does batches, but the first time that run 3 comes its process dies when half is written."""

    def __init__(self, one, mark: Path):
        self.one, self.mark = one, mark

    def __call__(self, batch):
        if batch[0].number == 3 and not self.mark.exists():
            self.mark.write_text("")
            self.one(batch[:1])
            os._exit(1)
        return self.one(batch)


@DASK
def test_a_batch_whose_worker_is_lost_is_done_again(sweep, folder, cluster):
    def losing(one, batches):
        return on_dask(cluster)(Killed(one, folder / "killed"), batches)

    path = sweep("eikonal", START, [0.0, 1.0, 2.0, 3.0])
    there = run_sweep(path, folder / "there", batch=2, through=losing)
    assert (folder / "killed").exists()
    here = run_sweep(path, folder / "here", batch=2)
    assert_same_rows(there, here)
    assert_same_runs(folder / "there", folder / "here", 4)


def test_a_run_that_fails_leaves_its_batch_to_the_others(sweep, folder):
    """A stimulus of 1e5 mV/ms takes the voltage beyond all bounds, one far away touches nothing."""
    path = sweep("monodomain", "stimulus.1.strength_mV_per_ms", [50.0, 1e5, 60.0])
    rows = run_sweep(path, folder / "out", batch=3)
    assert rows[0]["status"] == rows[2]["status"] == "done"
    assert rows[1]["status"].startswith("failed: the voltage ran away")
    assert notes(folder / "out") == ["run 2 was not batched: its voltage ran away"]
    far = sweep("monodomain", "stimulus.1.at.point_mm", [[0.0, 0, 0], [500.0, 0, 0], [1.0, 0, 0]])
    rows = run_sweep(far, folder / "far", batch=3)
    assert rows[0]["status"] == rows[2]["status"] == "done"
    assert rows[1]["status"].startswith("failed: [[stimulus]] 1")


def test_a_batch_that_is_broken_off_is_all_that_is_lost(sweep, folder, monkeypatch):
    path = sweep("eikonal", START, [0.0, 1.0, 2.0, 3.0, 4.0])
    given = []

    def broken(scenarios, cache):
        given.append(len(scenarios))
        if len(given) == 2:
            raise KeyboardInterrupt
        return run_batch(scenarios, cache)

    monkeypatch.setattr(_sweep, "run_batch", broken)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(path, folder / "out", batch=2)
    kept = folder / "out.partial" / "rows"
    assert sorted(p.name for p in kept.iterdir()) == ["0001.json", "0002.json"]
    rows = run_sweep(path, folder / "out", resume=True, batch=3)
    assert given == [2, 2, 3]
    assert_same_rows(rows, run_sweep(path, folder / "alone"))


def test_a_batch_compiles_for_cuda(data, folder):
    scenes = [
        build_scene(scenario_from(data | {"heart": data["heart"] | {"mesh": mesh}}, "x", folder))
        for mesh in ("wall.vtu", "wall.vtu")
    ]
    bodies = bodies_of(scenes)
    dynamic, static = eqx.partition((bodies, begin_many(bodies, 0.1)), eqx.is_array)

    def run(dynamic):
        bodies, carry = eqx.combine(dynamic, static)
        carry, kept = simulate_many(bodies, carry, 0.1, 40, 20, Fixed())
        return carry.events.activation.step, kept.leads

    exported = jax.export.export(jax.jit(run), platforms=["cuda"])(dynamic)
    assert "callback" not in exported.mlir_module()


def test_runs_of_other_conductivities_are_one_batch_on_a_gpu(data, folder, monkeypatch):
    """There each has a plan of its own for its linear solve."""
    gpu = [Mock(spec=jax.Device, platform="gpu")]
    monkeypatch.setattr("heartsim.scenario._scene.devices_of", lambda scenario: gpu)
    sigma = "sigma_{}_mS_mm"
    runs = [
        {"conduction": {sigma.format(way): s for way in ("fibre", "sheet", "normal")}}
        for s in (0.1, 0.4)
    ]
    base = copy.deepcopy(data) | MODELS["patches"]
    scenarios = [scenario_from(base | run, folder=folder) for run in runs]
    terms = {build_scene(s).tissue.solver.terms for s in scenarios}
    assert len(terms) == 2
    assert all(isinstance(done, Done) for done in run_batch(scenarios))
