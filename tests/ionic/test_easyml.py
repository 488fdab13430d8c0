"""EasyML by hand, against the same model as .mmt and CellML and against its equations."""

import re
import warnings

import jax
import jax.numpy as jnp
import myokit
import myokit.formats
import numpy as np
import pytest

from heartsim.cli import run_command
from heartsim.ionic import Pacing, Relaxation, by_name, check_import, parameters, read_membrane
from tests.cells import write

SAME = """
// the made-up cell of tests/cells.py
V; .external(Vm); .nodal();
Iion; .external(); .nodal();
V; .lookup(-200, 200, 0.05);      # numerics are not needed
V_init = -80.;
h_init = 0.9; C_init = 8e-1; O_init = .1; I_init = 0.1; Na_init = 10;

group { g_h = 0.02; leak_g = 0.003; channel_g = 0.01; k_off = 300; }.param();

if (V < -20) { alpha_h = 0.1 * exp(-(V + 80)/20); } else { alpha_h = 0.001; }
beta_h = 0.5 / (1 + exp(-(V + 20)/5));
h; .method(rush_larsen); .units(1);

/* a leak
   and a channel */
leak = leak_g * 0.1 * (V + 47) / -expm1(-0.1*(V + 47));
k_on = 0.5 * exp(V/40); d = 0.02; r = 0.01;
diff_C = k_off*O - k_on*C;
diff_O = k_on*C + r*I - (k_off + d)*O;
diff_I = d*O - r*I;
diff_Na = 0.001 - 0.002 * square(Na) / (pow(Na, 2) + 100);
Iion = g_h*h*(V + 85) + leak + channel_g*O*(V + 10);
group { h; C; O; I; }.trace();
"""

GATED = """
Vm; .external(); .nodal();
Iion; .external();
Vm_init = -80;
u = (Vm + 80) / 100;
t_in = 0.3; .param();
if (u < 0.13) {
  scale = 1.0;
  h_inf = scale;
  tau_h = 120;
} elif (u < 0.9 && u != 0.5 || 0) {
  h_inf = 0;
  tau_h = 150 * 1.0;
} else {
  h_inf = 0.0;
  tau_h = u > 1.5 ? 50 : 100 + 2 ^ 2 ^ 3 - 256;
}
Iion = 100 * (u / 6 - h * u*u * (1 - u) / t_in) * (!(u > 2) ? 1 : 0);
"""

GATED_MMT = """[[model]]
m.Vm = -80
m.h = 1
[e]
time = 0 bind time
    in [ms]
pace = 0 bind pace
[m]
u = (Vm + 80) / 100
t_in = 0.3
dot(Vm) = -100 * (u / 6 - h * u * u * (1 - u) / t_in) * if(not (u > 2), 1, 0) + 40 * e.pace
    in [mV]
dot(h) = (inf - h) / tau
inf = if(u < 0.13, 1, 0)
tau = piecewise(u < 0.13, 120, u < 0.9 and u != 0.5, 150, u > 1.5, 50, 100)
"""


def read(path, text):
    path.write_text(text)
    return read_membrane(path)


def by_myokit(path, version):
    """A file in Myokit's language, or the same as CellML of a version."""
    if not version:
        return path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, other = myokit.load_model(str(path)), path.with_suffix(".cellml")
        myokit.formats.exporter("cellml").model(str(other), model, version=version)
    return other


@pytest.mark.parametrize("version", ["", "1.0", "1.1", "2.0"])
@pytest.mark.parametrize("hand", ["made up", "gated"])
def test_the_same_model_in_other_languages_is_the_same(tmp_path, x64, hand, version):
    """All rates at 50 random states to rounding, by the same kinds of steps, and parameters."""
    path = write(tmp_path / "cell.mmt")
    if hand == "gated":
        path.write_text(GATED_MMT)
    one = read(tmp_path / "cell.model", SAME if hand == "made up" else GATED)
    other = read_membrane(by_myokit(path, version))
    rng = np.random.default_rng(0)
    V = jnp.asarray(rng.uniform(-95, 75, 50))
    state = {name: x * rng.uniform(0.2, 1.5, 50) for name, x in one.initial(50)[1].items()}
    rates = [model.rates(V, state) for model in (one, other)]
    assert set(rates[0].changes) == set(rates[1].changes)
    for name in rates[0].changes:
        assert type(rates[0].changes[name]) is type(rates[1].changes[name]), name
    for a, b in zip(*map(jax.tree.leaves, rates), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    own = {"t_in"} if hand == "gated" else {"g_h", "leak_g", "channel_g", "k_off", "d", "r"}
    assert set(parameters(one)) == own
    assert own <= set(parameters(other))


def test_choices_operators_and_gates_without_a_start(tmp_path, x64):
    """Three branches, of which the inner uses its own; powers bind to the right; a gate begins
    settled."""
    model = read(tmp_path / "gated.model", GATED)
    assert float(model.rest()[1]["h"]) == 1.0
    V = jnp.array([-80.0, -40.0, 25.0, 75.0])
    rates = model.rates(V, {"h": jnp.full(4, 0.5)})
    u = (np.asarray(V) + 80) / 100
    wanted = 100 * (u / 6 - 0.5 * u * u * (1 - u) / 0.3)
    np.testing.assert_allclose(rates.i_ion, wanted, rtol=1e-12)
    gate = rates.changes["h"]
    assert isinstance(gate, Relaxation)
    np.testing.assert_allclose(gate.rate, [1 / 120, 1 / 150, 1 / 100, 1 / 50], rtol=1e-12)
    np.testing.assert_allclose(gate.limit, [1.0, 0.0, 0.0, 0.0], atol=1e-15)


NESTED = """
Vm; .external(); Iion; .external();
Vm_init = -80; w0 = 1/4; w_init = w0; diff_w = 0.1*(1 - w); m_inf = Vm/100; m_init = 1 + m_inf;
diff_m = -m;
"""


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("x = 1; if (Vm > 0) { if (w > 0.5) { x = 2; } }", [1, 1, 1, 2]),
        ("if (Vm > 0) { x = 1; if (w > 0.5) { x = 2; } } else { x = 3; }", [3, 3, 1, 2]),
        (
            "if (Vm > 0) { t = w; x = t + 1; if (w > 0.5) { x = 2*t; } } else { x = 0; }",
            [0, 0, 1.1, 1.8],
        ),
    ],
)
def test_a_choice_within_a_choice_leaves_what_it_does_not_assign(tmp_path, x64, body, wanted):
    model = read(tmp_path / "cell.model", NESTED + body + " Iion = x;")
    V, w = jnp.array([-10.0, -10.0, 10.0, 10.0]), jnp.array([0.1, 0.9, 0.1, 0.9])
    found = model.rates(V, {"w": w, "m": w}).i_ion
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_start_may_be_computed(tmp_path, x64):
    start = read(tmp_path / "cell.model", NESTED + "Iion = 0;").rest()[1]
    assert (float(start["w"]), float(start["m"])) == pytest.approx((0.25, 0.2))


def test_a_derivative_that_is_written_out_goes_before_a_gate(tmp_path):
    text = SAME.replace("diff_Na = ", "Na_inf = 1; tau_Na = 2; diff_Na = ")
    changes = read(tmp_path / "cell.model", text).program.changing
    assert "Na" in dict(changes)
    text = SAME.replace("diff_Na = ", "tau_Na = 2; diff_Na = ") + "Na_inf = 1;"
    assert read(tmp_path / "cell.model", text).program.changing == changes


def test_nothing_is_named_in_it(tmp_path):
    (tmp_path / "cell.model").write_text(SAME)
    with pytest.raises(ValueError, match="the voltage of EasyML is Vm, and no stimulus is in it"):
        read_membrane(tmp_path / "cell.model", "Vm")


def test_it_is_checked_and_paced_as_others_are(tmp_path, capsys):
    path = tmp_path / "cell.model"
    model = read(path, SAME)
    assert check_import(path, model, Pacing(cycle_length=50.0)).largest < 0.01
    assert by_name(str(path)).program == model.program
    assert run_command(["cell", str(path), "--cycle-ms", "20", "--json"]) == 0
    assert '"peak_mV"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SAME.replace("Iion; .external()", "Iion"), "wanted Vm and Iion, each .external()"),
        (SAME.replace("V_init = -80.;", ""), "V_init is missing; wanted a number"),
        (SAME.replace("Na_init = 10;", ""), "Na_init is missing; wanted a number"),
        (SAME.replace("k_on = 0.5", "k_on = 0.5 * what"), "what is used and never given"),
        (SAME.replace("d = 0.02;", "d = 0.02; x; .external(delLambda);"), "x would come from"),
        (SAME.replace("exp(V/40)", "wave(V/40)"), "line 18: wave of 1 arguments is not known"),
        (SAME.replace("d = 0.02;", "d = (0.02;"), "line 18: wanted ')', there is ';'"),
        (SAME.replace("d = 0.02;", "d = 3 k_on;"), "line 18: wanted ';', there is 'k_on'"),
        (SAME.replace("h_init = 0.9", "h_init = V*what"), "h_init has no value before the run"),
        (SAME.replace("d = 0.02;", "d = @;"), "line 18: '@' is not EasyML"),
        (SAME + "if (V < 0) { k = 1; } z = k;", "k is used and never given"),
        (SAME + "group { a; ", "wanted a name, there is the end"),
    ],
)
def test_one_sentence_for_each_mistake(tmp_path, text, said):
    with pytest.raises(ValueError, match=r"cell\.model: .*" + re.escape(said)):
        read(tmp_path / "cell.model", text)


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "cell.model").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"cell\.model: is no text in UTF-8"):
        read_membrane(tmp_path / "cell.model")
