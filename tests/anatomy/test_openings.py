"""Openings of atria: found, named, asked about."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from heartsim.anatomy import Opening, RightBundles, describe_atrium
from heartsim.mesh import Mesh, atrial_shell, cable, read_mesh, submesh
from heartsim.mesh._atria import HOLES, RADIUS, _sphere
from heartsim.scenario._anatomy import kept_and_cut
from tests.shells import (
    LEFT,
    NAMES,
    RIGHT,
    SIDES,
    given,
    holes,
    normals,
    thickened,
)


@pytest.mark.parametrize(("side", "shell"), SIDES)
def test_openings_are_named_by_where_they_lie(side, shell):
    found = describe_atrium(shell, side, "LPS")
    assert tuple(found.openings) == NAMES[side]
    assert found.unnamed == []
    for (direction, degrees), rim in zip(HOLES[side], found.openings.values(), strict=True):
        wanted = np.cos(np.radians(degrees)) * RADIUS
        axis = np.array(direction) / np.linalg.norm(direction)
        # nodes of a rim are not evenly spaced: its middle is off by a share of an edge of 2.5 mm
        assert rim.middle == pytest.approx(wanted * axis, abs=0.5)
        around = 2 * np.pi * RADIUS * np.sin(np.radians(degrees))
        assert rim.length == pytest.approx(around, rel=0.04)  # chords of 15 at least
        assert found.mesh.node_sets.keys() >= {*NAMES[side]}


def test_axes_may_point_elsewhere():
    """The same atrium in coordinates to the right, forward and up, and with x and y changed."""
    for frame, turn in (
        ("RAS", np.diag([-1.0, -1.0, 1.0])),
        ("PRS", [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
    ):
        moved = dataclasses.replace(LEFT, points=LEFT.points @ np.array(turn, float).T)
        found = describe_atrium(moved, "left", frame)
        assert tuple(found.openings) == NAMES["left"]
        own = describe_atrium(LEFT, "left", "LPS").openings
        for name, rim in found.openings.items():
            assert rim.nodes.tolist() == own[name].nodes.tolist()


def closed(mesh, name):
    """The mesh with one of its holes closed by a fan."""
    rim = describe_atrium(mesh, "left", "LPS").openings[name]
    x = mesh.points[rim.nodes] - rim.middle
    u = np.linalg.svd(x, full_matrices=False)[2][:2]
    ring = rim.nodes[np.argsort(np.arctan2(x @ u[1], x @ u[0]))]
    fan = np.column_stack([ring, np.roll(ring, 1), np.full(len(ring), mesh.n_nodes)])
    return dataclasses.replace(
        mesh,
        points=np.vstack([mesh.points, rim.middle]),
        cells=np.vstack([mesh.cells, fan]).astype(np.int32),
        regions=np.ones(mesh.n_cells + len(fan), np.int32),
    )


def test_a_vein_alone_on_its_side_and_a_nick_elsewhere():
    """Three veins; and one triangle missing is no opening."""
    three = closed(LEFT, "ripv")
    alone = describe_atrium(submesh(three, np.arange(three.n_cells) != 400)[0], "left", "LPS")
    assert tuple(alone.openings) == ("mitral_valve", "lspv", "lipv", "rpv")
    assert alone.unnamed == []


def test_what_is_said_of_an_opening_comes_first_and_a_tip_may_be_given():
    places = holes("left")
    said = [Opening("rspv", tuple(places[1])), Opening("lspv", tuple(places[3]))]
    found = describe_atrium(LEFT, "left", openings=[*said, Opening("appendage", (25, 0, 0), 4.0)])
    assert found.openings["rspv"].middle[0] > 0 > found.openings["lspv"].middle[0]
    assert len(found.unnamed) == 2
    assert any("2 have no name" in note for note in found.mesh.notes)
    tip = found.mesh.node_sets["appendage"]
    assert (found.mesh.point_data["appendage_to_right_veins"][tip] == -1).all()
    assert np.linalg.norm(LEFT.points[tip] - [25, 0, 0], axis=1).max() <= 4.0


def test_node_sets_of_the_mesh_are_believed():
    first = describe_atrium(LEFT, "left", "LPS").mesh
    again = describe_atrium(first, "left")
    assert set(again.openings) == set(NAMES["left"])
    assert again.mesh.frames == pytest.approx(first.frames, abs=1e-9)


def test_what_is_said_takes_the_name_of_an_older_node_set_away():
    """As where an appendage was taken for a vein, and is named in a second go."""
    first = describe_atrium(LEFT, "left", "LPS").mesh
    again = describe_atrium(first, "left", openings=[Opening("appendage", tuple(holes("left")[1]))])
    names = {"mitral_valve", "lipv", "rspv", "ripv", "appendage"}
    assert set(again.openings) == names
    assert set(again.mesh.node_sets) == names
    assert again.mesh.node_sets["appendage"].tolist() == first.node_sets["lspv"].tolist()


def test_the_largest_part_of_a_shell_is_kept():
    lone = dataclasses.replace(
        LEFT,
        points=np.vstack([LEFT.points, [[90, 0, 0], [91, 0, 0], [90, 1, 0]]]),
        cells=np.vstack([LEFT.cells, LEFT.n_nodes + np.arange(3)]).astype(np.int32),
        regions=np.ones(LEFT.n_cells + 1, np.int32),
    )
    found = describe_atrium(lone, "left", "LPS").mesh
    assert found.n_cells == LEFT.n_cells
    assert any("1 that do not hang together" in note for note in found.notes)


def test_a_wall_is_open_where_regions_were_cut_away():
    """Rings of another region around each hole, 1.5 mm wide: what they leave is ragged, and known
    to be cut all the same."""
    shell = atrial_shell("left", 1.5)
    made = dataclasses.replace(thickened(shell, 2.5 * shell.points / RADIUS, 1), node_sets={})
    middle = made.points[made.cells].mean(axis=1)
    angle = np.arccos(
        (middle / np.linalg.norm(middle, axis=1, keepdims=True)) @ (holes("left") / RADIUS).T
    )
    rings = (angle < np.radians([width for _, width in HOLES["left"]]) + 1.5 / RADIUS).any(axis=1)
    whole = dataclasses.replace(made, regions=np.where(rings, 2, 1).astype(np.int32))
    kept, cut = kept_and_cut(whole, [1])
    found = describe_atrium(kept, "left", "LPS", cut=cut)
    assert tuple(found.openings) == NAMES["left"]


def tilted():
    """The left atrium by 55 degrees about its y axis: its veins lie at four heights."""
    turn = Rotation.from_euler("y", 55, degrees=True).as_matrix()
    return dataclasses.replace(LEFT, points=LEFT.points @ turn.T)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda: describe_atrium(LEFT, "left"),
            "nothing tells left veins from right ones.*--frame",
        ),
        (lambda: describe_atrium(RIGHT, "right"), "nothing tells the upper vena cava"),
        (lambda: describe_atrium(LEFT, "right", "LPS"), "4 openings are left for venae cavae"),
        (lambda: describe_atrium(tilted(), "left", "LPS"), "left and a right group: between"),
        (lambda: describe_atrium(LEFT, "left", "LPP"), "'LPP' is given; three letters"),
        (lambda: describe_atrium(LEFT, "left", "LPSX"), "'LPSX' is given; three letters"),
        (lambda: describe_atrium(LEFT, "left", "LAS"), "'LAS' is left-handed"),
        (lambda: describe_atrium(LEFT, "middle", "LPS"), "atrium 'middle' is given"),
        (lambda: describe_atrium(cable(30.0, 1.0), "left"), "lines only"),
        (
            lambda: describe_atrium(LEFT, "left", "LPS", bundles=RightBundles()),
            "bundles of a left atrium are LeftBundles",
        ),
        (
            lambda: describe_atrium(LEFT, "left", openings=[Opening("lsp", (0, 0, 0))]),
            "'lsp' is not known.*lspv",
        ),
        (
            lambda: describe_atrium(LEFT, "left", openings=[Opening("lspv", (0, 0, 0), 2.0)]),
            "nearest node is 25.0 mm",
        ),
        (
            lambda: describe_atrium(LEFT, "left", openings=given("left", holes("left"))[1:3]),
            "only lspv, lipv of the pulmonary veins",
        ),
        (
            lambda: describe_atrium(
                LEFT, "left", openings=[Opening(name, (18, 11, 12)) for name in ("lspv", "rspv")]
            ),
            "lspv and rspv share nodes",
        ),
        (
            lambda: describe_atrium(RIGHT, "right", "LPS", [Opening("svc", (-3.5, 2.3, 23.1))]),
            "svc is named, the other vena cava is not",
        ),
        (
            lambda: describe_atrium(
                RIGHT,
                "right",
                openings=[Opening("svc", (0, 0, 25), 9.0), Opening("ivc", (0, 0, 25), 9.0)],
            ),
            "svc and ivc share nodes",
        ),
    ],
)
def test_what_is_missing_is_asked_for(ask, words):
    with pytest.raises(ValueError, match=words):
        ask()


def test_a_closed_surface_asks_for_openings():
    points, cells = _sphere(2.5)
    ball = Mesh(RADIUS * points, cells.astype(np.int32), np.ones(len(cells), np.int32))
    with pytest.raises(ValueError, match=r"a closed surface.*RADIUS"):
        describe_atrium(ball, "left", "LPS")
    with pytest.raises(ValueError, match="no rim to take this name; add a radius"):
        describe_atrium(ball, "left", openings=[Opening("mitral_valve", (0, 0, -25))])
    said = [place._replace(radius=8.0) for place in given("left", holes("left"))]
    found = describe_atrium(ball, "left", openings=said)
    assert (found.mesh.point_data["to_valve"][found.openings["mitral_valve"].nodes] == 1).all()
    assert np.isnan(found.openings["mitral_valve"].length)


@pytest.mark.data
def test_a_clinical_map_of_a_left_atrium(shared_data):
    """Seven rims, 120 triangles that lie apart. How its axes lie is not known: that x goes left is
    a guess, enough to have the veins in two groups."""
    mesh = read_mesh(shared_data / "eam" / "openep_dataset2_LAT" / "openep_mesh_2_dense.vtk")
    with pytest.raises(ValueError, match="nothing tells left veins from right ones"):
        describe_atrium(mesh, "left")
    found = describe_atrium(mesh, "left", "LPS")
    assert len(found.openings) == 7
    assert found.openings["mitral_valve"].length > 115.0
    assert any("120 that do not hang together" in note for note in found.mesh.notes)
    assert any("6 count as pulmonary veins" in note for note in found.mesh.notes)
    assert np.abs(np.sum(found.mesh.frames[:, 0] * normals(found.mesh), axis=1)).max() < 1e-12
    for field in found.mesh.point_data.values():
        if field is not found.mesh.point_data["LAT"]:
            assert np.isfinite(field).all()


@pytest.mark.data
def test_a_closed_clinical_surface_is_asked_about(shared_data):
    mesh = read_mesh(shared_data / "eam" / "kit_LA_MRI" / "LA_MRI.vtp")
    with pytest.raises(ValueError, match="a closed surface"):
        describe_atrium(mesh, "left", "LPS")
    valve = np.flatnonzero(mesh.point_data["valve"]).astype(np.int32)
    with_valve = dataclasses.replace(mesh, node_sets={"mitral_valve": valve})
    with pytest.raises(ValueError, match="0 openings are left for pulmonary veins"):
        describe_atrium(with_valve, "left", "LPS")
