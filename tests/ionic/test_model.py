"""The interface that every membrane keeps, tried on all published models."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    MODELS,
    Coupled,
    MitchellSchaeffer,
    Relaxation,
    RushLarsen,
    RushLarsenMidpoint,
    Slope,
    TenTusscher2006,
    by_name,
    flat,
    parameters,
    smoothed,
)
from tests.bodies import some_long

STEPS = [RushLarsen(), RushLarsenMidpoint()]


@pytest.mark.parametrize("name", MODELS)
def test_rates_have_one_change_for_each_leaf_of_the_state(name):
    model = by_name(name)
    V, state = model.initial(3)
    i_ion, changes = model.rates(V, state)
    assert i_ion.shape == V.shape == (3,)
    assert type(changes) is type(state)
    assert flat(changes).keys() == flat(state).keys()
    assert all(isinstance(c, Relaxation | Slope | Coupled) for c in flat(changes).values())
    assert all(x.shape == (3,) for x in jax.tree.leaves(changes))


@pytest.mark.parametrize(
    "name", some_long(MODELS, lambda k: k.endswith(("_mid", "_epi")) or "cipa" in k)
)
def test_numbers_follow_the_precision_of_jax(name):
    single = by_name(name)
    assert {p.dtype for p in parameters(single).values()} == {np.dtype("float32")}
    V, state = jax.jit(RushLarsenMidpoint())(single, *single.initial(2), 0.05, 10.0)
    assert {x.dtype for x in jax.tree.leaves((V, state))} == {np.dtype("float32")}
    with jax.enable_x64(True):
        double = by_name(name)
        V, state = jax.jit(RushLarsenMidpoint())(double, *double.initial(2), 0.05, 10.0)
        assert {x.dtype for x in jax.tree.leaves((V, state))} == {np.dtype("float64")}


@pytest.mark.parametrize("step", STEPS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("name", ["mitchell_schaeffer_2003", "ten_tusscher_2006_epi"])
def test_a_step_can_be_exported_for_cuda(name, step):
    """What a GPU runs is lowered here without one: no host callback, no CPU-only operation."""
    model = by_name(name)
    V, state = model.initial(64)
    export = jax.export.export(jax.jit(step), platforms=["cuda"])
    assert export(model, V, state, 0.05, 0.0).platforms == ("cuda",)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (MitchellSchaeffer, ("tau_in", "tau_out", "tau_open", "tau_close", "u_gate", "V_rest")),
        pytest.param(
            TenTusscher2006,
            ("g_Na", "g_CaL", "g_K1", "g_to", "K_o", "V_rel", "tau_s_peak"),
            marks=pytest.mark.long,
        ),
    ],
)
def test_gradients_agree_with_finite_differences_in_both_modes(x64, model, names):
    """Mean V over 200 steps of an upstroke. Central differences of 1e-5 leave 1e-10 of curvature
    and 1e-10 of round-off: 1e-6 holds both, a jump or a lost term would not pass."""
    k = jnp.arange(200)

    def mean_voltage(values, strength):
        membrane = smoothed(model(**dict(zip(names, values, strict=True))))

        def one(carry, k):
            carry = RushLarsenMidpoint()(membrane, *carry, 0.05, jnp.where(k < 40, strength, 0.0))
            return carry, carry[0]

        return jax.lax.scan(one, membrane.initial(1), k)[1].mean()

    at = (tuple(getattr(model(), name) for name in names), jnp.array(40.0))
    reverse = jax.jit(jax.grad(mean_voltage, argnums=(0, 1)))(*at)
    flat, tree = jax.tree.flatten(at)
    along = jax.jit(lambda p, t: jax.jvp(mean_voltage, p, t)[1])
    value = jax.jit(mean_voltage)
    for i, slope in enumerate(jax.tree.leaves(reverse)):
        unit = [jnp.float64(i == n) for n in range(len(flat))]
        forward = along(at, jax.tree.unflatten(tree, unit))
        h = 1e-5 * abs(flat[i])
        up, down = (
            value(*jax.tree.unflatten(tree, [x + sign * h * u for x, u in zip(flat, unit)]))  # noqa: B905
            for sign in (1, -1)
        )
        np.testing.assert_allclose(forward, slope, rtol=1e-10)
        np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-6, atol=1e-9)


def test_parameters_may_differ_from_node_to_node():
    step, g_Ks = jax.jit(RushLarsen()), jnp.array([0.392, 0.098])
    each = [step(TenTusscher2006(g_Ks=g), *TenTusscher2006().initial(1), 0.1) for g in g_Ks]
    both = TenTusscher2006(g_Ks=g_Ks)
    V, _ = step(both, *both.initial(2), 0.1)
    np.testing.assert_allclose(V, [each[0][0][0], each[1][0][0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MitchellSchaeffer(tau_in=np.nan), "MitchellSchaeffer: tau_in is not finite."),
        (
            lambda: TenTusscher2006(g_Na=np.ones((1, 1))),
            r"g_Na has shape \(1, 1\); give one number, or",
        ),
        (lambda: MitchellSchaeffer().initial(0), "wanted at least one node, was given n_nodes=0"),
        (
            lambda: MitchellSchaeffer(V_rest=np.array([-80.0, -81.0])).initial(3),
            "2 nodes, but 3 nodes were",
        ),
        (lambda: by_name("ten_tusscher_2006_epy"), "did you mean 'ten_tusscher_2006_epi'?"),
        (lambda: by_name("hodgkin_huxley"), "it is one of mitchell_schaeffer_2003, aliev_"),
    ],
)
def test_bad_input_is_refused_with_its_name(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
