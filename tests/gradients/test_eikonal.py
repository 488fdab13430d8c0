"""Derivatives of arrival times: both modes, against differences, in float32, and for CUDA."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered

from heartsim.mesh import biventricular_ellipsoid, refine, slab
from heartsim.tissue import NEVER, Links, Sources, arrival, front, slowness, source_times
from heartsim.tissue._front_rule import ways
from heartsim.tissue._metric import gram


def node_weights(body):
    """What the loss weighs arrival times with."""
    return np.random.default_rng(7).normal(size=body.n_nodes) / body.n_nodes


def problem(body, sources=4):
    """A loss over velocities, two regions' multipliers, source positions and onsets."""
    rng = np.random.default_rng(8)
    f = front(body)
    weight = node_weights(body)
    first = jnp.asarray(
        np.asarray(body.points)[np.asarray(body.cells)[:, 0], 2] > body.points[:, 2].mean()
    )
    near = rng.choice(body.n_nodes, sources, replace=False)
    p = {
        "velocity": jnp.array([0.6, 0.4, 0.25]),
        "multiplier": jnp.array([0.8, 1.1]),
        "position": jnp.asarray(
            np.asarray(body.points)[near] + rng.uniform(-0.3, 0.3, (sources, 3))
        ),
        "onset": jnp.asarray(rng.uniform(0, 6, sources)),
    }

    def times(p):
        M = slowness(body, *p["velocity"])
        M = M / jnp.where(first, *p["multiplier"])[:, None, None] ** 2
        return arrival(f, M, source_times(f, M, Sources(p["position"], p["onset"])))

    def loss(p):
        T = times(p)
        return jnp.sum(jnp.asarray(weight, T.dtype) * T)

    return p, times, loss


def direction(p, seed, only=None):
    rng = np.random.default_rng(seed)
    return {k: jnp.asarray(rng.normal(size=v.shape) * (only in (None, k))) for k, v in p.items()}


def along(p, d, eps):
    return {k: p[k] + eps * d[k] for k in p}


class Compiled(NamedTuple):
    """The problem on a heart in float64, and its programs, compiled once."""

    p: dict
    loss: Callable
    slope: Callable
    gradient: Callable
    times_along: Callable


@pytest.fixture(scope="module")
def heart():
    return biventricular_ellipsoid(edge=4.0)


@pytest.fixture(scope="module")
def compiled(heart):
    with jax.enable_x64(True):
        p, times, loss = problem(heart)
    return Compiled(
        p,
        jax.jit(loss),
        jax.jit(lambda p, d: jax.jvp(loss, (p,), (d,))[1]),
        jax.jit(jax.grad(loss)),
        jax.jit(lambda p, ds: jax.vmap(jax.linearize(times, p)[1])(ds)),
    )


@pytest.mark.parametrize(
    ("only", "bound"),
    [("velocity", 1e-7), ("onset", 1e-7), ("position", 1e-6), ("multiplier", 1e-6)],
)
def test_jvp_is_the_central_difference(x64, compiled, only, bound):
    """Best of a ladder of steps, six directions: large steps cross kinks, where two ways to a
    node tie, and small ones lose digits. The bounds are the issue's."""
    p, loss, slope, *_ = compiled
    for seed in range(6):
        d = direction(p, seed, only)
        wanted = float(slope(p, d))
        for e in (1e-5, 1e-6, 1e-7, 1e-4):
            difference = float(loss(along(p, d, e)) - loss(along(p, d, -e))) / (2 * e)
            error = abs(difference / wanted - 1)
            if error < bound:
                break
        assert error < bound


def test_both_modes_agree(x64, compiled):
    p = compiled.p
    g = compiled.gradient(p)
    for seed in range(3):
        d = direction(p, seed)
        backward = sum(float((g[k] * d[k]).sum()) for k in p)
        assert backward == pytest.approx(float(compiled.slope(p, d)), rel=1e-12)


def test_tangents_batch_and_linearize(x64, compiled, heart):
    """Three tangents together give the three slopes of the loss."""
    p = compiled.p
    basis = [direction(p, seed) for seed in range(3)]
    dT = compiled.times_along(p, {k: jnp.stack([d[k] for d in basis]) for k in p})
    slopes = np.asarray(dT) @ node_weights(heart)
    assert slopes == pytest.approx([float(compiled.slope(p, d)) for d in basis], rel=1e-12)


def test_the_taylor_remainder_is_of_second_order_where_no_ray_jumps(x64):
    """A ray jumps where two ways to a node tie: a kink of the loss. Steps over which one does are
    counted and left out, and the remainder of the others falls as eps²."""
    body = jittered(slab((8.0, 8.0, 8.0), 1.0), share=0.15, seed=1)
    p, _, loss = problem(body, sources=1)
    f = front(body)

    @jax.jit
    def rays(p):
        M = slowness(body, *p["velocity"])
        start = source_times(f, M, Sources(p["position"], p["onset"]))
        T = jnp.full(len(f.points), NEVER).at[f.place].set(arrival(f, M, start))
        way = ways(f, gram(f, M), T, start, jnp.zeros(0))
        return jnp.where(way.by_ray[:, None], way.ray, 0.0)

    p = p | {"multiplier": jnp.ones(2)}
    d = direction(p, 3, "position") | {"onset": jnp.ones(1), "velocity": jnp.array([0.3, 0.2, 0.1])}
    value = jax.jit(loss)
    base, slope = jax.jvp(value, (p,), (d,))
    steps = 10.0 ** -np.arange(2.0, 6.0, 0.25)
    turn = [np.abs(np.asarray(rays(along(p, d, e)) - rays(p))).max() for e in steps]
    smooth = np.array(turn) < 20 * steps  # a ray that does not jump turns in proportion
    kinks = int((~smooth).sum())
    assert smooth.sum() >= 4, f"{kinks} of {len(steps)} steps cross a kink: {turn}"
    rest = np.array([abs(float(value(along(p, d, e)) - base - e * slope)) for e in steps])
    order = np.polyfit(np.log(steps[smooth]), np.log(rest[smooth]), 1)[0]
    assert order == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("finer", [False, pytest.param(True, marks=pytest.mark.long)])
def test_single_precision_points_the_same_way(heart, finer):
    """Cosine of the float32 gradient with the float64 one; 6,000 nodes, or more than 50,000."""
    if finer:
        heart = refine(biventricular_ellipsoid(edge=3.6))
        assert heart.n_nodes > 50_000
    flat = {}
    for double in (False, True):
        with jax.enable_x64(double):
            p, _, loss = problem(heart)
            p = {k: jnp.asarray(v, float) for k, v in p.items()}
            g = jax.jit(jax.grad(loss))(p)
            flat[double] = np.concatenate([np.asarray(v, float).ravel() for v in g.values()])
    a, b = flat[False], flat[True]
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    print(f"{heart.n_nodes} nodes: cosine 1 - {1 - cosine:.1e}")
    assert cosine > 0.9999
    assert np.linalg.norm(a) == pytest.approx(np.linalg.norm(b), rel=0.01)


def test_links_have_derivatives(x64):
    body = slab((8.0, 4.0, 4.0), 1.0)
    a, b = 0, body.n_nodes - 1
    links = Links(
        np.array([[a, body.n_nodes], [body.n_nodes, b]]),
        np.array([[0, 0, 0], [1.0, 0.5, 0.2]]),
        np.array([[0, 0], [3, 9]]),
    )
    f = front(body, links=links, network=np.array([[4.0, 8.0, 4.0]]))
    start = np.full(len(f.points), NEVER)
    start[f.place[a]] = 0.0

    def loss(p):
        M = slowness(body, *p["velocity"])
        return arrival(f, M, start, p["delay"]).sum()

    loss = jax.jit(loss)

    p = {"velocity": jnp.array([0.6, 0.4, 0.25]), "delay": jnp.array([2.0, 1.0])}
    g = jax.grad(loss)(p)
    assert float(jnp.abs(g["delay"]).min()) > 1  # nodes near b hang on both links
    for seed in range(3):
        d = direction(p, seed)
        slope = sum(float((g[k] * d[k]).sum()) for k in p)
        e = 1e-6
        difference = (loss(along(p, d, e)) - loss(along(p, d, -e))) / (2 * e)
        assert float(difference) == pytest.approx(slope, rel=1e-6)


def test_second_derivatives_are_refused():
    """They would hold every ray fixed and be wrong without a word."""
    body = slab((4.0, 4.0, 4.0), 2.0)
    p, _, loss = problem(body, sources=1)
    with pytest.raises(NotImplementedError, match="Gauss-Newton"):
        jax.hessian(lambda v: loss(p | {"velocity": v}))(p["velocity"])


def test_forward_and_gradient_compile_for_cuda():
    body = slab((4.0, 4.0, 4.0), 1.0)
    p, _, loss = problem(body)
    for program in (loss, jax.grad(loss)):
        exported = jax.export.export(jax.jit(program), platforms=["cuda"])(p)
        assert exported.platforms == ("cuda",)
        assert "callback" not in exported.mlir_module()
