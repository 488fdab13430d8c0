"""Fronts thick enough for the edges of a scenario."""

import numpy as np
import pytest

from heartsim.ionic import Patchwork, Thickened
from heartsim.scenario import check_scenario, run_scenario, scenario_from
from heartsim.scenario._scene import build_scene

TUNED = {f"velocity_{k}_m_s": 0.4 for k in ("fibre", "sheet", "normal")}


def scene_of(data, folder, **solver):
    data = {**data, "solver": data["solver"] | solver}
    return build_scene(scenario_from(data, "scenario.toml", folder), folder / "cache")


def test_tuned_fronts_are_thick_but_where_they_start(data, folder):
    """By 1 each 2 mm from the stimulus, up to what the edges need."""
    data["conduction"] = TUNED
    scene = scene_of(data, folder, thickening=5.0)
    assert {speed.thickening for speed in scene.speeds} == {5.0}
    factor = np.asarray(scene.tissue.ionic.factor)[: len(scene.nodes)]
    points = np.asarray(scene.mesh.points)[scene.nodes]
    stimulated = np.asarray(scene.stimuli[0].site)[: len(scene.nodes)]
    np.testing.assert_allclose(factor[stimulated], 1.0)
    assert (factor[points[:, 0] > 12.0] == 5.0).all()
    auto = scene_of(data, folder).speeds[0].thickening
    assert 1 < auto < 10


def test_given_conductivities_are_left_alone_unless_a_factor_is_given(data, folder):
    plain = scene_of(data, folder)
    assert not isinstance(plain.tissue.ionic, Thickened)
    thick = scene_of(data, folder, thickening=3.0)
    assert isinstance(thick.tissue.ionic, Thickened)
    assert thick.speeds[0].sigma == pytest.approx(3 * plain.speeds[0].sigma)
    far = np.asarray(thick.mesh.points)[thick.nodes][:, 0].argmax()
    rates = [np.asarray(s.tissue.K.diagonal / s.tissue.M.diagonal)[far] for s in (thick, plain)]
    assert rates[0] / rates[1] == pytest.approx(3.0, rel=1e-4)


def test_without_stimuli_fronts_are_as_thick_everywhere(data, folder):
    """A run that goes on from a state has no site near which they would be thinner."""
    data["heart"]["initial_state"], data["stimulus"] = "state.npz", []
    plain, thick = (scene_of(data, folder, thickening=F) for F in (1.0, 2.0))
    assert (np.asarray(thick.tissue.ionic.factor) == 2.0).all()
    assert thick.speeds[0].sigma == pytest.approx(2 * plain.speeds[0].sigma)
    rates = [np.asarray(s.tissue.K.diagonal / s.tissue.M.diagonal) for s in (thick, plain)]
    np.testing.assert_allclose(rates[0], 2 * rates[1], rtol=1e-4)


def test_each_membrane_of_a_patchwork_has_the_factors_of_its_own_nodes(data, folder):
    data["conduction"] = TUNED
    data["region"] = [{"tags": ["scar"], "scale": {"tau_in": 1.2}}]
    scene = scene_of(data, folder, thickening=4.0)
    ionic = scene.tissue.ionic
    assert isinstance(ionic, Patchwork)
    factors = [np.asarray(model.factor) for model in ionic.models]
    assert factors[0].min() == 1.0
    assert (factors[1] == 4.0).all()  # the scar lies far from the stimulus


def test_a_small_site_is_captured_and_the_summary_tells_the_factor(data, folder):
    """One corner of the wall, 7 nodes: a front as thick as the edges need would not leave it."""
    data["conduction"] = TUNED
    data["stimulus"][0]["at"]["radius_mm"] = 1.2
    data["solver"]["duration_ms"] = 90.0
    scenario = scenario_from(data, "scenario.toml", folder)
    rows = run_scenario(scenario, folder / "out", cache=folder / "cache")
    assert rows["activated"]["value"] == 1.0
    assert rows["front_thickening"]["value"] > 1
    time = 24.0 / 0.4
    assert rows["latest_activation_ms"]["value"] == pytest.approx(time, rel=0.15)


def test_check_tells_the_error_with_direction_and_thick_fronts_lower_it(data, folder):
    data["conduction"] = TUNED
    found = []
    for thickening in (1.0, 4.0):
        data["solver"]["thickening"] = thickening
        rows = check_scenario(scenario_from(data, "scenario.toml", folder), cache=folder / "cache")
        found.append(rows["direction_error_bulk_percent"]["value"])
    assert 0 < found[1] < found[0] / 2


def test_a_factor_below_one_is_refused(data, folder):
    with pytest.raises(ValueError, match="thickening"):
        scene_of(data, folder, thickening=0.5)
