"""Purkinje trees grown on the endocardia of a made-up heart."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial import cKDTree

from heartsim import anatomy
from heartsim.cli import run_command
from heartsim.mesh import lv_ellipsoid, read_mesh, write_mesh

HEART = anatomy.synthetic_heart(anatomy.made_up(), 4.0)


@pytest.fixture(scope="module", params=["left", "right"])
def side(request):
    return request.param


@pytest.fixture(scope="module")
def tree(side):
    return anatomy.grow_purkinje(HEART, side)


def distance_to_surface(side, points):
    """About: to the middles and corners of its faces, refined once."""
    faces = anatomy.find_surfaces(HEART).faces["lv_endo" if side == "left" else "rv_endo"]
    corners = HEART.points[faces]
    weights = np.array([[i, j, 6 - i - j] for i in range(7) for j in range(7 - i)]) / 6
    samples = np.einsum("wv,fvd->fwd", weights, corners).reshape(-1, 3)
    return cKDTree(samples).query(points)[0]


def test_the_tree_lies_on_its_endocardium(side, tree):
    """Samples of the faces are 0.7 mm apart."""
    assert distance_to_surface(side, tree.points).max() < 0.5


def test_it_is_one_tree_with_its_root_first(tree):
    a, b = tree.cells.T
    assert len(tree.cells) == tree.n_nodes - 1
    graph = sparse.coo_array((np.ones(len(a)), (a, b)), shape=2 * (tree.n_nodes,))
    assert sparse.csgraph.connected_components(graph)[0] == 1
    np.testing.assert_array_equal(tree.node_sets["root"], [0])
    degree = np.bincount(tree.cells.ravel())
    np.testing.assert_array_equal(
        tree.node_sets["junctions"], np.setdiff1d(np.flatnonzero(degree == 1), [0])
    )


def test_it_enters_at_the_septum_and_covers_the_wall(side, tree):
    """Root above 0.85 of the height; half of the endocardium below it within 8 mm of a junction."""
    nodes = HEART.node_sets["lv_endo" if side == "left" else "rv_endo"]
    height = HEART.point_data["apicobasal"]
    near = cKDTree(HEART.points).query(tree.points)[1]
    assert height[near[0]] > 0.85
    assert np.abs(HEART.point_data["rotational"][near[0]]) < 0.6
    assert height[near[tree.node_sets["junctions"]]].max() < 0.93  # the nearest node may be higher
    ends = tree.points[tree.node_sets["junctions"]]
    away = cKDTree(ends).query(HEART.points[nodes][height[nodes] < 0.85])[0]
    assert np.median(away) < 8.0


def test_branches_keep_apart(tree):
    """Nodes that are not joined by two lines: 99 % of them farther apart than half a segment."""
    lines = sparse.coo_array(
        (np.ones(len(tree.cells)), tree.cells.T), shape=2 * (tree.n_nodes,)
    ).tocsr()
    joined = lines + lines.T
    reach = (joined + joined @ joined + joined @ joined @ joined).tocsr()
    pairs = cKDTree(tree.points).query_pairs(0.75, output_type="ndarray")
    strange = [k for k, (a, b) in enumerate(pairs) if not reach[a, b]]
    assert len(strange) < 0.02 * tree.n_nodes


def test_a_seed_is_one_tree_and_sizes_are_taken(side, tree):
    again = anatomy.grow_purkinje(HEART, side)
    np.testing.assert_array_equal(again.points, tree.points)
    other = anatomy.grow_purkinje(HEART, side, growth=anatomy.Growth(seed=1))
    assert other.n_nodes != tree.n_nodes or not np.allclose(other.points, tree.points)
    young = anatomy.grow_purkinje(HEART, side, growth=anatomy.Growth(generations=3))
    assert len(young.node_sets["junctions"]) < 0.5 * len(tree.node_sets["junctions"])


def test_what_cannot_be_grown_is_refused():
    with pytest.raises(ValueError, match="wanted left or right"):
        anatomy.grow_purkinje(HEART, "both")
    alone = anatomy.describe_heart(lv_ellipsoid(6.0)).mesh
    with pytest.raises(ValueError, match="no right endocardium"):
        anatomy.grow_purkinje(alone, "right")
    with pytest.raises(ValueError, match="run `heartsim anatomy` first"):
        anatomy.grow_purkinje(dataclasses.replace(HEART, point_data={}), "left")
    with pytest.raises(ValueError, match="longer than a branch"):
        anatomy.Growth(segment=5.0, length=3.0)


def test_the_command_takes_entry_and_fascicles(tmp_path, capsys):
    """Root and the one fascicle lie at the nodes nearest to the coordinates given."""
    write_mesh(HEART, tmp_path / "heart.vtu")
    base = ["purkinje", str(tmp_path / "heart.vtu"), "--side", "left"]
    out = ["--out", str(tmp_path / "left.vtu"), "--generations", "1"]
    places = ["--root", "0.8", "-20", "--trunk", "0.6", "-5", "--fascicle", "0.4,-86,free"]
    assert run_command([*base, *out, *places]) == 0
    tree, fields = read_mesh(tmp_path / "left.vtu"), HEART.point_data
    root = np.linalg.norm(HEART.points - tree.points[0], axis=1).argmin()
    assert fields["apicobasal"][root] == pytest.approx(0.8, abs=0.05)
    assert fields["rotational"][root] == pytest.approx(np.radians(-20), abs=0.1)
    bundles = anatomy.Bundles(
        (0.8, np.radians(-20)), (0.6, np.radians(-5)), ((0.4, np.radians(-86), True),)
    )
    same = anatomy.grow_purkinje(HEART, "left", bundles, anatomy.Growth(generations=1))
    np.testing.assert_allclose(tree.points, same.points, atol=1e-4)
    capsys.readouterr()
    for wrong, said in (
        (["--root", "1.2", "0"], "--root 1.2 0: wanted a height from 0"),
        (["--fascicle", "0.4,80"], "--fascicle 0.4,80: HEIGHT,DEGREES,WALL is wanted"),
        (["--fascicle", "0.4,80,left"], "--fascicle 0.4,80,left: HEIGHT,DEGREES,WALL is wanted"),
    ):
        assert run_command([*base, "--out", str(tmp_path / "no.vtu"), *wrong]) == 2
        assert said in capsys.readouterr().err


def test_the_command_grows_and_measures(tmp_path, capsys):
    write_mesh(HEART, tmp_path / "heart.vtu")
    out = tmp_path / "left.vtu"
    base = ["purkinje", str(tmp_path / "heart.vtu"), "--side", "left", "--out", str(out), "--json"]
    assert run_command([*base, "--generations", "8", "--length-mm", "8"]) == 0
    told = json.loads(capsys.readouterr().out)
    tree = read_mesh(out)
    assert tree.dim == 1
    assert told["junctions"]["value"] == len(tree.node_sets["junctions"])
    assert told["fibres_mm"]["value"] == pytest.approx(
        np.linalg.norm(np.diff(tree.points[tree.cells], axis=1), axis=2).sum(), rel=1e-6
    )
    assert run_command(base) == 2
    assert "is not overwritten" in capsys.readouterr().err
