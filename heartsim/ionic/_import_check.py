"""Whether an imported model does what its file says: one beat by another program."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from ._expressions import Equations, value
from ._import import describe
from ._imported import Imported, imported
from ._myokit import labels_of, read_model, stimulus_of, voltage_of
from ._pace import Pacing, pace
from ._steps import AbstractMembraneStep

AROUND = 5.0  # ms on either side of an upstroke, where a small shift is a large difference
STEEP = 5.0  # mV/ms; steeper is an upstroke
MOST = 1.0  # mV, of a model that does what its file says
OWN = 0.5  # 1/ms, the stimulus of a model whose voltage has a unit of its own, from 0 on
TIGHT = 1e-8  # relative, of the reference: far below what is looked for


class Checked(NamedTuple):
    """Our beat against the file's own equations, written out by Myokit and integrated by LSODA."""

    time: Float[np.ndarray, " steps"]
    V: Float[np.ndarray, " steps"]
    """mV."""
    reference: Float[np.ndarray, " steps"]
    """mV."""
    largest: float
    """|ΔV| [mV] farther than 5 ms from any upstroke."""
    states: dict[str, float]
    """Largest difference of each other state, as a share of its range in the beat."""


def check_import(
    path: str | Path,
    model: Imported,
    pacing: Pacing | None = None,
    step: AbstractMembraneStep | None = None,
    voltage: str | None = None,
) -> Checked:
    """One beat from the file's start, in float64, both under a stimulus to the voltage alone; none
    for a file without one."""
    of = model.program
    pacing = Pacing(cycle_length=500.0) if pacing is None else pacing
    strength = 0.0 if not of.paced else pacing.stimulus if of.start[0] < -20.0 else OWN
    pacing = dataclasses.replace(pacing, beats=1, stimulus=strength)
    with jax.enable_x64(True):
        ours = pace(imported(of), pacing, step=step, keep=of.states)
    theirs = _reference(Path(path), of.per_ms, of.per_mV, pacing, ours.time, voltage)
    V = theirs[of.voltage] / of.per_mV
    ranges = {name: max(float(np.ptp(theirs[name])), 1e-30) for name in of.states}
    states = {
        name: float(np.abs(theirs[name] - ours.state[name]).max()) / ranges[name]
        for name in of.states
    }
    steep = ours.time[np.abs(np.gradient(V, ours.time)) > STEEP]
    away = np.ones(len(V), bool)
    if steep.size:
        near = np.searchsorted(steep, ours.time)
        before, after = steep[np.maximum(near - 1, 0)], steep[np.minimum(near, len(steep) - 1)]
        away = np.minimum(np.abs(ours.time - before), np.abs(after - ours.time)) > AROUND
    largest = float(np.abs(V - ours.V)[away].max()) if away.any() else np.nan
    return Checked(ours.time, ours.V, V, largest, states)


def _reference(
    path: Path, per_ms: float, per_mV: float, pacing: Pacing, times: Any, voltage: str | None
) -> dict[str, Float[np.ndarray, " steps"]]:
    """Every state of the file [its units] at the times [ms] of one beat."""
    from scipy.integrate import solve_ivp  # slow to import, and of use here alone

    read = _plain if path.suffix == ".model" else _right_hand_side
    rhs, start, names, v = read(path, voltage)

    def slope(t, y, i_stim):
        dy = np.array(rhs(*y))
        dy[v] += i_stim * per_mV / per_ms
        return dy

    y, parts = start, []
    for a, b, i_stim in (
        (0.0, pacing.duration, pacing.stimulus),
        (pacing.duration, pacing.cycle_length, 0.0),
    ):
        own = times[(times >= a - 1e-9) & (times < b - 1e-9)]
        solution = solve_ivp(
            slope,
            (a * per_ms, b * per_ms),
            y,
            method="LSODA",
            t_eval=np.append(own, b) * per_ms,
            args=(i_stim,),
            rtol=TIGHT,
            atol=TIGHT * 1e-2,
            max_step=per_ms,
        )
        parts.append(solution.y[:, :-1])
        y = solution.y[:, -1]
    return dict(zip(names, np.concatenate(parts, axis=1), strict=True))


def _right_hand_side(
    path: Path, voltage: str | None
) -> tuple[Callable[..., list[float]], np.ndarray, list[str], int]:
    """Derivatives of all states by Python that Myokit writes; where they start, their names, and
    which is the voltage."""
    import myokit.formats

    model = read_model(path)
    stimulus, label = stimulus_of(model, path.name), labels_of(model)
    v = list(model.states()).index(voltage_of(model, voltage, path.name))
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
    return scope["rhs"], start, names, v


def _plain(
    path: Path, voltage: str | None
) -> tuple[Callable[..., list[float]], np.ndarray, list[str], int]:
    """The same of a file that Myokit does not read: its equations as they stand, by JAX in
    float64, none of them rewritten."""
    of = describe(path, voltage)
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

    return rhs, np.array(list(of.start.values())), names, names.index(of.voltage)
