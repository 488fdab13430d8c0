"""Fibres along the outflow tracts: a tube known exactly, a made-up heart, and a real one."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.spatial import cKDTree

from heartsim import anatomy
from heartsim.anatomy import OutflowAngles, WallAngles
from heartsim.anatomy._fibres import laplace_fibres
from heartsim.anatomy._laplace import Nearness
from heartsim.anatomy._outflow import outflow_fibres
from heartsim.cli import run_command
from heartsim.mesh import (
    Mesh,
    biventricular_ellipsoid,
    read_mesh,
    slab,
    write_mesh,
)
from heartsim.scenario import anatomy_of

MADE = biventricular_ellipsoid(4.0)
LENGTH, INNER, OUTER = 30.0, 10.0, 16.0  # mm, of the tube
ALIKE = OutflowAngles(*3 * [WallAngles(40.0, -50.0)], septum_left=0.5)  # Bayer's, without sheets


def between(a, b):
    """Degrees between directions without sign."""
    return np.degrees(np.arccos(np.clip(np.abs(np.sum(a * b, axis=-1)), 0, 1)))


@pytest.fixture(scope="module")
def tube():
    """Half a tube around z, its lower end apex and inflow valve, its upper end outflow valve, so
    that w = 1 - z / LENGTH and up is z; what is near the cavity falls with ln r."""
    flat = slab((OUTER - INNER, 24 * np.pi, LENGTH), 1.5)
    r, turn = INNER + flat.points[:, 0], flat.points[:, 1] / 24
    points = np.stack([r * np.cos(turn), r * np.sin(turn), flat.points[:, 2]], axis=1)
    ends = {"aortic": flat.node_sets["z_max"], "mitral": flat.node_sets["z_min"]}
    return dataclasses.replace(
        flat,
        points=points,
        frames=None,
        node_sets={
            **ends,
            "pulmonary": ends["aortic"],
            "tricuspid": ends["mitral"],
            "base": ends["aortic"],
            "lv_endo": flat.node_sets["x_min"],
            "epi": flat.node_sets["x_max"],
        },
    )


def tube_frames(tube, angles, *, right):
    """Frames of the tube as a left ventricle, or as a right one's free wall, where one node
    outside is all there is of the left one."""
    K = anatomy.laplacian(tube)
    near = anatomy.nearness(K, anatomy.find_surfaces(tube))
    if right:
        node = tube.node_sets["epi"][[100]]
        tube = dataclasses.replace(
            tube, node_sets={**tube.node_sets, "mitral": node, "aortic": node}
        )
        lv = np.zeros(tube.n_nodes)
        lv[node] = 1e-9
        near = near._replace(lv=lv, rv=near.lv)
    return outflow_fibres(tube, K, near, tube.points[:, 2] / LENGTH, angles)


@pytest.mark.parametrize("right", [False, True])
def test_frames_of_a_tube_are_those_of_the_closed_form(tube, right):
    """To 1.5 degrees: gradients are constant in cells that see the tube under 3.6
    degrees. A wrong sign, or a weight the wrong way round, would be off by 10 and more."""
    own, outflow = WallAngles(60.0, -30.0, 20.0, -10.0), WallAngles(80.0, 10.0, 4.0, 2.0)
    other = WallAngles(0.0, 0.0)
    angles = OutflowAngles(other, own, outflow) if right else OutflowAngles(own, other, outflow)
    got = tube_frames(tube, angles, right=right)
    middle = tube.points[tube.cells].mean(axis=1)
    w = 1 - middle[:, 2] / LENGTH
    depth = np.log(np.hypot(middle[:, 0], middle[:, 1]) / INNER) / np.log(OUTER / INNER)
    at = {
        field: w * getattr(own, field) + (1 - w) * getattr(outflow, field)
        for field in ("endo", "epi", "dip_endo", "dip_epi")
    }
    alpha = np.radians((1 - depth) * at["endo"] + depth * at["epi"])[:, None]
    beta = np.radians((1 - depth) * at["dip_endo"] + depth * at["dip_epi"])[:, None]
    out = middle * [1, 1, 0] / np.hypot(middle[:, 0], middle[:, 1])[:, None]
    up = np.array([0.0, 0.0, 1.0])
    layer = np.cos(alpha) * np.cross(up, out) + np.sin(alpha) * up  # counterclockwise and rising
    fibre = np.cos(beta) * layer - np.sin(beta) * out  # dips towards the cavity
    sheet = np.cos(beta) * out + np.sin(beta) * layer
    for axis, exact in ((0, fibre), (1, sheet)):
        off = between(got[:, axis], exact)
        assert off.max() < 1.5


def test_fibres_at_the_outflow_valve_run_along_it_inside_and_around_it_outside(tube):
    """The usual angles, 90 and 0, in the cells nearest to valve and surface: those are a third of a
    cell of four deep, so 90 / 12 degrees off and half as much again for the ventricle's share."""
    f = tube_frames(tube, OutflowAngles(), right=False)[:, 0]
    middle = tube.points[tube.cells].mean(axis=1)
    top, r = middle[:, 2] > LENGTH - 1.0, np.hypot(middle[:, 0], middle[:, 1])
    off = between(f[top], np.array([0.0, 0.0, 1.0]))
    assert off[r[top] < INNER + 0.5].max() < 12.0
    assert off[r[top] > OUTER - 0.5].min() > 78.0


def test_the_septum_turns_evenly_on_either_side_of_two_thirds():
    """A plate between two cavities: 60 on the left, 0 at two thirds, -60 (60 of the right one's) on
    the right. To 1 degree far below the valves, of which each ventricle has its half: the field
    forgets this as exp(-π z / 6 mm)."""
    plate = slab((6.0, 6.0, 30.0), 1.0)
    sets, x = plate.node_sets, plate.points[:, 0] / 6.0
    valves = dict.fromkeys(("mitral", "aortic", "tricuspid", "pulmonary"), sets["z_max"])
    near = Nearness(lv=1 - x, rv=x, epi=np.zeros_like(x))
    every = WallAngles(60.0, 0.0)
    plate = dataclasses.replace(plate, node_sets=valves)
    frames = outflow_fibres(
        plate,
        anatomy.laplacian(plate),
        near,
        plate.points[:, 2],
        OutflowAngles(every, every, every),
    )
    middle = plate.points[plate.cells].mean(axis=1)
    depth, low = middle[:, 0] / 6.0, middle[:, 2] < 15.0
    alpha = np.radians(np.where(depth < 2 / 3, 60 - 90 * depth, 120 - 180 * depth))
    exact = np.stack([0 * alpha, np.cos(alpha), np.sin(alpha)], axis=1)
    assert between(frames[:, 0], exact)[low].max() < 1.0


# a made-up heart


@pytest.fixture(scope="module")
def valves():
    """The made-up heart's base told apart: what is nearer to a cavity is its valves', in front the
    outflow's."""
    base = MADE.node_sets["base"]
    x = np.asarray(MADE.points)
    forward = np.array([0.488, -0.366, 0.796])  # as it was posed
    K = anatomy.laplacian(MADE)
    near = anatomy.nearness(K, anatomy.find_surfaces(MADE))
    sets = {}
    for own, names in (
        (near.lv >= near.rv, ("mitral", "aortic")),
        (near.rv > near.lv, ("tricuspid", "pulmonary")),
    ):
        nodes = base[own[base]]
        ahead = (x[nodes] - x[nodes].mean(axis=0)) @ forward
        sets[names[0]], sets[names[1]] = nodes[ahead < 5.0], nodes[ahead > 5.0]
    return sets


def with_sets(sets):
    kept = ("epi", "lv_endo", "rv_endo", "base")
    return Mesh(
        points=MADE.points,
        cells=MADE.cells,
        regions=np.ones(MADE.n_cells, np.int32),
        node_sets={**{name: MADE.node_sets[name] for name in kept}, **sets},
    )


@pytest.fixture(scope="module")
def found(valves):
    return anatomy.describe_heart(with_sets(valves), OutflowAngles()).mesh


def test_frames_are_orthonormal_and_right_handed(found):
    product = found.frames @ np.swapaxes(found.frames, 1, 2)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(found.frames), 1.0, atol=1e-9)
    assert "Doste 2019" in " ".join(found.notes)


def test_with_one_set_of_angles_it_is_bayers_rule_away_from_the_base(valves):
    """The same angle of each depth; up leads to two valves in place of one base."""
    ours = anatomy.describe_heart(with_sets(valves), ALIKE).mesh
    usual = anatomy.describe_heart(with_sets(valves)).mesh
    low = usual.point_data["apicobasal"][usual.cells].mean(axis=1) < 0.6
    off = between(ours.frames[:, 0], usual.frames[:, 0])
    assert off[low].mean() < 5.0
    assert off[low].mean() < off[~low].mean()


def test_fibres_do_not_jump_in_the_septum(found):
    """Between cells that share a face: 150 degrees across 9 mm, of which 90 in the right
    third, and cells of 4 mm turn by up to 60 from middle to middle."""
    septum = np.flatnonzero(found.cell_data["chamber"] == anatomy.SEPTUM)
    corners = found.cells[septum][:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]]
    _, face, count = np.unique(
        np.sort(corners, axis=2).reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
    )
    owner = np.repeat(septum, 4)[np.argsort(face.reshape(-1), kind="stable")]
    first = (np.cumsum(count) - count)[count == 2]
    jump = between(found.frames[owner[first], 0], found.frames[owner[first + 1], 0])
    assert np.quantile(jump, 0.99) < 60.0


def test_angles_are_those_around_the_long_axis(valves):
    """Of the left ventricle below its upper third against circles around its axis: within 5 degrees
    in the median, as up is there a harmonic field's and not the ellipsoid's meridian."""
    left = WallAngles(60.0, -60.0)
    heart = anatomy.describe_heart(with_sets(valves), OutflowAngles(left, outflow=left))
    mesh = heart.mesh
    near = anatomy.nearness(anatomy.laplacian(mesh), heart.surfaces)
    lv, rv, epi = (field[mesh.cells].mean(axis=1) for field in near)
    height = mesh.point_data["apicobasal"][mesh.cells].mean(axis=1)
    own = (mesh.cell_data["chamber"] == anatomy.LV) & (height > 0.2) & (height < 0.7) & (rv < 0.01)
    away = mesh.points[mesh.cells].mean(axis=1)[own] - heart.axis.base
    around = np.cross(heart.axis.up, away)
    around /= np.linalg.norm(around, axis=1)[:, None]
    slope = between(mesh.frames[own, 0], around)
    assert np.median(np.abs(slope - np.abs(60 * lv - 60 * epi)[own])) < 5.0


# a real heart


@pytest.mark.data
@pytest.mark.long
def test_fibres_of_rodero_01_run_along_its_outflow_tracts(shared_data, tmp_path):
    """Against the straight line from where inflow and outflow have equal say to the valve: inside
    the right tract within 30 degrees and outside more than 65 off, where Bayer's are more than
    45 off inside; tracts bend, and cells are as thick as half of the wall. Means of both rules'
    difference are those of docs/anatomy.md, within a degree."""
    path = shared_data / "meshes/rodero01/rodero01_2.0mm_tets.vtu"
    behind = {"mitral": 3, "aortic": 5, "tricuspid": 4, "pulmonary": 6}
    mesh, _ = anatomy_of(path, keep=[1, 2, 7], angles=OutflowAngles(), valves=behind)
    K = anatomy.laplacian(mesh)
    near = anatomy.nearness(K, anatomy.find_surfaces(mesh))
    usual = laplace_fibres(mesh, near, mesh.point_data["apicobasal"])[:, 0]
    lv, rv, epi = (field[mesh.cells].mean(axis=1) for field in near)
    sets, x = mesh.node_sets, np.asarray(mesh.points)
    given = np.full(mesh.n_nodes, np.nan)
    for nodes, value in ((sets["apex"], 1.0), (sets["tricuspid"], 1.0), (sets["pulmonary"], 0.0)):
        given[nodes] = value
    w = anatomy.harmonic(K, given)[mesh.cells].mean(axis=1)
    right = (rv > lv) & (mesh.cell_data["chamber"] != anatomy.LV)
    start = x[mesh.cells].mean(axis=1)[right & (w > 0.4) & (w < 0.5)].mean(axis=0)
    tract = x[sets["pulmonary"]].mean(axis=0) - start
    tract /= np.linalg.norm(tract)
    inside, outside = (right & (w > 0.1) & (w < 0.5) & (near > 0.8) for near in (rv, epi))
    assert between(mesh.frames[inside, 0], tract).mean() < 30.0
    assert between(usual[inside], tract).mean() > 45.0
    assert between(mesh.frames[outside, 0], tract).mean() > 65.0
    off = between(mesh.frames[:, 0], usual)
    for chamber, degrees in ((anatomy.LV, 18.3), (anatomy.RV, 41.7), (anatomy.SEPTUM, 22.7)):
        own = mesh.cell_data["chamber"] == chamber
        assert off[own].mean() == pytest.approx(degrees, abs=1.0)


# the command


@pytest.fixture(scope="module")
def four_chambers(valves, tmp_path_factory):
    """The made-up heart on file, what is high up being regions 11 to 14 behind its valves."""
    x = np.asarray(MADE.points)
    mesh = anatomy.describe_heart(with_sets({})).mesh
    middle = x[MADE.cells].mean(axis=1)
    names = list(valves)
    far = [cKDTree(x[valves[name]]).query(middle)[0] for name in names]
    high = mesh.point_data["apicobasal"][MADE.cells].mean(axis=1) > 0.85
    regions = np.where(high, 11 + np.argmin(far, axis=0), MADE.regions).astype(np.int32)
    path = tmp_path_factory.mktemp("whole") / "whole.vtu"
    write_mesh(Mesh(points=x, cells=MADE.cells, regions=regions), path)
    return path, [f"--valve={name}={11 + k}" for k, name in enumerate(names)]


def called(path, out, *options):
    return run_command(["anatomy", str(path), "--out", str(out), *options])


KEEP = ["--keep=1", "--keep=2", "--keep=3"]


def test_the_command_takes_valves_from_the_regions_behind_them(four_chambers, tmp_path, capsys):
    path, told = four_chambers
    out = tmp_path / "out.vtu"
    angles = ["--left-angles", "55", "-65", "0", "0"]
    assert called(path, out, *KEEP, *told, "--rule", "doste", *angles, "--json") == 0
    assert json.loads(capsys.readouterr().out)["left_muscle_mL"]["value"] > 50
    mesh = read_mesh(out)
    assert "(Doste 2019), endo to epi left 55 to -65, right 90 to -25" in " ".join(mesh.notes)
    for valve in ("mitral", "aortic", "tricuspid", "pulmonary"):
        assert np.isin(mesh.node_sets[valve], mesh.node_sets["base"]).all()
    assert called(out, tmp_path / "again.vtu", "--rule", "doste") == 0  # node sets in the file


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([*KEEP, "--rule=doste"], "mitral, aortic, tricuspid, pulmonary cannot be told"),
        ([*KEEP, "--valve=mitral"], "--valve mitral: wanted a valve and the region behind it"),
        ([*KEEP, "--valve=eustachian=11"], "valves are mitral, aortic, tricuspid, pulmonary"),
        ([*KEEP, "--valve=mitral=1"], "region 1 does not begin where the ventricles"),
        (["--valve=mitral=11"], "name the regions of the ventricles"),
        (["--rule=doste", "--fibre-endo=60"], "are of Bayer's rule"),
        (["--outflow-angles", "90", "0", "5", "0"], "are of Doste's rule"),
    ],
)
def test_what_the_rule_cannot_use_is_refused(four_chambers, tmp_path, capsys, options, words):
    assert called(four_chambers[0], tmp_path / "out.vtu", *options) == 2
    assert words in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "out.vtu").exists()


# what is refused


def test_a_base_that_is_one_is_sent_to_bayers_rule(valves):
    with pytest.raises(ValueError, match="mitral, aortic, tricuspid, pulmonary cannot be told"):
        anatomy.describe_heart(with_sets({}), OutflowAngles())
    some = {name: valves[name] for name in ("mitral", "aortic", "tricuspid")}
    with pytest.raises(ValueError, match=r"nodes, and pulmonary cannot be told .* Bayer's rule"):
        anatomy.describe_heart(with_sets(some), OutflowAngles())


def test_valves_of_the_other_ventricle_are_refused(valves):
    swapped = {**valves, "aortic": valves["pulmonary"]}
    with pytest.raises(ValueError, match="node set aortic lies at the other ventricle"):
        anatomy.describe_heart(with_sets(swapped), OutflowAngles())


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_a_septum_that_is_all_of_one_side_is_refused(share):
    with pytest.raises(ValueError, match=r"septum_left is .* wanted a share between 0 and 1"):
        OutflowAngles(septum_left=share)
