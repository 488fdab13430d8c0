"""Mitchell and Schaeffer (2003) against SciPy and against the paper's own estimate."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from heartsim.ionic import MitchellSchaeffer, RushLarsenMidpoint

STIMULUS, LENGTH, END, DT = 20.0, 2.0, 500.0, 0.02  # mV/ms, ms, ms, ms


def beat(model):
    """Return t [ms], V [mV] and h over one beat from rest."""

    def one(carry, k):
        carry = RushLarsenMidpoint()(model, *carry, DT, jnp.where(k < LENGTH / DT, STIMULUS, 0.0))
        return carry, (carry[0][0], carry[1].h[0])

    k = jnp.arange(round(END / DT))
    V, h = jax.jit(lambda c: jax.lax.scan(one, c, k)[1])(model.initial(1))
    return DT * np.arange(1, len(k) + 1), np.asarray(V), np.asarray(h)


def test_a_beat_agrees_with_scipy(x64):
    """Equations (1) and (2) typed anew. At dt 0.02 the second-order error was seen at 0.004 mV."""

    def rhs(t, y, i_stim):
        V, h = y
        u = (V + 80.0) / 100.0
        s = 1 / (1 + np.exp((u - 0.13) / 0.02))
        inward = h * u**2 * (1 - u) / 0.3
        return [
            100 * (inward - u / 6.0) + i_stim,
            s * (1 - h) / 120.0 - (1 - s) * h / 150.0,
        ]

    t, V, h = beat(MitchellSchaeffer())
    start = [float(x[0]) for x in jax.tree.leaves(MitchellSchaeffer().initial(1))]
    options = {"rtol": 1e-11, "atol": 1e-12, "method": "LSODA"}
    pulse = solve_ivp(rhs, (0, LENGTH), start, args=(STIMULUS,), **options)
    after = t >= LENGTH
    rest = solve_ivp(rhs, (LENGTH, END), pulse.y[:, -1], args=(0.0,), t_eval=t[after], **options)
    np.testing.assert_allclose(V[after], rest.y[0], atol=0.02)
    np.testing.assert_allclose(h[after], rest.y[1], atol=1e-4)


FINITEWAVE = {  # ms: u, h
    10.0: (0.94374759, 0.93945044),
    50.0: (0.92515385, 0.71955108),
    100.0: (0.89185834, 0.51558030),
    200.0: (0.75414728, 0.26470717),
    250.0: (0.56632158, 0.18967076),
    280.0: (0.21510645, 0.15528918),
    300.0: (0.01867983, 0.24777431),
}
"""The kernel of finitewave 0.9.3 with its own constants, 0.2/ms for 2 ms from its start, by its
steps of 0.001 ms."""


@pytest.mark.parametrize(("width", "V_off", "h_off"), [(0.0005, 0.01, 2e-4), (0.02, 0.35, 1e-2)])
def test_a_beat_is_that_of_finitewave(x64, width, V_off, h_off):
    """Which has the published jump. A gate 0.0005 wide is seen 0.002 mV and 1.3e-4 off, ours 0.31
    mV and 0.008, over the whole beat; midpoint steps of 0.02 ms add 0.004 mV."""
    t, V, h = beat(MitchellSchaeffer(u_width=width))
    for time, (u, gate) in FINITEWAVE.items():
        assert np.interp(time, t, V) == pytest.approx(-80.0 + 100.0 * u, abs=V_off)
        assert np.interp(time, t, h) == pytest.approx(gate, abs=h_off)


def test_the_action_potential_lasts_as_long_as_the_paper_estimates(x64):
    """APD ≈ τ_close ln(1 / h_min), h_min = 4 τ_in / τ_out: h falls until no plateau is left,
    Mitchell and Schaeffer (2003), page not checked. That is leading order in τ_out / τ_close; V
    then leaves the vanished balance at u = 1/2 as any slow passage through a fold does, where
    dx/dt = -a x² - b t takes 2.338 (a b)^(-1/3), the first zero of Airy's function. The upstroke
    and the last fall, about τ_out, are not in it: 6 ms are allowed of 283."""
    h_min = 4 * 0.3 / 6.0
    a, b = h_min / (2 * 0.3), 0.5**2 * (1 - 0.5) / 0.3 * h_min / 150.0
    estimate = 150.0 * np.log(1 / h_min) + 2.338 * (a * b) ** (-1 / 3)
    t, V, _ = beat(MitchellSchaeffer())
    excited = t[V > -80.0 + 13.0]
    assert excited[-1] - excited[0] == pytest.approx(estimate, abs=6.0)


def test_rest_is_a_fixed_point(x64):
    """Exactly: u = 0 carries no current and h starts at its limit, so only round-off remains."""
    model = MitchellSchaeffer()
    V, state = model.initial(1)
    step = jax.jit(RushLarsenMidpoint())
    for _ in range(100):
        V, state = step(model, V, state, 1.0)
    assert V[0] == -80.0
    assert state.h[0] == pytest.approx(float(model.rest()[1].h), rel=1e-14)
