"""Order in time of every splitting with every membrane step, on a pulse that spreads."""

import jax.numpy as jnp
import numpy as np
import pytest

from heartsim import fem, ionic, mesh, tissue

pytestmark = pytest.mark.usefixtures("x64")

CABLE = mesh.cable(10.0, 0.25)
T = 4.0  # ms: the upstroke, where time matters most


def voltage(splitting, membrane_step, steps):
    """V at T, from a smooth bump that becomes a travelling wave."""
    muscle = tissue.monodomain(
        CABLE,
        jnp.broadcast_to(0.1 * jnp.eye(3), (CABLE.n_cells, 3, 3)),
        ionic.MitchellSchaeffer(),
        splitting=splitting,
        membrane_step=membrane_step,
        solver=fem.ConjugateGradients(rtol=1e-12),
    )
    state = muscle.initial()
    state = state._replace(V=state.V + 60 * jnp.exp(-((CABLE.points[:, 0] / 3) ** 2)))
    dt = float(T / steps)
    carry, _ = tissue.simulate(
        muscle,
        [],
        dt=dt,
        steps=steps,
        sample_every=steps,
        start=tissue.begin(muscle, dt, tissue.Detector(), state),
    )
    return carry.events.V


@pytest.mark.parametrize(
    ("splitting", "membrane_step", "order"),
    [
        (tissue.SemiImplicit(), ionic.RushLarsen(), 1),
        (tissue.SemiImplicit(), ionic.RushLarsenMidpoint(), 1),
        (tissue.Godunov(), ionic.RushLarsen(), 1),
        (tissue.Godunov(), ionic.RushLarsenMidpoint(), 1),
        (tissue.Strang(), ionic.RushLarsen(), 1),
        (tissue.Strang(), ionic.RushLarsenMidpoint(), 2),
        (tissue.Strang(), ionic.RushLarsenStaggered(), 2),
    ],
    ids=lambda x: type(x).__name__ if not isinstance(x, int) else str(x),
)
def test_order_in_time(splitting, membrane_step, order):
    """Against the second-order scheme at an eighth of the finest step; ± 0.15 is the distance
    from the asymptote at these steps (0.1 to 0.025 ms)."""
    reference = voltage(tissue.Strang(), ionic.RushLarsenMidpoint(), 1280)
    steps = [40, 80, 160]
    errors = [
        float(jnp.linalg.norm(voltage(splitting, membrane_step, n) - reference)) for n in steps
    ]
    found = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert found == pytest.approx(order, abs=0.15)
