"""[ecg] torso: a run's leads in a made-up trunk, or in a mesh."""

import dataclasses

import numpy as np
import pytest

from heartsim.ecg import (
    CONDUCTIVITY,
    Chest,
    HeartPosition,
    body_around,
    default_electrodes,
    lead_field,
    moved_body,
    torso_field,
)
from heartsim.mesh import biventricular_ellipsoid, heart_axes, slab, write_mesh
from heartsim.scenario import build_scene, scenario_from, to_toml
from heartsim.scenario._leads import _by_name, _torso, leads_of
from heartsim.scenario._schema import Ecg
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


HEART = biventricular_ellipsoid(4.2)


def ecg_of(data, folder, **ecg):
    return scenario_from({**data, "ecg": ecg}, folder=folder).ecg


def test_the_heart_lies_where_the_file_says(data, folder):
    """Electrodes made up, and the same from a file (6 decimals, to 1e-4 of the field); a table of
    zeros is an absent one, bit for bit."""
    given = {"left_mm": 5.0, "head_mm": -10.0, "vertical_deg": 20.0, "clockwise_deg": -10.0}
    at = HeartPosition(left=5.0, head=-10.0, vertical=20.0, clockwise=-10.0)
    sigma_i = tensor(HEART, 0.17, 0.019, 0.019)
    usual, _ = default_electrodes(HEART)
    rows = [f"{name},{x:.6f},{y:.6f},{z:.6f}" for name, (x, y, z) in usual.items()]
    (folder / "electrodes.csv").write_text("\n".join(rows))

    def field(**ecg):
        return leads_of(ecg_of(data, folder, **ecg), HEART, HEART)

    (made, notes), chest = field(position=given, chest={"width_mm": 280.0}), Chest(width=280.0)
    note = "heart moved from where it usually lies (+5 mm left, -10 mm head, +20 degrees vertical"
    assert any(note in n for n in notes)
    L = lead_field(HEART, default_electrodes(HEART, at, chest)[0], sigma_i)
    assert np.array_equal(made, np.asarray(L))

    csv = {"electrodes": "electrodes.csv"}
    assert np.array_equal(field(**csv)[0], field(**csv, position={})[0])
    L = np.asarray(lead_field(HEART, default_electrodes(HEART, at)[0], sigma_i))
    assert field(**csv, position=given)[0] == pytest.approx(L, abs=1e-4 * float(np.abs(L).max()))


def test_a_torso_of_a_file_is_moved_around_the_heart(data, folder):
    """1e-5: float32, of the field that is kept and of the file's coordinates."""
    torso = body_around(HEART, edge=14.0)
    write_mesh(torso, folder / "torso.vtu")
    made, _ = leads_of(
        ecg_of(data, folder, torso="torso.vtu", position={"back_mm": -9.0}), HEART, HEART
    )
    at = HeartPosition(back=-9.0)
    there = dataclasses.replace(torso, points=moved_body(torso.points, heart_axes(HEART), at))
    sigmas = [tensor(HEART, x, y, y) for x, y in ((0.17, 0.019), (0.62, 0.24))]
    L = torso_field(there, CONDUCTIVITY, default_electrodes(HEART, at)[0], HEART, *sigmas)
    assert made == pytest.approx(np.asarray(L), abs=1e-5 * float(np.abs(L).max()))


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
def test_keys_that_cannot_be_are_refused(data, folder, ecg, sentence):
    with pytest.raises(ValueError, match=sentence):
        ecg_of(data, folder, **ecg)


def test_a_heart_outside_the_chest_is_refused(data, folder):
    there = {"position": {"back_mm": 80.0}}
    with pytest.raises(ValueError, match=r"\[ecg\] position or chest: the heart does not fit into"):
        leads_of(ecg_of(data, folder, **there), HEART, HEART)
    block(folder)
    given = {"torso": "ellipsoid", "electrodes": "electrodes.csv"}
    with pytest.raises(ValueError, match=r"\[ecg\] torso: the heart does not fit into"):
        leads_of(ecg_of(data, folder, **given, **there), HEART, HEART)


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


def test_conductivities_by_tag_go_before_defaults_and_others_are_refused():
    """`ellipsoid` names its regions; 3 is the tag of its lungs."""
    ecg = Ecg(torso="ellipsoid")
    torso, _ = _torso(ecg, HEART)
    tag = str(torso.region_tag("lungs"))
    assert _by_name({tag: 0.01}, torso) == {"lungs": 0.01}
    assert _by_name({"blood": 0.7}, torso) == {"blood": 0.7}
    with pytest.raises(ValueError, match=r"no region 'lung' \(did you mean 'lungs'\?\); it has"):
        _by_name({"lung": 0.01}, torso)


def test_a_torso_that_is_not_there_is_named(data, folder):
    with pytest.raises(FileNotFoundError, match=r"nothing\.vtu does not exist"):
        scene_of(data, folder, torso="nothing.vtu")
