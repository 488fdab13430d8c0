import numpy as np
import pytest

from heartsim.mesh import (
    atrial_shell,
    boundary_triangles,
    cable,
    edge_lengths,
    keep_regions,
    mean_ratio,
    sheet,
    signed_volumes,
    slab,
    submesh,
)


@pytest.mark.parametrize(
    ("mesh", "measure", "longest"),
    [
        (cable(20.0, 0.5), 20.0, 0.5),
        (sheet((4.0, 3.0), 0.5), 12.0, 0.5 * np.sqrt(2)),
        (slab((2.0, 1.5, 1.0), 0.5), 3.0, 0.5 * np.sqrt(3)),
    ],
    ids=["cable", "sheet", "slab"],
)
def test_a_box_has_its_measure_positive_cells_and_its_edges(mesh, measure, longest):
    volumes = signed_volumes(mesh.points, mesh.cells)
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(measure, rel=1e-12)  # round-off of the sum
    assert edge_lengths(mesh).max() == pytest.approx(longest, rel=1e-12)
    np.testing.assert_array_equal(mesh.frames[0], np.eye(3)[[0, 1, 2]])


def test_slab_has_six_tets_a_cube_and_a_closed_outward_boundary():
    mesh = slab((2.0, 1.5, 1.0), 0.5)
    assert mesh.n_cells == 6 * 4 * 3 * 2
    faces = mesh.points[boundary_triangles(mesh)]
    # divergence theorem with the field x/3: outward faces enclose the volume
    flux = np.einsum("fi,fi->", faces[:, 0], np.cross(faces[:, 1], faces[:, 2])) / 6
    assert len(faces) == 2 * 2 * (4 * 3 + 4 * 2 + 3 * 2)
    assert flux == pytest.approx(3.0, rel=1e-12)
    np.testing.assert_array_equal(mesh.node_sets["x_min"], np.flatnonzero(mesh.points[:, 0] == 0))


def test_slab_takes_a_fibre_and_completes_the_frame():
    frames = slab((1.0, 1.0, 1.0), 0.5, fibre=(1.0, 1.0, 0.0)).frames
    np.testing.assert_allclose(
        frames[:, 0], np.array([[0.5, 0.5, 0]]) * np.sqrt(2) + 0 * frames[:, 0]
    )
    np.testing.assert_allclose(
        frames @ frames.transpose(0, 2, 1), np.eye(3)[None] + 0 * frames, atol=1e-15
    )


def test_submesh_renumbers_and_remembers_the_parent():
    mesh = slab((2.0, 1.0, 1.0), 0.5)
    centres = mesh.points[mesh.cells].mean(axis=1)
    child, parent = submesh(mesh, centres[:, 0] < 1.0)
    assert signed_volumes(child.points, child.cells).sum() == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_array_equal(child.points, mesh.points[parent])
    np.testing.assert_array_equal(parent[child.node_sets["x_min"]], mesh.node_sets["x_min"])
    assert "x_max" not in child.node_sets


def test_a_region_that_does_not_exist_is_named_with_a_near_one():
    mesh = slab((1.0, 1.0, 1.0), 0.5)
    assert keep_regions(mesh, ["tissue"]).n_cells == mesh.n_cells
    with pytest.raises(ValueError, match=r"'tisue' does not exist \(did you mean 'tissue'\?\)"):
        keep_regions(mesh, ["tisue"])
    with pytest.raises(ValueError, match=r"region 7 does not exist; this mesh has regions tissue"):
        keep_regions(mesh, [7])
    with pytest.raises(ValueError, match=r"node set 'x_mim' does not exist \(did you mean 'x_m"):
        mesh.node_set("x_mim")


def test_a_size_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match=r"slab: size .* 3 positive lengths"):
        slab((1.0, 0.0, 1.0), 0.5)
    with pytest.raises(ValueError, match=r"cable: size .* edge -1"):
        cable(1.0, -1.0)


@pytest.mark.parametrize(("side", "holes"), [("left", 5), ("right", 4)])
def test_a_made_up_atrium_lies_on_its_sphere_and_has_a_hole_for_each_opening(side, holes):
    """Euler's number of a sphere with so many holes; normals outward; edges within twice of what
    was asked for, as rims are pulled onto circles."""
    mesh = atrial_shell(side, 2.0)
    assert np.linalg.norm(mesh.points, axis=1) == pytest.approx(25.0, rel=1e-12)
    edges = len(edge_lengths(mesh))
    assert mesh.n_nodes - edges + mesh.n_cells == 2 - holes
    a, b, c = np.moveaxis(mesh.points[mesh.cells], 1, 0)
    assert (np.sum(np.cross(b - a, c - a) * a, axis=1) > 0).all()
    assert edge_lengths(mesh).mean() == pytest.approx(2.0, rel=0.1)
    assert edge_lengths(mesh).max() < 4.0
    assert mean_ratio(mesh.points, mesh.cells).min() > 0.4


@pytest.mark.parametrize(("side", "edge"), [("middle", 2.0), ("left", 0.0), ("left", 9.0)])
def test_a_made_up_atrium_has_a_side_and_an_edge(side, edge):
    with pytest.raises(ValueError, match="left or right, and an edge"):
        atrial_shell(side, edge)
