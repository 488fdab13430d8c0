"""Aliev and Panfilov (1996), Fenton and Karma (1998) and Bueno-Orovio et al. (2008) against their
equations and tables typed anew, integrated by SciPy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from heartsim.ionic import (
    Pacing,
    RushLarsenMidpoint,
    markers,
    pace,
    parameters,
    smoothed,
    variables,
)
from heartsim.ionic._import_check import compared
from heartsim.ionic.published import _bueno_orovio_2008 as bueno
from heartsim.ionic.published import _fenton_karma_1998 as fenton
from heartsim.ionic.published._aliev_panfilov_1996 import AlievPanfilov1996
from tests.published import Case, derivatives, filled

FENTON = """
    g_fi 4 4 5.8 8.7            tau_r 33.33 50 130 25    tau_si 29 44.84 127 22.22
    tau_0 12.5 8.3 12.5 12.5    tau_v_plus 3.33 3.33 10 10 tau_v1_minus 1250 1000 18.2 333
    tau_v2_minus 19.6 19.2 18.2 40  tau_w_plus 870 667 1020 1000  tau_w_minus 41 11 80 65
    u_c 0.13 0.13 0.13 0.13     u_v 0.04 0.055 0 0.025     u_csi 0.85 0.85 0.85 0.85
    k 10 10 10 10               V_rest -85 -85 -85 -85     V_range 100 100 100 100
"""
"""BR, MBR, MLR-I and GP; pigreads 0.5.1 (PyPI)."""
BUENO = """
    u_o 0 0 0 0 0 u_u 1.55 1.56 1.61 1.45 1.58 theta_v 0.3 0.3 0.3 0.35 0.3
    theta_w 0.13 0.13 0.13 0.13 0.015 theta_v_minus 0.006 0.2 0.1 0.175 0.015
    theta_o 0.006 0.006 0.005 0.006 0.006 tau_v1_minus 60 75 80 10 60
    tau_v2_minus 1150 10 1.4506 1150 1150 tau_v_plus 1.4506 1.4506 1.4506 1.4506 1.4506
    tau_w1_minus 60 6 70 140 70 tau_w2_minus 15 140 8 6.25 20 k_w_minus 65 200 200 65 65
    u_w_minus 0.03 0.016 0.016 0.015 0.03 tau_w_plus 200 280 280 326 280
    tau_fi 0.11 0.1 0.078 0.105 0.11 tau_o1 400 470 410 400 6 tau_o2 6 6 7 6 6
    tau_so1 30.0181 40 91 30.0181 43 tau_so2 0.9957 1.2 0.8 0.9957 0.2
    k_so 2.0458 2 2.1 2.0458 2 u_so 0.65 0.65 0.6 0.65 0.65
    tau_s1 2.7342 2.7342 2.7342 2.7342 2.7342 tau_s2 16 2 4 16 3
    k_s 2.0994 2.0994 2.0994 2.0994 2.0994 u_s 0.9087 0.9087 0.9087 0.9087 0.9087
    tau_si 1.8875 2.9013 3.3849 1.8875 2.8723 tau_w_inf 0.07 0.0273 0.01 0.175 0.07
    w_inf_star 0.94 0.78 0.5 0.9 0.94 V_rest -84 -84 -84 -84 -84 V_range 85.7 85.7 85.7 85.7 85.7
"""
"""Epi, endo, mid, PB and TNNP; pigreads 1.0.0 (PyPI)."""
ALIEV = "k 8 a 0.15 eps_0 0.002 mu_1 0.2 mu_2 0.3 V_rest -80 V_range 100 t_unit 12.9"
"""pigreads 1.0.0, and svFSI (PARAMS_AP.f) for the last three."""


def columns(table: str) -> list[dict[str, float]]:
    """One dict of numbers for each column of a table of rows `name value value ...`."""
    rows: dict[str, list[float]] = {}
    for word in table.split():
        if word[0].isalpha():
            row = rows[word] = []
        else:
            row.append(float(word))
    return [dict(zip(rows, column, strict=True)) for column in zip(*rows.values(), strict=True)]


def aliev_panfilov(p, u, v):
    """du/dt and dv/dt [1/ms]."""
    du = -p["k"] * u * (u - p["a"]) * (u - 1) - u * v
    eps = p["eps_0"] + p["mu_1"] * v / (u + p["mu_2"])
    dv = eps * (-v - p["k"] * u * (u - p["a"] - 1))
    return du / p["t_unit"], dv / p["t_unit"]


def fenton_karma(p, u, v, w):
    """du/dt, dv/dt and dw/dt [1/ms]."""
    J_si = -w * (1 + np.tanh(p["k"] * (u - p["u_csi"]))) / (2 * p["tau_si"])
    if u >= p["u_c"]:
        J_fi, J_so = -v * (1 - u) * (u - p["u_c"]) * p["g_fi"], 1 / p["tau_r"]
        return -J_fi - J_so - J_si, -v / p["tau_v_plus"], -w / p["tau_w_plus"]
    tau_v = p["tau_v1_minus"] if u >= p["u_v"] else p["tau_v2_minus"]
    return -u / p["tau_0"] - J_si, (1 - v) / tau_v, (1 - w) / p["tau_w_minus"]


def bueno_orovio(p, u, v, w, s):
    """du/dt, dv/dt, dw/dt and ds/dt [1/ms]."""

    def between(low, high, k, middle):
        return low + (high - low) * (1 + np.tanh(k * (u - middle))) / 2

    J_fi, J_si = 0.0, 0.0
    if u >= p["theta_v"]:
        J_fi = -v * (u - p["theta_v"]) * (p["u_u"] - u) / p["tau_fi"]
        dv = -v / p["tau_v_plus"]
    elif u >= p["theta_v_minus"]:
        dv = -v / p["tau_v2_minus"]
    else:
        dv = (1 - v) / p["tau_v1_minus"]
    if u >= p["theta_w"]:
        J_so = 1 / between(p["tau_so1"], p["tau_so2"], p["k_so"], p["u_so"])
        J_si = -w * s / p["tau_si"]
        dw, tau_s = -w / p["tau_w_plus"], p["tau_s2"]
    else:
        low = u < p["theta_o"]
        J_so = (u - p["u_o"]) / (p["tau_o1"] if low else p["tau_o2"])
        w_inf = 1 - u / p["tau_w_inf"] if low else p["w_inf_star"]
        tau_w = between(p["tau_w1_minus"], p["tau_w2_minus"], p["k_w_minus"], p["u_w_minus"])
        dw, tau_s = (w_inf - w) / tau_w, p["tau_s1"]
    ds = (between(0.0, 1.0, p["k_s"], p["u_s"]) - s) / tau_s
    return -J_fi - J_so - J_si, dv, dw, ds


def in_mV(case):
    """The typed equations with V in mV, of V and the gates."""
    _, slopes, p, _ = case

    def rates(V, *gates):
        du, *rest = slopes(p, (V - p["V_rest"]) / p["V_range"], *gates)
        return [p["V_range"] * du, *rest]

    return rates


def integrated(case, pacing, times):
    """V and the gates at the times, by SciPy. DOP853, as LSODA may stay at steps of 1e-8 ms behind
    a jump."""
    rates, y, parts = in_mV(case), [case[2]["V_rest"], *case[3]], []
    for a, b, i_stim in ((0.0, pacing.duration, pacing.stimulus), (pacing.duration, times[-1], 0)):

        def slope(t, y, i_stim=i_stim):
            dV, *rest = rates(*y)
            return [dV + i_stim, *rest]

        own = times[(times >= a - 1e-9) & (times < b - 1e-9)]
        options = {"method": "DOP853", "rtol": 1e-8, "atol": 1e-10, "max_step": 1.0}
        solution = solve_ivp(slope, (a, b), y, t_eval=np.append(own, b), **options)
        parts.append(solution.y[:, :-1])
        y = solution.y[:, -1]
    return np.column_stack([*parts, y])


CASES = {
    "aliev_panfilov_1996": (AlievPanfilov1996, aliev_panfilov, columns(ALIEV)[0], (0,)),
    **{
        f"fenton_karma_1998_{name}": (
            getattr(fenton, f"fenton_karma_1998_{name}"), fenton_karma, p, (1, 1)
        )
        for name, p in zip(("br", "mbr", "mlr1", "gp"), columns(FENTON), strict=True)
    },
    **{
        f"bueno_orovio_2008_{name}": (
            getattr(bueno, f"bueno_orovio_2008_{name}"), bueno_orovio, p, (1, 1, 0)
        )
        for name, p in zip(("epi", "endo", "mid", "pb", "tnnp"), columns(BUENO), strict=True)
    },
}  # fmt: skip


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


def random_states(model, n=400):
    """V from -95 to 55 mV, above the tangent of Aliev and Panfilov; gates from 0 to 1."""
    rng = np.random.default_rng(1998)
    values = {name: rng.uniform(0.01, 0.99, n) for name in variables(model)}
    return {"V": rng.uniform(-95.0, 55.0, n)} | values


def test_numbers_are_those_of_the_tables(x64, case):
    assert {k: float(x) for k, x in parameters(case[0]()).items()} == case[2]


def test_every_derivative_equals_the_typed_equations(x64, case):
    model, rates = case[0](), in_mV(case)
    values = random_states(model)
    state = filled(model.initial(400)[1], values)
    ours = derivatives(model, jnp.asarray(values["V"]), state)
    theirs = np.array([rates(*row) for row in zip(*values.values(), strict=True)])
    for name, slopes in zip(values, theirs.T, strict=True):
        close = {"rtol": 1e-9, "atol": 1e-12 * np.abs(slopes).max(), "err_msg": name}
        np.testing.assert_allclose(ours[name], slopes, **close)


def test_a_beat_agrees_with_scipy(x64, case):
    """At dt 0.01, from rest. Where V crosses a step the midpoint rule is of first order: 0.11 mV
    away from upstrokes and 0.3 % of a gate's range were seen, which fall as dt."""
    model, pacing = case[0](), Pacing(cycle_length=600.0)
    ours = pace(model, pacing, keep=variables(model))
    V, *gates = integrated(case, pacing, ours.time)
    found = compared(ours, V, dict(zip(variables(model), gates, strict=True)))
    assert np.ptp(ours.V) > 80.0
    assert found.largest < 0.2
    assert max(found.states.values()) < 0.01
    ends = [markers(dataclasses.replace(ours, V=x))["apd90_ms"] for x in (ours.V, V)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-3)
    assert 150.0 < ends[0] < 460.0


def test_the_sum_of_the_currents_is_the_rate_of_the_voltage(x64):
    for model in (fenton.fenton_karma_1998_gp(), bueno.bueno_orovio_2008_mid()):
        V, state = model.initial(2)
        V = V + jnp.array([5.0, 90.0])
        currents, i_ion = model.currents(V, state), model.rates(V, state).i_ion
        np.testing.assert_allclose(sum(currents), i_ion, rtol=1e-14)


@pytest.mark.parametrize("name", [k for k in CASES if k.endswith(("_br", "_gp", "_epi", "_tnnp"))])
def test_a_smoothed_cell_rests_and_beats_as_published(x64, name):
    """Sigmoids of 1 mV, narrower near rest, where a whole one would halve v's limit: no limit moves
    by 1e-4, V by 0.011 mV in a second, the action potential's duration by 0.5 %."""
    sharp, soft = CASES[name][0](), smoothed(CASES[name][0]())
    V, state = sharp.initial(1)
    for a, b in zip(sharp.rates(V, state).changes, soft.rates(V, state).changes, strict=True):
        np.testing.assert_allclose(a.limit, b.limit, atol=1e-4)
    still = pace(soft, Pacing(cycle_length=1000.0, stimulus=0.0, dt=0.1))
    assert np.abs(still.V - still.V[0]).max() < 0.02
    apd = [markers(pace(m, Pacing(cycle_length=600.0)))["apd90_ms"] for m in (sharp, soft)]
    assert apd[1] == pytest.approx(apd[0], rel=0.01)


@pytest.mark.parametrize("name", [k for k in CASES if k.endswith(("_1996", "_br", "_tnnp"))])
def test_gradients_agree_with_finite_differences_once_smoothed(x64, name):
    """Mean V over 6 ms of an upstroke, by all parameters at once along themselves: central
    differences of 1e-6 leave 1e-9 of round-off, and a jump or a lost term would not pass 1e-6."""
    model, h = smoothed(CASES[name][0]()), 1e-6
    values = {k: x for k, x in parameters(model).items() if k != "jump_width"}

    @jax.jit
    def mean_voltage(scale):
        membrane = model.with_named({k: x * scale for k, x in values.items()})

        def one(carry, k):
            carry = RushLarsenMidpoint()(membrane, *carry, 0.02, jnp.where(k < 50, 40.0, 0.0))
            return carry, carry[0]

        return jax.lax.scan(one, membrane.initial(1), jnp.arange(300))[1].mean()

    slope = float(jax.jacfwd(mean_voltage)(1.0))
    assert float(jax.grad(mean_voltage)(1.0)) == pytest.approx(slope, rel=1e-10)
    up, down = float(mean_voltage(1 + h)), float(mean_voltage(1 - h))
    assert slope == pytest.approx((up - down) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_rates_and_their_gradient_are_finite_from_far_below_to_far_above(case, precision):
    with jax.enable_x64(precision == "float64"):
        for model in (case[0](), smoothed(case[0]())):
            V = jnp.linspace(-150.0, 150.0, 3001)
            _, state = model.initial(3001)
            now, along = jax.jvp(lambda V: model.rates(V, state), (V,), (jnp.ones_like(V),))  # noqa: B023
            by = jax.grad(lambda m: m.rates(V, state).i_ion.sum())(model)  # noqa: B023
            for x in jax.tree.leaves((now, along, by)):
                assert jnp.isfinite(x).all()


def test_aliev_and_panfilov_pass_the_pole_by_a_tangent(x64):
    """The rate of v and its slope join at u = -μ₂/2, -95 mV; at the pole, -110 mV, 1 / (u + μ₂) is
    held at 2 / (μ₂/2)."""
    model = AlievPanfilov1996()

    def rate(V):
        return model.rates(V, filled(model.initial(1)[1], {"v": np.ones(1)})).changes.v.rate

    def at(V):
        return jax.jvp(rate, (jnp.array([V]),), (jnp.ones(1),))

    below, above = at(-95.0 - 1e-9), at(-95.0 + 1e-9)
    np.testing.assert_allclose(below, above, rtol=1e-7)
    assert at(-110.0)[0][0] == pytest.approx((0.002 + 0.2 * 2 / 0.15) / 12.9, rel=1e-12)


@pytest.mark.data
@pytest.mark.parametrize("layer", ["epi", "endo"])
def test_bueno_orovio_equals_the_files_of_his_thesis(shared_data, tmp_path, x64, layer):
    """u has no unit there. w closes from θ_o on there, from θ_w here; the endocardial cell has
    other θ_v⁻ and τ_fi there."""
    ours = {"V_rest": 0.0, "V_range": 1.0}
    if layer == "endo":
        ours |= {"theta_v_minus": 0.024, "tau_fi": 0.104}
    model = getattr(bueno, f"bueno_orovio_2008_{layer}")()
    model = model.with_named({k: jnp.asarray(x) for k, x in ours.items()})
    of = Case("", f"cellml/bueno_2007_{layer}.cellml").reference(shared_data, tmp_path)
    V, state = model.rest()
    start = [float(x) for x in (V, *state)]
    assert dict(zip(of.names, of.start, strict=True)) == dict(zip("Vvws", start, strict=True))
    values = random_states(model)
    u = values["V"] = (values["V"] + 84.0) / 85.7
    found = derivatives(model, jnp.asarray(u), filled(model.initial(400)[1], values))
    theirs = np.array([of.slopes(*(values[name][k] for name in of.names)) for k in range(400)])
    for name, slopes in zip(of.names, (theirs * of.per_ms).T, strict=True):
        same = (u < 0.006) | (u >= 0.13) if name == "w" else np.full(400, True)
        close = {"rtol": 1e-8, "atol": 1e-9 * np.abs(slopes).max(), "err_msg": name}
        np.testing.assert_allclose(np.asarray(found[name])[same], slopes[same], **close)
