"""Many runs in one program: over parameters, and over bodies of different size."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import shuffled

from heartsim import ionic, mesh, tissue
from heartsim.fem import ConjugateGradients

CELL = ionic.by_name("mitchell_schaeffer_2003")
WALLS = [mesh.slab((6.0, 2.0, 1.0), 1.0), mesh.slab((9.0, 3.0, 2.0), 1.0)]


def body(wall, D=0.3, cell=CELL):
    """Solved to 1e-6: a batch iterates until all its bodies are done, so that their solutions
    agree with single ones to the tolerance only."""
    return tissue.monodomain(
        wall, tissue.tensor(wall, D, D, D), cell, lumped=1.0, solver=ConjugateGradients(rtol=1e-6)
    )


def pulse(wall):
    return tissue.Stimulus(site=wall.points[:, 0] <= 1.0, strength=50.0)


def times(muscle, pulses, stepping):
    run, _ = tissue.simulate(muscle, pulses, dt=0.1, steps=400, sample_every=20, stepping=stepping)
    return tissue.activation_time(run, 0.1)


@pytest.mark.parametrize("walls", [WALLS, [WALLS[0], shuffled(WALLS[0])]], ids=["size", "numbers"])
@pytest.mark.parametrize("stepping", [tissue.Fixed(), tissue.Adaptive()], ids=["fixed", "adaptive"])
def test_bodies_of_two_kinds_run_as_each_does_alone(walls, stepping):
    """Of two sizes, or one of them numbered line by line. To 1e-3 ms: what the solver's tolerance
    leaves in float32."""
    bodies = [body(wall) for wall in walls]
    assert bodies[0].K.shifts != bodies[1].K.shifts
    muscle, pulses = tissue.stacked(bodies, [[pulse(wall)] for wall in walls])
    together = jax.vmap(lambda t, p: times(t, p, stepping))(muscle, pulses)
    for wall, alone, found in zip(walls, bodies, np.asarray(together), strict=True):
        own = np.asarray(times(alone, [pulse(wall)], stepping))
        assert np.isfinite(own).all()
        np.testing.assert_allclose(found[: wall.n_nodes], own, atol=1e-3)
        assert np.isnan(found[wall.n_nodes :]).all()  # padding stays at rest


def test_one_body_runs_with_many_parameters_at_once():
    wall = WALLS[0]
    D = jnp.array([0.2, 0.3, 0.4])

    def last(D):
        return times(body(wall, D), [pulse(wall)], tissue.Fixed()).max()

    together, alone = jax.vmap(last)(D), [last(each) for each in D]
    np.testing.assert_allclose(together, alone, atol=1e-3)
    assert together[0] > together[1] > together[2]


def test_parameters_at_the_nodes_are_padded():
    cells = [
        dataclasses.replace(CELL, tau_in=jnp.full(wall.n_nodes, tau))
        for wall, tau in zip(WALLS, (0.3, 0.4), strict=True)
    ]
    bodies = [body(wall, cell=cell) for wall, cell in zip(WALLS, cells, strict=True)]
    muscle, _ = tissue.stacked(bodies, [[pulse(wall)] for wall in WALLS])
    assert muscle.ionic.tau_in.shape == (2, WALLS[1].n_nodes)
    np.testing.assert_allclose(muscle.ionic.tau_in[0], 0.3)


def test_a_batch_compiles_for_cuda():
    muscle, pulses = tissue.stacked([body(w) for w in WALLS], [[pulse(w)] for w in WALLS])
    run = jax.jit(jax.vmap(lambda t, p: times(t, p, tissue.Fixed())))
    exported = jax.export.export(run, platforms=["cuda"])(muscle, pulses)
    assert "callback" not in exported.mlir_module()


def test_bodies_that_are_not_alike_are_refused():
    other = ionic.by_name("ten_tusscher_2006_epi")
    pulses = [[pulse(wall)] for wall in WALLS]
    with pytest.raises(ValueError, match="differ in membrane"):
        tissue.stacked([body(WALLS[0]), body(WALLS[1], cell=other)], pulses)
    mixed = [
        body(wall, cell=ionic.Patchwork([CELL, CELL], np.array_split(np.arange(wall.n_nodes), 2)))
        for wall in WALLS
    ]
    with pytest.raises(ValueError, match="one membrane each"):
        tissue.stacked(mixed, pulses)


def test_arrival_times_never_come_to_padding():
    feet = [[tissue.FootCurrent(jnp.full(wall.n_nodes, 3.0))] for wall in WALLS]
    _, (foot,) = tissue.stacked([body(wall) for wall in WALLS], feet)
    small = WALLS[0].n_nodes
    assert (foot.T[0, :small] == 3.0).all()
    assert (foot.T[0, small:] == tissue.NEVER).all()


def test_bodies_planned_one_by_one_get_one_plan():
    bodies = [body(wall, D).planned([0.1]) for wall, D in zip(WALLS, (0.3, 0.6), strict=True)]
    assert bodies[0].solver.terms != bodies[1].solver.terms
    muscle, pulses = tissue.stacked(bodies, [[pulse(wall)] for wall in WALLS])
    assert muscle.solver.terms == max(b.solver.terms for b in bodies)
    together = jax.vmap(lambda t, p: times(t, p, tissue.Fixed()))(muscle, pulses)
    for wall, alone, found in zip(WALLS, bodies, np.asarray(together), strict=True):
        own = np.asarray(times(alone, [pulse(wall)], tissue.Fixed()))
        np.testing.assert_allclose(found[: wall.n_nodes], own, atol=1e-3)
