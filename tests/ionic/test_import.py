"""Cell models from files: made-up ones that are known exactly. Real ones: tests/reference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    MOST,
    Coupled,
    Pacing,
    Relaxation,
    RushLarsenMidpoint,
    Slope,
    by_name,
    check_import,
    pace,
    parameters,
    read_membrane,
    scaled,
)
from tests.cells import MODEL, write


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return read_membrane(write(tmp_path_factory.mktemp("cells") / "made.mmt"))


def at(V, model):
    """Rates at voltages, all else as at the start."""
    _, state = model.initial(len(V))
    return model.rates(jnp.asarray(V), state)


def test_each_state_is_stepped_by_what_suits_it(model):
    changes = at(np.array([-80.0]), model).changes
    kinds = {name: type(change) for name, change in changes.items()}
    assert kinds == {"h": Relaxation, "C": Coupled, "O": Coupled, "I": Coupled, "Na": Slope}
    assert model.program.paced


def test_rates_are_those_of_the_equations(x64, tmp_path):
    model = read_membrane(write(tmp_path / "made.mmt"))
    V = np.array([-83.1, -30.0, 12.5])
    rates = at(V, model)
    i = 0.02 * 0.9 * (V + 85) + 0.01 * 0.1 * (V + 10)
    i += 0.003 * 0.1 * (V + 47) / (1 - np.exp(-0.1 * (V + 47)))
    np.testing.assert_allclose(rates.i_ion, i, rtol=1e-12)
    a = np.where(V < -20, 0.1 * np.exp(-(V + 80) / 20), 0.001)
    b = 0.5 / (1 + np.exp(-(V + 20) / 5))
    np.testing.assert_allclose(rates.changes["h"].rate, a + b, rtol=1e-12)
    np.testing.assert_allclose(rates.changes["h"].limit, a / (a + b), rtol=1e-12)
    np.testing.assert_allclose(rates.changes["Na"].value, 0.001 - 0.002 * 0.5, atol=1e-15)


@pytest.mark.parametrize("double", [True, False])
def test_value_and_slope_hold_where_the_file_has_0_over_0(tmp_path, double):
    """At -47 mV the leak is g and its slope g/20, as at its neighbours."""
    with jax.enable_x64(double):
        model = read_membrane(write(tmp_path / "made.mmt"))
        state = model.initial(1)[1]

        def current(V):
            return model.rates(V[None], state).i_ion[0]

        V = jnp.asarray(-47.0)
        value, slope = current(V), jax.grad(current)(V)
        others = 0.02 * 0.9 * (-47 + 85) + 0.01 * 0.1 * (-47 + 10)
        rtol = 1e-12 if double else 1e-5
        np.testing.assert_allclose(value, others + 0.003, rtol=rtol)
        np.testing.assert_allclose(slope, 0.02 * 0.9 + 0.01 * 0.1 + 0.003 * 0.05, rtol=rtol)


def test_places_that_coincide_by_value_alone_stay_apart(tmp_path):
    """Two parameters that are both -47 mV: moving one moves the current as the file says."""
    text = MODEL.replace("(membrane.u + 47) /", "(membrane.u - E1) /")
    text = text.replace("0.1 * (membrane.u + 47))", "0.1 * (membrane.u - E2))")
    path = write(
        tmp_path / "two.mmt", text=text.replace("[leak]\n", "[leak]\nE1 = -47\nE2 = -47\n")
    )
    moved = scaled(read_membrane(path), {"E1": 0.5})
    leak = float(at(np.array([10.0]), moved).i_ion[0]) - 0.02 * 0.9 * 95 - 0.01 * 0.1 * 20
    wanted = 0.003 * 0.1 * (10 + 23.5) / (1 - np.exp(-0.1 * 57))
    assert leak == pytest.approx(wanted, rel=1e-3)


def test_names_that_become_alike_stay_apart(model, tmp_path):
    """leak.g is called leak_g, as there are two of g; so is another variable by its own name."""
    text = MODEL.replace("[ions]\n", "[ions]\nleak_g = 999\n").replace("0.001 - ", "1e-3*leak_g - ")
    other = read_membrane(write(tmp_path / "alike.mmt", text=text))
    V = np.array([-60.0, 10.0])
    np.testing.assert_array_equal(at(V, other).i_ion, at(V, model).i_ion)
    told = parameters(other)
    assert (float(told["leak_g"]), float(told["leak_g_"])) == pytest.approx((999.0, 0.003))


def test_a_file_is_read_again_once_it_has_changed(tmp_path):
    path = write(tmp_path / "made.mmt")
    first = read_membrane(path).program
    assert read_membrane(path).program is first
    write(path, text=MODEL.replace("g_h = 0.02", "g_h = 0.0201"))
    assert float(parameters(read_membrane(path))["g_h"]) == pytest.approx(0.0201)


@pytest.mark.parametrize("time", ["ms", "s"])
@pytest.mark.parametrize("volt", ["mV", "V"])
def test_units_do_not_matter(model, tmp_path, time, volt):
    """Seconds and volts become ms and mV: rates to rounding."""
    other = read_membrane(write(tmp_path / "other.mmt", time, volt))
    V = np.linspace(-90.0, 30.0, 7)
    a, b = at(V, model), at(V, other)
    for one, two in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=1e-8)
    np.testing.assert_allclose(other.rest()[0], -80.0, rtol=1e-6)


def test_stiff_channels_keep_their_sum_and_are_stable(x64, tmp_path):
    """Rates of 300/ms at steps of 0.5 ms; the sum of the channel's states to rounding, and after a
    beat the balance that the rates ask for."""
    model = read_membrane(write(tmp_path / "made.mmt"))
    step = RushLarsenMidpoint()
    carry = jax.lax.fori_loop(0, 20_000, lambda _, c: step(model, *c, 0.5), model.initial(1))
    V, state = carry
    np.testing.assert_allclose(state["C"] + state["O"] + state["I"], 1.0, rtol=1e-12)
    on = 0.5 * np.exp(V / 40)
    np.testing.assert_allclose(state["O"], state["C"] * on / 300, rtol=1e-3)
    np.testing.assert_allclose(state["I"], 2 * state["O"], rtol=1e-2)


def test_a_beat_agrees_with_the_files_own_equations(tmp_path):
    path = write(tmp_path / "made.mmt")
    checked = check_import(path, read_membrane(path), Pacing(cycle_length=100.0))
    assert checked.largest < 0.01
    slow = {name: off for name, off in checked.states.items() if name not in ("C", "O")}
    assert max(slow.values()) < 0.01  # C and O jump within a third of the first step


def test_another_membrane_than_the_files_is_found_out(tmp_path):
    """One with half of the file's i_h is off by as much as the two files' own equations differ, far
    more than the 1 mV at which a model is flagged."""
    path = write(tmp_path / "made.mmt")
    other = write(tmp_path / "other.mmt", text=MODEL.replace("g_h = 0.02", "g_h = 0.01"))
    model, pacing = read_membrane(other), Pacing(cycle_length=100.0)
    checked = check_import(path, model, pacing)
    own = check_import(other, model, pacing)
    late = checked.time > 10.0  # the stimulus of 1 ms is all that is steep
    wanted = np.abs(own.reference - checked.reference)[late].max()
    assert wanted > 2.0 * MOST
    assert own.largest < 0.01
    assert checked.largest >= wanted - 0.01
    assert checked.largest > MOST


def test_parameters_are_the_files_constants(model):
    assert set(parameters(model)) == {"g_h", "leak_g", "channel_g", "k_off", "d", "r"}
    half = scaled(model, {"g_h": 0.5})
    V = np.array([-60.0])
    whole, less = (float(at(V, m).i_ion[0]) for m in (model, half))
    assert whole - less == pytest.approx(0.5 * 0.02 * 0.9 * 25, rel=1e-5)
    with pytest.raises(ValueError, match="no parameter 'g_x'"):
        scaled(model, {"g_x": 1.0})


def test_derivatives_of_a_beat_agree_with_differences(x64, tmp_path):
    """V after 30 ms with respect to each parameter: central differences of 1e-5, whose own error is
    some 1e-7."""
    model = read_membrane(write(tmp_path / "made.mmt"))
    names = sorted(parameters(model))

    def end(factors):
        own = scaled(model, dict(zip(names, factors, strict=True)))
        step, k = RushLarsenMidpoint(), jnp.arange(600)

        def one(carry, k):
            return step(own, *carry, 0.05, jnp.where(k < 20, 40.0, 0.0)), None

        return jax.lax.scan(one, own.initial(1), k)[0][0][0]

    ones = jnp.ones(len(names))
    forward, reverse = jax.jit(jax.jacfwd(end))(ones), jax.jit(jax.grad(end))(ones)
    end = jax.jit(end)
    wanted = [(end(ones.at[k].add(1e-5)) - end(ones.at[k].add(-1e-5))) / 2e-5 for k in range(6)]
    np.testing.assert_allclose(forward, wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(reverse, forward, rtol=1e-9, atol=1e-12)


def test_it_compiles_for_cuda(model):
    """A beat of 1,000 cells, lowered."""
    step = RushLarsenMidpoint()

    def some(carry):
        return jax.lax.fori_loop(0, 10, lambda _, c: step(model, *c, 0.01), carry)

    exported = jax.export.export(jax.jit(some), platforms=["cuda"])(model.initial(1000))
    assert exported.platforms == ("cuda",)


def test_a_name_that_is_a_file_is_read(tmp_path):
    path = write(tmp_path / "made.mmt")
    assert by_name(str(path)).program == read_membrane(path).program
    beat = pace(by_name(str(path)), Pacing(cycle_length=5.0))
    assert beat.V.max() > -60.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("    label membrane_potential\n", ""), None),  # it is the one state in mV
        (("dot(Na) = ", "dot(Na) = 0.1 * sin(engine.time) + "), r"ions\.Na depends on time"),
        (("ions.Na = 10", "ions.Na = 1e400"), "not finite|cannot be read"),
        (("in [ms]", "in [m]"), r"the unit of time is \[m\]; wanted one of \[s\]"),
        (("dot(h) = ", "dot(h) = missing + "), r"cannot be read as a cell model: .*missing"),
    ],
)
def test_one_sentence_for_each_mistake(tmp_path, change, said):
    path = write(tmp_path / "made.mmt")
    path.write_text(path.read_text().replace(*change))
    if said is None:
        assert read_membrane(path).program.voltage == "V"
        return
    with pytest.raises(ValueError, match=said):
        read_membrane(path)


def test_two_voltages_are_asked_about(tmp_path):
    path = write(tmp_path / "made.mmt")
    text = path.read_text().replace("    label membrane_potential\n", "")
    path.write_text(
        text.replace("ions.Na = 10", "ions.Na = 10\nions.E = -70") + "dot(E) = 0.01\n    in [mV]\n"
    )
    with pytest.raises(ValueError, match=r"not clear: membrane\.V, ions\.E\. Name it"):
        read_membrane(path)
    assert read_membrane(path, "membrane.V").program.voltage == "V"
    with pytest.raises(ValueError, match=r"there is no one state 'U'; there are membrane\.V"):
        read_membrane(path, "U")


def test_files_that_are_no_models(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_membrane(tmp_path / "none.mmt")
    (tmp_path / "cell.cellml").write_text("<html/>")
    with pytest.raises(ValueError, match=r"cell\.cellml cannot be read as a cell model"):
        read_membrane(tmp_path / "cell.cellml")
    (tmp_path / "cell.txt").write_text("V")
    with pytest.raises(ValueError, match=r"wanted a cell model, one of \.mmt \.cellml"):
        read_membrane(tmp_path / "cell.txt")
