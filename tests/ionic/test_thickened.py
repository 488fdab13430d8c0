"""Thickened fronts: the same velocity, the same action potential behind the front."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim import ionic, tissue
from heartsim.ionic import Thickened

MODELS = ("ten_tusscher_2006_epi", "mitchell_schaeffer_2003")
FINE = tissue.Scheme(0.025, 0.5, ionic.RushLarsenMidpoint(), tissue.Strang())


def potential(model, ms, strength=30.0):
    """V at one node every 0.1 ms, fired for 2 ms; and the state at the end."""
    step = ionic.RushLarsenMidpoint()

    def one(at, k):
        stimulus = jnp.where(k < 200, strength, 0.0)
        at = step(model, *at, 0.01, stimulus)
        return at, at[0]

    end, V = jax.lax.scan(one, model.initial(1), jnp.arange(100 * ms))
    return np.asarray(V)[9::10, 0], end[1]


@pytest.mark.parametrize("name", MODELS)
def test_a_factor_of_one_is_the_membrane_itself(name):
    model = ionic.by_name(name)
    plain, _ = potential(model, 100)
    same, _ = potential(Thickened(model, 1.0), 100)
    np.testing.assert_allclose(same, plain, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "within"), [("ten_tusscher_2006_epi", 0.04), ("mitchell_schaeffer_2003", 0.21)]
)
@pytest.mark.parametrize("factor", [3.0, 9.0])
def test_a_plane_wave_keeps_its_velocity(name, within, factor):
    """F D and a clock F times slower. What is left tuning takes away: the first 10 mV keep their
    clock, which matters more where a leak (τ_out) rules the foot of the front."""
    model = ionic.by_name(name)
    D, edge = 0.1, 0.1
    plain = tissue.strand_velocity(model, D, edge, FINE)
    thick = tissue.strand_velocity(Thickened(model, factor), factor * D, edge, FINE)
    assert thick == pytest.approx(plain, rel=within)


@pytest.mark.parametrize("name", MODELS)
def test_behind_the_front_nothing_is_slower(name):
    """The upstroke takes milliseconds longer; from its peak on the action potential is as long."""
    model = ionic.by_name(name)
    plain, _ = potential(model, 450)
    thick, state = potential(Thickened(model, 8.0), 450)
    level = -60.0
    ends = [np.flatnonzero(level < V)[-1] / 10 for V in (plain, thick)]
    assert ends[1] - ends[0] < 8.0  # ms, of which the upstroke has about 5
    assert float(state.armed[0]) > 0.99  # and ready for the next front


def test_an_upstroke_that_never_fires_is_not_slow_for_ever():
    model = Thickened(ionic.by_name("mitchell_schaeffer_2003"), 4.0)
    V = jnp.array([-50.0])  # held at 30 mV over rest, for 80 ms

    def held(k, state):
        return ionic.RushLarsenMidpoint()(model, V, state, 0.2)[1]

    state = jax.lax.fori_loop(0, 400, held, model.initial(1)[1])
    assert float(state.armed[0]) < 0.2


def test_the_factor_may_differ_from_node_to_node():
    model = ionic.by_name("ten_tusscher_2006_epi")
    V = jnp.array([-40.0, -40.0])
    now = Thickened(model, jnp.array([1.0, 4.0]))
    currents = np.asarray(now.rates(V, now.initial(2)[1]).i_ion)
    assert currents[0] == pytest.approx(4 * currents[1], rel=1e-4)


def test_velocity_is_differentiable_through_a_thick_front():
    """Against central differences in float64, of V near a front by the factor."""
    with jax.enable_x64(True):
        model = ionic.by_name("ten_tusscher_2006_epi")

        def upstroke(factor):
            thick = Thickened(model, factor)

            def one(at, k):
                stimulus = jnp.where(k < 10, 30.0, 0.0)
                return ionic.RushLarsenMidpoint()(thick, *at, 0.1, stimulus), None

            return jax.lax.scan(one, thick.initial(1), jnp.arange(40))[0][0][0]

        h = 1e-5
        central = (upstroke(jnp.asarray(3.0 + h)) - upstroke(jnp.asarray(3.0 - h))) / (2 * h)
        assert jax.grad(upstroke)(jnp.asarray(3.0)) == pytest.approx(float(central), rel=1e-6)
