"""Concentrations counted from the start: the same membrane, without drift in single precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from heartsim import ionic

DT = 0.02  # ms
BEAT = 25_000  # steps: 500 ms


def beats(model, count, dtype):
    """V every 10 ms of the last of so many beats [mV], and the Na_i that the membrane sees."""
    model = jax.tree.map(lambda x: jnp.asarray(x, dtype), model)
    step = ionic.RushLarsenMidpoint()
    V, state = jax.tree.map(lambda x: x.astype(dtype), model.initial(1))

    def one(carry, k):
        pulse = jnp.where((k >= 500) & (k < 600), 20.0, 0.0).astype(dtype)
        return step(model, *carry, jnp.asarray(DT, dtype), pulse), None

    def some(carry, j):
        carry, _ = lax.scan(one, carry, 500 * j + jnp.arange(500))
        return carry, carry[0][0]

    beat = jax.jit(lambda carry: lax.scan(some, carry, jnp.arange(BEAT // 500)))
    carry = V, state
    for _ in range(count):
        carry, seen = beat(carry)
    V, state = carry
    exact = jax.tree.map(lambda x: x.astype(jnp.float64), (model, state))
    return np.asarray(seen, float), np.asarray(exact[0].plain(exact[1]).Na_i[0])


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    "name", ["ten_tusscher_2006_epi", "ohara_rudy_cipa_2017_endo", "courtemanche_1998"]
)
def test_it_is_the_same_membrane(name):
    """In double precision, one beat: to the rounding of 25 000 steps."""
    plain = ionic.by_name(name)
    counted = ionic.deviating(plain)
    assert isinstance(counted, ionic.Deviating)
    (V, Na_i), (V_too, Na_i_too) = (beats(model, 1, jnp.float64) for model in (plain, counted))
    assert V_too == pytest.approx(V, abs=1e-7)
    assert pytest.approx(Na_i, rel=1e-10) == Na_i_too


@pytest.mark.usefixtures("x64")
def test_in_single_precision_sodium_does_not_drift():
    """Five beats of 500 ms against double precision. Rounding of V and gates is left: the bounds
    are some times what is seen, 6e-7 of Na_i and 0.01 mV (plain 6e-4 and 0.12 mV)."""
    plain = ionic.by_name("ten_tusscher_2006_mid")
    V, Na_i = beats(plain, 5, jnp.float64)
    V_plain, Na_plain = beats(plain, 5, jnp.float32)
    V_counted, Na_counted = beats(ionic.deviating(plain), 5, jnp.float32)
    late = slice(3, None)  # after the upstroke
    assert abs(Na_plain / Na_i - 1) > 3e-4
    assert abs(Na_counted / Na_i - 1) < 5e-6
    assert np.abs(V_plain - V)[late].max() > 5 * np.abs(V_counted - V)[late].max()
    assert np.abs(V_counted - V)[late].max() < 0.05


def test_what_has_no_slope_stays_as_it_is():
    cell = ionic.by_name("mitchell_schaeffer_2003")
    assert ionic.deviating(cell) is cell


@pytest.mark.usefixtures("x64")
def test_it_takes_values_of_nodes_names_and_the_stimulus_potassium():
    plain = ionic.scaled(
        ionic.by_name("ten_tusscher_2006_epi"), {"g_Na": jnp.array([1.0, 0.5, 0.2])}
    )
    counted = ionic.deviating(plain)
    V, state = counted.initial(3)
    assert counted.rates(V, state).i_ion == pytest.approx(plain.rates(*plain.initial(3)).i_ion)
    assert set(counted.named()) == set(plain.named())
    halved = ionic.scaled(counted, {"g_Kr": 0.5})
    assert float(halved.named()["g_Kr"]) == pytest.approx(0.5 * float(plain.named()["g_Kr"]))
    shift = counted.stimulated(state, 10.0).values.K_i - state.values.K_i
    assert np.asarray(shift) == pytest.approx(10.0 * float(plain.potassium_per_mV))
