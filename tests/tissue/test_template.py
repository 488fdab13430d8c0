"""Voltage from activation times: its marks, its leads, its derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.tissue import NEVER, Template, repolarise_backwards, template_leads


def test_half_way_up_at_activation_and_half_way_down_after_the_duration(x64):
    template = Template()
    T, apd = np.array([10.0, 40.0]), np.array([200.0, 250.0])
    half = float(template.V_rest + template.V_range / 2)
    # the other front is more than 12 widths away: e^-12 of 110 mV
    for k in range(2):
        V = template(np.array([T[k], T[k] + apd[k]]), T, apd)[:, k]
        assert np.asarray(V) == pytest.approx(half, abs=1e-3)


def test_leads_are_the_field_times_the_voltage():
    """A field whose rows sum to zero does not see the rest potential."""
    rng = np.random.default_rng(0)
    T, field = rng.uniform(0, 60, 300), rng.normal(size=(3, 300))
    field -= field.mean(axis=1, keepdims=True)
    t, template = np.arange(0.0, 400.0, 5.0), Template()
    wanted = np.asarray(template(t, T, 200.0)) @ field.T
    seen = np.asarray(template_leads(template, field, t, T, 200.0))
    assert seen == pytest.approx(wanted, abs=1e-4 * np.abs(wanted).max())  # float32 sums of 300


def test_what_was_never_reached_rests():
    V = Template()(np.array([0.0, 100.0]), np.array([NEVER]), 200.0)
    assert np.asarray(V) == pytest.approx(-85.0)


def test_backwards_repolarisation_has_its_slope_and_mean(x64):
    T = np.array([0.0, 10.0, 20.0, NEVER])
    apd = np.asarray(repolarise_backwards(T, 280.0, slope=-1.5))
    assert apd == pytest.approx([295.0, 280.0, 265.0, 280.0])
    recovery = T[:3] + apd[:3]
    assert (np.diff(recovery) < 0).all()  # last in, first out


def test_derivatives_agree_with_differences(x64):
    rng = np.random.default_rng(1)
    field, t = rng.normal(size=(2, 30)), np.arange(0.0, 300.0, 10.0)
    weight = rng.normal(size=(30, 2))

    def loss(p):
        T, apd, w = p
        return jnp.sum(weight * template_leads(Template(w_up=w), field, t, T, apd))

    p = jnp.asarray(rng.uniform(0, 60, 30)), jnp.full(30, 180.0), jnp.asarray(2.0)
    d = jax.tree.map(lambda x: jnp.asarray(rng.normal(size=x.shape)), p)
    slope = float(jax.jvp(loss, (p,), (d,))[1])
    e = 1e-5
    up, down = (jax.tree.map(lambda x, y, s=s: x + s * e * y, p, d) for s in (1, -1))
    assert float(loss(up) - loss(down)) / (2 * e) == pytest.approx(slope, rel=1e-7)
    backward = jax.grad(loss)(p)
    total = sum(float((a * b).sum()) for a, b in zip(backward, d, strict=True))
    assert total == pytest.approx(slope, rel=1e-12)


def test_no_duration_is_below_a_quarter():
    """Far from the mean the slope would make an action potential end before it began."""
    T = np.array([0.0, 600.0, NEVER])
    assert np.asarray(repolarise_backwards(T, 280.0)) == pytest.approx([280 + 1.44 * 300, 70, 280])
