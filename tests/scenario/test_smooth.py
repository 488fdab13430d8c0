"""Jumps of membranes led over by sigmoids of a width that is asked for, and told; else exact."""

import json

import jax
import numpy as np
import pytest

from heartsim.cli import run_command
from heartsim.ionic import Pacing, by_name, pace, smoothed
from heartsim.scenario import build_scene, paced_cell, scenario_from, sensitivity_study
from heartsim.scenario._tissue import membranes
from tests.cells import write

READ = ("apd90_ms", "apd50_ms", "peak_mV", "rest_mV")
SHORT = Pacing(cycle_length=20.0, dt=0.05)


def told(capsys, *words):
    assert run_command(["cell", *words, "--cycle-ms", "20", "--dt-ms", "0.05", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["luo_rudy_1991", "cell.mmt"])
def test_the_command_leads_over_jumps_if_asked_and_tells_the_width(tmp_path, capsys, name):
    """A beat as of `smoothed`, which a wide sigmoid changes; else exact, and nothing is told."""
    if name == "cell.mmt":
        name = str(write(tmp_path / name))
    rows = told(capsys, name, "--smooth", "5")
    assert (rows["smooth_mV"]["value"], rows["smooth_mV"]["unit"]) == (5.0, "mV")
    with jax.enable_x64(True):
        soft, sharp = (pace(m, SHORT).V for m in (smoothed(by_name(name), 5.0), by_name(name)))
    np.testing.assert_array_equal(paced_cell(name, SHORT, smooth_mV=5.0)[0].V, soft)
    assert np.abs(soft - sharp).max() > 1e-3
    assert rows["peak_mV"]["value"] == pytest.approx(soft.max(), abs=1e-6)
    exact = told(capsys, name)
    assert "smooth_mV" not in exact
    assert exact["peak_mV"]["value"] == pytest.approx(sharp.max(), abs=1e-6)


def test_a_sensitivity_is_of_a_smooth_model_of_a_width_that_is_told(monkeypatch):
    """1 mV where none is asked for."""
    widths = []

    def known(model, own, pacing):
        widths.append(float(model.jump_width))
        return {name: dict.fromkeys(READ, 1.0) for name in own}

    monkeypatch.setattr("heartsim.scenario._cell_studies.sensitivity", known)
    for width, wanted in ((None, 1.0), (5.0, 5.0)):
        rows = sensitivity_study("luo_rudy_1991", SHORT, {"g_Na": 0.9}, smooth_mV=width)[1]
        assert (rows["smooth_mV"]["value"], widths[-1]) == (wanted, wanted)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["luo_rudy_1991", "--smooth", "0"], "wanted a width above 0 mV, was given 0"),
        (["--import", "cell.mmt", "--smooth", "1"], "--import holds a file as it is"),
    ],
)
def test_one_sentence_for_each_mistake(words, said, capsys):
    assert run_command(["cell", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_scenario_leads_over_the_jumps_of_all_its_membranes(data, folder):
    """Built in and of a file; absent: they jump."""
    write(folder / "cell.mmt")
    data["heart"]["ionic"] = "ten_tusscher_2006_epi"
    data["conduction"] = {f"sigma_{of}_mS_mm": 0.1 for of in ("fibre", "sheet", "normal")}
    data["region"] = [{"tags": ["scar"], "ionic": "cell.mmt"}]

    data["heart"]["smooth_mV"] = 0.5
    scenario = scenario_from(data, folder=folder)
    scene = build_scene(scenario)
    own, of_file = (m.inner for m in scene.tissue.ionic.models)
    assert (own.jump_width, "blend" in repr(of_file.program)) == (0.5, True)
    heart = scenario.heart.model_copy(update={"smooth_mV": None})
    own, of_file = membranes(heart, scenario.region, scene.mesh)[0]
    assert (own.jump_width, "blend" in repr(of_file.program)) == (None, False)
    data["heart"]["smooth_mV"] = 0.0
    with pytest.raises(ValueError, match="smooth_mV"):
        scenario_from(data, folder=folder)
