"""Electrograms: exact in an infinite medium, and the same in a large homogeneous torso."""

import jax
import numpy as np
import pytest
from bodies import jittered

from heartsim import ecg, mesh, tissue

BODY = jittered(mesh.slab((8.0, 8.0, 8.0), 1.0), 0.2, 0)
ISOTROPIC = np.broadcast_to(0.1 * np.eye(3), (BODY.n_cells, 3, 3))
INSIDE = np.abs(BODY.points - 4.0).max(axis=1) < 2.5


@pytest.mark.usefixtures("x64")
def test_a_source_that_closes_is_seen_inside_only():
    """V = 0 on the boundary and σ_i, σ constant: ∇·(σ∇φ) = -∇·(σ_i∇V) has the solution
    φ = -(σ_i/σ) V, in the tissue, on its nodes, and 0 without. Exact for linear V, to rounding."""
    V = np.where(INSIDE, np.random.default_rng(0).uniform(-80, 20, BODY.n_nodes), 0.0)
    node = int(np.argmin(np.linalg.norm(BODY.points - 4.0, axis=1)))
    places = {
        "node": BODY.points[node],
        "cell": BODY.points[BODY.cells[100]].mean(axis=0),
        "edge": BODY.points[BODY.cells[700][:2]].mean(axis=0),
        "wall": np.array([0.0, 3.3, 4.4]),
        "far": np.array([-30.0, 12.0, 9.0]),
    }
    L = ecg.electrogram_field(BODY, places, ISOTROPIC, sigma_bath=0.4)
    V_there = [V[node], V[BODY.cells[100]].mean(), V[BODY.cells[700][:2]].mean(), 0.0, 0.0]
    assert pytest.approx(-0.25 * np.array(V_there), abs=1e-10) == L @ V
    assert np.abs(V_there).max() > 1.0


@pytest.mark.usefixtures("x64")
def test_one_over_r_at_the_nodes_errs_by_the_square_of_the_edge():
    """The same closed source by `lead_field`, from outside: what interpolating 1/r leaves."""
    left = []
    for edge in (2.0, 1.0, 0.5):
        body = mesh.slab((8.0, 8.0, 8.0), edge)
        sigma = np.broadcast_to(0.1 * np.eye(3), (body.n_cells, 3, 3))
        # smooth, so that it is the same source on each mesh
        V = 100 * np.prod(np.sin(np.pi * body.points / 8.0) ** 2, axis=1)
        field = ecg.lead_field(body, {"E": np.array([-6.0, 5.0, 3.0])}, sigma, 0.4)
        left.append(abs(float(field[0] @ V)))
    assert left[0] > 2.5 * left[1] > 2.5**2 * left[2] > 0


@pytest.mark.usefixtures("x64")
def test_both_fields_agree_from_afar():
    """1 %: 1/r interpolated over edges of 1 mm, ten and more away."""
    sigma = tissue.tensor(mesh.slab((8.0, 8.0, 8.0), 1.0), 0.17, 0.019, 0.019)
    body = mesh.slab((8.0, 8.0, 8.0), 1.0)
    places = {"a": np.array([-12.0, 3.0, 4.0]), "b": np.array([9.0, 21.0, 2.0])}
    V = body.points @ [3.0, -2.0, 1.0]
    near = ecg.electrogram_field(body, places, sigma) @ V
    assert near == pytest.approx(np.asarray(ecg.lead_field(body, places, sigma) @ V), rel=0.01)


@pytest.mark.usefixtures("x64")
def test_in_a_large_ball_the_catheter_sees_what_it_sees_in_an_infinite_medium():
    """A source of 16 mm in a ball of radius 60 mm and of one conductivity: electrodes 12 mm from
    its middle. Within 8 % of the largest: the skin adds 2 (12/60)³ = 2 % to a dipole's potential,
    the ball's edges are 4 mm. Differences, as the references differ."""
    ball = mesh.ball(60.0, 4.0)
    middle = ball.points[ball.cells].mean(axis=1)
    heart, _ = mesh.submesh(ball, np.linalg.norm(middle, axis=1) < 8.0)
    si = np.broadcast_to(0.1 * np.eye(3), (heart.n_cells, 3, 3))
    places = {
        "1": np.array([12.0, 0.0, 0.0]),
        "2": np.array([0.0, 12.0, 0.0]),
        "3": np.array([-12.0, 0.0, 0.0]),
    }
    V = (10 * heart.points[:, 0] + 5 * heart.points[:, 1])[None]
    infinite = V @ np.asarray(ecg.electrogram_field(heart, places, si, 0.4)).T
    torso = V @ np.asarray(ecg.catheter_field(ball, {"ball": 0.4}, places, heart, si, 3 * si)).T
    apart = ecg.bipolar(infinite)
    assert ecg.bipolar(torso) == pytest.approx(apart, abs=0.08 * np.abs(apart).max())


def test_bipolar_is_distal_minus_proximal():
    assert ecg.bipolar(np.array([[5.0, 3.0, 2.0]])).tolist() == [[2.0, 1.0]]


def test_float32_field_agrees_with_float64():
    V = BODY.points[:, 0] ** 2
    seen = []
    for double in (False, True):
        with jax.enable_x64(double):
            L = ecg.electrogram_field(BODY, {"E": BODY.points[0]}, ISOTROPIC)
            seen.append(float(np.asarray(L)[0] @ V))
    assert seen[0] == pytest.approx(seen[1], rel=1e-4)


def test_an_electrode_outside_the_torso_is_refused():
    heart, _ = mesh.submesh(BODY, np.arange(BODY.n_cells) < 40)
    s = ISOTROPIC[:40]
    with pytest.raises(ValueError, match="electrode tip lies outside the torso"):
        ecg.catheter_field(BODY, {"tissue": 0.2}, {"tip": np.full(3, 9.0)}, heart, s, s)
