"""A file's own equations, integrated by another program: what an import is held against."""

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
    the voltage alone."""
    from scipy.integrate import solve_ivp  # slow to import, and of use here alone

    def slope(t, y, i_stim):
        dy = np.array(of.slopes(*y))
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
    lines = ["import math", f"def rhs({states}):"]
    for block in model.solvable_order().values():
        for equation in block:
            variable = equation.lhs.var()
            if variable in stimulus or variable.binding() is not None:
                lines.append(f"    x_{variable.uname()} = 0.0")
            else:
                lines.append("    " + writer.eq(equation))
    lines.append("    return [" + ", ".join(f"d_{s.uname()}" for s in model.states()) + "]")
    scope: dict[str, Any] = {}
    exec("\n".join(lines), scope)  # Myokit's rendering of parsed equations, not the file's text
    return Reference(
        scope["rhs"],
        start,
        names,
        list(model.states()).index(v),
        per_ms_of(model, path.name),
        per_mV_of(v, path.name),
    )


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
    return Reference(rhs, start, names, names.index(of.voltage), of.per_ms, of.per_mV)
