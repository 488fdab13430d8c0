"""What XLA makes of a run and its derivatives on a processor."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered, shuffled
from compiled import read_twice

from heartsim import fem, ionic, mesh, tissue
from heartsim._loops import stored

BODY = shuffled(jittered(mesh.slab((4.0, 3.0, 2.0), 0.5), 0.1, 3))


def made(program, *at):
    return jax.jit(program).lower(*at).compile().as_text()


@pytest.mark.parametrize("lumped", [0.0, 1.0])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mode", ["run", "reverse", "forward"])
def test_no_loop_reads_by_two_names_what_it_may_write_over(mode, order, lumped):
    D = jnp.asarray(tissue.tensor(BODY, 0.1, 0.02, 0.02))
    own = {"membrane_step": ionic.RushLarsen(), "splitting": tissue.SemiImplicit()}
    muscle = tissue.monodomain(
        BODY,
        D,
        ionic.by_name("mitchell_schaeffer_2003"),
        lumped=lumped,
        **(own if order == 1 else {}),
    )
    corner = tissue.Stimulus(site=np.arange(BODY.n_nodes) < 9)
    parts = fem.elements(BODY)

    def run(factor):
        own = dataclasses.replace(muscle, K=parts.stiffness(factor * D))
        _, kept = tissue.simulate(own, [corner], dt=0.05, steps=8, sample_every=4, keep_V=True)
        return (kept.V**2).mean()

    programs = {
        "run": run,
        "reverse": jax.grad(run),
        "forward": lambda factor: jax.jvp(run, (factor,), (factor,)),
    }
    assert not read_twice(made(programs[mode], jnp.asarray(1.0)))


def test_one_that_does_is_seen():
    near = np.roll(np.arange(50), 1)

    def program(x):
        y = stored(jnp.sin, x)
        return y - stored(lambda y: y, y)[near]

    assert read_twice(made(program, jnp.linspace(0.0, 2.0, 50)))
