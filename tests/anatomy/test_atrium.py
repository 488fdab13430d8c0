"""Atria: harmonic fields, bundles and fibres, against closed forms and by invariance."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from heartsim.anatomy import BUNDLES, LeftBundles, describe_atrium
from heartsim.mesh import keep_regions, read_mesh
from heartsim.mesh._atria import RADIUS
from tests.shells import (
    LEFT,
    NAMES,
    RIGHT,
    SIDES,
    given,
    holes,
    normals,
    pierced_ball,
    thickened,
    tube,
)


def fibre_axes(mesh):
    """f fᵀ: fibres without their sign."""
    return np.einsum("ci,cj->cij", mesh.frames[:, 0], mesh.frames[:, 0])


def test_on_a_tube_the_field_is_linear_and_fibres_run_around():
    """Exact on these triangles, for they unroll into a plane: what is left is the solver's 1e-8,
    times the tube's length over a cell's in a direction."""
    found = describe_atrium(tube(24), "left").mesh
    z = found.points[:, 2] / 30.0
    assert found.point_data["to_valve"] == pytest.approx(1 - z, abs=1e-6)
    ring = found.cell_data["bundle"] == BUNDLES["mitral_ring"]
    middle = found.points[found.cells].mean(axis=1)
    # cells of a row have their middles at one of two heights, on both sides of the threshold
    assert (middle[ring, 2] <= 0.35 * 30 + 1e-9).all()
    assert (middle[~ring, 2] > 0.35 * 30 - 1e-9).all()
    f, s = found.frames[ring, 0], found.frames[ring, 1]
    assert np.abs(f[:, 2]).max() < 1e-5
    assert np.abs(np.abs(np.sum(s * normals(found)[ring], axis=1)) - 1).max() < 1e-12


def test_on_a_ball_the_field_is_its_closed_form_to_second_order():
    """Between holes at the poles u = (ln tan(θ/2) - a) / (b - a); fibres run along latitudes."""

    def errors(columns):
        shell = pierced_ball(columns)
        bundles = LeftBundles(valve=-1.0)  # everywhere around the valve
        found = describe_atrium(shell, "left", bundles=bundles).mesh
        u = np.log(np.tan(np.arccos(found.points[:, 2] / 25.0) / 2))
        exact = (u - u.min()) / np.ptp(u)
        return np.abs(found.point_data["to_valve"] - exact).max(), np.abs(found.frames[:, 0, 2])

    n = [16, 32, 64]
    wrong, slope = zip(*(errors(columns) for columns in n), strict=True)
    assert -np.polyfit(np.log(n), np.log(wrong), 1)[0] == pytest.approx(2.0, abs=0.2)
    assert wrong[-1] < 2e-3
    assert slope[-1].max() < 1e-6  # by symmetry: every latitude is a ring of nodes


def test_in_a_thick_tube_depth_is_logarithmic_and_fibres_run_around():
    shell = tube(48)
    outward = 0.3 * shell.points * [1, 1, 0]  # from 10 to 13 mm
    found = describe_atrium(thickened(shell, outward, 3), "left").mesh
    r = np.linalg.norm(found.points[:, :2], axis=1)
    inside = (found.points[:, 2] > 1.0) & (found.points[:, 2] < 29.0)
    # three layers of a wall of 0.3 radii: their share of the curvature of ln r is below 1e-3
    exact = np.log(r / 10.0) / np.log(1.3)
    assert found.point_data["transmural"][inside] == pytest.approx(exact[inside], abs=5e-4)
    assert found.point_data["to_valve"] == pytest.approx(1 - found.points[:, 2] / 30, abs=1e-6)
    ring = found.cell_data["bundle"] == BUNDLES["mitral_ring"]
    middle = found.points[found.cells].mean(axis=1)[ring]
    around = np.stack([-middle[:, 1], middle[:, 0], 0 * middle[:, 0]], axis=1)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    cosine = np.abs(np.sum(found.frames[ring, 0] * around, axis=1))
    # a facet of 7.5 degrees is off its cells' own directions by half of that at most
    assert np.degrees(np.arccos(cosine.clip(0, 1))).max() < 3.75


@pytest.mark.parametrize(("side", "shell"), SIDES)
def test_frames_are_orthonormal_and_lie_in_the_shell(side, shell):
    found = describe_atrium(shell, side, "LPS").mesh
    gram = np.einsum("cij,ckj->cik", found.frames, found.frames)
    assert np.abs(gram - np.eye(3)).max() < 1e-12
    across = np.sum(found.frames[:, [0, 2]] * normals(found)[:, None], axis=2)
    assert np.abs(across).max() < 1e-12
    assert np.isfinite(found.frames).all()
    assert set(np.unique(found.regions)) == {tag for _, tag in found.region_names}


@pytest.mark.parametrize(("side", "shell"), SIDES)
def test_a_moved_and_renumbered_atrium_has_the_same_fibres_moved(side, shell):
    """To the solver's tolerance, which bundles' edges may feel: hence all cells but one in a
    hundred, and these within 1e-4."""
    rng = np.random.default_rng(0)
    turn = Rotation.random(random_state=1).as_matrix()
    order = rng.permutation(shell.n_nodes)
    points = np.empty_like(shell.points)
    points[order] = shell.points @ turn.T + [10.0, -20.0, 30.0]
    cells = rng.permutation(shell.n_cells)
    moved = dataclasses.replace(
        shell, points=points, cells=order[shell.cells[cells]].astype(np.int32)
    )
    one = describe_atrium(shell, side, openings=given(side, holes(side)))
    places = holes(side) @ turn.T + [10.0, -20.0, 30.0]
    other = describe_atrium(moved, side, openings=given(side, places))
    was = turn @ fibre_axes(one.mesh)[cells] @ turn.T
    same = np.abs(fibre_axes(other.mesh) - was).max(axis=(1, 2)) < 1e-4
    assert same.mean() > 0.99
    for name, field in one.mesh.point_data.items():
        assert other.mesh.point_data[name][order] == pytest.approx(field, abs=1e-6)


def left_rule(at):
    """Leading field and bundle of one cell, as the published tree of questions has it."""
    if at["to_valve"] >= 0.65:
        return "to_valve", "mitral_ring"
    if at["to_right_veins"] <= 0.10:
        return "to_right_veins", "left_vein_rings"
    if at["to_right_veins"] >= 0.65:
        return "to_right_veins", "right_vein_rings"
    return "appendage_to_right_veins", "left_body"


def right_rule(at):
    """The same of a right atrium."""
    r, v, w = at["to_valve"], at["to_ivc"], at["to_septum"]
    if r >= 0.9:
        return "to_valve", "tricuspid_ring"
    if r < 0.55 and -0.18 <= w <= -0.10:
        return "to_septum", "crista_terminalis"
    if not 0.1 < v < 0.9:
        return "to_ivc", "ivc_ring" if v >= 0.9 else "svc_ring"
    if r >= 0.55:
        return ("to_valve", "right_septum") if w >= 0 else ("appendage_to_ivc", "lateral_wall")
    if w < -0.18:
        return "appendage_to_ivc", "lateral_wall"
    if w <= 0.135:
        return "to_ivc", "intercaval_bundle"
    return "to_valve" if w >= 0.35 else "to_septum", "right_septum"


@pytest.mark.parametrize(("side", "shell"), SIDES)
def test_every_cell_has_its_bundle_and_runs_along_the_lines_of_its_field(side, shell):
    """Of the field that leads, the rise along the fibre is none, against that across it."""
    found = describe_atrium(shell, side, "LPS").mesh
    cells, rule = found.cells, left_rule if side == "left" else right_rule
    names = [k for k in found.point_data if k.startswith(("to_", "appendage_"))]
    leads = []
    for k, cell in enumerate(cells):
        at = {name: found.point_data[name][cell].mean() for name in names}
        leading, bundle = rule(at)
        leads.append(leading)
        assert found.cell_data["bundle"][k] == BUNDLES[bundle]
    edges = found.points[cells[:, 1:]] - found.points[cells[:, :1]]
    for name in set(leads):
        own = np.array(leads) == name
        u = found.point_data[name][cells[own]]
        rise = np.einsum("cij,cj->ci", np.linalg.pinv(edges[own]), u[:, 1:] - u[:, :1])
        along = np.abs(np.sum(rise * found.frames[own, 0], axis=1))
        steep = np.linalg.norm(rise, axis=1)
        flat = steep < 1e-4  # between nodes of one opening
        assert flat.mean() < 0.05
        assert (along <= 1e-9 + 1e-6 * steep)[~flat].all()


def test_the_band_behind_the_venae_cavae_lies_between_the_two_sides():
    found = describe_atrium(RIGHT, "right", "LPS").mesh
    band = found.point_data["to_valve"] == 0.0
    assert band.sum() > 10
    assert (found.point_data["to_septum"][band] == 0.0).all()


def test_the_right_atrium_has_its_crista_behind_and_its_septum_on_the_left():
    """The crista runs from one vena cava to the other, on the free side of the middle behind them;
    the septum lies on the side of the coronary sinus."""
    found = describe_atrium(RIGHT, "right", "LPS").mesh
    middle = found.points[found.cells].mean(axis=1)
    own = {name: found.cell_data["bundle"] == tag for name, tag in BUNDLES.items()}
    free, septum = (middle[own[name]].mean(axis=0) for name in ("lateral_wall", "right_septum"))
    assert septum[0] > free[0] + 10.0
    crista = middle[own["crista_terminalis"]]
    assert np.ptp(crista[:, 2]) > 30.0  # of 45 mm between the rims
    behind = np.array([-0.75, 0.65, 0.0]) / np.hypot(0.75, 0.65)  # away from the valve
    assert (crista @ behind).mean() > 15.0
    on_left = np.array([0.65, 0.75, 0.0])  # across it, to the septum
    order = ["lateral_wall", "crista_terminalis", "intercaval_bundle", "right_septum"]
    assert (np.diff([(middle[own[name]] @ on_left).mean() for name in order]) > 0).all()
    upright = np.abs(found.frames[:, 0, 2])
    assert upright[own["crista_terminalis"]].mean() > 0.8
    assert upright[own["lateral_wall"]].mean() < 0.5  # pectinate muscles lie across


def test_a_wall_is_told_apart_by_its_shape_and_runs_as_its_inner_shell():
    """2.5 mm thick: surfaces and rims as they were made, bundles and fibres as on the shell but at
    edges of bundles."""
    outward = 2.5 * LEFT.points / RADIUS
    made = thickened(LEFT, outward, 2)
    wall = describe_atrium(dataclasses.replace(made, node_sets={}), "left", "LPS")
    for name in ("endo", "epi"):
        assert wall.mesh.node_sets[name].tolist() == made.node_sets[name].tolist()
    assert tuple(wall.openings) == NAMES["left"]
    shell = describe_atrium(LEFT, "left", "LPS").mesh
    triangle = np.tile(np.arange(LEFT.n_cells), 6)
    same = wall.mesh.cell_data["bundle"] == shell.cell_data["bundle"][triangle]
    assert same.mean() > 0.95
    cosine = np.abs(np.sum(wall.mesh.frames[:, 0] * shell.frames[triangle, 0], axis=1))
    assert np.degrees(np.arccos(cosine[same].clip(0, 1))).mean() < 5.0
    gram = np.einsum("cij,ckj->cik", wall.mesh.frames, wall.mesh.frames)
    assert np.abs(gram - np.eye(3)).max() < 1e-12


INLETS = {
    "left": {
        "mitral_valve": "mitral-valve-plane",
        "lspv": "left-superior-pulmonary-vein-inlet",
        "lipv": "left-inferior-pulmonary-vein-inlet",
        "rspv": "right-superior-pulmonary-vein-inlet",
        "ripv": "right-inferior-pulmonary-vein-inlet",
        "appendage": "left-atrium-appendage-inlet",
    },
    "right": {
        "tricuspid_valve": "tricuspid-valve-plane",
        "svc": "superior-vena-cava-inlet",
        "ivc": "inferior-vena-cava-inlet",
    },
}


def rodero(shared_data, side):
    """An atrium of tetrahedra of the four-chamber heart, sets from its named surfaces."""
    pyvista = pytest.importorskip("pyvista")
    folder = shared_data / "meshes" / "rodero01"
    names = json.loads((folder / "rodero01_2.0mm_names.json").read_text(encoding="utf-8"))
    number = {name: int(k) for k, name in names["surface_id_to_name"].items()}
    surfaces = pyvista.read(folder / "rodero01_2.0mm_surfaces.vtp")
    faces = surfaces.faces.reshape(-1, 4)[:, 1:]
    own, at = np.asarray(surfaces.cell_data["surface_id"]), np.asarray(surfaces["tet_node"])
    atrium = f"{side}-atrium"
    wanted = {
        name: f"interface_{atrium}-myocardium_{words}" for name, words in INLETS[side].items()
    }
    for name in ("endo", "epi"):
        wanted[name] = f"{side.capitalize()} atrium {name}cardium"
    sets = {
        name: np.unique(at[faces[own == number[words]]]).astype(np.int32)
        for name, words in wanted.items()
    }
    whole = read_mesh(folder / "rodero01_2.0mm_tets.vtu")
    whole = dataclasses.replace(whole, node_sets=sets, point_data={})
    return keep_regions(whole, [3 if side == "left" else 4])


@pytest.mark.data
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_atria_of_a_real_heart(shared_data, side):
    """Rodero 01, x to the left and z up: every cell has a frame in its wall, and fibres run around
    the valve, 15 degrees off its plane at most on average, and along the crista, which bends over
    at its ends: on average 0.74 upright, where any direction would be 0.5."""
    found = describe_atrium(rodero(shared_data, side), side)
    mesh = found.mesh
    gram = np.einsum("cij,ckj->cik", mesh.frames, mesh.frames)
    assert np.abs(gram - np.eye(3)).max() < 1e-12
    assert found.unnamed == []
    valve = next(iter(found.openings.values()))
    x = mesh.points[valve.nodes] - valve.middle
    normal = np.linalg.svd(x, full_matrices=False)[2][2]
    near = np.isin(mesh.cells, valve.nodes).any(axis=1)
    tilt = np.degrees(np.arcsin(np.abs(mesh.frames[near, 0] @ normal)))
    assert tilt.mean() < 15.0
    if side == "right":
        crista = mesh.cell_data["bundle"] == BUNDLES["crista_terminalis"]
        assert np.abs(mesh.frames[crista, 0, 2]).mean() > 0.65
