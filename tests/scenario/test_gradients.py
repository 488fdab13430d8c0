"""Parameters that change along a field: their factors, the membranes, and what is refused."""

import dataclasses

import numpy as np
import pytest

import heartsim as hs
from heartsim.ionic import Patchwork
from heartsim.mesh import write_mesh
from heartsim.scenario import build_scene, run_scenario, scenario_from
from heartsim.scenario._batch import run_batch

ALONG = {"parameter": "tau_close", "field": "depth", "at_0": 0.5, "at_1": 2.0}


def membrane_of(data, folder, **change):
    """The membranes of a run and, for each of its solver nodes, place and region of the node."""
    scene = build_scene(scenario_from({**data, **change}, folder=folder))
    x = np.asarray(scene.mesh.points)[scene.nodes]
    return scene.tissue.ionic, x


def at_nodes(ionic, name, n):
    """A parameter at each of the first nodes, of the membranes that a run wraps and patches."""
    if isinstance(ionic, Patchwork):
        patch, slot = (at[:n] for at in ionic.slots())
        every = [at_nodes(model, name, slot.max() + 1) for model in ionic.models]
        return np.array([every[k][j] for k, j in zip(patch, slot, strict=True)])
    while hasattr(ionic, "inner"):
        ionic = ionic.inner
    value = np.asarray(ionic.named()[name])
    return np.broadcast_to(value, n) if value.ndim == 0 else value[:n]


def test_factors_are_linear_in_the_field_and_multiply_each_other_and_those_of_regions(data, folder):
    regions = [{"tags": [1, 2], "scale": {"tau_close": 1.5}}]
    inner = {"parameter": "tau_close", "field": "depth", "at_0": 1.0, "at_1": 3.0, "tags": ["scar"]}
    ionic, x = membrane_of(data, folder, region=regions, gradient=[ALONG, inner])
    depth, published = x[:, 2] / 3.0, 150.0  # ms, Mitchell and Schaeffer's tau_close
    wanted = published * 1.5 * (0.5 + 1.5 * depth)
    wanted *= np.where(x[:, 0] >= 18.0, 1.0 + 2.0 * depth, 1.0)  # its border nodes are the scar's
    found = at_nodes(ionic, "tau_close", len(x))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)  # float32


def test_beyond_its_ends_a_field_has_the_factor_of_the_end(data, folder, mesh):
    """Published depth leaves 0 to 1 by 0.07; a factor that went on would leave its ends."""
    wide = 1.4 * mesh.point_data["depth"] - 0.2
    write_mesh(dataclasses.replace(mesh, point_data={"wide": wide}), folder / "wide.vtu")
    data["heart"]["mesh"] = "wide.vtu"
    ionic, x = membrane_of(data, folder, gradient=[ALONG | {"field": "wide"}])
    wanted = 150.0 * (0.5 + 1.5 * np.clip(1.4 * x[:, 2] / 3.0 - 0.2, 0.0, 1.0))
    np.testing.assert_allclose(at_nodes(ionic, "tau_close", len(x)), wanted, rtol=1e-6)  # float32


def test_a_gradient_without_slope_is_a_region_scaled(data, folder):
    """Invariant, to the last digit of float32: the same parameter, one number or one per node."""
    flat = [ALONG | {"at_0": 0.5, "at_1": 0.5}]
    scale = [{"tags": [1, 2], "scale": {"tau_close": 0.5}}]
    ends = []
    for name, change in (("one", {"gradient": flat}), ("two", {"region": scale}), ("plain", {})):
        run_scenario(scenario_from({**data, **change}, folder=folder), folder / name)
        ends.append(hs.read_mesh(folder / name / "activation.vtu").point_data["activation_ms"])
        with np.load(folder / name / "state.npz") as state:
            ends.append(state["state_0"])  # V
    np.testing.assert_allclose(ends[0], ends[2], rtol=1e-5)
    np.testing.assert_allclose(ends[1], ends[3], rtol=1e-5)
    assert np.abs(ends[1] - ends[5]).max() > 1.0  # mV, without either


def test_each_of_three_layers_keeps_its_own_parameter_under_a_gradient(data, folder):
    data["heart"]["layers"] = {"field": "depth"}
    gradient = {"parameter": "g_Ks", "field": "depth", "at_0": 1.0, "at_1": 2.0}
    ionic, x = membrane_of(data, folder, gradient=[gradient])
    depth = x[:, 2] / 3.0
    published = np.where((depth >= 0.33) & (depth < 0.67), 0.098, 0.392)  # mS/µF
    found = at_nodes(ionic, "g_Ks", len(x))
    np.testing.assert_allclose(found, published * (1 + depth), rtol=1e-6)  # float32


def test_a_batch_gives_what_each_gives_alone_and_leaves_out_who_has_no_gradient(data, folder):
    steep = [
        {"gradient": [ALONG | {"parameter": "tau_in", "at_0": 1.0, "at_1": a}]} for a in (1.2, 1.5)
    ]
    scenarios = [scenario_from({**data, **change}, folder=folder) for change in (*steep, {})]
    *together, apart = run_batch(scenarios)
    assert apart.why == "no other run of its batch is of its kind"
    for name, scenario, done in zip("ab", scenarios, together, strict=False):
        alone = run_scenario(scenario, folder / name)
        # the sums of a batch are taken in another order, in float32
        wanted = alone["latest_activation_ms"]["value"]
        assert np.nanmax(done.times.activation) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"field": "dept"}, r"field 'dept' does not exist \(did you mean 'depth'\?\)"),
        ({"tags": ["scarr"]}, r"region 'scarr' does not exist \(did you mean 'scar'\?\)"),
        ({"parameter": "tau_clos"}, r"no parameter 'tau_clos'; did you mean 'tau_close'"),
        ({"at_1": -0.1}, r"at_1 = -0.1 must be at least 0"),
        ({"at_2": 1.0}, r"at_2 is not a key"),
        ({"field": "far"}, r"field 'far' is 1.33333 at node 2; wanted is 0 to 1"),
        ({"field": "gap"}, r"field 'gap' is nan at node .*; wanted is 0 to 1"),
        ({"field": "three"}, r"field 'three' has 3 numbers a node; wanted is one"),
    ],
)
def test_bad_input_is_named(data, folder, mesh, change, sentence):
    depth = mesh.point_data["depth"]
    fields = {"depth": depth, "far": 2 * depth, "gap": np.where(depth > 0.5, np.nan, depth)}
    fields["three"] = np.asarray(mesh.points) / 24.0
    write_mesh(dataclasses.replace(mesh, point_data=fields), folder / "fields.vtu")
    data["heart"]["mesh"] = "fields.vtu"
    with pytest.raises(ValueError, match=rf"\[\[gradient\]\] 1: .*{sentence}"):
        membrane_of(data, folder, gradient=[ALONG | change])


def test_the_eikonal_model_says_that_it_uses_no_gradient(data, folder):
    data["conduction"] = {}
    data["solver"] = {"model": "eikonal"}
    run_scenario(scenario_from({**data, "gradient": [ALONG]}, folder=folder), folder / "front")
    assert "[[gradient]] are not used" in (folder / "front" / "manifest.json").read_text()
