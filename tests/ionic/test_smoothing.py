"""Jumps of imported models, led over."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import by_name, read_membrane, smoothed
from tests.cells import write

AT = -20.0  # mV, where the rate `a` of the made-up cell jumps


def opening(model, V):
    """The rate at which h opens, which jumps from 0.1 exp(-(V + 80) / 20) to 0.001."""
    change = model.rates(V, model.initial(len(V))[1]).changes["h"]
    return change.limit * change.rate


@pytest.mark.parametrize("volt", ["mV", "V"])
def test_a_jump_is_led_over_by_a_sigmoid_of_the_width(x64, tmp_path, volt):
    """Ten widths away the other side has a weight of 5e-5, at the jump a half, whatever the unit of
    the file's voltage; the rest to round-off of a sigmoid."""
    model = read_membrane(write(tmp_path / "cell.mmt", volt=volt))
    soft = smoothed(model, 0.5)
    V = jnp.array([AT - 5.0, AT - 0.5, AT, AT + 0.5, AT + 5.0])
    low, high = 0.1 * np.exp(-(np.asarray(V) + 80) / 20), 0.001
    share = 1 / (1 + np.exp(-(np.asarray(V) - AT) / 0.5))
    np.testing.assert_allclose(opening(soft, V), (1 - share) * low + share * high, rtol=1e-9)
    sharp = np.where(np.asarray(V) < AT, low, high)
    np.testing.assert_allclose(opening(model, V), sharp, rtol=1e-12)
    assert set(soft.named()) == set(model.named())


def test_slopes_behind_the_jump_agree_with_differences(x64, tmp_path):
    """Central differences of 1e-5 mV; 1e-7 is their error by the third derivative."""
    soft = smoothed(read_membrane(write(tmp_path / "cell.mmt")))
    V = jnp.linspace(AT - 4.0, AT + 4.0, 33)
    slope = jax.jvp(lambda V: opening(soft, V), (V,), (jnp.ones_like(V),))[1]
    h = 1e-5
    apart = (opening(soft, V + h) - opening(soft, V - h)) / (2 * h)
    np.testing.assert_allclose(slope, apart, rtol=1e-6, atol=1e-9)


def test_choices_by_other_states_stay(x64, tmp_path):
    """A choice by sodium jumps as the file has it, however wide the sigmoids are."""
    text = write(tmp_path / "cell.mmt").read_text()
    text = text.replace("dot(Na) = 1.0 * (0.001", "dot(Na) = 1.0 * (if(Na < 10.5, 0.001, 0.004)")
    (tmp_path / "other.mmt").write_text(text)
    soft = smoothed(read_membrane(tmp_path / "other.mmt"), 5.0)
    V, state = soft.initial(2)
    state = state | {"Na": jnp.array([10.5 - 1e-9, 10.5 + 1e-9])}
    low, high = soft.rates(V, state).changes["Na"].value
    assert float(high - low) == pytest.approx(0.003, rel=1e-5)


@pytest.mark.data
@pytest.mark.parametrize("precision", [False, True])
def test_an_import_is_smoothed_as_the_same_model_built_in(shared_data, precision):
    """ten Tusscher 2006: rates of h and j by both ways, to round-off of either precision."""
    path = shared_data / "cellmodels/cellml/ten_tusscher_model_2006_epi.cellml"
    with jax.enable_x64(precision):
        V = jnp.linspace(-120.0, 60.0, 1801)
        ours, theirs = (
            smoothed(m) for m in (by_name("ten_tusscher_2006_epi"), read_membrane(path))
        )
        a, b = (m.rates(V, m.initial(len(V))[1]).changes for m in (ours, theirs))
        for gate in ("h", "j"):
            close = 1e-10 if precision else 1e-4
            np.testing.assert_allclose(getattr(a, gate).rate, b[gate].rate, rtol=close)
