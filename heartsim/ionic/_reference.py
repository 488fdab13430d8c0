"""A file's own equations, integrated by another program: what an import is held against."""

import math
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from ._expressions import Equations, value
from ._import import describe
from ._myokit import labels_of, per_ms_of, per_mV_of, read_model, stimulus_of, voltage_of
from ._pacing import Pacing

TIGHT = 1e-8  # relative, of the reference: far below what is looked for


class Reference(NamedTuple):
    """The equations of a file, in its units, its stimulus left out."""

    file: str
    slopes: Callable[..., list[float]]
    """Derivatives of all states, of the states."""
    start: Float[np.ndarray, " states"]
    names: list[str]
    voltage: int
    """Which of the states."""
    per_ms: float
    per_mV: float


def reference_of(path: Path, voltage: str | None = None, stimulus: str | None = None) -> Reference:
    """By Python that Myokit writes; of EasyML, which it does not read, by JAX as they stand."""
    return (_plain if path.suffix == ".model" else _written)(path, voltage, stimulus)


def integrated(
    of: Reference, pacing: Pacing, times: Float[np.ndarray, " steps"]
) -> dict[str, Float[np.ndarray, " steps"]]:
    """Every state [units of the file] at the times [ms] of one beat, by LSODA; the stimulus goes to
    the voltage alone. ValueError names file and variable where the equations have no value."""
    from scipy.integrate import solve_ivp  # slow to import, and of use here alone

    def slope(t, y, i_stim):
        with np.errstate(all="ignore"):
            dy = np.array(of.slopes(*y))
        if not np.isfinite(dy).all():
            bad = np.array(of.names)[~np.isfinite(dy)]
            raise _no_value(of.file, f"the change of {', '.join(bad)}", y[of.voltage] / of.per_mV)
        dy[of.voltage] += i_stim * of.per_mV / of.per_ms
        return dy

    y, parts = of.start, []
    for a, b, i_stim in (
        (0.0, pacing.duration, pacing.stimulus),
        (pacing.duration, pacing.cycle_length, 0.0),
    ):
        own = times[(times >= a - 1e-9) & (times < b - 1e-9)]
        solution = solve_ivp(
            slope,
            (a * of.per_ms, b * of.per_ms),
            y,
            method="LSODA",
            t_eval=np.append(own, b) * of.per_ms,
            args=(i_stim,),
            rtol=TIGHT,
            atol=TIGHT * 1e-2,
            max_step=of.per_ms,
        )
        parts.append(solution.y[:, :-1])
        y = solution.y[:, -1]
    return dict(zip(of.names, np.concatenate(parts, axis=1), strict=True))


def _no_value(file: str, what: str, V: float, why: object = "not finite") -> ValueError:
    return ValueError(
        f"{file}: by the file's own equations {what} has no value at {V:.4g} mV ({why}); wanted "
        "equations that have one wherever a beat leads."
    )


def _written(path: Path, voltage: str | None, wanted: str | None) -> Reference:
    import myokit.formats

    model = read_model(path)
    v, label = voltage_of(model, voltage, path.name), labels_of(model)
    stimulus = stimulus_of(model, v, wanted, path.name)
    names = [label(s) for s in model.states()]
    start = np.array(model.initial_values(True), float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.create_unique_names()
        writer = myokit.formats.ewriter("python")
    writer.set_lhs_function(lambda lhs: ("d_" if lhs.is_derivative() else "x_") + lhs.var().uname())
    states = ", ".join(f"x_{s.uname()}" for s in model.states())
    lines = [f"def rhs({states}):"]
    given = _needed(model)
    for variable, equation in given:
        if variable in stimulus or variable.binding() is not None:
            lines.append(f"    x_{variable.uname()} = 0.0")
        else:
            lines.append("    " + writer.eq(equation))
    lines.append("    return [" + ", ".join(f"d_{s.uname()}" for s in model.states()) + "]")
    scope: dict[str, Any] = {"math": types.SimpleNamespace(**vars(math) | {"exp": _exp})}
    exec("\n".join(lines), scope)  # Myokit's rendering of parsed equations, not the file's text
    at, per_mV = list(model.states()).index(v), per_mV_of(v, path.name)

    def slopes(*y: float) -> list[float]:
        try:
            return scope["rhs"](*y)
        except (ArithmeticError, ValueError) as fault:
            *_, (_, line) = traceback.walk_tb(fault.__traceback__)
            what = label(given[line - 2][0])
            raise _no_value(path.name, what, y[at] / per_mV, fault) from None

    return Reference(path.name, slopes, start, names, at, per_ms_of(model, path.name), per_mV)


def _exp(x: float) -> float:
    """As in C, which Myokit runs: infinite where Python has no value."""
    return math.exp(x) if x < 709.0 else math.inf


def _needed(model: Any) -> list[tuple[Any, Any]]:
    """Variables and equations that the derivatives need, each after those that it needs."""
    needed, new = set(), set(model.states())
    while new:
        needed |= new
        new = {v for one in new for v in one.refs_to()} - needed
    order = [e for block in model.solvable_order().values() for e in block]
    return [(e.lhs.var(), e) for e in order if e.lhs.var() in needed]


def _plain(path: Path, voltage: str | None, stimulus: str | None) -> Reference:
    """In float64, none of the equations rewritten."""
    of = describe(path, voltage, stimulus)
    equations, names = Equations(of.equations), list(of.slopes)

    @jax.jit
    def slopes(y):
        known = dict(zip(names, y, strict=True))
        for name in equations.order(of.slopes.values()):
            known[name] = value(equations.of[name], known)
        return [value(e, known) for e in of.slopes.values()]

    def rhs(*y: float) -> list[float]:
        with jax.enable_x64(True):
            return [float(x) for x in slopes(np.array(y))]

    start = np.array(list(of.start.values()))
    return Reference(path.name, rhs, start, names, names.index(of.voltage), of.per_ms, of.per_mV)
