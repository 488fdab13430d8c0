"""Purkinje trees in scenarios: the same times as by hand, bundle branch block, bad input."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest
import pyvista

from heartsim import anatomy, tissue
from heartsim.mesh import read_mesh, write_mesh
from heartsim.scenario import check_scenario, run_scenario, scenario_from


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("purkinje")
    heart = anatomy.synthetic_heart(anatomy.made_up(), 4.0)
    write_mesh(heart, folder / "heart.vtu")
    for side in ("left", "right"):
        write_mesh(anatomy.grow_purkinje(heart, side), folder / f"{side}.vtu")
    return folder


def data(**left):
    tree = {"velocity_m_s": 3.0, "orthograde_ms": 5.0, "retrograde_ms": 3.0}
    return {
        "heart": {"mesh": "heart.vtu"},
        "purkinje": [
            {"tree": "left.vtu", **tree, **left},
            {"tree": "right.vtu", **tree, "start_ms": 2.0},
        ],
        "solver": {"model": "eikonal", "duration_ms": 300.0},
        "ecg": {"electrodes": "none"},
    }


def activation(scenario, out):
    run_scenario(scenario, out)
    return np.asarray(read_mesh(out / "activation.vtu").point_data["activation_ms"])


def test_times_are_those_of_the_tissue_functions(folder, tmp_path):
    scenario = scenario_from(data(start_ms=0.0), folder=folder)
    got = activation(scenario, tmp_path / "run")
    heart, *trees = (read_mesh(folder / f"{k}.vtu") for k in ("heart", "left", "right"))
    network = tissue.purkinje(heart, *trees)
    front = tissue.front(heart, links=network.links, network=network.points)
    T = tissue.arrival(
        front,
        tissue.slowness(heart, 0.65, 0.4, 0.4),
        network.root_times(front, jnp.array([0.0, 2.0])),
        network.delay(3.0, 5.0, 3.0),
    )
    np.testing.assert_allclose(got, np.asarray(T)[: heart.n_nodes], atol=1e-3)  # float32
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert {"left.vtu", "right.vtu"} <= {name.split("/")[-1] for name in manifest["inputs_sha256"]}


@pytest.mark.parametrize("name", ["left.vtp", "left.pts"])
def test_trees_of_other_formats_conduct_alike(folder, tmp_path, name):
    """VTP has no node sets, so that node 0 is entered and all loose ends meet the muscle; CARP is
    in um and has the sets as .vtx."""
    tree = read_mesh(folder / "left.vtu")
    if name.endswith(".vtp"):
        lines = np.column_stack([np.full(tree.n_cells, 2), tree.cells])
        pyvista.PolyData(np.asarray(tree.points, float), lines=lines.ravel()).save(folder / name)
    else:
        write_mesh(tree, folder / name)
    given = data(start_ms=0.0)
    want = activation(scenario_from(given, folder=folder), tmp_path / "vtu")
    given["purkinje"][0]["tree"] = name
    got = activation(scenario_from(given, folder=folder), tmp_path / "other")
    np.testing.assert_allclose(got, want, atol=2e-3)


def test_a_left_bundle_that_is_not_entered_is_late_and_last_on_the_left(folder, tmp_path):
    whole = activation(scenario_from(data(start_ms=0.0), folder=folder), tmp_path / "whole")
    block = activation(scenario_from(data(), folder=folder), tmp_path / "block")
    heart = read_mesh(folder / "heart.vtu")
    left = np.asarray(heart.node_sets["lv_endo"])
    assert np.ptp(block) > np.ptp(whole) + 15.0
    assert block[left].mean() > whole[left].mean() + 15.0
    right = np.asarray(heart.node_sets["rv_endo"])
    assert np.abs(block[right] - whole[right]).mean() < 5.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["solver"].update(model="monodomain"), "does not go with model = 'monodomain'"),
        (lambda d: d["purkinje"][0].update(tree="heart.vtu"), "heart.vtu has no lines"),
        (lambda d: d["purkinje"][0].update(root=10**6), "root = 1000000 is not a node"),
        (lambda d: d["purkinje"][1].pop("start_ms"), "give at least one, or a tree its start_ms"),
        (lambda d: d["purkinje"][0].pop("velocity_m_s"), "velocity_m_s"),
    ],
)
def test_one_sentence_for_each_mistake(folder, change, said):
    wrong = data()
    change(wrong)
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        check_scenario(scenario_from(wrong, folder=folder))


def test_a_tree_beside_the_heart_is_refused(folder):
    tree = read_mesh(folder / "left.vtu")
    write_mesh(dataclasses.replace(tree, points=tree.points + 40.0), folder / "away.vtu")
    wrong = data(start_ms=0.0)
    wrong["purkinje"][0]["tree"] = "away.vtu"
    with pytest.raises(ValueError, match=r"\[\[purkinje\]\]: .* junctions lie more than one mean"):
        check_scenario(scenario_from(wrong, folder=folder))


def test_junctions_at_a_scar_that_does_not_conduct_are_left_out(folder, tmp_path):
    heart = read_mesh(folder / "heart.vtu")
    dead = np.isin(heart.cell_data["segment"], [7, 8, 13, 14])
    scarred = dataclasses.replace(
        heart,
        regions=np.where(dead, 99, heart.regions).astype(np.int32),
        region_names=(*heart.region_names, ("scar", 99)),
    )
    write_mesh(scarred, folder / "scarred.vtu")
    given = data(start_ms=0.0)
    given["heart"]["mesh"] = "scarred.vtu"
    given["region"] = [{"tags": ["scar"], "conductive": False}]
    T = activation(scenario_from(given, folder=folder), tmp_path / "run")
    alive = np.unique(np.asarray(scarred.cells)[~dead])
    assert np.isfinite(T[alive]).mean() > 0.99
    notes = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))["notes"]
    assert any("[[purkinje]] 1: " in n and "does not conduct, and are left out" in n for n in notes)
