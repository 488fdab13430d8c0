"""Landmarks that are given: believed, and refused where they cannot be meant."""

import numpy as np
import pytest

from heartsim import anatomy
from heartsim.cli import run_command
from heartsim.mesh import lv_ellipsoid, write_mesh
from tests.plain_hearts import MADE, bare

X = np.asarray(MADE.points)


def test_the_height_begins_at_the_apex_given(found):
    low = found.mesh.point_data["apicobasal"][found.mesh.node_sets["epi"]]
    node = found.mesh.node_sets["epi"][np.argmin(np.abs(low - 0.15))]
    told = anatomy.describe_heart(bare(MADE), landmarks={"apex": X[node] + 0.1})
    np.testing.assert_array_equal(told.mesh.node_sets["apex"], [node])
    near = np.linalg.norm(X - X[node], axis=1) <= 5.0
    np.testing.assert_array_equal(told.mesh.point_data["apicobasal"] == 0.0, near)


def test_insertions_tell_where_the_septum_of_a_left_ventricle_alone_is(left_alone):
    """A quarter of a round heart, of which the middle is 0 and the anterior end is positive."""
    mesh, axis = left_alone.mesh, left_alone.axis
    middle = axis.base - 0.3 * (axis.base - axis.apex)
    forth = np.array([np.cos(0.7 + np.pi / 4), np.sin(0.7 + np.pi / 4)])
    back = np.array([np.cos(0.7 - np.pi / 4), np.sin(0.7 - np.pi / 4)])
    places = {
        name: middle + 30.0 * (way[0] * axis.septal + way[1] * axis.anterior)
        for name, way in (("insertion_anterior", forth), ("insertion_inferior", back))
    }
    told = anatomy.describe_heart(bare(lv_ellipsoid(3.0)), landmarks=places)
    turn = told.mesh.point_data["rotational"]
    ends = [turn[told.mesh.node_sets[name][0]] for name in places]
    assert ends[0] == pytest.approx(-ends[1])
    assert ends[0] == pytest.approx(np.pi / 4, abs=0.08)  # to an edge of 3 mm at 30 mm
    assert told.septum == pytest.approx(2 * ends[0])
    assert not [note for note in told.mesh.notes if note.startswith("segments:")]
    segment, cells = told.mesh.cell_data["segment"], np.asarray(mesh.cells)
    mid = turn[cells[np.isin(segment, [2, 8])]].ravel()
    assert ends[0] > np.median(mid) > ends[0] - np.pi / 3  # anteroseptal, from there on
    swapped = dict(zip(places, reversed(places.values()), strict=True))
    with pytest.raises(ValueError, match=r"the septum would span 2\d\d degrees; swapped"):
        anatomy.describe_heart(bare(lv_ellipsoid(3.0)), landmarks=swapped)


def test_insertions_of_two_ventricles_move_the_zero(found):
    """To midway between the grooves, which lie farther apart than the septum's muscle reaches."""
    sets = found.mesh.node_sets
    height = found.mesh.point_data["apicobasal"]
    places = {}
    for name in ("insertion_anterior", "insertion_inferior"):
        own = sets[name][np.argmin(np.abs(height[sets[name]] - 0.6))]
        places[name] = X[own]
    told = anatomy.describe_heart(bare(MADE), landmarks=places)
    off = told.mesh.point_data["rotational"] - found.mesh.point_data["rotational"]
    left = np.unique(MADE.cells[found.mesh.cell_data["chamber"] != anatomy.RV])
    off = np.angle(np.exp(1j * off[left]))
    assert np.ptp(off) < 1e-6  # a turn of all
    assert abs(off[0]) < 0.2
    assert np.degrees([found.septum, told.septum]) == pytest.approx([124.0, 160.0], abs=2.0)


def test_middles_of_valves_name_the_rims(found):
    """One rim of the left cavity for two valves, and one of the right for one."""
    rims = {name: found.surfaces.openings(name)[0] for name in ("lv_endo", "rv_endo")}
    middle = X[rims["lv_endo"]].mean(axis=0)
    aside = 12.0 * found.axis.anterior
    places = {"mitral": middle - aside, "aortic": middle + aside}
    places["tricuspid"] = X[rims["rv_endo"]].mean(axis=0)
    sets = anatomy.describe_heart(bare(MADE), landmarks=places).mesh.node_sets
    np.testing.assert_array_equal(np.sort(sets["tricuspid"]), np.sort(rims["rv_endo"]))
    both = np.concatenate([sets["mitral"], sets["aortic"]])
    np.testing.assert_array_equal(np.unique(both), np.sort(rims["lv_endo"]))
    assert ((X[sets["aortic"]] - middle) @ found.axis.anterior).min() > -1e-9
    assert ((X[sets["mitral"]] - middle) @ found.axis.anterior).max() < 1e-9
    places["pulmonary"] = places["tricuspid"] + aside
    doste = anatomy.describe_heart(bare(MADE), anatomy.OutflowAngles(), landmarks=places)
    assert "Doste" in doste.mesh.notes[-1]


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"apx": (0.0, 0, 0)}, "'apx' is not known; there are apex, insertion_anterior"),
        ({"apex": (500.0, 0, 0)}, "the apex given lies .* mm from the left ventricle's epicardium"),
        ({"mitral": (500.0, 0, 0)}, "the mitral given lies .* mm from the rims of its cavity"),
        ({"insertion_inferior": (0.0, 0, 0)}, "insertion_inferior is given alone; wanted"),
    ],
)
def test_what_cannot_be_meant_is_refused(places, said):
    given = {name: np.array(place) for name, place in places.items()}
    with pytest.raises(ValueError, match=said):
        anatomy.describe_heart(bare(MADE), landmarks=given)


def test_the_command_takes_landmarks(tmp_path, capsys):
    write_mesh(bare(MADE), tmp_path / "bare.vtu")
    options = ["anatomy", str(tmp_path / "bare.vtu"), "--out", str(tmp_path / "found.vtu")]
    assert run_command([*options, "--landmark", "apex=1,2"]) == 2
    assert "--landmark apex=1,2: NAME=X,Y,Z in mm is wanted" in capsys.readouterr().err
    assert run_command([*options, "--landmark", "apex=900,2,3"]) == 2
    assert "bare.vtu: the apex given lies" in capsys.readouterr().err
