"""The heat equation, exactly: order in space and time, and what must be kept."""

import jax.numpy as jnp
import numpy as np
import pytest
from bodies import heat, jittered, started

from heartsim import mesh, tissue

pytestmark = pytest.mark.usefixtures("x64")

D = np.diag([0.1, 0.05, 0.02])  # mm²/ms
LENGTH = 4.0  # mm
T = 8.0  # ms
K = np.pi / LENGTH  # 1/mm


def cosines(points, dim):
    return np.prod(np.cos(K * np.asarray(points)[:, :dim]), axis=1)


def decay(dim, t):
    return np.exp(-np.trace(D[:dim, :dim]) * K**2 * t)


def l2_error(body, dim, steps):
    """Error of V at T in the L2 norm of the mass matrix."""
    muscle = heat(body, D)
    carry, _ = tissue.simulate(
        muscle,
        [],
        dt=T / steps,
        steps=steps,
        sample_every=steps,
        start=started(muscle, cosines(body.points, dim), T / steps),
    )
    error = carry.events.V - decay(dim, T) * cosines(body.points, dim)
    return float(jnp.sqrt(error @ (muscle.M @ error)))


BODIES = {
    "line": (1, [10, 20, 40], lambda n: mesh.cable(LENGTH, LENGTH / n)),
    "triangles": (2, [8, 16, 32], lambda n: mesh.sheet((LENGTH,) * 2, LENGTH / n)),
    "tetrahedra": (3, [12, 16, 24], lambda n: mesh.slab((LENGTH,) * 3, LENGTH / n)),
    "jittered triangles": (
        2,
        [8, 16, 32],
        lambda n: jittered(mesh.sheet((LENGTH,) * 2, LENGTH / n), 0.15, n),
    ),
    "jittered tetrahedra": (
        3,
        [12, 16, 24],
        lambda n: jittered(mesh.slab((LENGTH,) * 3, LENGTH / n), 0.12, n),
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_space_is_second_order(name):
    """P1 is second order in L2. 32 steps leave the error in time 30 times below that in space;
    ± 0.1 is what the coarsest grid is away from its asymptote."""
    dim, segments, body = BODIES[name]
    errors = [l2_error(body(n), dim, steps=32) for n in segments]
    order = -np.polyfit(np.log(segments), np.log(errors), 1)[0]
    assert order == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("lumped", [0.0, 1 / 3, 1.0])
def test_mass_is_kept_and_constants_stay(lumped):
    """No flux leaves: ∫V is kept to the solver's tolerance, and a constant does not move."""
    body = jittered(mesh.slab((4.0, 3.0, 2.0), 0.5), 0.1, 0)
    muscle = heat(body, D, lumped=lumped)
    V = np.random.default_rng(1).normal(size=body.n_nodes)
    options = {"dt": 0.1, "steps": 50, "sample_every": 50}
    carry, _ = tissue.simulate(muscle, [], start=started(muscle, V, 0.1), **options)
    before, after = (float(jnp.sum(muscle.M @ jnp.asarray(v))) for v in (V, carry.events.V))
    assert after == pytest.approx(before, abs=1e-10)
    carry, _ = tissue.simulate(
        muscle, [], start=started(muscle, np.full(body.n_nodes, -85.0), 0.1), **options
    )
    assert pytest.approx(-85.0, abs=1e-10) == carry.events.V


def test_a_rotated_tensor_gives_the_rotated_answer():
    """A triangle mesh in a tilted plane of space diffuses as it does flat."""
    flat = mesh.sheet((LENGTH, LENGTH), 0.25)
    Q, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    Q = Q * np.sign(np.linalg.det(Q))
    tilted = mesh.Mesh(flat.points @ Q.T, flat.cells, flat.regions)
    V = cosines(flat.points, 2)
    found = []
    for body, tensor in ((flat, D), (tilted, Q @ D @ Q.T)):
        muscle = heat(body, tensor)
        carry, _ = tissue.simulate(
            muscle, [], dt=0.5, steps=10, sample_every=10, start=started(muscle, V, 0.5)
        )
        found.append(np.asarray(carry.events.V))
    assert found[1] == pytest.approx(found[0], abs=1e-10)  # the solver's tolerance
