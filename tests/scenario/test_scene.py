"""From a scenario to objects: places, regions, layers, and what does not fit the mesh."""

import dataclasses
from unittest.mock import Mock

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ecg import default_electrodes, lead_field
from heartsim.fem import ConjugateGradients
from heartsim.ionic import Patchwork, by_name
from heartsim.mesh import submesh, write_mesh
from heartsim.scenario import DIRECTIONS, build_scene, check_scenario, scenario_from
from heartsim.scenario._front import build_front
from heartsim.scenario._leads import leads_of
from heartsim.scenario._places import nodes_at
from heartsim.scenario._schema import Ecg, Place
from heartsim.scenario._thickening import thin
from heartsim.scenario._tissue import joined, membranes
from heartsim.tissue import Adaptive, projected, tensor
from tests.bodies import framed, jittered


def scene_of(data, folder, **change):
    return build_scene(scenario_from({**data, **change}, folder=folder))


PLACES = [
    ({"node_set": "epi"}, lambda x: x[:, 2] == 3.0),
    ({"surface": "lv_endo"}, lambda x: x[:, 2] == 0.0),
    ({"surface": "endocardium"}, lambda x: x[:, 2] == 0.0),
    ({"region": "scar"}, lambda x: x[:, 0] >= 18.0),
    ({"region": 2}, lambda x: x[:, 0] >= 18.0),
    ({"nodes": [0]}, lambda x: np.arange(len(x)) == 0),
    ({"box_mm": [[2.0, 0.0, 0.0], [0.0, 4.0, 3.0]]}, lambda x: x[:, 0] <= 2.0),
    (
        {"point_mm": [1.0, 2.0, 0.0], "radius_mm": 1.5},
        lambda x: np.linalg.norm(x - [1.0, 2.0, 0.0], axis=1) <= 1.5,
    ),
    (
        {"point_mm": [[0.0, 0.0, 0.0], [24.0, 4.0, 3.0]], "radius_mm": 0.5},
        lambda x: (x == 0.0).all(axis=1) | (x == [24.0, 4.0, 3.0]).all(axis=1),
    ),
    (
        {"surface": "epi", "box_mm": [[0.0, 0.0, 0.0], [1.0, 4.0, 3.0]]},
        lambda x: (x[:, 2] == 3.0) & (x[:, 0] <= 1.0),
    ),
]


@pytest.mark.parametrize(("keys", "wanted"), PLACES)
def test_places(mesh, keys, wanted):
    inside = nodes_at(Place(**keys), mesh)
    np.testing.assert_array_equal(inside, wanted(np.asarray(mesh.points)))
    assert inside.any()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"point_mm": [0.0, 0.0, 9.0], "radius_mm": 2.0}, "nearest node lies 6 mm away, radius_mm"),
        ({"box_mm": [[30.0] * 3, [31.0] * 3]}, "the mesh lies between .0, 0, 0. and .24, 4, 3. mm"),
        ({"surface": "epi", "nodes": [0]}, "none satisfies surface and nodes together"),
        ({"node_set": "epy"}, "node set 'epy' does not exist .did you mean 'epi'"),
        ({"surface": "base"}, "node set 'base' does not exist"),
        ({"region": "scarr"}, "region 'scarr' does not exist .did you mean 'scar'"),
        ({"nodes": [10_000]}, "node 10000 does not exist; the mesh has nodes 0 to 499"),
    ],
)
def test_a_stimulus_that_touches_no_node_says_why(data, folder, keys, sentence):
    with pytest.raises(ValueError, match=rf"\[\[stimulus\]\] 1: .*{sentence}"):
        scene_of(data, folder, stimulus=[{"at": keys}])


def test_a_stimulus_on_dead_tissue_is_refused(data, folder):
    dead, end = [{"tags": ["scar"], "conductive": False}], [[20.0, 0.0, 0.0], [24.0, 4.0, 3.0]]
    with pytest.raises(ValueError, match="touches no conductive node"):
        scene_of(data, folder, region=dead, stimulus=[{"at": {"box_mm": end}}])


def test_a_cycle_counts_in_whole_steps_where_there_are_several_beats(data, folder):
    """800 ms, the default, are no whole number of steps of 0.03 ms; one pulse has no cycle."""
    data["solver"]["dt_ms"], data["output"]["sample_ms"] = 0.03, 0.3
    assert scene_of(data, folder).stimuli[0].beats == 1
    data["stimulus"][0]["beats"] = 2
    with pytest.raises(ValueError, match=r"\[\[stimulus\]\] 1: cycle_ms = 800 ms is not a whole"):
        scene_of(data, folder)


def test_dead_tissue_is_left_out_and_numbers_stay_the_users(data, folder, mesh):
    scene = scene_of(data, folder, region=[{"tags": ["scar"], "conductive": False}])
    alive = np.asarray(mesh.points)[:, 0] <= 18.0
    np.testing.assert_array_equal(np.sort(scene.nodes), np.flatnonzero(alive))
    touched = scene.nodes[np.asarray(scene.stimuli[0].site)[: len(scene.nodes)]]
    near = np.linalg.norm(mesh.points, axis=1) <= 2.5
    np.testing.assert_array_equal(np.sort(touched), np.flatnonzero(near))


def test_a_later_region_wins_and_so_do_its_border_nodes(data, mesh):
    regions = [
        {"tags": [1], "scale": {"tau_in": 2.0}},
        {"tags": ["scar"], "ionic": "ten_tusscher_2006_epi"},
    ]
    scenario = scenario_from({**data, "region": regions})
    models, rules = membranes(scenario.heart, scenario.region, mesh)
    ruled = [models[k] for k in rules]
    border = np.asarray(mesh.points)[:, 0] == 18.0
    assert border.any()
    for model, x in zip(ruled, np.asarray(mesh.points)[:, 0], strict=True):
        assert (type(model).__name__ == "TenTusscher2006") == (x >= 18.0)
    published = by_name("mitchell_schaeffer_2003").tau_in
    assert float(ruled[0].tau_in) == pytest.approx(2 * float(published), rel=1e-6)  # float32
    assert isinstance(joined(models, rules, thin(mesh.n_nodes), []), Patchwork)


def test_layers_follow_depth_and_a_region_scales_each_of_them(data, mesh):
    data["heart"]["layers"] = {"field": "depth"}
    scale = [{"tags": ["scar"], "scale": {"g_Ks": 0.5}}]
    scenario = scenario_from({**data, "region": scale})
    models, rules = membranes(scenario.heart, scenario.region, mesh)
    names = ["endo", "mid", "epi"]
    depth, x = mesh.point_data["depth"], np.asarray(mesh.points)[:, 0]
    for node in range(mesh.n_nodes):
        layer = by_name(f"ten_tusscher_2006_{names[np.digitize(depth[node], [0.33, 0.67])]}")
        model = models[rules[node]]
        share = 0.5 if x[node] >= 18.0 else 1.0
        assert float(model.g_Ks) == pytest.approx(share * float(layer.g_Ks), rel=1e-6)  # float32
        assert float(model.g_to) == float(layer.g_to)


def test_a_fast_layer_is_tuned_to_its_own_velocity(data, folder):
    """Alike in all directions, in the cells that touch its surface and in no other."""
    data["conduction"] = {f"velocity_{k}_m_s": 0.5 for k in ("fibre", "sheet", "normal")}
    plain = scene_of(data, folder)
    data["fast_layer"] = {"surfaces": ["lv_endo"], "velocity_m_s": 0.8}
    fast = scene_of(data, folder)
    assert [s.where for s in fast.speeds] == ["bulk"] * 3 + ["fast layer"] * 3
    assert len({s.sigma for s in fast.speeds[3:]}) == 1
    assert fast.speeds[3].sigma > 2 * fast.speeds[0].sigma  # velocity grows as its root, about
    real = slice(len(plain.nodes))
    same = np.asarray(fast.tissue.K.diagonal)[real] == np.asarray(plain.tissue.K.diagonal)[real]
    # edges of 1 mm: cells that touch z = 0 reach up to z = 1
    np.testing.assert_array_equal(same, np.asarray(plain.mesh.points)[plain.nodes, 2] > 1.5)


def test_conductivities_of_a_region_reach_its_cells_only(data, folder):
    changed = {f"sigma_{k}_mS_mm": 0.05 for k in ("fibre", "sheet", "normal")}
    slow = scene_of(data, folder, region=[{"tags": ["scar"], **changed}])
    assert [s.where for s in slow.speeds] == ["bulk"] * 3 + ["region 1"] * 3
    plain = scene_of(data, folder)
    same = np.asarray(slow.tissue.K.diagonal) == np.asarray(plain.tissue.K.diagonal)
    x = np.asarray(plain.mesh.points)[plain.nodes, 0]
    np.testing.assert_array_equal(same[: len(x)], x < 18.0)


@pytest.mark.parametrize("model", ["monodomain", "eikonal"])
def test_a_region_that_a_later_one_cuts_out_changes_nothing_and_is_told(data, folder, model):
    speed = {f"velocity_{k}_m_s": 0.5 for k in ("fibre", "sheet", "normal")}
    data["solver"]["model"] = model
    if model == "eikonal":
        data["conduction"] = speed
    first = {"tags": ["scar"], "scale": {"tau_in": 2.0}, **data["conduction"]}
    dead = {"tags": ["scar"], "conductive": False}
    build = build_scene if model == "monodomain" else build_front
    both, one = (
        build(scenario_from({**data, "region": regions}, folder=folder))
        for regions in ([first, dead], [dead])
    )
    assert [speed[:-1] for speed in both.speeds] == [speed[:-1] for speed in one.speeds]
    np.testing.assert_array_equal(both.nodes, one.nodes)
    told = [note for note in both.notes if "changes nothing" in note]
    assert told == ["[[region]] 1 changes nothing: none of its cells conducts"]
    assert not any("changes nothing" in note for note in one.notes)


@pytest.mark.parametrize("build", [build_scene, build_front])
def test_a_fast_layer_on_a_side_that_does_not_conduct_is_refused(data, folder, mesh, build):
    end = np.flatnonzero(np.asarray(mesh.points)[:, 0] > 22.0).astype(np.int32)
    sets = mesh.node_sets | {"rv_endo": end}
    write_mesh(dataclasses.replace(mesh, node_sets=sets), folder / "wall.vtu")
    data["conduction"] = {f"velocity_{k}_m_s": 0.5 for k in ("fibre", "sheet", "normal")}
    data["region"] = [{"tags": ["scar"], "conductive": False}]
    data["fast_layer"] = {"surfaces": ["lv_endo", "rv_endo"], "velocity_m_s": 0.8}
    with pytest.raises(
        ValueError, match=r"^\[fast_layer\] surfaces: no cell at 'rv_endo' conducts"
    ):
        build(scenario_from(data, folder=folder))


def test_velocities_reach_the_operator_but_not_the_leads(data, folder):
    """The tuned tensor belongs to diffusion alone: the lead field must not know it."""
    speed = {f"velocity_{k}_m_s": 0.5 for k in ("fibre", "sheet", "normal")}
    tuned, given = scene_of(data, folder, conduction=speed), scene_of(data, folder)
    np.testing.assert_array_equal(tuned.field, given.field)
    assert not np.allclose(tuned.tissue.K.diagonal, given.tissue.K.diagonal, rtol=0.01)
    assert abs(tuned.speeds[0].error) < 0.002  # what tune_velocity promises


def test_each_part_is_tuned_on_its_own_cells_along_its_own_ways(data, folder, mesh):
    """A wall without order, its fibres askew and its scar twice as long in x; a fast layer that
    takes cells of both: conductivities of the bulk and the region are those of their own cells."""
    body = jittered(mesh, 0.2, 0)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    points = np.array(body.points)
    points[:, 0] += np.maximum(points[:, 0] - 18.0, 0)
    body = framed(dataclasses.replace(body, points=points), turn)
    write_mesh(body, folder / "wall.vtu")
    v = dict(zip(DIRECTIONS, (0.6, 0.5, 0.4), strict=True))
    speed = {f"velocity_{way}_m_s": wanted for way, wanted in v.items()}
    fast = {"surfaces": ["lv_endo"], "velocity_m_s": 0.8}
    region = [{"tags": ["scar"], **speed}]
    scene = scene_of(data, folder, conduction=speed, region=region, fast_layer=fast)
    wide = np.isin(body.cells, body.node_sets["lv_endo"]).any(axis=1)
    bulk, scar = body.regions == 1, body.regions == 2
    found = {}
    for number, own in enumerate((bulk & ~wide, scar & ~wide, wide)):
        three, ways = scene.speeds[3 * number : 3 * number + 3], projected(body, own)
        for one, way in zip(three[0].projections.ways, ways.ways, strict=True):
            np.testing.assert_allclose(one.stiffness, way.stiffness, rtol=1e-6, atol=1e-9)
        assert [speed.direction for speed in three] == list(DIRECTIONS)
        assert all(abs(speed.error) < 0.002 for speed in three)  # what tune_velocities promises
        found[three[0].where] = [speed.sigma for speed in three]
    assert list(found) == ["bulk", "region 1", "fast layer"]
    assert found["bulk"][0] > found["bulk"][1] > found["bulk"][2]
    assert found["region 1"] != pytest.approx(found["bulk"], rel=1e-3)


def test_tags_that_do_not_exist_are_named(data, folder):
    with pytest.raises(ValueError, match=r"\[\[region\]\] 1: tags: mesh: region 7 does not exist"):
        scene_of(data, folder, region=[{"tags": [7]}])
    data["heart"]["keep"] = ["musle"]
    with pytest.raises(ValueError, match=r"'musle' does not exist \(did you mean 'muscle'"):
        scene_of(data, folder)


def test_a_wrong_unit_names_the_likely_one(data, folder):
    data["heart"]["unit"] = "m"
    with pytest.raises(ValueError, match=r'wall\.vtu: the heart would be .* unit = "cm" would'):
        scene_of(data, folder)


def test_an_inverted_cell_is_named(data, folder, mesh):
    cells = np.array(mesh.cells)
    cells[5, [0, 1]] = cells[5, [1, 0]]
    write_mesh(eqx.tree_at(lambda m: m.cells, mesh, cells), folder / "wall.vtu")
    with pytest.raises(ValueError, match=r"wall\.vtu: cell 5 is inverted"):
        scene_of(data, folder)


def test_nan_in_fibres_is_refused_where_the_tissue_conducts(data, folder, mesh):
    frames = np.array(mesh.frames)
    dead = int(np.flatnonzero(mesh.regions == 2)[0])
    frames[dead] = np.nan
    write_mesh(dataclasses.replace(mesh, frames=frames), folder / "wall.vtu")
    with pytest.raises(ValueError, match=rf"wall\.vtu: the fibre of cell {dead} is NaN or zero"):
        scene_of(data, folder)
    scene_of(data, folder, region=[{"tags": ["scar"], "conductive": False}])


def test_a_field_that_is_not_there_is_named(data, folder):
    data["heart"]["layers"] = {"field": "dept"}
    with pytest.raises(ValueError, match=r"layers\.field: .* 'dept' .* \(did you mean 'depth'"):
        scene_of(data, folder)


def test_a_field_of_layers_in_another_unit_is_refused_by_its_key(data, folder, mesh):
    wrong = {"mm": np.asarray(mesh.points)[:, 0]}
    write_mesh(dataclasses.replace(mesh, point_data=mesh.point_data | wrong), folder / "wall.vtu")
    data["heart"]["layers"] = {"field": "mm"}
    with pytest.raises(ValueError, match=r"layers\.field = 'mm': transmural is .* 0 to 1 every"):
        scene_of(data, folder)
    data["heart"]["layers"] = {"field": "depth", "endo_below": 0.7, "epi_above": 0.3}
    with pytest.raises(ValueError, match=r"layers.*endo_below = 0\.7 lies beyond epi_above = 0\.3"):
        scene_of(data, folder)


def test_a_mesh_without_fibres_needs_equal_velocities(data, folder, mesh):
    write_mesh(dataclasses.replace(mesh, frames=None), folder / "wall.vtu")
    with pytest.raises(ValueError, match="no fibres"):
        scene_of(data, folder)
    data["conduction"] = {k: 0.2 for k in data["conduction"]}
    assert any("no fibres" in note for note in scene_of(data, folder).notes)


def test_refinement_halves_the_edges_and_keeps_surfaces(data, folder):
    data["heart"]["refine"] = 1
    fine = scene_of(data, folder)
    z = np.asarray(fine.mesh.points)[fine.mesh.node_sets["epi"], 2]
    assert (z == 3.0).all()
    data["heart"]["refine"] = 0
    # inner edges of a split cell differ a little from half of its outer ones
    assert fine.edge == pytest.approx(scene_of(data, folder).edge / 2, rel=0.02)


@pytest.mark.parametrize("kept", ["default", "none"])
def test_default_electrodes_are_flagged_and_none_means_none(data, folder, kept):
    scene = scene_of(data, folder, ecg={"electrodes": kept})
    assert (scene.field is None) == (kept == "none")
    assert any("electrode" in note for note in scene.notes) == (kept == "default")


def test_default_electrodes_stay_where_a_scar_does_not_conduct(mesh):
    """They are placed around the heart, not around what of it conducts."""
    own = Ecg()
    inner, _ = submesh(mesh, np.asarray(mesh.regions) == 1)
    field, _ = leads_of(own, mesh, inner, None)
    places, _ = default_electrodes(mesh)
    sigma = tensor(inner, own.sigma_il_mS_mm, own.sigma_it_mS_mm, own.sigma_it_mS_mm)
    wanted = lead_field(inner, places, sigma, own.sigma_bath_mS_mm)
    np.testing.assert_allclose(field, np.asarray(wanted), rtol=1e-6)


def test_check_refuses_a_wave_that_the_edges_cannot_carry(data, folder):
    """0.001 mS/mm across edges of 1 mm: there is a wave on fine edges, and none here."""
    data["conduction"]["sigma_normal_mS_mm"] = 0.001
    with pytest.raises(ValueError, match=r"sigma_normal_mS_mm = 0\.001 carries no wave on edges"):
        check_scenario(scenario_from(data, folder=folder))


@pytest.mark.parametrize("steps", ["fixed", "adaptive"])
def test_on_a_gpu_the_linear_solve_is_planned(data, folder, monkeypatch, steps):
    """For the longest step; on a processor conjugate gradients decide as they go."""
    change = {"solver": data.get("solver", {}) | {"steps": steps}}
    assert isinstance(scene_of(data, folder, **change).tissue.solver, ConjugateGradients)
    gpu = [Mock(spec=jax.Device, platform="gpu")]
    monkeypatch.setattr("heartsim.scenario._scene.devices_of", lambda scenario: gpu)
    scene = scene_of(data, folder, **change)
    plan, dt = scene.tissue.solver, scene.scenario.solver.dt_ms
    longest = {"fixed": dt, "adaptive": Adaptive().longest}[steps]
    widest = scene.tissue.crank_nicolson(longest).scaled
    b = jnp.asarray(np.random.default_rng(0).normal(size=widest.scale.size), jnp.float32)
    x, *_ = plan.iterate(widest, b)
    assert jnp.linalg.norm(b - widest @ x) <= scene.scenario.solver.rtol * jnp.linalg.norm(b)
