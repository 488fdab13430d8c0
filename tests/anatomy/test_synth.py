"""Made-up hearts, and the way from one through its segmentation back to a heart."""

import json

import numpy as np
import pytest
from scipy.spatial import cKDTree

from heartsim import anatomy
from heartsim.cli import run_command
from heartsim.mesh import biventricular_ellipsoid, dihedral_angles, read_mesh, require_sound
from heartsim.mesh._ellipsoids import _pose
from heartsim.scenario import mesh_from_image

STRAIGHT = anatomy.FibreAngles(60.0, -60.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", anatomy.KINDS)
def test_every_kind_is_sound_and_has_all_segments(kind):
    mesh = anatomy.synthetic_heart(anatomy.made_up(kind), 4.2)
    require_sound(mesh, kind)
    assert dihedral_angles(mesh.points, mesh.cells).min() > 5.0
    assert set(mesh.cell_data["segment"].tolist()) == set(range(1, 27))


def test_kinds_are_what_they_are_called():
    def volumes(kind):
        values = anatomy.short_axis_labels(anatomy.made_up(kind), np.array([1.5, 1.5, 4.0])).values
        return np.bincount(values.ravel(), minlength=4) * 9.0 / 1000

    normal, dilated, thick, right = map(
        volumes, ("normal", "dilated", "hypertrophic", "right_dilated")
    )
    assert dilated[3] > 1.8 * normal[3]
    assert thick[2] > 1.5 * normal[2]
    assert thick[3] < normal[3]
    assert right[1] > 1.2 * normal[1]


def test_a_seed_is_one_heart_and_seeds_are_many():
    one, same, other = (anatomy.made_up("normal", seed) for seed in (1, 1, 2))
    assert one == same != other
    cavities = [anatomy.made_up("normal", seed).cavity for seed in range(200)]
    assert np.std(np.log(cavities)) == pytest.approx(0.06, rel=0.15)  # of 200: to 5 %


def test_the_labels_hold_the_ellipsoids():
    """Volumes of the voxels below the base against the equations, on fine voxels."""
    shape = anatomy.made_up()
    body, spacing = shape.ellipsoids(), np.array([1.0, 1.0, 1.0])
    image = anatomy.short_axis_labels(shape, spacing)
    a, c, base = body.lv_inner[0], body.lv_inner[2], body.base
    cavity = np.pi * a**2 * (base - base**3 / (3 * c**2) + 2 * c / 3)
    assert (image.values == 3).sum() == pytest.approx(cavity, rel=0.005)
    middle = np.argwhere(image.values == 3).mean(axis=0)[::-1] * spacing
    inside = body.in_patient(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    away = image.place(middle[None])[0] - inside[0]
    assert np.linalg.norm(np.cross(away, inside[1] - inside[0])) < 0.5  # on the long axis


@pytest.mark.long
def test_there_and_back_through_a_segmentation():
    """1.5 x 1.5 x 8 mm: surfaces within 0.7 mm in the mean (half a voxel), fibres within 10° of the
    same rule on the true shape, of which 6 lie between neighbouring cells of 2 mm."""
    shape = anatomy.made_up()
    image = anatomy.short_axis_labels(shape, np.array([1.5, 1.5, 8.0]))
    numbers = anatomy.Labels(**anatomy.NUMBERS, rv_wall_mm=shape.right_wall)
    mesh = anatomy.build_ventricles(image, numbers, 2.0, STRAIGHT).mesh
    own = mesh.points @ _pose().T + np.array([-10.0, 0.0, -20.0])
    for name, level in shape.ellipsoids().surfaces(own).items():
        assert np.abs(level[mesh.node_sets[name]]).mean() < 0.7, name
    truth = anatomy.describe_heart(biventricular_ellipsoid(2.0), STRAIGHT).mesh
    middles = [m.points[m.cells].mean(axis=1) for m in (truth, mesh)]
    away, near = cKDTree(middles[0]).query(middles[1])
    both = np.abs(np.sum(mesh.frames[:, 0] * truth.frames[near, 0], axis=1))[away < 1.5]
    assert len(both) > 0.95 * mesh.n_cells
    assert np.degrees(np.arccos(np.clip(both, 0, 1))).mean() < 10.0


def test_the_command_makes_a_heart_with_scar_and_its_segmentation(tmp_path, capsys):
    """The labels lead back, by `mesh build`, to a heart of the same cavities."""
    seg = tmp_path / "seg.nii.gz"
    base = ["mesh", "synth", "--kind", "hypertrophic", "--seed", "5", "--edge", "4.0", "--json"]
    base += ["--out", str(tmp_path / "heart.vtu")]
    options = ["--scar", "7", "--scar", "8", "--scar-depth", "0.5", "--segmentation", str(seg)]
    assert run_command([*base, *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scar_mL"]["value"] > 2.0
    mesh = read_mesh(tmp_path / "heart.vtu")
    scar = mesh.regions == mesh.region_tag("scar")
    assert set(mesh.cell_data["segment"][scar].tolist()) == {7, 8}
    built, rows = mesh_from_image(seg, tmp_path / "seg.toml", 4.0)
    assert abs(rows["lv_cavity_error_percent"]["value"]) < 3.0
    ends = [m.points[m.node_sets["apex"]][0] for m in (built, mesh)]
    assert np.linalg.norm(ends[0] - ends[1]) < 10.0  # a slice of 8 mm and a half edge
    assert run_command(base) == 2
    assert "is not overwritten" in capsys.readouterr().err
    base[3] = "enlarged"
    base[-1] = str(tmp_path / "other.vtu")
    assert run_command(base) == 2
    assert "kind 'enlarged' is not known; there are normal, dilated" in capsys.readouterr().err
    base[3] = "normal"
    assert run_command([*base, "--scar", "40"]) == 2
    assert "segment 40 does not exist" in capsys.readouterr().err
    assert not (tmp_path / "other.vtu").exists()
