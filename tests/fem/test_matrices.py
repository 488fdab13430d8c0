"""Mass, stiffness and the solve, against dense algebra done another way."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered, shuffled
from jax.test_util import check_grads
from scipy.sparse.linalg import ArpackNoConvergence

from heartsim import fem, mesh

BODIES = {
    "lines": mesh.cable(5.0, 0.5),
    "triangles": mesh.sheet((2.0, 1.5), 0.5),
    "tetrahedra": jittered(mesh.slab((2.0, 1.5, 1.0), 0.5), 0.1, 3),
    "tetrahedra numbered at random": shuffled(jittered(mesh.slab((2.0, 1.5, 1.0), 0.5), 0.1, 3)),
    "tetrahedra of an image, a few rows long": mesh.ball(1.0, 0.25),
}
LONG = "tetrahedra of an image, a few rows long"


def dense(rows: fem.Rows):
    return np.array(jax.vmap(lambda e: rows @ e)(jnp.eye(rows.diagonal.size)))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", BODIES)
def test_matrices_integrate_linear_functions_exactly(name):
    """∫∇u·D∇v and ∫uv of linear u, v in closed form, to round-off."""
    body = BODIES[name]
    parts = fem.elements(body)
    D = np.diag([0.3, 0.2, 0.1])
    K = parts.stiffness(jnp.broadcast_to(D, (body.n_cells, 3, 3)))
    u, v = body.points @ [1.0, 2.0, 3.0], body.points @ [2.0, -1.0, 1.0]
    used = np.array([1.0] * body.dim + [0.0] * (3 - body.dim))
    measure = float(parts.measure.sum())
    exact = (np.array([1.0, 2.0, 3.0]) * used) @ D @ (np.array([2.0, -1.0, 1.0]) * used) * measure
    assert u @ (K @ jnp.asarray(v)) == pytest.approx(exact, rel=1e-12)
    M = parts.mass(0.0)
    corners_u, corners_v = u[body.cells], v[body.cells]
    d = body.dim
    integral = (corners_u.sum(1) * corners_v.sum(1) + (corners_u * corners_v).sum(1)) * np.asarray(
        parts.measure
    )
    assert u @ (M @ jnp.asarray(v)) == pytest.approx(
        integral.sum() / ((d + 1) * (d + 2)), rel=1e-12
    )


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", BODIES)
def test_matrices_are_symmetric_and_constants_lie_in_the_kernel(name):
    body = BODIES[name]
    parts = fem.elements(body)
    K = dense(parts.stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3))))
    assert pytest.approx(K.T, abs=1e-14) == K
    assert K.sum(axis=1) == pytest.approx(0, abs=1e-12)
    assert np.linalg.eigvalsh(K).min() > -1e-12
    for share in (0.0, 1 / 3, 1.0):
        M = dense(parts.mass(share))
        assert M.sum() == pytest.approx(float(parts.measure.sum()))
        assert np.linalg.eigvalsh(M).min() > 0


@pytest.mark.usefixtures("x64")
def test_a_mass_that_is_all_lumped_has_no_slots_and_adds_to_matrices_that_have():
    body = BODIES["tetrahedra"]
    parts = fem.elements(body)
    M, K = parts.mass(1.0), parts.stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
    assert M.off.shape == (0, body.n_nodes)
    np.testing.assert_allclose(dense(M.plus(0.3, K)), dense(M) + 0.3 * dense(K), atol=1e-12)


@pytest.mark.usefixtures("x64")
def test_the_solve_agrees_with_dense_algebra():
    body = BODIES["tetrahedra"]
    parts = fem.elements(body)
    K = parts.stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
    M = parts.mass(0.0)
    A = M.plus(0.05, K)
    scaled = fem.scaled_matrix(A, M, parts.mass_floor(0.0))
    solver = fem.ConjugateGradients(rtol=1e-12)
    b = jnp.asarray(np.random.default_rng(0).normal(size=body.n_nodes))
    x, steps = solver(A.__matmul__, scaled, b)
    matrix = np.array(jax.vmap(lambda e: A @ e)(jnp.eye(body.n_nodes)))
    assert x == pytest.approx(np.linalg.solve(matrix, b), rel=1e-9)
    assert 5 < int(steps) < 100
    x, steps = solver(A.__matmul__, scaled, 0 * b)
    assert int(steps) == 0
    assert (np.asarray(x) == 0).all()


def test_a_series_of_solves_leaves_no_more_than_its_last_and_takes_fewer_products():
    """Of a source that travels, in float32, where each starts from those before and does what they
    left. The rounding that they hand on is at most eps √64 / 0.3 = 3e-6 of the source, of 500 of
    them at random 1e-4; where it were a tenth of rtol each starts from zero."""
    body = mesh.cable(64.0, 0.5)
    parts = fem.elements(body)
    M, K = parts.mass(0.0), parts.stiffness(0.1 * jnp.ones((body.n_cells, 1, 1)) * jnp.eye(3))
    scaled = fem.scaled_matrix(M.plus(0.025, K), M, parts.mass_floor(0.0))
    solver, x = fem.ConjugateGradients(rtol=1e-3), jnp.asarray(body.points[:, 0], jnp.float32)
    assert fem.ConjugateGradients(rtol=3e-5).fresh(x, 500) is None
    assert fem.ConjugateGradients(rtol=4e-5).fresh(x, 500) is not None

    def one(past, k):
        b = jnp.exp(-((x - 10 - 0.02 * k) ** 2)) * jnp.sin(x - 0.02 * k)
        solution, products, past = solver.after(scaled, b, past)
        return past, (b, solution, products, solver(lambda _: _, scaled, b)[1])

    series = jax.jit(lambda: jax.lax.scan(one, solver.fresh(x, 500), jnp.arange(500.0)))
    past, (sources, solutions, products, alone) = series()
    assert products[2:].mean() <= 0.6 * alone[2:].mean()

    scale = np.asarray(scaled.scale, float)
    matrix = np.array(jax.vmap(lambda e: scaled @ e)(jnp.eye(len(x))), float)
    b, y = np.asarray(sources, float) * scale, np.asarray(solutions, float) / scale
    undone = np.linalg.norm(np.cumsum(b - y @ matrix, axis=0), axis=1) / np.linalg.norm(b, axis=1)
    assert undone.max() <= 10.1 * solver.rtol  # LEFT, not 500 times rtol
    assert np.median(undone) > 1.5 * solver.rtol
    assert undone[-1] <= 1.1 * solver.rtol  # no other does what it leaves
    solution, _, past = solver.after(scaled, 0 * x, past)  # a source that is gone
    assert jnp.isfinite(solution).all()
    assert jnp.linalg.norm(solution) <= solver.rtol * jnp.linalg.norm(past.x_before)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("share", [0.0, 1 / 3, 1.0])
@pytest.mark.parametrize("kind", BODIES)
def test_bounds_hold_the_spectrum_and_plans_find_its_ends(kind, share):
    body = BODIES[kind]
    parts = fem.elements(body)
    K = parts.stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
    M = parts.mass(share)
    for dt in (1e-6, 0.1):
        scaled = fem.scaled_matrix(M.plus(dt / 2, K), M, parts.mass_floor(share))
        matrix = np.asarray(jax.vmap(scaled.__matmul__)(jnp.eye(body.n_nodes)))
        values = np.linalg.eigvalsh(matrix)
        assert float(scaled.least) <= values.min() + 1e-12
        assert float(scaled.greatest) >= values.max() - 1e-12
        assert fem.spectrum(scaled) == pytest.approx((values.min(), values.max()), rel=0.01)


def test_bounds_serve_where_the_ends_of_a_spectrum_are_not_found(monkeypatch):
    def never(*_, **__):
        raise ArpackNoConvergence("no convergence", np.empty(0), np.empty((0, 0)))

    monkeypatch.setattr("heartsim.fem._planned.eigsh", never)
    parts = fem.elements(BODIES["triangles"])
    M = parts.mass(1.0)
    K = parts.stiffness(jnp.broadcast_to(jnp.eye(3), (BODIES["triangles"].n_cells, 3, 3)))
    scaled = fem.scaled_matrix(M.plus(0.05, K), M, parts.mass_floor(1.0))
    plan = fem.planned([scaled])
    assert (float(plan.down), float(plan.up)) == pytest.approx((1.0, 1.0))
    b = jnp.asarray(np.random.default_rng(0).normal(size=M.diagonal.size), jnp.float32)
    x, *_ = plan.iterate(scaled, b)
    assert jnp.linalg.norm(b - scaled @ x) <= 1e-3 * jnp.linalg.norm(b)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("rtol", [1e-3, 1e-9])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_planned_solve_keeps_its_tolerance(rtol, share):
    """For the matrices of the plan; at twice the stiffness half the digits are left."""
    body = BODIES["tetrahedra"]
    parts = fem.elements(body)
    M, K = parts.mass(share), parts.stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))

    def matrix(dt):
        return fem.scaled_matrix(M.plus(dt / 2, K), M, parts.mass_floor(share))

    plan = fem.planned([matrix(0.1), matrix(0.02)], rtol)
    assert 2 <= plan.terms < 60
    b = jnp.asarray(np.random.default_rng(0).normal(size=body.n_nodes))
    for dt, most in ((0.1, rtol), (0.02, rtol), (0.2, rtol**0.5)):
        x, products, _ = plan.iterate(matrix(dt), b)
        assert int(products) == plan.terms - 1
        assert jnp.linalg.norm(b - matrix(dt) @ x) <= most * jnp.linalg.norm(b)
    alone = fem.planned([matrix(0.0)], rtol)  # no coupling at all
    x, products, _ = alone.iterate(matrix(0.0), b)
    assert int(products) == alone.terms - 1
    assert jnp.linalg.norm(b - matrix(0.0) @ x) <= rtol * jnp.linalg.norm(b)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", ["tetrahedra", "tetrahedra numbered at random", LONG])
def test_the_product_is_its_own_adjoint_and_batches(name):
    body = BODIES[name]
    parts = fem.elements(body)

    def value(d, x):
        K = parts.stiffness(d * jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
        return jnp.sum(jnp.sin(K @ jnp.asarray(x)))

    x = jnp.asarray(np.random.default_rng(0).normal(size=body.n_nodes))
    check_grads(value, (0.3, x), 1, modes=("fwd", "rev"), rtol=1e-6)
    batched = jax.vmap(jax.grad(value, argnums=1), (0, None))(jnp.array([0.1, 0.3]), x)
    single = jax.grad(value, argnums=1)(0.3, x)
    assert np.asarray(batched[1]) == pytest.approx(np.asarray(single), rel=1e-12)


def test_derivatives_of_a_product_by_entries_and_vector(x64):
    """Against dense algebra, on a grid and where slots are gathered; second ones are right with a
    matrix that stays, refused where it moves; a matrix without slots has its derivative, too."""
    body = mesh.slab((2.0, 2.0, 1.0), 0.5)
    grid = fem.elements(body).stiffness(jnp.broadcast_to(jnp.eye(3), (len(body.cells), 3, 3)))
    x = jnp.asarray(np.random.default_rng(0).normal(size=body.n_nodes))
    assert grid.shifts is not None
    dense = jax.vmap(lambda e: grid @ e)(jnp.eye(x.size)).T

    def told(K):
        return lambda t, x: jnp.sin(K.with_entries(t * K.off, t * K.diagonal) @ x).sum()

    def known(t, x):
        return jnp.sin(t * dense @ x).sum()

    for K in (grid, grid.gathered()):
        for mode in (jax.grad, jax.jacfwd):
            for by in (0, 1):
                found, wanted = mode(told(K), by)(1.5, x), mode(known, by)(1.5, x)
                np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)
            with pytest.raises(NotImplementedError, match="conductivity"):
                jax.jacfwd(mode(told(K), 0), 1)(1.5, x)
        again = jax.jacfwd(jax.jacfwd(lambda x, K=K: told(K)(1.5, x)))(x)
        np.testing.assert_allclose(again, jax.hessian(known, 1)(1.5, x), rtol=1e-11, atol=1e-11)
    alone = fem.Rows(np.zeros((0, 3), np.int32), jnp.zeros((0, 3)), jnp.arange(3.0))
    assert jax.grad(told(alone))(1.0, jnp.ones(3)) == pytest.approx(np.cos(1) + 2 * np.cos(2))


def test_compact_shortens_the_band_and_brings_values_home():
    body = BODIES["tetrahedra"]
    mixed = shuffled(body)
    neat, order = fem.compact(mixed)
    assert neat.points[: len(order)] == pytest.approx(mixed.points[order])
    assert neat.n_nodes % 64 == 0
    assert np.ptp(neat.cells, axis=1).max() < 0.6 * np.ptp(mixed.cells, axis=1).max()
    volume = [fem.elements(m).measure.sum() for m in (mixed, neat)]
    assert volume[1] == pytest.approx(volume[0])


def test_grids_are_numbered_line_by_line_and_their_products_gather_nothing():
    """Whatever their numbers were, and also where lines are not along the axes, if they came in
    lines; the shortest side first, so that neighbours are near."""
    grid = mesh.slab((4.0, 2.0, 1.0), 0.5)
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turned = dataclasses.replace(grid, points=grid.points @ turned)
    for body in (grid, shuffled(grid), turned):
        neat, order = fem.compact(body)
        assert fem.shifts(neat.cells, neat.n_nodes) is not None
        assert neat.points[: len(order)] == pytest.approx(body.points[order])
    neat, _ = fem.compact(shuffled(grid))
    assert max(fem.shifts(neat.cells, neat.n_nodes)) == 3 * 5 + 3 + 1  # 3 x 5 x 9 nodes
    mixed = shuffled(turned)
    assert fem.shifts(fem.compact(mixed)[0].cells, mixed.n_nodes) is None
    for body, gathers in ((neat, False), (mixed, True)):
        K = fem.elements(body).stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
        x = jnp.ones(body.n_nodes)
        assert ("gather" in str(jax.make_jaxpr(K.beside)(x))) == gathers


def test_bad_input_is_refused():
    body = BODIES["lines"]
    with pytest.raises(ValueError, match=r"lumped share of the mass is 1\.5; it must lie between"):
        fem.elements(body).mass(1.5)
    flat = mesh.Mesh(np.zeros((2, 3)), np.array([[0, 1]]), np.array([1]))
    with pytest.raises(ValueError, match="cell 0 is flat"):
        fem.elements(flat)


@pytest.mark.usefixtures("x64")
def test_long_rows_are_taken_apart_and_give_the_same_product():
    """By slots, one after the other, in NumPy; also of what is made of a matrix."""
    body = BODIES[LONG]
    parts = fem.elements(body)
    K = parts.stiffness(jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
    x = jnp.asarray(np.random.default_rng(0).normal(size=body.n_nodes))
    s = jnp.linspace(1.0, 2.0, body.n_nodes)
    for rows in (K, parts.mass(0.5).plus(0.3, K), K.scaled(s)):
        off = np.asarray(rows.off)
        assert np.abs(off[rows.long.short :]).max() > 0
        by_slots = (off * np.asarray(x)[np.asarray(rows.neighbour)]).sum(axis=0)
        for same in (rows, rows.gathered()):
            assert np.asarray(same.beside(x)) == pytest.approx(by_slots, abs=1e-13)
    text = jax.jit(lambda x: K.beside(x)).lower(x).compile().as_text()
    assert " call(" in text


def test_a_solve_makes_no_indices_of_its_own():
    """What shows XLA that none is negative it would compute before the loop, and read there."""
    parts = fem.elements(BODIES[LONG])
    M = parts.mass(0.0)
    scaled = fem.scaled_matrix(M, M, parts.mass_floor(0.0))
    program = jax.jit(lambda scaled, b: fem.ConjugateGradients().after(scaled, b, None)[:2])
    made = program.lower(scaled, M.diagonal).compile().as_text()
    assert " gather(" in made
    assert not re.search(rf"= s32\[(\d+,)?{M.diagonal.size}\]\S* fusion\(", made)


def test_a_gpu_takes_long_rows_apart_where_nodes_are_many(monkeypatch):
    """It gathers the same slots, the last of long rows only, and these rows' sums."""
    K = fem.elements(BODIES[LONG]).mass(0.0)
    x = jnp.ones(K.diagonal.size)

    def gathers():
        program = jax.jit(lambda K, x: K.beside(x))
        text = jax.export.export(program, platforms=["cuda"])(K, x).mlir_module()
        return [line for line in text.splitlines() if '"stablehlo.gather"' in line]

    slots = K.off.shape[0]
    assert len(gathers()) == slots
    monkeypatch.setattr("heartsim.fem._rows.MANY", x.size)
    jax.clear_caches()
    short = [line for line in gathers() if f"-> tensor<{len(K.long.nodes)}x" in line]
    assert len(gathers()) == slots + 1
    assert len(short) == slots - K.long.short


def test_rows_alike_are_left_together():
    for name in set(BODIES) - {LONG}:
        assert fem.elements(BODIES[name]).pattern.long is None


@pytest.mark.parametrize("name", ["tetrahedra", LONG])
def test_matrices_compile_for_cuda_without_scatter(name):
    body = BODIES[name]
    parts = fem.elements(body)

    def value(d):
        K = parts.stiffness(d * jnp.broadcast_to(jnp.eye(3), (body.n_cells, 3, 3)))
        return K @ jnp.ones(body.n_nodes)

    exported = jax.export.export(jax.jit(value), platforms=["cuda"])(0.1)
    assert "stablehlo.scatter" not in exported.mlir_module()
