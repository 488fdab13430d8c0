"""ten Tusscher and Panfilov (2006) against the shared files: Myokit, CellML, Chaste's trace.

Myokit reads and checks the files and gives their equations; SciPy's LSODA integrates them, so that
no compiler is needed. The model's own R and F are set to those of the file it is compared with.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import myokit
import myokit.formats
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from heartsim.ionic import (
    Relaxation,
    RushLarsen,
    RushLarsenMidpoint,
    RushLarsenStaggered,
    TenTusscher2006State,
    by_name,
    smoothed,
)
from tests.series import through

pytestmark = pytest.mark.data

STIMULUS = 40.0  # mV/ms: 40 µA/cm² over 1 µF/cm², the pulse of Chaste's trace
ON, OFF, END = 50.0, 52.0, 430.0  # ms; the longest beat, that of the mid cell, is over by 420
CELLS = {"epi": (1, "epi"), "mid": (2, "M"), "endo": (0, "endo")}  # .mmt cell.type, CellML file
FINE = 0.005  # ms, between the times at which the reference is known
TIMES = FINE * np.arange(round(END / FINE) + 1)
NAMES = {"v": "V", "fcass": "fCass", "rprime": "R_prime"}
NAMES |= {"cai": "Ca_i", "cass": "Ca_ss", "casr": "Ca_sr", "nai": "Na_i", "ki": "K_i"}


class Oracle(NamedTuple):
    """The right-hand side of a file: dy/dt = rhs(y, i_file), y named as our state."""

    names: list[str]
    start: np.ndarray
    rhs: object


def our_name(variable: myokit.Variable) -> str:
    """Name of a file's state variable in our state."""
    if variable.qname() == "jrel.R":
        return "R_prime"
    return NAMES.get(variable.name().lower().replace("_", ""), variable.name().lower())


def oracle(model: myokit.Model, stimulus: str) -> Oracle:
    """Turn Myokit's equations into one Python function, with the stimulus [A/F] as an argument."""
    writer = myokit.formats.ewriter("python")
    writer.set_lhs_function(lambda lhs: ("d_" if lhs.is_derivative() else "") + lhs.var().uname())
    model.create_unique_names()
    for_states = [v.uname() for v in model.states()]
    lines = ["import math", "def rhs(y, i_stim):", f"    {', '.join(for_states)} = y", "    pass"]
    for block in model.solvable_order().values():
        for eq in block:
            variable = eq.lhs.var()
            if variable.qname() == stimulus:
                lines.append(f"    {variable.uname()} = -i_stim")
            elif variable.binding() == "time":
                continue
            else:
                lines.append("    " + writer.eq(eq))
    lines.append("    return [" + ", ".join(f"d_{name}" for name in for_states) + "]")
    scope: dict = {}
    exec("\n".join(lines), scope)
    names = [our_name(v) for v in model.states()]
    return Oracle(names, np.array(model.initial_values(True)), scope["rhs"])


def from_mmt(shared_data, cell: str) -> Oracle:
    model = myokit.load_model(str(shared_data / "cellmodels/myokit/tentusscher-2006.mmt"))
    model.set_value("cell.type", CELLS[cell][0])
    return oracle(model, "stimulus.i_stim")


def from_cellml(shared_data, cell: str) -> Oracle:
    path = shared_data / f"cellmodels/cellml/ten_tusscher_model_2006_{CELLS[cell][1]}.cellml"
    return oracle(myokit.formats.importer("cellml").model(str(path)), "membrane.i_Stim")


def ours(cell: str, file: str = "cellml", smooth: bool = False):
    """Return our model with the R [J/mol/K] and F [C/mmol] of the file."""
    model = by_name(f"ten_tusscher_2006_{cell}")
    if file == "mmt":
        model = type(model)(**{**vars(model), "R": 8.314, "F": 96.485})
    return smoothed(model) if smooth else model


def reference_beat(of: Oracle, *, potassium: bool = True) -> np.ndarray:
    """Integrate a file's equations over the pulse; return V [mV] at TIMES.

    Without `potassium` the stimulus reaches V only, as in our steps; the files also count it in
    K_i. rtol 1e-10 is a hundred times below the smallest difference that a test here resolves.
    """
    v = of.names.index("V")

    def rhs(t, y, i_stim):
        slope = of.rhs(y, i_stim if potassium else 0.0)
        slope[v] += 0.0 if potassium else i_stim
        return slope

    y = of.start
    parts = []
    for a, b, i_stim in ((0.0, ON, 0.0), (ON, OFF, STIMULUS), (OFF, END, 0.0)):
        own = TIMES[(a <= TIMES) & ((b > TIMES) | (b == END))]
        run = solve_ivp(
            rhs,
            (a, b),
            y,
            args=(i_stim,),
            method="LSODA",
            rtol=1e-10,
            atol=1e-13,
            t_eval=np.append(own, b) if b < END else own,
        )
        y = run.y[:, -1]
        parts.append(run.y[v, : len(own)])
    return np.concatenate(parts)


def our_beat(model, step, dt: float, end: float = END) -> tuple[np.ndarray, np.ndarray]:
    """Return the times k dt [ms] and our V [mV] there, by one series of steps over the same pulse
    from the same start."""
    n = round(end / dt)
    k = jnp.arange(n)
    i_stim = jnp.where((k >= round(ON / dt)) & (k < round(OFF / dt)), STIMULUS, 0.0)

    @jax.jit
    def run(model, V, state):
        return through(model, V, state, dt, n, lambda k: i_stim[k], step)[2][:, 0]

    V, state = model.initial(1)
    return dt * np.arange(n + 1), np.append(V, run(model, V, state))


def crossing(t: np.ndarray, V: np.ndarray, level: float, up: bool) -> float:
    """Return the first (up) or last (down) time [ms] at which V passes `level` [mV]."""
    above = level < V
    at = np.flatnonzero(above[1:] > above[:-1])[0] if up else np.flatnonzero(above)[-1]
    return t[at] + (level - V[at]) / (V[at + 1] - V[at]) * (t[at + 1] - t[at])


def apd90(t: np.ndarray, V: np.ndarray) -> float:
    """Return the time [ms] from the upcross of -40 mV to 90 % repolarisation from the peak."""
    level = V.max() - 0.9 * (V.max() - V[0])
    return crossing(t, V, level, up=False) - crossing(t, V, -40.0, up=True)


class Errors(NamedTuple):
    """How far a beat of ours is from the reference."""

    V: float  # mV, the largest outside the 3 ms after the onset of the stimulus
    upstroke: float  # ms, of the upcross of -40 mV
    apd: float  # ms, of APD90


def errors(model, step, dt: float, reference: np.ndarray) -> Errors:
    t, V = our_beat(model, step, dt)
    apart = np.abs(V - reference[np.round(t / FINE).astype(int)])
    outside = (t < ON) | (t >= ON + 3.0)
    up = crossing(t, V, -40.0, up=True) - crossing(TIMES, reference, -40.0, up=True)
    return Errors(apart[outside].max(), up, apd90(t, V) - apd90(TIMES, reference))


@pytest.mark.parametrize("file", ["mmt", "cellml"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_derivative_equals_the_file_at_random_states(shared_data, x64, cell, file):
    """Same equations and constants, so equal to round-off: 1e-10 allows for cancelling currents."""
    of = {"mmt": from_mmt, "cellml": from_cellml}[file](shared_data, cell)
    rng, n = np.random.default_rng(2006), 200
    fields = TenTusscher2006State._fields
    V = rng.uniform(-95.0, 55.0, n)
    state = {name: rng.uniform(0.01, 0.99, n) for name in fields}
    for name in fields[-5:]:  # the concentrations: around the file's start
        state[name] = of.start[of.names.index(name)] * np.exp(rng.uniform(-0.7, 0.7, n))

    i_ion, changes = ours(cell, file).rates(
        jnp.asarray(V), TenTusscher2006State(**{k: jnp.asarray(x) for k, x in state.items()})
    )
    mine = {"V": -i_ion}
    for name, c in changes._asdict().items():
        mine[name] = c.rate * (c.limit - state[name]) if isinstance(c, Relaxation) else c.value
    for k in range(n):
        y = [V[k] if name == "V" else state[name][k] for name in of.names]
        got = [mine[name][k] for name in of.names]
        np.testing.assert_allclose(got, of.rhs(y, 0.0), rtol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_the_cell_starts_from_the_state_of_the_file(shared_data, x64, cell):
    V, state = by_name(f"ten_tusscher_2006_{cell}").rest()
    of = from_cellml(shared_data, cell)
    got = [V if name == "V" else getattr(state, name) for name in of.names]
    np.testing.assert_array_equal(got, of.start)


def test_a_beat_agrees_with_the_myokit_model(shared_data, x64):
    """The bounds of issue 2; the pulse's potassium, which we leave out, accounts for 0.005 mV."""
    reference = reference_beat(from_mmt(shared_data, "epi"))
    first = errors(ours("epi", "mmt"), RushLarsen(), 0.005, reference)
    assert first.V < 0.3
    assert abs(first.upstroke) < 0.02
    assert abs(first.apd) < 0.2
    for step in (RushLarsenMidpoint(), RushLarsenStaggered()):
        second = errors(ours("epi", "mmt"), step, 0.005, reference)
        assert second.V < 0.01
        assert abs(second.upstroke) < 0.0005
        assert abs(second.apd) < 0.005


@pytest.mark.parametrize(
    ("step", "dt", "bound"),
    [
        (RushLarsen(), 0.005, 0.3),
        (RushLarsenMidpoint(), 0.01, 0.02),
        (RushLarsenStaggered(), 0.01, 0.02),
    ],
)
def test_a_beat_agrees_with_the_trace_of_chaste(shared_data, x64, step, dt, bound):
    """0.3 mV is the bound of issue 2; second order is held to the 0.02 mV by
    which Myokit's own solution of the .mmt differs from it. No row lies in the pulse."""
    path = shared_data / "cellmodels/chaste_reference_traces/ten_tusscher_model_2006_epi.dat"
    trace = np.loadtxt(path, skiprows=1)
    model = ours("epi")
    V, state = model.rest()
    np.testing.assert_allclose(trace[0, 1], V)
    np.testing.assert_allclose(np.sort(trace[0, 2:]), np.sort(np.array(state)))
    t, V = our_beat(model, step, dt, end=trace[-1, 0])
    at = np.round(trace[:, 0] / dt).astype(int)
    np.testing.assert_allclose(t[at], trace[:, 0])
    assert np.abs(V[at] - trace[:, 1]).max() < bound


def test_the_steps_converge_with_first_and_second_order(shared_data, x64):
    """Against the same equations with the stimulus in V only. The published jump of τ_h and τ_j at
    -40 mV is 1-2 %: crossing it once costs too little to show at these dt."""
    reference = reference_beat(from_cellml(shared_data, "epi"), potassium=False)
    dts = np.array([0.04, 0.02, 0.01])
    second = (RushLarsenMidpoint(), 2.0), (RushLarsenStaggered(), 2.0)
    for step, order in ((RushLarsen(), 1.0), *second):
        apart = [errors(ours("epi"), step, dt, reference).V for dt in dts]
        measured = np.polyfit(np.log(dts), np.log(apart), 1)[0]
        assert measured == pytest.approx(order, abs=0.15)


AT_DT_005 = {  # docs/cell-models.md states these, measured; the test allows a tenth more
    ("epi", RushLarsen): Errors(2.96, 0.0434, 0.640),
    ("mid", RushLarsen): Errors(2.70, 0.0424, 0.293),
    ("endo", RushLarsen): Errors(4.32, 0.0428, 1.631),
    ("epi", RushLarsenMidpoint): Errors(0.200, 0.0043, 0.060),
    ("mid", RushLarsenMidpoint): Errors(0.175, 0.0045, 0.035),
    ("endo", RushLarsenMidpoint): Errors(0.383, 0.0048, 0.181),
    ("epi", RushLarsenStaggered): Errors(0.209, 0.00106, 0.068),
    ("mid", RushLarsenStaggered): Errors(0.209, 0.00106, 0.041),
    ("endo", RushLarsenStaggered): Errors(0.434, 0.00124, 0.211),
}


@pytest.mark.parametrize("cell", CELLS)
def test_the_layers_agree_with_their_files_and_err_as_stated_at_dt_005(shared_data, x64, cell):
    """0.04 mV at dt 0.01: twice what second order and the pulse's potassium leave there."""
    reference = reference_beat(from_cellml(shared_data, cell))
    second = RushLarsenMidpoint(), RushLarsenStaggered()
    for step in second:
        assert errors(ours(cell), step, 0.01, reference).V < 0.04
    for step in (RushLarsen(), *second):
        got = errors(ours(cell), step, 0.05, reference)
        for error, stated in zip(got, AT_DT_005[cell, type(step)], strict=True):
            assert abs(error) == pytest.approx(stated, rel=0.1)


def test_single_precision_and_the_sigmoid_leave_the_beat_as_it_is(shared_data):
    """At dt 0.02 float32 rounding moves V by less than 0.1 mV, the 1 mV sigmoid by 0.02 mV."""
    step, dt = RushLarsenMidpoint(), 0.02
    with jax.enable_x64(True):
        _, V = our_beat(ours("epi"), step, dt)
        _, V_smooth = our_beat(ours("epi", smooth=True), step, dt)
    t, V_single = our_beat(ours("epi"), step, dt)
    outside = (t < ON) | (t >= ON + 3.0)
    assert np.abs(V_single - V)[outside].max() < 0.1
    assert np.abs(V_smooth - V)[outside].max() < 0.02
