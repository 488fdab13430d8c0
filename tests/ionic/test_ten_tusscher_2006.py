"""What ten Tusscher and Panfilov (2006) does without a reference file; see tests/reference too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    RushLarsen,
    TenTusscher2006,
    by_name,
    smoothed,
    ten_tusscher_2006_epi,
)


@pytest.mark.parametrize(("layer", "drift"), [("epi", -0.27), ("mid", -0.44), ("endo", 0.74)])
def test_the_published_start_is_near_a_fixed_point(x64, layer, drift):
    """Unpaced for 500 ms V drifts by what docs/cell-models.md states, to 0.01 mV: the published
    state is that of a paced cell, not of a resting one."""
    model = by_name(f"ten_tusscher_2006_{layer}")

    def one(carry, _):
        return RushLarsen()(model, *carry, 0.05), None

    start = model.initial(1)
    V, _ = jax.jit(lambda c: jax.lax.scan(one, c, None, length=10_000)[0])(start)
    assert float(V[0] - start[0][0]) == pytest.approx(drift, abs=0.01)


def test_the_published_branches_meet_at_the_jump_and_the_sigmoid_joins_them(x64):
    V = jnp.array([-40.0 - 1e-9, -40.0, -40.0 + 1e-9])
    state = jax.tree.map(lambda x: jnp.broadcast_to(x, 3), TenTusscher2006().rest()[1])
    for gate, jump in (("h", 0.01), ("j", 0.03)):
        rate = getattr(TenTusscher2006().rates(V, state).changes, gate).rate
        assert 0.2 * jump < abs(rate[1] / rate[0] - 1) < 2 * jump  # published: about 1 and 2 %
        assert rate[1] == pytest.approx(float(rate[2]), rel=1e-9)
        joined = getattr(smoothed(TenTusscher2006()).rates(V, state).changes, gate).rate
        assert float(joined[1]) == pytest.approx(float((rate[0] + rate[1]) / 2), rel=1e-9)
        np.testing.assert_allclose(joined, joined[1], rtol=1e-8)


def test_far_from_the_jump_the_sigmoid_changes_nothing(x64):
    """50 widths away the sigmoid is 0 or 1 to round-off; h's unused branch is 1e6 times larger."""
    V = jnp.array([-90.0, 30.0])
    state = jax.tree.map(lambda x: jnp.broadcast_to(x, 2), TenTusscher2006().rest()[1])
    sharp, smooth = (
        m.rates(V, state).changes for m in (TenTusscher2006(), smoothed(TenTusscher2006()))
    )
    for a, b in zip(jax.tree.leaves(sharp), jax.tree.leaves(smooth), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


@pytest.mark.parametrize("V", [-150.0, 15.0, 150.0])
def test_rates_and_their_gradient_are_finite_in_single_precision(V):
    """From -150 to 150 mV, and at 15 mV, where i_CaL is 0/0 as published."""
    model = ten_tusscher_2006_epi()
    _, state = model.initial(1)

    def total(V):
        return sum(jnp.sum(x) for x in jax.tree.leaves(smoothed(model).rates(V, state)))

    value, slope = jax.value_and_grad(total)(jnp.array([V]))
    assert jnp.isfinite(value)
    assert jnp.isfinite(slope).all()


def test_the_sum_of_the_currents_is_the_rate_of_the_voltage(x64):
    model = ten_tusscher_2006_epi()
    V, state = model.initial(2)
    np.testing.assert_allclose(
        sum(model.currents(V, state)), model.rates(V, state).i_ion, rtol=1e-14
    )
