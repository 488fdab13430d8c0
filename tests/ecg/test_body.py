"""A body made around a heart: its parts, its skin, and what is refused."""

import numpy as np
import pytest

from heartsim import ecg, mesh

HEART = mesh.biventricular_ellipsoid(4.2)


def volumes(body):
    size = mesh.signed_volumes(body.points, body.cells)
    return {name: size[body.regions == tag].sum() for name, tag in body.region_names}


def test_the_body_has_the_parts_that_it_names():
    """Heart within 5 % of the heart's own volume (cells of 5 mm in a wall of 5 to 9); the blood
    fills the cavities of the ellipsoids: half an ellipsoid of 22 x 22 x 58 mm and more on the left.
    """
    body = ecg.body_around(HEART, edge=5.0)
    parts = volumes(body)
    own = mesh.signed_volumes(HEART.points, HEART.cells).sum()
    assert parts["heart"] == pytest.approx(own, rel=0.05)
    assert 1.0 < parts["blood"] / (2 / 3 * np.pi * 22 * 22 * 58) < 3.0
    assert parts["lungs"] == pytest.approx(2 * 4 / 3 * np.pi * 42 * 72 * 105, rel=0.1)
    assert mesh.signed_volumes(body.points, body.cells).min() > 0
    assert "made up" in body.notes[0]
    assert mesh.mean_ratio(body.points, body.cells).min() > 0.05
    places, _ = ecg.default_electrodes(HEART)
    assert ecg.skin_weights(body, places, HEART).sum(axis=1) == pytest.approx(1)


def test_the_body_turns_with_the_heart():
    Q, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    Q = Q * np.sign(np.linalg.det(Q))
    turned = mesh.Mesh(
        HEART.points @ Q.T + 5.0,
        HEART.cells,
        HEART.regions,
        node_sets=HEART.node_sets,
        region_names=HEART.region_names,
    )
    straight, other = (ecg.body_around(h, edge=10.0) for h in (HEART, turned))
    for name, size in volumes(straight).items():  # its cells fall otherwise
        assert volumes(other)[name] == pytest.approx(size, rel=0.25)
    extent = np.ptp((other.points - 5.0) @ Q, axis=0)
    assert extent == pytest.approx(np.ptp(straight.points, axis=0), rel=0.02)


def skin(radius):
    """A closed sphere of triangles around the heart."""
    ball = mesh.ball(radius, radius / 5)
    faces = mesh.boundary_triangles(ball)
    nodes, cells = np.unique(faces, return_inverse=True)
    regions = np.ones(len(faces), np.int32)
    return mesh.Mesh(ball.points[nodes], cells.reshape(-1, 3).astype(np.int32), regions)


def test_a_closed_surface_is_filled():
    surface = skin(140.0)
    body = ecg.body_around(HEART, surface, edge=8.0, lungs=False)
    assert body.notes == ()
    bare = mesh.Mesh(HEART.points, HEART.cells, HEART.regions)
    assert "no blood" in ecg.body_around(bare, surface, edge=12.0, lungs=False).notes[0]
    assert volumes(body)["lungs"] == 0
    corners = surface.points[surface.cells]
    exact = abs(np.einsum("ti,ti->", np.cross(corners[:, 0], corners[:, 1]), corners[:, 2])) / 6
    assert sum(volumes(body).values()) == pytest.approx(exact, rel=0.01)


def test_bad_surfaces_are_refused():
    good = skin(140.0)
    with pytest.raises(ValueError, match="not closed: 3 edges do not join exactly two"):
        ecg.body_around(HEART, mesh.Mesh(good.points, good.cells[1:], good.regions[1:]))
    with pytest.raises(ValueError, match=r"does not enclose the heart: \d+ heart nodes lie out"):
        ecg.body_around(HEART, skin(50.0))
    away = mesh.Mesh(good.points + 500.0, good.cells, good.regions)
    with pytest.raises(ValueError, match="meets no triangle"):
        ecg.body_around(HEART, away)
    inner = skin(130.0)
    both = mesh.Mesh(
        np.concatenate([good.points, inner.points]),
        np.concatenate([good.cells, inner.cells + good.n_nodes]).astype(np.int32),
        np.ones(good.n_cells + inner.n_cells, np.int32),
    )
    with pytest.raises(ValueError, match="met twice by a ray"):
        ecg.body_around(HEART, both)
    with pytest.raises(ValueError, match="no mesh of triangles"):
        ecg.body_around(HEART, HEART)
    with pytest.raises(ValueError, match=r"ball: radius 1\.0 and edge 2\.0 mm"):
        mesh.ball(1.0, 2.0)
