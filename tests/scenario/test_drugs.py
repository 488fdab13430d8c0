"""Drugs in a whole run: `[[drug]]` of a scenario."""

import numpy as np
import pytest

from heartsim.ionic import Pacing, by_name, markers, pace, scaled
from heartsim.mesh import read_mesh
from heartsim.scenario import build_scene, read_scenario, run_scenario, scenario_from

TABLE = """drug,Kr_IC50,Kr_h,Na_IC50,Na_h,NaL_IC50,NaL_h,therapeutic
blocker,100,1,,,,,50
slower,,,50,1,,,
late,,,,,10,1,5
"""


@pytest.fixture
def scenario(data, folder):
    """A wall from which drugs.csv can be seen, with ten Tusscher's cells, for 450 ms."""
    (folder / "drugs.csv").write_text(TABLE)
    data["heart"]["ionic"] = "ten_tusscher_2006_epi"
    data["solver"] = {"dt_ms": 0.05, "duration_ms": 450.0}
    data.pop("ecg", None)

    def made(**drug):
        own = {"drug": [{"table": "drugs.csv", **drug}]} if drug else {}
        return scenario_from(data | own, folder=folder)

    return made


def ran(scenario, out):
    """The fields that a run leaves."""
    run_scenario(scenario, out)
    fields = read_mesh(out / "activation.vtu").point_data
    return {name: np.asarray(x) for name, x in fields.items()}


def test_a_block_of_kr_lengthens_every_action_potential_as_it_does_a_cell(scenario, tmp_path):
    """Twice 50 nM at an IC50 of 100 nM: half of i_Kr. The cell alone lengthens by 15 ms or so;
    tissue evens out, so that every node is within 3 ms of that."""
    free = ran(scenario(), tmp_path / "free")["apd90_ms"]
    drugged = ran(scenario(name="blocker", dose=2.0), tmp_path / "drugged")["apd90_ms"]
    cell, pacing = by_name("ten_tusscher_2006_epi"), Pacing(cycle_length=500.0, dt=0.02)
    alone = [
        markers(pace(model, pacing))["apd90_ms"] for model in (cell, scaled(cell, {"g_Kr": 0.5}))
    ]
    assert alone[1] - alone[0] > 10.0
    np.testing.assert_allclose(drugged - free, alone[1] - alone[0], atol=3.0)


def test_a_block_of_sodium_slows_the_wave_that_was_tuned_without_it(scenario):
    """Conductivities are those of the heart without drug, so that conduction may slow."""
    free, drugged = (
        build_scene(s) for s in (scenario(), scenario(name="slower", concentration_nM=50.0))
    )
    assert [s.sigma for s in drugged.speeds] == [s.sigma for s in free.speeds]
    names = ("g_Na", "g_Kr")
    own, other = (scene.tissue.ionic.named() for scene in (free, drugged))
    shares = [float(np.mean(other[name] / own[name])) for name in names]
    assert shares == pytest.approx([0.5, 1.0], rel=1e-6)


def test_paths_are_kept_whole_and_the_table_is_an_input(scenario, tmp_path, folder):
    quick = scenario(name="blocker", dose=1.0)
    solver = quick.solver.model_copy(update={"duration_ms": 2.0})
    run_scenario(quick.model_copy(update={"solver": solver}), tmp_path / "out")
    again = read_scenario(tmp_path / "out" / "scenario.toml")
    assert again.drug[0].table == str((folder / "drugs.csv").resolve())
    assert "drugs.csv" in (tmp_path / "out" / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("drug", "said"),
    [
        ({"name": "other", "dose": 1.0}, r"\[\[drug\]\] 1: .* has no drug 'other'; it has blocker"),
        ({"name": "slower", "dose": 1.0}, "slower has no therapeutic concentration, so no doses"),
        ({"name": "late", "dose": 1.0}, r"\[\[drug\]\] 1: late blocks NaL"),
    ],
)
def test_what_a_drug_lacks_is_said(scenario, drug, said):
    with pytest.raises(ValueError, match=said):
        build_scene(scenario(**drug))


@pytest.mark.parametrize("amount", [{}, {"dose": 1.0, "concentration_nM": 5.0}])
def test_one_amount_is_wanted(scenario, amount):
    with pytest.raises(ValueError, match="give one of dose and concentration_nM"):
        scenario(name="blocker", **amount)


def test_the_eikonal_model_has_no_membranes(scenario, data):
    data["solver"] = {"model": "eikonal"}
    del data["conduction"]
    with pytest.raises(ValueError, match=r"\[\[drug\]\] acts on membranes"):
        scenario(name="blocker", dose=1.0)


def test_a_current_may_be_left_alone(scenario):
    built = build_scene(scenario(name="late", dose=1.0, without=["NaL"]))
    assert built.tissue.ionic.named().keys() == by_name("ten_tusscher_2006_epi").named().keys()
