"""Loops of few passes: loops on a processor, written out for a GPU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from heartsim._loops import few_passes, on_processor


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


def test_what_is_done_on_the_processor_lies_there():
    with on_processor():
        assert jnp.ones(3).devices() == {jax.local_devices(backend="cpu")[0]}


def test_without_a_processor_all_goes_on(monkeypatch):
    def none(backend):
        raise RuntimeError(f"Unknown backend {backend}")

    monkeypatch.setattr(jax, "local_devices", none)
    with on_processor():
        assert float(jnp.ones(3).sum()) == 3.0
