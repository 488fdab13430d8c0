"""Valves of hearts built from labels, by the atria and vessels behind them."""

import dataclasses

import numpy as np
import pytest

from heartsim import anatomy
from heartsim.cli import run_command
from heartsim.mesh import read_mesh

SHAPE = anatomy.made_up()
BODY = SHAPE.ellipsoids()
ORIGIN, *ENDS = BODY.in_patient(np.vstack([np.zeros(3), np.eye(3)]))
BEHIND = {"left_atrium": 11, "aorta": 12, "right_atrium": 13, "pulmonary_artery": 14}
EDGE = 4.0


def in_body(x):
    """Places of the patient in the made-up heart's own frame."""
    return (x - ORIGIN) @ (np.array(ENDS) - ORIGIN).T


def labels(**given):
    return anatomy.Labels(**{**anatomy.NUMBERS, "rv_wall_mm": SHAPE.right_wall, **BEHIND, **given})


@pytest.fixture(scope="module")
def image():
    """The made-up heart, the ellipsoids going on above its base as atria for y < 0 and vessels."""
    image = anatomy.short_axis_labels(SHAPE, np.full(3, 2.0))
    values = np.pad(image.values, ((0, 8), (0, 0), (0, 0)))
    index = np.stack(np.indices(values.shape)[::-1], axis=-1).reshape(-1, 3)
    x = in_body(image.place(index * image.spacing))
    above, ahead = x[:, 2] > BODY.base, x[:, 1] > 0
    left, right = (depth[0] > 0 for depth in (BODY.left(x), BODY.right(x)))
    flat = values.reshape(-1)
    flat[above & right] = np.where(ahead, 14, 13)[above & right]
    flat[above & left] = np.where(ahead, 12, 11)[above & left]
    return dataclasses.replace(image, values=values)


@pytest.fixture(scope="module")
def heart(image):
    return anatomy.build_ventricles(image, labels(), EDGE, anatomy.OutflowAngles()).mesh


def test_each_valve_is_the_base_before_what_is_behind_it(heart):
    """To 5 mm of where atria and vessels part: openings are voxels of 2 mm up to 3 mm off their
    cavity. Every node of a cavity's rim is one of its two valves'."""
    sets, x = heart.node_sets, in_body(np.asarray(heart.points))
    for valve, ahead in (("mitral", -1), ("aortic", 1), ("tricuspid", -1), ("pulmonary", 1)):
        assert np.isin(sets[valve], sets["base"]).all()
        assert (ahead * x[sets[valve], 1]).min() > -5.0, valve
    for endo, valves in (
        ("lv_endo", ("mitral", "aortic")),
        ("rv_endo", ("tricuspid", "pulmonary")),
    ):
        rim = np.intersect1d(sets[endo], sets["base"])
        assert np.isin(rim, np.concatenate([sets[valve] for valve in valves])).all()
    assert "Doste 2019" in " ".join(heart.notes)


def test_what_has_no_name_takes_its_share(image, heart):
    """The atria under `beyond`: the vessels' valves are the same as where all four have names."""
    some = labels(left_atrium=None, right_atrium=None, beyond=(11, 13))
    found = anatomy.build_ventricles(image, some, EDGE).mesh.node_sets
    assert not {"mitral", "tricuspid"} & set(found)
    for valve in ("aortic", "pulmonary"):
        np.testing.assert_array_equal(found[valve], heart.node_sets[valve])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"aorta": 9}, r"no voxel has label 9 \(aorta\); there are"),
        ({"aorta": 11}, "left_atrium and aorta .* must have different labels"),
        (
            {"left_atrium": 13, "right_atrium": 11},
            r"label 13 \(left_atrium\) is wanted where the left cavity opens at its mitral",
        ),
        ({"rv_cavity": None}, "right_atrium is given without rv_cavity"),
    ],
)
def test_one_sentence_for_each_mistake(image, given, words):
    with pytest.raises(ValueError, match=words):
        anatomy.build_ventricles(image, labels(**given), EDGE)


def test_a_structure_that_touches_no_ventricle_is_refused(image):
    far = image.values.copy()
    far[-1, :3, :3] = 9
    with pytest.raises(ValueError, match=r"label 9 .aorta. .* 0 of its voxels .* 0 of the other"):
        anatomy.build_ventricles(
            dataclasses.replace(image, values=far), labels(aorta=9, beyond=(12,)), EDGE
        )


def test_the_command_gives_fibres_by_dostes_rule(image, tmp_path, capsys):
    anatomy.write_image(image, tmp_path / "seg.nii.gz")
    named = {**anatomy.NUMBERS, **BEHIND}
    lines = ["[labels]", *(f"{name} = {number}" for name, number in named.items())]
    (tmp_path / "all.toml").write_text("\n".join(lines))
    (tmp_path / "some.toml").write_text("\n".join(lines[:-1]))
    command = ["mesh", "build", str(tmp_path / "seg.nii.gz"), "--edge", str(EDGE), "--rule=doste"]
    out = ["--out", str(tmp_path / "heart.vtu"), "--labels"]
    assert run_command([*command, *out, str(tmp_path / "some.toml")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "the labels do not name pulmonary_artery; give their numbers" in said
    assert run_command([*command, *out, str(tmp_path / "all.toml"), "--left-angles=55"]) == 2
    angles = ["--left-angles", "55", "-65", "0", "0"]
    assert run_command([*command, *out, str(tmp_path / "all.toml"), *angles]) == 0
    mesh = read_mesh(tmp_path / "heart.vtu")
    assert {"mitral", "aortic", "tricuspid", "pulmonary"} <= set(mesh.node_sets)
    assert "left 55 to -65" in " ".join(mesh.notes)


def test_surfaces_tell_no_valves(tmp_path, capsys):
    (tmp_path / "surfaces.toml").write_text('[surfaces]\nepi = "e.ply"\nlv_endo = "l.ply"\n')
    command = ["mesh", "build", str(tmp_path / "surfaces.toml"), "--rule=doste"]
    assert run_command([*command, "--out", str(tmp_path / "heart.vtu")]) == 2
    assert "asks for the valves, which surfaces" in " ".join(capsys.readouterr().err.split())
