"""[ecg] torso: a run's leads in a made-up trunk, or in a mesh."""

import dataclasses

import numpy as np
import pytest

from heartsim.ecg import Chest, HeartPosition, default_electrodes, lead_field
from heartsim.mesh import biventricular_ellipsoid, slab, write_mesh
from heartsim.scenario import build_scene, scenario_from, to_toml
from heartsim.tissue import tensor


def scene_of(data, folder, cache=None, **ecg):
    return build_scene(scenario_from({**data, "ecg": ecg}, folder=folder), cache)


def test_the_made_up_trunk(data, tmp_path):
    """Its leads are larger than those of the infinite medium (docs/lead-fields.md: 2 to 17 times),
    and its field is kept."""
    heart = biventricular_ellipsoid(4.2)
    write_mesh(heart, tmp_path / "heart.vtu")
    data["heart"]["mesh"] = "heart.vtu"
    data["stimulus"] = [{"at": {"node_set": "rv_apex"}}]
    infinite = scene_of(data, tmp_path)
    torso = scene_of(data, tmp_path, tmp_path / "cache", torso="ellipsoid")
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
    assert torso.field.shape == infinite.field.shape
    assert any("trunk and lungs made up" in note for note in torso.notes)
    wave = np.zeros(torso.field.shape[1])
    x = heart.points[torso.nodes]
    wave[: len(x)] = np.where(x[:, 2] < 0, 20.0, -85.0)
    potentials = [scene.field @ wave for scene in (infinite, torso)]
    assert np.ptp(potentials[1]) > 1.5 * np.ptp(potentials[0])


def shipped(ecg):
    """The shipped heart, started at its right apex, with these keys of [ecg]."""
    stimulus = [{"at": {"node_set": "rv_apex"}}]
    solver = {"model": "eikonal"}
    heart = {"mesh": "shipped:biventricular.vtu"}
    return {"heart": heart, "stimulus": stimulus, "solver": solver, "ecg": ecg}


def test_the_heart_lies_where_the_file_says():
    """Made-up electrodes and the same from a file agree with Python to float32's 1e-5; all zero
    is the absent table, bit for bit."""
    given = {"left_mm": 5.0, "head_mm": -10.0, "vertical_deg": 20.0, "clockwise_deg": -10.0}
    size = {"width_mm": 280.0}
    scene = build_scene(scenario_from(shipped({"position": given, "chest": size})))
    note = "heart moved from where it usually lies (+5 mm left, -10 mm head, +20 degrees vertical"
    assert any(note in n for n in scene.notes)
    at = HeartPosition(left=5.0, head=-10.0, vertical=20.0, clockwise=-10.0)
    places, _ = default_electrodes(scene.mesh, at, Chest(width=280.0))
    sigma_i = tensor(scene.mesh, 0.17, 0.019, 0.019)
    L = np.asarray(lead_field(scene.mesh, places, sigma_i))
    assert scene.field == pytest.approx(L, abs=1e-5 * np.abs(L).max())

    csv = {"electrodes": "shipped:biventricular_electrodes.csv"}
    fields = [
        build_scene(scenario_from(shipped(csv | more))).field
        for more in ({}, {"position": {}}, {"position": given})
    ]
    assert np.array_equal(fields[0], fields[1])
    places, _ = default_electrodes(scene.mesh, at)
    away = lead_field(scene.mesh, places, sigma_i)
    assert fields[2] == pytest.approx(np.asarray(away), rel=0.05, abs=0.05 * np.abs(L).max())


BAD = [
    ({"position": {"left": 5.0}}, r"\[ecg\] position.left is not a key; did you mean left_mm"),
    ({"position": {"vertical_deg": 200.0}}, r"vertical_deg = 200.0 must be at most 180 \[degrees"),
    ({"chest": {"width_mm": -1.0}}, r"\[ecg\] chest.width_mm = -1.0 must be greater than 0 \[mm"),
    (
        {"electrodes": "a.csv", "torso": "b.vtu", "chest": {}},
        "chest is the size of what is made up, and electrodes and torso are given; leave it out",
    ),
]


@pytest.mark.parametrize(("ecg", "sentence"), BAD)
def test_keys_that_cannot_be_are_refused(ecg, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        scenario_from(shipped(ecg), folder=tmp_path)


@pytest.mark.parametrize("torso", [None, "ellipsoid"])
def test_a_heart_outside_the_chest_is_refused_before_a_run(torso):
    ecg = {"position": {"back_mm": 80.0}} | ({} if torso is None else {"torso": torso})
    with pytest.raises(ValueError, match=r"\[ecg\] position or chest: the heart does not fit into"):
        build_scene(scenario_from(shipped(ecg)))


def block(folder):
    """A torso of two regions around the wall, which lies in it."""
    body = slab((60.0, 40.0, 30.0), 5.0)
    middle = body.points[body.cells].mean(axis=1)
    body = dataclasses.replace(
        body,
        points=body.points - [18.0, 18.0, 13.0],
        regions=np.where(middle[:, 0] > 50.0, 7, 4).astype(np.int32),
        frames=None,
        node_sets={},
        region_names=(),
    )
    write_mesh(body, folder / "torso.vtu")
    names = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")
    places = [(-18.0, y, z) for y in (-10.0, 1.0, 12.0) for z in (-5.0, 2.0, 9.0)]
    rows = [f"{n},{x},{y},{z}" for n, (x, y, z) in zip(names, places, strict=True)]
    (folder / "electrodes.csv").write_text("\n".join(rows))


def test_a_mesh_and_its_conductivities_by_tag(data, folder):
    block(folder)
    data["region"] = [{"tags": ["scar"], "conductive": False}]
    given = dict(torso="torso.vtu", electrodes="electrodes.csv")
    scenario = scenario_from(
        {**data, "ecg": given | {"conductivity_mS_mm": {"4": 0.2, "7": 0.1}}}, folder=folder
    )
    assert str(folder / "torso.vtu") in to_toml(scenario)
    first = build_scene(scenario).field
    second = scene_of(data, folder, **given, conductivity_mS_mm={"4": 0.2, "7": 0.9}).field
    assert np.isfinite(first).all()
    assert np.abs(first - second).max() > 1e-3 * np.abs(first).max()
    with pytest.raises(ValueError, match=r"\[ecg\] torso: torso: region 7 .tag 7. has conductiv"):
        scene_of(data, folder, **given, conductivity_mS_mm={"4": 0.2})


def test_a_torso_that_is_not_there_is_named(data, folder):
    with pytest.raises(FileNotFoundError, match=r"nothing\.vtu does not exist"):
        scene_of(data, folder, torso="nothing.vtu")
