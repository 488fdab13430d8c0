"""The membrane steps, on equations with known solutions and on Mitchell-Schaeffer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy

from heartsim.ionic import (
    Adaptive,
    Coupled,
    MitchellSchaeffer,
    Patchwork,
    RushLarsen,
    RushLarsenMidpoint,
    RushLarsenStaggered,
    Thickened,
    by_name,
    scaled,
    smoothed,
)
from heartsim.ionic._relax import relax
from tests.bodies import some_long
from tests.plain_cell import Plain

STEPS = [RushLarsen(), RushLarsenMidpoint(), RushLarsenStaggered(), Adaptive(tolerance=1e-3)]


@pytest.mark.parametrize("step", STEPS, ids=lambda s: type(s).__name__)
def test_relaxation_slope_and_stimulus_are_exact_where_rates_are_constant(x64, step):
    V, (x, y) = step(Plain(), *Plain().initial(2), 0.4, 10.0)
    np.testing.assert_allclose(V, -80.0 + 0.4 * 8.0, rtol=1e-14)
    np.testing.assert_allclose(x, 0.25 + 0.75 * np.exp(-1.2), rtol=1e-14)
    np.testing.assert_allclose(y, 5.0 + 0.8, rtol=1e-14)


def upstroke(step, dt, end=4.0, model=None, n=1):
    """V after `end` ms from rest, under 20 mV/ms for 2 ms (Mitchell-Schaeffer fires at ~1.5)."""
    model = MitchellSchaeffer() if model is None else model
    k = jnp.arange(round(end / dt))

    def one(carry, k):
        return step(model, *carry, dt, jnp.where(k < round(2 / dt), 20.0, 0.0)), None

    return jax.jit(lambda c: jax.lax.scan(one, c, k)[0])(model.initial(n))[0]


@pytest.mark.parametrize(("step", "order"), [(RushLarsen(), 1.0), (RushLarsenMidpoint(), 2.0)])
def test_steps_have_their_order_on_a_smooth_membrane(x64, step, order):
    """From the differences of halved steps, which need no reference."""
    V = [float(upstroke(step, dt)[0]) for dt in (0.02, 0.01, 0.005, 0.0025)]
    measured = np.log2(np.abs(np.diff(V)[:-1] / np.diff(V)[1:]))
    np.testing.assert_allclose(measured, order, atol=0.1)


@pytest.mark.parametrize("name", ["mitchell_schaeffer_2003", "ten_tusscher_2006_epi"])
def test_adaptive_substeps_keep_the_error_in_outer_steps_of_half_a_millisecond(x64, name):
    """The error follows the tolerance; fixed steps of 0.5 ms miss the upstroke by tens of mV."""
    model = by_name(name)
    fine = upstroke(RushLarsenMidpoint(), 0.001, model=model)
    apart = [
        float(abs(upstroke(Adaptive(tolerance), 0.5, model=model) - fine)[0])
        for tolerance in (0.1, 0.01, 0.001)
    ]
    assert apart[0] < 0.3
    assert apart[1] < 0.03
    assert apart[2] < 0.003


def test_adaptive_takes_one_substep_at_rest_and_many_in_an_upstroke():
    model = MitchellSchaeffer()
    tried = [
        int(Adaptive().solve(model, *model.initial(2), 1.0, i_stim)[2].tried)
        for i_stim in (0.0, 40.0, 200.0)
    ]
    assert tried[0] == 1
    assert 1 < tried[1] < tried[2] < 200


def test_adaptive_marks_the_node_that_runs_out_of_substeps():
    model, step, stimulus = MitchellSchaeffer(), Adaptive(max_substeps=2), jnp.array([0.0, 200.0])
    _, _, substeps = step.solve(model, *model.initial(2), 1.0, stimulus)
    np.testing.assert_array_equal(substeps.unfinished, [False, True])
    V, _ = step(model, *model.initial(2), 1.0, stimulus)
    np.testing.assert_array_equal(jnp.isnan(V), [False, True])


def test_adaptive_is_differentiable_forward(x64):
    """Finite differences of 1e-6 keep the chosen substeps, whose derivative is meant."""

    def voltage(tau_in):
        model = MitchellSchaeffer(tau_in=tau_in)
        return Adaptive(0.1)(model, *model.initial(1), 1.0, 40.0)[0][0]

    at, h = jnp.array(0.3), 1e-6
    slope = jax.jvp(voltage, (at,), (jnp.array(1.0),))[1]
    difference = (voltage(at + h) - voltage(at - h)) / (2 * h)
    assert slope == pytest.approx(float(difference), rel=0.01)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tolerance": 0.0}, "tolerance above 0 mV, was given 0"),
        ({"max_substeps": 0}, ">= 1"),
    ],
)
def test_adaptive_refuses_impossible_options(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Adaptive(**options)


def test_coupled_states_step_by_the_implicit_midpoint_rule(x64):
    """Against the matrix exponential, of second order; sums that the rates keep to rounding; a row
    that lacks entries; and rates a thousand times faster than the step, which stay bounded."""
    A = np.array([[-0.6, 2.0, 0.0], [0.6, -2.5, 0.3], [0.0, 0.5, -0.3]])
    x = np.array([0.7, 0.2, 0.1])
    names = "abc"

    def row(i):
        return {names[j]: jnp.array([A[i, j]]) for j in range(3) if A[i, j]}

    def steps(dt, scale=1.0):
        changes = {
            names[i]: Coupled(jnp.zeros(1), row(i)).times(jnp.array(scale)) for i in range(3)
        }
        state = {name: jnp.array([v]) for name, v in zip(names, x, strict=True)}
        for _ in range(round(0.8 / dt)):
            state = relax(state, changes, dt)
        return np.array([float(state[name][0]) for name in names])

    exact = scipy.linalg.expm(0.8 * A) @ x
    off = [np.abs(steps(dt) - exact).max() for dt in (0.2, 0.1, 0.05)]
    np.testing.assert_allclose(np.log2(np.array(off[:-1]) / off[1:]), 2.0, atol=0.1)
    assert steps(0.1).sum() == pytest.approx(1.0, rel=1e-14)
    stiff = steps(0.1, 1e4)
    assert stiff.sum() == pytest.approx(1.0, rel=1e-10)
    assert (np.abs(stiff) < 2.0).all()


NAMED = ("mitchell_schaeffer_2003", "ten_tusscher_2006_epi")
MEMBRANES = {name: lambda name=name: smoothed(by_name(name)) for name in NAMED} | {
    "thickened": lambda: Thickened(by_name("mitchell_schaeffer_2003"), 3.0),
    "patches": lambda: Patchwork(
        [by_name("mitchell_schaeffer_2003"), smoothed(by_name("ten_tusscher_2006_epi"))],
        [np.array([3, 0, 6, 5]), np.array([1, 2, 4, 7])],
    ),
}


@pytest.mark.parametrize("step", STEPS[:3], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("membrane", some_long(MEMBRANES, "patches".__eq__))
def test_a_reverse_sweep_tells_what_differences_do(x64, membrane, step):
    """By V of each node, the state and a parameter, of a sum of all that a step returns, each part
    on its own scale. Patches of eight nodes in all have eight places each, in another order."""
    model = MEMBRANES[membrane]()
    V, state = model.initial(8)
    V = V + jnp.linspace(0.0, 70.0, 8)
    weights = jax.tree.map(lambda x: jnp.linspace(1.0, 2.0, x.size) / (1e-9 + jnp.abs(x)), state)

    def told(V, scale):
        V, after = step(model, V, jax.tree.map(lambda x: x * scale, state), 0.05, 1.0)
        parts = jax.tree.map(lambda w, x: (w * x).sum(), weights, after)
        return (jnp.linspace(1.0, 2.0, 8) * V).sum() + sum(jax.tree.leaves(parts))

    by_V, by_scale = jax.jit(jax.grad(told, argnums=(0, 1)))(V, 1.0)
    told, h = jax.jit(told), 1e-5
    for k, along in enumerate(jnp.eye(8)):
        wanted = (told(V + h * along, 1.0) - told(V - h * along, 1.0)) / (2 * h)
        assert by_V[k] == pytest.approx(float(wanted), rel=2e-6, abs=1e-6), k
    wanted = (told(V, 1 + h) - told(V, 1 - h)) / (2 * h)
    assert by_scale == pytest.approx(float(wanted), rel=2e-6)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        (NAMED[0], RushLarsen()),
        (NAMED[0], RushLarsenMidpoint()),
        (NAMED[1], RushLarsen()),
        pytest.param(NAMED[1], RushLarsenMidpoint(), marks=pytest.mark.long),
    ],
)
def test_a_step_and_its_derivatives_are_those_of_plain_stages(x64, name, step):
    """By JAX through the stages written plainly, in both modes: of a parameter alone, where the
    cell does not move, and with all that the step starts from. Second ones are refused."""
    model = smoothed(by_name(name))
    g = {"mitchell_schaeffer_2003": "tau_in", "ten_tusscher_2006_epi": "g_Na"}[name]
    V, state = model.initial(3)
    V = V + jnp.array([0.0, 30.0, 70.0])

    def plain(factor, V, state):
        own = scaled(model, {g: factor})
        now = own.rates(V, state)
        if isinstance(step, RushLarsenMidpoint):
            half = V + 0.025 * (1.0 - now.i_ion), relax(state, now.changes, 0.025)
            now = own.rates(*half)
        return V + 0.05 * (1.0 - now.i_ion), relax(state, now.changes, 0.05)

    def ours(factor, V, state):
        return step(scaled(model, {g: factor}), V, state, 0.05, 1.0)

    def agree(found, wanted):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-9, 1e-13), found, wanted)

    agree(ours(1.0, V, state), plain(1.0, V, state))
    for moving in (0, (0, 1, 2)):
        wanted = jax.jacfwd(plain, moving)(1.0, V, state)
        for mode in (jax.jacfwd, jax.jacrev):
            agree(mode(ours, moving)(1.0, V, state), wanted)
    for mode in (jax.jacfwd, jax.jacrev):
        with pytest.raises(NotImplementedError, match=r"membrane's step .* Gauss-Newton"):
            jax.jacfwd(lambda V, mode=mode: mode(ours, (1, 2))(1.0, V, state))(V)
