"""Models made from models: scaled and smoothed."""

import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    MitchellSchaeffer,
    Patchwork,
    Started,
    TenTusscher2006,
    Thickened,
    deviating,
    parameters,
    scaled,
    smoothed,
    ten_tusscher_2006_endo,
)


def test_scaled_changes_what_is_named_and_nothing_else():
    was, now = ten_tusscher_2006_endo(), scaled(ten_tusscher_2006_endo(), {"g_Ks": 0.5, "g_to": 2})
    assert now.start == was.start
    for name, value in parameters(was).items():
        factor = {"g_Ks": 0.5, "g_to": 2.0}.get(name, 1.0)
        assert getattr(now, name) == pytest.approx(float(value) * factor, rel=1e-6)


def test_scaled_takes_one_factor_per_node():
    model = scaled(TenTusscher2006(), {"g_Kr": jnp.array([1.0, 0.3])})
    np.testing.assert_allclose(model.g_Kr, [0.153, 0.0459], rtol=1e-6)


def test_smoothed_states_its_width_and_leaves_smooth_models_alone():
    assert TenTusscher2006().jump_width is None
    assert smoothed(TenTusscher2006()).jump_width == 1.0
    assert smoothed(TenTusscher2006(), width=0.2).jump_width == pytest.approx(0.2)
    model = MitchellSchaeffer()
    assert smoothed(model) is model
    patches = smoothed(Patchwork([TenTusscher2006(), model], [np.array([1]), np.array([0])]))
    assert patches.models[0].jump_width == 1.0


@pytest.mark.parametrize(
    "around", [lambda m: Started(m, m.rest()), deviating, lambda m: Thickened(m, 2.0)]
)
def test_smoothed_reaches_the_membrane_within_another(around):
    sharp = around(TenTusscher2006())
    soft = smoothed(Patchwork([sharp], [np.arange(8)]), 0.2).models[0]
    assert type(soft) is type(sharp)
    assert soft.inner.jump_width == pytest.approx(0.2)
    assert sharp.inner.jump_width is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda m: scaled(m, {"gKs": 0.5}), "TenTusscher2006: .* 'gKs'; did you mean 'g_Ks'"),
        (lambda m: scaled(m, {"start": 0.5}), "there is no parameter 'start'"),
        (lambda m: scaled(m, {"g_Ks": np.nan}), "TenTusscher2006: g_Ks is not finite"),
        (lambda m: smoothed(m, width=0.0), "wanted a width above 0 mV, was given 0"),
    ],
)
def test_bad_input_is_refused_with_its_name(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(TenTusscher2006())
