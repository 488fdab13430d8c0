"""Derivatives of a beat by every conductance: against central differences, forwards, backwards and
in single precision.

Models are smoothed. As published, rates of h and j jump at -40 mV, and no derivative sees by how
much sooner a cell comes there: that of APD90 by g_Na is 1.5 % off for ten Tusscher 2006, 0.5 % for
Luo and Rudy and 0.4 % for Courtemanche, those by other conductances less than 0.1 %. Differences of
1e-5 do not see it either, until one of their two beats has a step on the other side of the jump:
then they are off by any amount (Luo and Rudy at dt 0.05: 0.3 %). CiPA's cell has no jump.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    MARKERS,
    Pacing,
    RushLarsenMidpoint,
    Started,
    by_name,
    conductances,
    flat,
    pace,
    sensitivity,
    smoothed,
)
from heartsim.ionic._sensitivity import beat_of

H = 1e-5  # of the logarithm of a conductance
PACING = Pacing(cycle_length=500.0, dt=0.05, potassium=False)
MODELS = [
    "luo_rudy_1991",
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in ("ten_tusscher_2006_epi", "courtemanche_1998", "ohara_rudy_cipa_2017_endo")
    ),
]


def with_logs(model, logs):
    """The model with each of its conductances times exp(log)."""
    known, names = model.named(), conductances(model).values()
    return model.with_named({k: known[k] * jnp.exp(x) for k, x in zip(names, logs, strict=True)})


def after(model, logs, ms=PACING.cycle_length):
    """V and all variables so long after a stimulus of 40 mV/ms for 1 ms, from the model's start."""
    cell = with_logs(model, logs)

    def one(carry, k):
        i_stim = jnp.where(k < 20, 40.0, 0.0).astype(carry[0].dtype)
        return RushLarsenMidpoint()(cell, *carry, PACING.dt, i_stim), None

    steps = jnp.arange(round(ms / PACING.dt))
    V, state = jax.lax.scan(one, cell.initial(1), steps)[0]
    return jnp.stack([V[0], *(x[0] for x in flat(state).values())])


def differences(of, n, h=H, fourth=False):
    """Central differences of a function of n logarithms at 0, of fourth order if asked for, all of
    them in one program."""
    ways = (1.0, -1.0, 2.0, -2.0) if fourth else (1.0, -1.0)
    at = np.concatenate([way * h * np.eye(n) for way in ways])
    y = np.asarray(jax.jit(jax.vmap(of))(jnp.asarray(at))).reshape(len(ways), n, -1)
    rise = (8 * (y[0] - y[1]) - (y[2] - y[3])) / 6 if fourth else y[0] - y[1]
    return (rise / (2 * h)).T


@pytest.fixture(scope="module", params=MODELS)
def smooth(request):
    """A model in double precision, the variables after a beat, and their derivatives."""
    with jax.enable_x64(True):
        model = smoothed(by_name(request.param))
        of = functools.partial(after, model)
        still = jnp.zeros(len(conductances(model)))
        found = jax.jit(of)(still), jax.jit(jax.jacfwd(of))(still)
        return request.param, model, *map(np.asarray, found)


def test_the_state_after_a_beat_agrees_with_differences(x64, smooth):
    """Every variable by every conductance to 1e-5. Rounding leaves 1e-16 of the variable over the
    step of the difference, a hundred times that after 10,000 steps: of 1e-4, with fourth order so
    that curvature leaves less, 1e-9 of the variable is allowed (seen: 7e-11; by differences of
    1e-5 2e-9), a derivative below that is negligible. Of each conductance some derivative is ten
    thousand times larger."""
    _, model, values, slopes = smooth
    of = functools.partial(after, model)
    wanted = differences(of, slopes.shape[1], 1e-4, fourth=True)
    floor = 1e-9 * np.abs(values)[:, None]
    assert (np.abs(slopes - wanted) <= 1e-5 * np.abs(wanted) + floor).all()
    assert (np.abs(wanted) > 1e4 * floor).any(axis=0).all()


def test_sensitivities_agree_with_differences(x64, smooth):
    """Of every marker by every conductance, as of the state; what crosses a level does so on a line
    between the same two samples for all of 1e-5. Seen: 2e-7. Rest is where the model starts."""
    _, model, _, _ = smooth
    names = conductances(model)
    found = sensitivity(model, names, PACING)
    wanted = differences(lambda logs: beat_of(with_logs(model, logs), PACING), len(names))
    for marker, row in zip(MARKERS, wanted, strict=True):
        slopes = np.array([found[current][marker] for current in names])
        off = np.abs(slopes - row)
        assert (off <= 1e-5 * np.abs(row) + 1e-6 * np.abs(row).max()).all(), marker
        assert (np.abs(row).max() > 1.0) == (marker != "rest_mV")


def test_single_precision_gives_the_same_derivatives(smooth):
    """All finite, and within 3e-3 of a variable's largest derivative (seen: 1.1e-3, of V 1.4e-4):
    the rounding of 10,000 steps; within 1e-6 of the variable where the derivative is less."""
    name, _, values, wanted = smooth
    of = functools.partial(after, smoothed(by_name(name)))
    slopes = np.asarray(jax.jit(jax.jacfwd(of))(jnp.zeros(wanted.shape[1])))
    assert slopes.dtype == np.float32
    assert np.isfinite(slopes).all()
    largest, size = np.abs(wanted).max(axis=1), np.abs(values)
    assert (np.abs(slopes - wanted) <= (3e-3 * largest + 1e-6 * size)[:, None]).all()


def test_reverse_mode_agrees_with_forward_mode(x64):
    """A sum of all variables after 50 ms, in the plateau of ten Tusscher 2006, each over its own
    size: the same program's transpose, so equal to rounding."""
    model = smoothed(by_name("ten_tusscher_2006_epi"))
    still = jnp.zeros(len(conductances(model)))
    size = np.abs(np.asarray(jax.jit(functools.partial(after, model, ms=50.0))(still)))

    def total(logs):
        return jnp.sum(after(model, logs, ms=50.0) / size)

    forward = jax.jit(jax.jacfwd(total))(still)
    np.testing.assert_allclose(jax.jit(jax.grad(total))(still), forward, rtol=1e-9)
    assert (np.abs(forward) > 1e-6).all()


def test_markers_are_those_of_the_voltage(x64):
    """APD90, APD50, peak and rest read by hand from the voltage at every step of 0.02 ms, which
    samples 0.1 ms apart and lines between them give to 0.01; on the plateau, at 0.25 mV/ms, what
    the peak lacks counts four times in APD50."""
    model = smoothed(by_name("luo_rudy_1991"))
    pacing = Pacing(cycle_length=500.0, dt=0.02)
    apd90, apd50, peak, rest = map(float, jax.jit(lambda m: beat_of(m, pacing))(model))
    V = pace(model, pacing).V
    t, top, low = 0.02 * np.arange(len(V)), V.max(), V[0]
    assert rest == low
    assert peak == pytest.approx(top, abs=0.02)
    onset = np.interp((top + low) / 2, V[: V.argmax()], t[: V.argmax()])
    for found, share in ((apd90, 0.9), (apd50, 0.5)):
        level = top - share * (top - low)
        k = np.flatnonzero(level < V)[-1]
        end = np.interp(-level, -V[k : k + 2], t[k : k + 2])
        assert found == pytest.approx(end - onset, abs=0.03)


def test_beats_before_the_last_are_differentiated_too(x64):
    """The second beat: derivatives through adaptive steps against differences of fixed ones, which
    agree to the error of the adaptive steps, 0.03 % seen. Rest now moves."""
    model = smoothed(by_name("luo_rudy_1991"))
    names = conductances(model)
    two = Pacing(cycle_length=500.0, dt=0.05, beats=2)

    def second(logs):
        values = after(model, logs)
        state = type(model.rest()[1])(*values[1:])
        return beat_of(with_logs(Started(model, (values[0], state)), logs), PACING)

    found = sensitivity(model, names, two)
    wanted = differences(second, len(names))
    for k, marker in enumerate(MARKERS):
        slopes = np.array([found[current][marker] for current in names])
        np.testing.assert_allclose(slopes, wanted[k], atol=2e-3 * np.abs(wanted[k]).max())
    assert np.abs(wanted[3]).max() > 0.01
