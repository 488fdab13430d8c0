"""Scar from late enhancement: on a known histogram, and painted into a made-up heart."""

import dataclasses
import json

import numpy as np
import pytest
import SimpleITK

from heartsim import anatomy
from heartsim.cli import run_command
from heartsim.mesh import (
    Mesh,
    biventricular_ellipsoid,
    locate_points,
    read_mesh,
    signed_volumes,
    write_mesh,
)

MADE = biventricular_ellipsoid(4.0)
AXES = np.linalg.qr(np.array([[1.0, 0.3, 0.2], [-0.2, 1.0, 0.4], [0.1, -0.5, 1.0]]))[0]
SPACING = np.array([2.0, 2.0, 4.0])
REMOTE, BORDER, CORE = 100.0, 140.0, 300.0


@pytest.fixture(scope="module")
def heart():
    bare = Mesh(points=MADE.points, cells=MADE.cells, regions=np.ones(MADE.n_cells, np.int32))
    return anatomy.describe_heart(bare).mesh


@pytest.fixture(scope="module")
def image(heart):
    """Blood 400, muscle 100 ± 10, core in segments 7 and 8, border in 12; oblique slices."""
    return painted(heart, AXES)


def painted(heart, axes):
    along = heart.points @ axes
    origin = axes @ (along.min(axis=0) - 6.0)
    size = np.ceil((np.ptp(along, axis=0) + 12.0) / SPACING).astype(int)
    k, j, i = np.indices(size[::-1])
    x = origin + (np.stack([i, j, k], axis=-1).reshape(-1, 3) * SPACING) @ axes.T
    cell, _ = locate_points(heart, x)
    segment = heart.cell_data["segment"][cell]
    noise = 10.0 * np.sin(1000.0 * x[:, 0] + 777.0 * x[:, 1])  # a deviation of 7.1, peak 10
    values = REMOTE + noise + 3.0 * np.isin(segment, [1, 2, 3, 4, 6])  # 5, 9, 10, 11 darker
    values = np.where(np.isin(segment, [7, 8]), CORE, np.where(segment == 12, BORDER, values))
    values = np.where(cell < 0, 400.0, values).reshape(size[::-1]).astype(np.float32)
    return anatomy.Image(values, SPACING, axes, origin, "painted")


def volume_of(heart, segments):
    own = np.isin(heart.cell_data["segment"], segments)
    return signed_volumes(heart.points, heart.cells)[own].sum() / 1000


def test_rules_on_a_known_histogram():
    """Remote 100 ± 10 with a peak of 130, greatest 300: 120 and 130, 130 and 150, 105 and 150."""
    found = anatomy.Enhancement(
        voxels=np.array([90.0, 106.0, 125.0, 131.0, 149.0, 151.0, 300.0]),
        voxel_mL=0.01,
        cells=np.zeros(0),
        remote=11,
        remote_mean=100.0,
        remote_sd=10.0,
        remote_peak=130.0,
        peak=300.0,
    )
    wanted = {
        "sd": [0, 0, 1, 2, 2, 2, 2],
        "fwhm": [0, 0, 0, 1, 1, 2, 2],
        "fraction": [0, 1, 1, 1, 1, 2, 2],
    }
    for rule in anatomy.RULES:
        np.testing.assert_array_equal(found.zones(rule, found.voxels), wanted[rule.name])
    five = found.zones(anatomy.DeviationRule(2.0, 5.0), found.voxels)
    np.testing.assert_array_equal(five, [0, 0, 1, 1, 1, 2, 2])
    assert found.levels(anatomy.HalfMaximumRule(0.3)) == (90.0, 90.0)  # no border below the core


def test_painted_scar_is_found_by_every_rule(heart, image):
    """Shares of the wall's voxels to 2 %, volumes in the mesh to a tenth: cells of 4 mm beside an
    edge take the side of their nearest voxels. Blood of 400 beside the wall does not leak in."""
    found = anatomy.enhancement(heart, image)
    assert found.remote in (5, 9, 10, 11, 13, 14, 15, 16)
    assert found.remote_mean == pytest.approx(REMOTE, abs=2.0)
    assert found.remote_sd == pytest.approx(10 / np.sqrt(2), rel=0.1)
    core, border = volume_of(heart, [7, 8]), volume_of(heart, [12])
    for rule in anatomy.RULES:
        by_voxels, by_cells = anatomy.zone_volumes(heart, found, rule)
        wanted = core + border if rule.name == "sd" else core  # 140 is 6 deviations above
        share = by_voxels / by_voxels.sum()
        assert share[2] == pytest.approx(wanted / volume_of(heart, range(1, 18)), abs=0.02), rule
        assert by_cells[2] == pytest.approx(wanted, rel=0.1), rule


@pytest.mark.parametrize("flip", [(0,), (1,), (2,), (0, 1, 2)])
def test_the_same_scar_whichever_way_the_image_runs(heart, image, flip):
    values, axes, origin = image.values, image.axes.copy(), image.origin.copy()
    for k in flip:
        axis = 2 - k  # of the array
        origin = origin + axes[:, k] * image.spacing[k] * (values.shape[axis] - 1)
        axes[:, k] *= -1
        values = np.flip(values, axis=axis)
    turned = anatomy.Image(np.ascontiguousarray(values), image.spacing, axes, origin, "turned")
    one, other = anatomy.enhancement(heart, image), anatomy.enhancement(heart, turned)
    assert other.remote == one.remote
    np.testing.assert_allclose(np.sort(other.voxels), np.sort(one.voxels))
    np.testing.assert_allclose(other.cells, one.cells, rtol=1e-4)


def test_regions_are_where_the_scar_was_painted(heart, image):
    scarred = anatomy.with_scar(
        heart, anatomy.enhancement(heart, image, remote=10), anatomy.HalfMaximumRule()
    )
    core = scarred.regions == scarred.region_tag("scar")
    depth = heart.point_data["transmural"][heart.cells].mean(axis=1)
    inner = (depth > 0.3) & (depth < 0.7)
    truth = np.isin(heart.cell_data["segment"], [7, 8])
    assert (core == truth)[inner].mean() > 0.92  # cells beside its edge see both sides of it
    assert not core[heart.cell_data["chamber"] == anatomy.RV].any()
    assert np.isnan(
        scarred.cell_data["enhancement"][heart.cell_data["chamber"] == anatomy.RV]
    ).all()


def test_an_image_of_something_else_is_refused(heart, image):
    away = dataclasses.replace(image, origin=image.origin + 500.0)
    with pytest.raises(ValueError, match="painted: the heart lies outside of this image"):
        anatomy.enhancement(heart, away)
    with pytest.raises(ValueError, match="shows no muscle of segment 20"):
        anatomy.enhancement(heart, image, remote=20)


def test_the_command_writes_scar_and_reports_all_rules(heart, image, tmp_path, capsys):
    write_mesh(heart, tmp_path / "heart.vtu")
    file = SimpleITK.GetImageFromArray(image.values)
    file.SetSpacing(image.spacing.tolist())
    file.SetOrigin(image.origin.tolist())
    file.SetDirection(image.axes.ravel().tolist())
    SimpleITK.WriteImage(file, str(tmp_path / "lge.nii.gz"))
    base = ["scar", str(tmp_path / "heart.vtu"), str(tmp_path / "lge.nii.gz"), "--json"]
    base += ["--out", str(tmp_path / "scarred.vtu"), "--png", str(tmp_path / "scar.png")]
    assert run_command([*base, "--rule", "sd", "--core", "5", "--border", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"sd_core_mL", "fwhm_core_percent", "fraction_border_mL"} <= set(told)
    sd = told["remote_sd"]["value"]
    assert told["sd_core_above"]["value"] == pytest.approx(told["remote_mean"]["value"] + 5 * sd)
    scarred = read_mesh(tmp_path / "scarred.vtu")
    assert {"scar", "border"} <= {name for name, _ in scarred.region_names}
    assert (tmp_path / "scar.png").stat().st_size > 10_000
    write_mesh(MADE, tmp_path / "plain.vtu")
    for k, name in ((1, "plain.vtu"), (5, "other.vtu"), (7, "other.png")):
        base[k] = str(tmp_path / name)
    assert run_command(base) == 2
    assert "run `heartsim anatomy` first" in capsys.readouterr().err


def test_voxels_without_a_number_are_as_those_outside(heart, image):
    """An image that is NaN where nothing was drawn is as good as one that is 0 there."""
    zero, nothing = image.values.copy(), image.values.copy()
    zero[image.values == 400.0] = 0.0
    nothing[image.values == 400.0] = np.nan
    found = [
        anatomy.enhancement(heart, dataclasses.replace(image, values=values))
        for values in (zero, nothing)
    ]
    np.testing.assert_array_equal(found[0].cells, found[1].cells)
    assert found[0].peak == found[1].peak


@pytest.mark.parametrize(
    ("rule", "levels", "said"),
    [
        (anatomy.DeviationRule, {"border": 5.0}, "wants 0 < border <= core; was given border 5"),
        (anatomy.DeviationRule, {"core": np.nan}, "core nan"),
        (anatomy.HalfMaximumRule, {"core": 50.0}, "wants 0 < core < 1"),
        (anatomy.FractionRule, {"border": 35.0, "core": 50.0}, "wants 0 < border <= core < 1"),
        (anatomy.VoltageRule, {"border": 0.3}, "wants 0 < core <= border"),
    ],
)
def test_levels_that_can_mark_nothing_are_refused(rule, levels, said):
    with pytest.raises(ValueError, match=said):
        rule(**levels)


# voltages


@pytest.fixture(scope="module")
def voltage_map(heart):
    """Points on the left endocardium, moved by 2 mm: 0.2 mV in the middle of the lateral wall, 1.0
    beside it, 4.0 elsewhere."""
    nodes = heart.node_sets["lv_endo"]
    z, turn = (heart.point_data[key][nodes] for key in ("apicobasal", "rotational"))
    lateral = np.abs(np.abs(turn) - np.pi)  # 0 opposite the septum
    core = (lateral < 0.6) & (np.abs(z - 0.55) < 0.15)
    border = (lateral < 0.9) & (np.abs(z - 0.55) < 0.25)
    voltage = np.select([core, border], [0.2, 1.0], 4.0)
    return heart.points[nodes] + [2.0, 0.0, 0.0], voltage


def test_low_voltages_become_scar_through_the_wall(heart, voltage_map):
    found = anatomy.mapped(heart, *voltage_map)
    scarred = anatomy.with_voltage_scar(heart, found, anatomy.VoltageRule())
    core = scarred.regions == scarred.region_tag("scar")
    z = heart.point_data["apicobasal"][heart.cells].mean(axis=1)
    turn = np.angle(np.exp(1j * heart.point_data["rotational"][heart.cells]).mean(axis=1))
    lateral = np.abs(np.abs(turn) - np.pi)
    depth = heart.point_data["transmural"][heart.cells].mean(axis=1)
    inside = (lateral < 0.35) & (np.abs(z - 0.55) < 0.07)
    outside = (lateral > 0.85) | (np.abs(z - 0.55) > 0.24)
    for low, high in ((0.0, 0.4), (0.4, 1.0)):  # inner and outer wall alike
        layer = (depth >= low) & (depth <= high)
        assert core[inside & layer].mean() > 0.95
    assert not core[outside].any()
    assert not core[heart.cell_data["chamber"] == anatomy.RV].any()


def test_areas_share_out_the_endocardium(heart, voltage_map):
    points, voltage = voltage_map
    rule = anatomy.VoltageRule()
    areas = anatomy.voltage_areas(heart, anatomy.mapped(heart, points, voltage), rule)
    faces = anatomy.find_surfaces(heart).faces["lv_endo"]
    assert areas.sum() == pytest.approx(signed_volumes(heart.points, faces).sum() / 100)
    assert areas[3] == 0.0
    upper = heart.point_data["apicobasal"][heart.node_sets["lv_endo"]] > 0.5
    half = anatomy.mapped(heart, points[upper], voltage[upper])
    assert anatomy.voltage_areas(heart, half, rule)[3] > 0.25 * areas.sum()


def test_what_a_map_did_not_measure_is_no_scar(heart, voltage_map):
    """Below 0, as mapping systems write it, and NaN are the same."""
    points, voltage = voltage_map
    upper = heart.point_data["apicobasal"][heart.node_sets["lv_endo"]] > 0.5
    found = [
        anatomy.mapped(heart, points, np.where(upper, voltage, none)).voltage
        for none in (np.nan, -10000.0)
    ]
    np.testing.assert_array_equal(*found)
    assert np.isnan(found[0]).any()


def test_a_map_of_something_else_is_refused(heart, voltage_map):
    points, voltage = voltage_map
    with pytest.raises(ValueError, match="no point of the map has a voltage of 0 mV or more"):
        anatomy.mapped(heart, points, np.full_like(voltage, -1.0))
    with pytest.raises(ValueError, match="or more from the left endocardium"):
        anatomy.mapped(heart, points + 300.0, voltage)
    with pytest.raises(ValueError, match="wanted left or right"):
        anatomy.mapped(heart, points, voltage, "both")


def test_the_command_reads_a_map(heart, voltage_map, tmp_path, capsys):
    import pyvista

    points, voltage = voltage_map
    surface = pyvista.PolyData(points)
    surface.point_data["bip"] = voltage
    surface.save(tmp_path / "map.vtp")
    write_mesh(heart, tmp_path / "heart.vtu")
    base = ["scar", str(tmp_path / "heart.vtu"), str(tmp_path / "map.vtp"), "--rule", "voltage"]
    base += ["--out", str(tmp_path / "out.vtu"), "--json"]
    assert run_command(base) == 2
    assert "no point data 'bipolar'; there are bip" in capsys.readouterr().err
    assert run_command([*base, "--field", "bip"]) == 0
    said = capsys.readouterr()
    assert said.err == ""  # no stages for a machine
    told = json.loads(said.out)
    assert told["voltage_core_cm2"]["value"] > 2.0
    assert "scar" in {name for name, _ in read_mesh(tmp_path / "out.vtu").region_names}
    (tmp_path / "out.vtu").unlink()
    assert run_command([*base[:-1], "--field", "bip", "--frame", "0"]) == 2
    assert "--frame: is of images" in capsys.readouterr().err
    assert run_command([*base[:-1], "--field", "bip"]) == 0
    stages = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert stages == ["reading", "voltages on the endocardium", "zones", "writing"]
