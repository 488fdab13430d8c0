import dataclasses

import numpy as np
import pytest

from heartsim.mesh import (
    biventricular_ellipsoid,
    dihedral_angles,
    mean_ratio,
    preflight,
    require_heart_size,
    require_sound,
    slab,
)

REGULAR = np.array([[1.0, -1, -1], [1, 1, 1], [-1, 1, -1], [-1, -1, 1]])


def test_quality_and_angles_of_known_cells():
    tet = np.array([[0, 1, 2, 3]])
    assert mean_ratio(REGULAR, tet)[0] == pytest.approx(1.0, rel=1e-12)
    assert mean_ratio(REGULAR, tet[:, [1, 0, 2, 3]])[0] == pytest.approx(-1.0, rel=1e-12)
    assert dihedral_angles(REGULAR, tet)[0] == pytest.approx(np.degrees(np.arccos(1 / 3)))
    corner = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    # 12 (3/6)^(2/3) / 9, and three right angles
    assert mean_ratio(corner, tet)[0] == pytest.approx(12 * 0.5 ** (2 / 3) / 9)
    sharp = np.degrees(np.arccos(np.sqrt(1 / 3)))  # beside the face opposite the corner
    assert dihedral_angles(corner, tet)[0] == pytest.approx([sharp] * 3 + [90.0] * 3)
    triangle = np.array([[0.0, 0, 0], [1, 0, 0], [0.5, np.sqrt(0.75), 0]])
    assert mean_ratio(triangle, np.array([[0, 1, 2]]))[0] == pytest.approx(1.0)


def test_a_sound_mesh_is_measured():
    report = require_sound(slab((2.0, 1.5, 1.0), 0.5), "slab")
    assert (report.n_nodes, report.n_cells, report.dim) == (60, 144, 3)
    assert report.volume_mm3 == pytest.approx(3.0)
    assert report.region_volumes_mm3[1] == pytest.approx(3.0)
    assert report.size_mm == pytest.approx((2.0, 1.5, 1.0))
    assert report.edge_mm[0] == pytest.approx(0.5)
    assert report.edge_mm[-1] == pytest.approx(0.5 * np.sqrt(3))
    assert report.components == (60,)
    assert report.problems == ()


def broken(**changes):
    return dataclasses.replace(slab((1.0, 1.0, 1.0), 0.5), **changes)


def test_each_fault_has_its_sentence():
    mesh = slab((1.0, 1.0, 1.0), 0.5)
    cells = mesh.cells.copy()
    cells[3] = cells[3, [1, 0, 2, 3]]
    with pytest.raises(ValueError, match=r"^slab: cell 3 is inverted \(nodes .* one of 1; repair"):
        require_sound(broken(cells=cells), "slab")
    cells[3] = cells[3, [0, 1, 2, 2]]
    with pytest.raises(ValueError, match=r"^slab: cell 3 is flat, one of 1"):
        require_sound(broken(cells=cells), "slab")
    orphan = np.vstack([mesh.points, np.full((1, 3), 9.0)])
    with pytest.raises(ValueError, match=r"^slab: node 27 belongs to no cell, one of 1"):
        require_sound(broken(points=orphan), "slab")
    points = mesh.points.copy()
    points[4, 1] = np.nan
    with pytest.raises(ValueError, match=r"^slab: node 4 has a coordinate that is not a number"):
        require_sound(broken(points=points), "slab")


def test_separate_parts_and_duplicate_nodes_are_noted():
    mesh, n = slab((1.0, 1.0, 1.0), 0.5), 27
    twice = broken(
        points=np.vstack([mesh.points, mesh.points + np.array([1.0, 0, 0])]),  # touch at x = 1
        cells=np.concatenate([mesh.cells, mesh.cells + n]).astype(np.int32),
        regions=np.ones(2 * mesh.n_cells, np.int32),
        frames=None,
    )
    report = preflight(twice)
    assert report.components == (n, n)
    assert len(report.duplicate_nodes) == 9
    assert any(note.startswith("components: 2 separate parts") for note in report.notes)
    assert any(note.startswith("duplicate nodes: 9 pairs") for note in report.notes)


@pytest.mark.parametrize(
    ("scale", "unit", "likely"), [(0.1, "mm", "cm"), (1.0, "cm", "mm"), (1000.0, "mm", "um")]
)
def test_a_heart_of_impossible_size_is_refused_with_the_likely_unit(scale, unit, likely):
    heart = biventricular_ellipsoid(4.2)
    require_heart_size(heart, "mm", "heart.vtu")
    per_unit = {"mm": 1.0, "cm": 10.0}[unit]
    wrong = dataclasses.replace(heart, points=heart.points * scale * per_unit)
    with pytest.raises(ValueError, match=rf'^heart.vtu: the heart would be .* unit = "{likely}"'):
        require_heart_size(wrong, unit, "heart.vtu")


@pytest.mark.data
def test_a_rabbit_in_centimetres_read_as_millimetres_is_refused(shared_data):
    nodes = np.loadtxt(
        shared_data / "meshes/ucsd_rabbit_decimated/UCSD_heart_decimated_173nodes.node",
        skiprows=1,
        usecols=(1, 2, 3),
        max_rows=173,
    )
    rabbit = dataclasses.replace(slab((1.0, 1.0, 1.0), 0.5), points=nodes)
    with pytest.raises(ValueError, match=r'unit = "cm" would make it'):
        require_heart_size(rabbit, "mm", "rabbit")
