"""What plane waves meet along one direction of a mesh, and how fast they run on it."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial import ConvexHull

from heartsim import fem, ionic, tissue
from heartsim.mesh import Mesh, ball, cable, frames_from, sheet, slab
from heartsim.tissue import WAYS, projected
from heartsim.tissue._projection import REACH
from tests.bodies import framed, jittered

CELL = ionic.by_name("mitchell_schaeffer_2003")
SCHEME = tissue.Scheme(0.05, 1.0, ionic.RushLarsenStaggered(), tissue.Strang())
TURN = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
D = np.array([0.15, 0.06, 0.03])  # mm²/ms


def symbol(weights, spacing, k):
    """Σ_s w_s (2 - 2 cos(k s spacing))."""
    ahead = np.arange(1, REACH + 1)
    return (2 - 2 * np.cos(np.outer(np.atleast_1d(k), ahead) * spacing)) @ weights


@pytest.mark.parametrize("way", range(9))
@pytest.mark.parametrize("kind", ["cubes", "tetrahedra"])
def test_it_does_to_waves_what_the_matrices_of_the_mesh_do(kind, way, x64):
    """φ*Kφ and φ*Mφ of φ = exp(ik n·x), summed over all nodes, by the assembled matrices; 0.3 % of
    the front's share is what the parabolas leave at wave lengths of 3 edges and more."""
    body = slab((3.0, 3.0, 3.0), 0.5)
    body = framed(jittered(body, 0.2, 0) if kind == "tetrahedra" else body, TURN)
    parts, own = fem.elements(body), projected(body).ways[way]
    K = parts.stiffness(tissue.tensor(body, *D))
    M, lumped = parts.mass(0.0), float(parts.mass(1.0).diagonal.sum())
    along = body.points @ (WAYS[way] @ TURN)
    for k in 2 * np.pi / np.array([1.5, 3.0, 6.0]):
        c, s = jnp.cos(k * along), jnp.sin(k * along)
        diffusion = float(c @ (K @ c) + s @ (K @ s)) / lumped
        mass = float(c @ (M @ c) + s @ (M @ s)) / lumped
        exact = k**2 * (WAYS[way] ** 2 @ D)
        assert symbol(D @ own.stiffness, own.spacing, k) == pytest.approx(
            diffusion, abs=3e-3 * exact
        )
        assert 1 - symbol(own.mass, own.spacing, k) == pytest.approx(mass, abs=3e-3)


@pytest.mark.parametrize("lumped", [0.0, 1.0])
def test_along_the_axes_of_cubes_it_is_a_strand_of_their_edge(lumped):
    """0.3 % is what reading a wave between nodes leaves."""
    scheme = SCHEME._replace(lumped=lumped)
    own = projected(framed(slab((2.0, 1.5, 1.0), 0.25), np.eye(3))).ways[1]
    found = tissue.projected_velocity(CELL, D, own, scheme)
    assert found == pytest.approx(tissue.strand_velocity(CELL, D[1], 0.25, scheme), rel=3e-3)


def test_along_the_diagonal_of_squares_it_is_a_strand_of_half_a_diagonal():
    own = projected(sheet((4.0, 4.0), 0.5)).ways[3]
    found = tissue.projected_velocity(CELL, np.full(3, 0.1), own, SCHEME)
    strand = tissue.strand_velocity(CELL, 0.1, 0.5 / 2**0.5, SCHEME)
    assert found == pytest.approx(strand, rel=3e-3)


def test_a_cable_has_one_way_and_a_sheet_two_and_those_between_them():
    assert [way is not None for way in projected(cable(4.0, 0.4)).ways] == [True] + 8 * [False]
    there = [way is not None for way in projected(sheet((4.0, 4.0), 0.5)).ways]
    assert there == [True, True, False, True, True, False, False, False, False]


def test_a_cable_that_its_fibre_leaves_has_its_own_way():
    """By 30°: of the conduction along the fibre cos² is in the line."""
    turn = np.deg2rad(30)
    fibre = [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    own = projected(framed(cable(4.0, 0.4), fibre)).ways[0]
    second = own.stiffness @ (np.arange(1, REACH + 1) * own.spacing) ** 2
    assert second == pytest.approx([0.75, 0.25, 0.0], abs=1e-9)


def test_it_turns_with_the_frame_and_scales_with_the_mesh():
    body = ball(3.0, 0.5)
    own = projected(framed(body, TURN)).ways
    turned = dataclasses.replace(body, points=body.points @ TURN.T)
    twice = dataclasses.replace(body, points=2 * body.points)
    for a, b, c in zip(
        own,
        projected(framed(turned, np.eye(3))).ways,
        projected(framed(twice, TURN)).ways,
        strict=True,
    ):
        assert b.spacing == pytest.approx(a.spacing)
        assert b.stiffness == pytest.approx(a.stiffness, abs=1e-9)
        assert c.spacing == pytest.approx(2 * a.spacing)
        assert c.stiffness == pytest.approx(a.stiffness / 4, abs=1e-9)
        assert c.mass == pytest.approx(a.mass)


def shell(frames) -> Mesh:
    """A sphere of triangles without order; frames by their middles and normals."""
    n = np.arange(1500) + 0.5
    z, turn = 1 - 2 * n / 1500, np.pi * (1 + 5**0.5) * n
    points = 10 * np.stack(
        [np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], axis=1
    )
    cells = ConvexHull(points).simplices.astype(np.int32)
    corners = points[cells]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return Mesh(
        points=points,
        cells=cells,
        regions=np.ones(len(cells), np.int32),
        frames=frames(corners.mean(axis=1), normal),
    )


def around(middle, normal):
    """Fibres around the z axis."""
    fibre = np.cross([0.0, 0.0, 1.0], normal)
    return fibre / np.maximum(np.linalg.norm(fibre, axis=1, keepdims=True), 1e-9)


def test_on_a_shell_any_sheet_across_the_fibre_will_do():
    """A file without sheets gets any direction across the fibre, partly out of the triangles: with
    equal velocities along sheet and normal it conducts as one with sheets in them. 8 %: triangles
    from which an axis leads nearly out are left out, and on this spiral they lie otherwise."""
    with_sheets = shell(lambda x, n: frames_from(around(x, n), np.cross(n, around(x, n))))
    without = shell(lambda x, n: frames_from(around(x, n)))
    v = np.array([0.8, 0.4, 0.4])
    wanted = tissue.tune_velocities(CELL, v, projected(with_sheets), SCHEME)
    found = tissue.tune_velocities(CELL, v, projected(without), SCHEME)
    assert np.isnan(wanted.velocities[2])
    assert np.isfinite(found.velocities).all()
    assert pytest.approx(np.take(wanted.D, [0, 1, 1]), rel=0.08) == found.D
    assert wanted.D[1] < 0.5 * wanted.D[0]


def test_a_shell_whose_fibres_are_placeholders_is_tuned_all_the_same():
    same = shell(lambda x, n: np.broadcast_to(np.eye(3), (len(x), 3, 3)))
    tuned = tissue.tune_velocities(CELL, np.full(3, 0.5), projected(same), SCHEME)
    assert np.isfinite(tuned.D).all()


def test_a_mesh_without_fibres_has_one_diffusivity_and_an_error_at_45_degrees():
    bare = dataclasses.replace(sheet((5.0, 5.0), 0.5), frames=None)
    ways = projected(bare)
    tuned = tissue.tune_velocities(CELL, np.full(3, 0.6), ways, SCHEME)
    assert np.ptp(tuned.D) == 0.0
    assert abs(tissue.direction_error(CELL, tuned.D, ways, SCHEME)) > 0.005


def test_of_the_cells_inside_alone():
    """Two blocks of cubes of 0.2 and 0.4 mm."""
    fine, coarse = slab((0.8, 0.8, 0.8), 0.2), slab((1.6, 1.6, 1.6), 0.4)
    both = Mesh(
        points=np.concatenate([fine.points, coarse.points + 5.0]),
        cells=np.concatenate([fine.cells, coarse.cells + fine.n_nodes]),
        regions=np.repeat([1, 2], [fine.n_cells, coarse.n_cells]),
    )
    for tag, edge in ((1, 0.2), (2, 0.4)):
        found = projected(framed(both, np.eye(3)), inside=both.regions == tag).ways[0]
        assert found.spacing * REACH == pytest.approx(edge)


def test_no_wave_grows_that_the_mesh_itself_lets_shrink():
    """Along one diagonal of turned cubes parabolas alone have a wave that grows."""
    frame = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0].T
    own = projected(framed(slab((4.0, 4.0, 4.0), 0.25), frame))
    for D in np.eye(3) + 0.01:
        for way in own.ways:
            K, _ = way.matrices(D, 1.0, 640)
            weights = -np.asarray(K.off)[::2, 320]  # of the places ahead, far from both ends
            least = symbol(weights, 1.0, np.linspace(0, np.pi, 400))
            assert least.min() > -1e-5 * least.max()  # float32


def test_what_cannot_be_projected_or_tuned_is_named():
    body = framed(slab((1.0, 1.0, 1.0), 0.5), np.eye(3))
    with pytest.raises(ValueError, match="no cell lies inside"):
        projected(body, inside=np.zeros(body.n_cells, bool))
    frames = np.array(body.frames)
    frames[7] = np.nan
    with pytest.raises(ValueError, match="cell 7 has no fibre"):
        projected(dataclasses.replace(body, frames=frames))
    with pytest.raises(ValueError, match=r"velocities \[0\.6, 0\.0, 0\.4\] m/s .* must be > 0"):
        tissue.tune_velocities(CELL, (0.6, 0.0, 0.4), projected(body), SCHEME)
    coarse = projected(framed(slab((8.0, 8.0, 8.0), 4.0), np.eye(3)))
    said = r"no conductivity carries a wave of 0\.01 m/s on this mesh"
    with pytest.raises(ValueError, match=said):
        tissue.tune_velocities(CELL, (0.01, 0.01, 0.01), coarse, SCHEME)
