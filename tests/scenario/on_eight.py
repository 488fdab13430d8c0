"""Run by tests/devices/test_on_eight.py in a process that has eight devices."""

import dataclasses
import re

import numpy as np
import pytest

from heartsim.mesh import read_mesh, write_mesh
from heartsim.scenario import Runaway, build_scene, run_scenario, scenario_from


@pytest.fixture
def scenario(data, folder):
    """A wall of three membranes in a row, so that each device has another share of them."""
    mesh = read_mesh(folder / "wall.vtu")
    along = np.asarray(mesh.points)[:, 0] / 24.0
    mesh = dataclasses.replace(mesh, point_data=mesh.point_data | {"along": along})
    write_mesh(mesh, folder / "wall.vtu")
    names = dict.fromkeys(("endo", "mid", "epi"), "mitchell_schaeffer_2003")
    data["heart"] |= {"refine": 1, "layers": {"field": "along"} | names}
    data["region"] = [{"tags": ["scar"], "scale": {"tau_close": 1.5}}]
    data["gradient"] = [{"parameter": "tau_in", "field": "along", "at_0": 1.0, "at_1": 1.3}]

    def on(devices, **heart):
        changed = {"heart": data["heart"] | heart, "solver": data["solver"] | {"devices": devices}}
        return scenario_from(data | changed, folder=folder)

    return on


def activation(folder):
    return np.asarray(read_mesh(folder / "activation.vtu").point_data["activation_ms"])


def test_a_run_is_the_same_on_one_and_on_all(scenario, folder):
    """To 0.01 ms, where the linear solve is good to 1e-4 of the change in a step."""
    assert build_scene(scenario("all")).tissue.spread.parts == 8
    run_scenario(scenario(1), folder / "one")
    run_scenario(scenario("all"), folder / "all")
    one = activation(folder / "one")
    assert np.isfinite(one).all()
    np.testing.assert_allclose(one, activation(folder / "all"), atol=0.01)


@pytest.mark.parametrize(("first", "then"), [(1, "all"), ("all", 2)])
def test_a_state_is_gone_on_from_on_other_devices(scenario, folder, first, then):
    """It holds each node by its number, whatever it was computed on."""
    run_scenario(scenario(first), folder / "first")
    kept = {"initial_state": str(folder / "first" / "state.npz")}
    scene = build_scene(scenario(then, **kept))
    with np.load(folder / "first" / "state.npz") as stored:
        assert len(stored["state_0"]) == len(scene.nodes)
    ends = []
    for devices in (first, then):
        run_scenario(scenario(devices, **kept), folder / f"on-{devices}")
        with np.load(folder / f"on-{devices}" / "state.npz") as stored:
            ends.append([stored[f"state_{k}"] for k in range(4)])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-2)


def test_a_run_that_is_stopped_goes_on_bit_for_bit(scenario, folder):
    class Stop(Exception):
        pass

    def progress(done, whole):
        if done >= 30.0:
            raise Stop

    run_scenario(scenario("all"), folder / "whole")
    with pytest.raises(Stop):
        run_scenario(scenario("all"), folder / "parts", progress=progress)
    run_scenario(scenario("all"), folder / "parts", resume=True)
    for name in ("state.npz", "activations.csv"):
        assert (folder / "whole" / name).read_bytes() == (folder / "parts" / name).read_bytes()


@pytest.mark.parametrize(
    ("sample_ms", "begun"),
    [
        (1.0, r"at 1 ms node \d+ \(of activation\.vtu\) has V = nan mV with h = nan;"),
        (0.1, r"at 0\.2 ms node \d+ \(of activation\.vtu\) has V = -\d+\.\d+ mV with h = 0\.\d+;"),
    ],
    ids=["nan", "large"],
)
def test_a_runaway_is_told_in_the_sentence_of_one_device(scenario, folder, data, sample_ms, begun):
    """To the last digit, in float64; the stimulus, far too strong, has no symmetry."""
    at = {"point_mm": [11.3, 1.2, 0.9], "radius_mm": 1.5}
    data["stimulus"][0] |= {"at": at, "strength_mV_per_ms": 5000.0}
    data["solver"]["precision"] = "float64"
    data["output"]["sample_ms"] = sample_ms
    said = []
    for devices in (1, "all"):
        with pytest.raises(Runaway) as caught:
            run_scenario(scenario(devices), folder / f"on-{devices}")
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert re.search(begun, said[0])
