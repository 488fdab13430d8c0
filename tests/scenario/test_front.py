"""Runs of the eikonal model: what the directory holds, and what does not go with it."""

import json

import numpy as np
import pytest

from heartsim.mesh import read_mesh
from heartsim.scenario import check_scenario, run_scenario, scenario_from
from heartsim.tissue import COWAN


@pytest.fixture
def data(data):
    """The wall of conftest, from its left end."""
    data["conduction"] = {
        "velocity_fibre_m_s": 0.6,
        "velocity_sheet_m_s": 0.4,
        "velocity_normal_m_s": 0.4,
    }
    data["stimulus"] = [{"at": {"box_mm": [[0.0, 0.0, 0.0], [0.0, 4.0, 3.0]]}, "start_ms": 5.0}]
    data["solver"] = {"model": "eikonal", "duration_ms": 400.0}
    return data


def test_a_plane_wave_fills_the_run_directory(data, folder):
    """Exact: the front enters along the fibres at 5 ms and travels at 0.6 mm/ms. The leads are
    those of the template's depolarisation and recovery, and obey Einthoven."""
    summary = run_scenario(scenario_from(data, folder=folder), folder / "out")
    mesh = read_mesh(folder / "out" / "activation.vtu")
    T = 5.0 + mesh.points[:, 0] / 0.6
    found = {k: mesh.point_data[f"{k}_ms"] for k in ("activation", "repolarisation", "apd90")}
    assert found["activation"] == pytest.approx(T, abs=1e-3)  # float32, 45 ms
    apd = 280.0 + COWAN * (T - T.mean())
    assert found["apd90"] == pytest.approx(apd, abs=1e-2)
    assert found["repolarisation"] == pytest.approx(T + apd, abs=1e-2)
    assert summary["activated"]["value"] == 1.0
    assert summary["total_activation_ms"]["value"] == pytest.approx(40.0, abs=1e-3)
    ecg = np.loadtxt(folder / "out" / "ecg.csv", delimiter=",", skiprows=1)
    assert ecg.shape == (400, 13)
    # on a flat wall of 24 mm, far from the electrodes, leads are small but not zero
    assert np.ptp(ecg[:, 1]) > 0
    assert ecg[:, 1] + ecg[:, 3] == pytest.approx(ecg[:, 2], abs=2e-6 * np.abs(ecg).max())
    manifest = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert any("template stands in" in note for note in manifest["notes"])


def test_what_comes_after_the_end_is_told(data, folder):
    """The last node activates at 45 ms; leads of 20 ms end before, and nothing has recovered."""
    data["solver"]["duration_ms"] = 20.0
    summary = run_scenario(scenario_from(data, folder=folder), folder / "out")
    assert summary["repolarised"]["value"] == 0.0
    notes = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["notes"]
    assert "the last node activates at 45 ms, but leads end with the run at 20 ms" in notes[0]


def test_a_fast_layer_goes_before_a_region_and_says_so(data, folder):
    slow = dict.fromkeys(("velocity_fibre_m_s", "velocity_sheet_m_s", "velocity_normal_m_s"), 0.1)
    data["region"] = [{"tags": ["scar"], **slow}]
    data["fast_layer"] = {"surfaces": ["lv_endo"], "velocity_m_s": 1.5}
    run_scenario(scenario_from(data, folder=folder), folder / "out")
    notes = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["notes"]
    (told,) = (note for note in notes if "fast_layer" in note)
    assert "[[region]] 1: " in told
    assert "cells are of the [fast_layer], which goes before its own conduction" in told


def test_scar_is_gone_around_and_regions_have_their_velocity(data, folder):
    data["region"] = [
        {
            "tags": ["scar"],
            "velocity_fibre_m_s": 0.3,
            "velocity_sheet_m_s": 0.2,
            "velocity_normal_m_s": 0.2,
        }
    ]
    run_scenario(scenario_from(data, folder=folder), folder / "slow")
    slow = read_mesh(folder / "slow" / "activation.vtu")
    # the last 6 mm take twice as long; cells at the border belong to one side or the other
    assert slow.point_data["activation_ms"].max() == pytest.approx(5 + 18 / 0.6 + 6 / 0.3, abs=1.0)
    data["region"] = [{"tags": ["scar"], "conductive": False}]
    summary = run_scenario(scenario_from(data, folder=folder), folder / "blocked")
    blocked = read_mesh(folder / "blocked" / "activation.vtu")
    beyond = blocked.points[:, 0] > 18.5
    assert np.isnan(blocked.point_data["activation_ms"][beyond]).all()
    assert summary["activated"]["value"] == 1.0  # of the conductive nodes


def test_a_fast_layer_leads_along_its_surface(data, folder):
    data["fast_layer"] = {"surfaces": ["lv_endo"], "velocity_m_s": 2.0}
    run_scenario(scenario_from(data, folder=folder), folder / "out")
    mesh = read_mesh(folder / "out" / "activation.vtu")
    x, z = mesh.points[:, 0], mesh.points[:, 2]
    T = mesh.point_data["activation_ms"] - 5.0
    assert T[z == 0] == pytest.approx(x[z == 0] / 2.0, abs=0.05)
    # the epicardium follows from below: by the layer, then 2 mm across at 0.4 mm/ms and a slant
    assert (T[(z == 3) & (x > 12)] < x[(z == 3) & (x > 12)] / 2.0 + 2.5 / 0.4).all()


def test_check_counts_the_nodes_that_start(data, folder):
    rows = check_scenario(scenario_from(data, folder=folder))
    assert rows["start_nodes"]["value"] == 5 * 4  # the end of the wall, edges of 1 mm


@pytest.mark.parametrize("diffusion", [True, False])
def test_arrival_times_fire_the_membranes(data, folder, diffusion):
    """Reaction-eikonal on edges of 1 mm: activation follows T by the membrane's own millisecond
    (0.83 to 0.98 in tests/tissue/test_reaction_eikonal.py), with diffusion less in the last 4 mm
    of the wall, where no rest is left ahead to draw current; and the beat ends."""
    data["solver"] = {
        "model": "reaction_eikonal",
        "duration_ms": 400.0,
        "dt_ms": 0.1,
        "diffusion": diffusion,
    }
    scenario = scenario_from(data, folder=folder)
    summary = run_scenario(scenario, folder / "out")
    mesh = read_mesh(folder / "out" / "activation.vtu")
    late = mesh.point_data["activation_ms"] - (5.0 + mesh.points[:, 0] / 0.6)
    assert late[mesh.points[:, 0] < 20] == pytest.approx(0.9, abs=0.2)
    assert late == pytest.approx(0.9, abs=1.0)
    assert summary["repolarised"]["value"] == 1.0
    assert "time_s" in check_scenario(scenario)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"conduction": {f"sigma_{d}_mS_mm": 0.1 for d in ("fibre", "sheet", "normal")}},
            r"\[conduction\] gives conductivities, and model = 'eikonal' needs velocities",
        ),
        (
            {"solver": {"model": "monodomain"}, "template": {}},
            r"\[template\] does not go with model = 'monodomain'",
        ),
        ({"stimulus": [{"at": {"nodes": [0]}, "beats": 2}]}, r"\[\[stimulus\]\] 1: beats = 2"),
        ({"output": {"voltage_every_ms": 5.0}}, "voltage_every_ms does not go with the eikonal"),
        (
            {"fast_layer": {"surfaces": ["rv_endo"], "velocity_m_s": 1.0}},
            "'rv_endo' does not exist",
        ),
        ({"fast_layer": {"surfaces": ["lv_endo"], "velocity_m_s": 0.0}}, "velocity_m_s = 0"),
    ],
)
def test_what_does_not_go_with_the_model_is_refused(data, folder, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        run_scenario(scenario_from(data | change, folder=folder), folder / "out")
