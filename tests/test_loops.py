"""What keeps XLA from computing again: loops and calls on a processor, barriers on a GPU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from heartsim._loops import (
    few_passes,
    kept,
    of_stored,
    on_processor,
    read_first,
    sparing,
    stored,
    taken,
)


def passed(scan, x):
    def one(x, share):
        return jnp.sin(x) * share, x.sum()

    last, sums = scan(one, x, jnp.array([0.5, 1.0, 1.5]))
    return last.sum() + (sums**2).sum()


X = jnp.linspace(0.0, 2.0, 50)


@pytest.mark.parametrize("on", ["processor", "gpu"])
def test_values_and_derivatives_are_those_of_scan(monkeypatch, on):
    """What a GPU would run is run here."""
    if on == "gpu":
        there = lambda *x, default, **rest: default(*x)  # noqa: E731
        monkeypatch.setattr(lax, "platform_dependent", there)
    for program in (lambda f: f, jax.grad, jax.jacfwd):
        found = program(lambda x: passed(few_passes, x))(X)
        np.testing.assert_allclose(found, program(lambda x: passed(lax.scan, x))(X), rtol=1e-6)
    many = jax.vmap(lambda x: passed(few_passes, x))(jnp.stack([X, 2 * X]))
    np.testing.assert_allclose(many[0], passed(lax.scan, X), rtol=1e-6)


def test_no_loop_is_left_for_a_gpu():
    program = jax.jit(jax.grad(lambda x: passed(few_passes, x)))
    loops = {
        platform: jax.export.export(program, platforms=[platform])(X).mlir_module().count("while")
        for platform in ("cpu", "cuda")
    }
    assert loops["cpu"] > 0
    assert loops["cuda"] == 0


@pytest.mark.parametrize("on", ["processor", "gpu"])
@pytest.mark.parametrize("way", [stored, of_stored, read_first])
def test_what_is_stored_is_what_was_computed(monkeypatch, on, way):
    """Value and derivatives in both modes, alone and in a batch, with a NaN where it came in."""
    if on == "gpu":
        there = lambda *x, default, **rest: default(*x)  # noqa: E731
        monkeypatch.setattr(lax, "platform_dependent", there)

    def body(at):
        x, y = at
        return jnp.sin(x) * y, {"z": x * x}

    def through(way, x):
        one, other = way(body, (x, 2 * x))
        return (one * other["z"]).sum()

    def alone(body, at):
        return body(at)

    for program in (lambda f: f, jax.grad, jax.jacfwd, lambda f: jax.jacfwd(jax.grad(f))):
        found, wanted = (program(lambda x, w=w: through(w, x)) for w in (way, alone))
        np.testing.assert_allclose(found(X), wanted(X), rtol=1e-6, atol=1e-6)
        pair = jnp.stack([X, 2 * X])
        np.testing.assert_allclose(jax.vmap(found)(pair), jax.vmap(wanted)(pair), 1e-6, 1e-6)
    broken = way(body, (X.at[0].set(jnp.nan), X))[0]
    assert np.flatnonzero(np.isnan(broken)).tolist() == [0]


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("way", [stored, of_stored, read_first])
def test_a_call_is_left_where_something_is_stored_on_a_processor(way, batched):
    """One, of the body: not of what that calls in turn."""

    @jax.jit
    def sine(x):
        return jnp.sin(x)

    def program(x):
        return way(sine, x) + 1

    def calls(program):
        lines = jax.jit(program).lower(at).compile().as_text().splitlines()
        return sum(" call(" in line for line in lines)

    program, at = (jax.vmap(program), jnp.stack([X, X])) if batched else (program, X)
    assert calls(program) == 1
    assert calls(jax.grad(lambda x: program(x).sum())) == 2  # the slope, and what it is times
    on_gpu = jax.export.export(jax.jit(program), platforms=["cuda"])(at).mlir_module()
    assert ("optimization_barrier" in on_gpu) == (way is not read_first)


def test_a_sparing_step_runs_nothing_of_what_it_kept_again():
    def step(x, keep):
        y = keep(jnp.sin(x))
        return jnp.cos(y)

    def sines(keep):
        whole = jax.grad(lambda x: sparing(lambda x: step(x, keep))(x).sum())
        return str(jax.make_jaxpr(whole)(X)).count(" sin ")

    assert sines(lambda x: x) == sines(kept) + 1


def test_entries_are_taken_without_a_choice_for_each():
    """Which plain indexing makes, to count negative indices from the end."""
    at = np.array([3, 0, 49])
    np.testing.assert_array_equal(taken(X, at), np.asarray(X)[at])

    def chooses(read):
        return " select" in str(jax.make_jaxpr(read)(X, jnp.asarray(at)))

    assert chooses(lambda x, at: x[at])
    assert not chooses(taken)


def test_what_is_done_on_the_processor_lies_there():
    with on_processor():
        assert jnp.ones(3).devices() == {jax.local_devices(backend="cpu")[0]}


def test_without_a_processor_all_goes_on(monkeypatch):
    def none(backend):
        raise RuntimeError(f"Unknown backend {backend}")

    monkeypatch.setattr(jax, "local_devices", none)
    with on_processor():
        assert float(jnp.ones(3).sum()) == 3.0
