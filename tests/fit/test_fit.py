"""A small heart fitted from end to end, and what a fit must refuse."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hidden_hearts import hide, parameters, sites

from heartsim.ecg import LEADS, twelve_leads
from heartsim.fit import INDEPENDENT, Search, chi2_of, fit_qrs, latin_hypercube, problem, to_twelve
from heartsim.fit._problem import linear_of, residual_of, smoothing
from heartsim.mesh import lv_ellipsoid

QUICK = Search(starts=4, enough=1)


@pytest.fixture(scope="module", autouse=True)
def double():
    """In double precision, for the Jacobian's sake: programs are compiled once for all tests. The
    page docs/fit.md is fitted in single."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def heart():
    return lv_ellipsoid(edge=6.0)


def truth(heart):
    where = sites(heart, np.random.default_rng(5), 2, apart=30.0)
    return parameters([0.6, 0.35], where, [6.0, 12.0])


@pytest.fixture(scope="module")
def hidden(heart):
    return hide(heart, truth(heart))


@pytest.fixture(scope="module")
def fitted(hidden):
    return fit_qrs(hidden.problem, QUICK)


@pytest.mark.long  # with the next; the page docs/fit.md finds a heart of this size in every run
def test_the_hidden_heart_is_found(hidden, fitted):
    """χ²/n of 480 numbers has a standard deviation of 0.065; activation to 2 ms is the issue's
    bound, and 5 % of a velocity what such a coarse heart leaves."""
    assert fitted.fitted
    assert 0.8 < fitted.chi2 < 1.2
    assert "fitted: " in fitted.sentence
    assert np.sqrt(np.mean((np.asarray(fitted.activation) - hidden.activation) ** 2)) < 2.0
    np.testing.assert_allclose(fitted.best.velocity, hidden.truth.velocity, rtol=0.05)
    assert fitted.used.sum() == 2
    assert fitted.starts[0].chi2 == min(start.chi2 for start in fitted.starts)


@pytest.mark.long
def test_one_seed_gives_one_search(hidden):
    short = QUICK._replace(starts=1, steps=1, candidates=16, sites=4, seed=1)
    one, same = (fit_qrs(hidden.problem, short) for _ in range(2))
    assert len(one.starts) == len(same.starts)
    for a, b in zip(one.starts, same.starts, strict=True):
        np.testing.assert_array_equal(a.theta, b.theta)


@pytest.mark.long
def test_shuffled_leads_are_not_called_a_fit(hidden):
    measured = jnp.roll(hidden.problem.measured, 3, axis=1)
    shuffled = eqx.tree_at(lambda p: p.measured, hidden.problem, measured)
    found = fit_qrs(shuffled, QUICK._replace(starts=1, steps=5))
    assert not found.fitted
    assert found.chi2 > 3.0  # what the design asks of a negative control
    assert found.sentence.startswith("not fitted: ")


@pytest.mark.long
def test_too_little_noise_is_no_fit_either(hidden, fitted):
    """Noise stated at twice its size: the misfit is a quarter of what is foretold."""
    loud = eqx.tree_at(lambda p: p.noise, hidden.problem, 2.0 * hidden.problem.noise)
    chi2 = chi2_of(loud, fitted.starts[0].theta)
    assert chi2 == pytest.approx(fitted.chi2 / 4, rel=1e-3)
    start = fitted.starts[0]._replace(chi2=chi2)
    assert not start.accepted
    assert "noise is less" in fitted._replace(fitted=False, chi2=chi2).sentence


def test_the_jacobian_is_the_central_difference(hidden):
    """Each unknown, best of a ladder of steps, away from the truth. 1e-6 is the design's bound
    for positions; times that kinks cross are what the smaller steps avoid."""
    own, place = hidden.problem, hidden.truth.sources.position
    theta = own.unknowns.theta(np.array([0.5, 0.3]), place + 3.0, np.array([8.0, 20.0]))
    smooth = jnp.asarray(smoothing(own.time, 4.0))
    _, Jt = linear_of(own, jnp.asarray(theta), smooth)
    assert Jt.shape == (own.unknowns.size, 480 + 2 + 2 + 6)
    for k, row in enumerate(np.asarray(Jt)):
        errors = []
        for step in (1e-4, 1e-5, 1e-6):
            d = jnp.asarray(step * np.eye(len(theta))[k])
            ahead, behind = (residual_of(own, theta + s * d, smooth) for s in (1, -1))
            slope = np.asarray(ahead - behind) / (2 * step)
            errors.append(np.linalg.norm(slope - row) / np.linalg.norm(row))
        assert min(errors) < 1e-6, f"unknown {k}"


def test_positions_stay_within_the_inner_wall(hidden):
    """Wherever x is, the source lies within 2.5 mm of the smoothed endocardium."""
    free = hidden.problem.unknowns
    x = np.random.default_rng(1).uniform(-80, 80, (2, 3))
    theta = jnp.asarray(free.theta(np.array([0.6, 0.4]), x, np.array([5.0, 5.0])))
    place = free(theta).sources.position
    assert np.linalg.norm(place - free.drawn(jnp.asarray(x)), axis=1).max() < 2.5
    back = jax.jit(lambda own, theta: own(theta))(free, theta)
    np.testing.assert_allclose(back.velocity, [0.6, 0.4], rtol=1e-12)
    np.testing.assert_allclose(back.sources.onset, 5.0, rtol=1e-12)


def test_smoothing_keeps_the_variance_of_noise():
    rows = smoothing(np.arange(0.0, 100.0, 2.0), 6.0)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(smoothing(np.arange(4.0), 0.0), np.eye(4))


def test_a_latin_hypercube_has_one_point_in_every_slice():
    cube = latin_hypercube(np.random.default_rng(0), 50, 3)
    for axis in cube.T:
        np.testing.assert_array_equal(np.sort((axis * 50).astype(int)), np.arange(50))


def test_twelve_leads_follow_from_eight():
    twelve = np.asarray(twelve_leads(np.random.default_rng(0).normal(size=(5, 9))))
    eight = twelve[:, [LEADS.index(name) for name in INDEPENDENT]]
    np.testing.assert_allclose(to_twelve(eight), twelve, atol=1e-12)


def test_bad_input_is_one_sentence(heart):
    time, zeros, field = np.arange(10.0), np.zeros((10, 8)), np.zeros((9, heart.n_nodes))
    bare = dataclasses.replace(heart, node_sets={})
    with pytest.raises(ValueError, match="no node set lv_endo or rv_endo"):
        problem(bare, field, time, zeros, np.ones(8))
    with pytest.raises(ValueError, match="no fibres, and two velocities are free"):
        problem(dataclasses.replace(heart, frames=None), field, time, zeros, np.ones(8))
    with pytest.raises(ValueError, match="do not fit 10 times and the 8 leads"):
        problem(heart, field, time, zeros[:, :7], np.ones(7))
    with pytest.raises(ValueError, match="noise of every lead must be greater than 0"):
        problem(heart, field, time, zeros, np.zeros(8))
