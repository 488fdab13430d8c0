"""From the equations of a cell model to a membrane that runs."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._described import Described
from ._easyml_model import read_easyml
from ._exchanging import exchanges
from ._expressions import Equations, Expression, names, subtract, value
from ._imported import Imported, Program, imported
from ._kept import kept
from ._myokit import ENDINGS as BY_MYOKIT
from ._myokit import described
from ._singular import without_singularities
from ._stimulus import share

ENDINGS = (*BY_MYOKIT, ".model")
RANGE = np.linspace(-120.0, 60.0, 182)  # mV, at which rates are looked at; no round numbers
SLOWEST = 1e-6  # 1/ms; what settles more slowly, or not at all, is stepped as it is


def read_membrane(
    path: str | Path, voltage: str | None = None, stimulus: str | None = None
) -> Imported:
    """The membrane of a CellML (1.0, 1.1, 2.0), Myokit (.mmt) or EasyML (.model) file, as it is.

    Time is turned into ms and the voltage into mV. The voltage is the variable labelled
    membrane_potential, or the one state in volts; `voltage` names it where that is not clear. The
    stimulus, bound to pace or that by which time comes in (annotated, called so, or the one such
    term of dV/dt; `stimulus` names it, or several as a,b), is left out: runs give their own, to the
    voltage and to what the file's has a part in. States that turn into one another step together;
    others whose derivative is linear in themselves settle exponentially, where they do so at every
    voltage from -120 to 60 mV. Quotients that are 0/0 at one voltage,
    and exponentials that overflow, are written so that value and slope hold. ValueError names the
    file, and what was found or cannot be done.
    """
    path = Path(path)
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return imported(_program(path, changed, voltage, stimulus))


@functools.lru_cache(maxsize=32)
def _program(path: Path, _changed: int, voltage: str | None, stimulus: str | None) -> Program:
    """Of a file, read once as long as it does not change."""
    named = (voltage, stimulus)
    return kept(path, named, lambda: _checked(program_of(_safe(describe(path, *named)))))


def describe(path: Path, voltage: str | None = None, stimulus: str | None = None) -> Described:
    """A file's model as it has it."""
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path}: wanted a cell model, one of {' '.join(ENDINGS)}.")
    if path.suffix != ".model":
        return described(path, voltage, stimulus)
    if (voltage, stimulus) != (None, None):
        raise ValueError(
            f"{path}: the voltage of EasyML is Vm, and no stimulus is in it; name none."
        )
    return read_easyml(path)


def _safe(of: Described) -> Described:
    """The same with its singular quotients rewritten, and only what is needed. ValueError names a
    variable without a value, as by 1/0."""
    equations = Equations(of.equations)
    needed = _with_value(of, equations)
    literal = {n: x for n, x in of.equations.items() if isinstance(x, float)}
    other = {n: x * (1 + 0.01 * k) for k, (n, x) in enumerate(literal.items(), start=1)}

    def constant(e: Expression) -> tuple[float, float] | None:
        needed = set().union(*(equations.needs(n) for n in names(e)))
        if needed & set(of.slopes):
            return None
        return equations.number(e, {}), equations.number(e, other)

    def safe(e: Expression) -> Expression:
        return without_singularities(e, of.voltage, equations, constant)

    return dataclasses.replace(
        of,
        equations={key: safe(e) for key, e in of.equations.items() if key in needed},
        slopes={key: safe(e) for key, e in of.slopes.items()},
    )


def _with_value(of: Described, equations: Equations) -> frozenset[str]:
    """The variables that the derivatives need; ValueError where one is, say, a number over 0."""
    order = equations.order(of.slopes.values())
    with jax.enable_x64(True):
        known: dict[str, Any] = {name: jnp.asarray(x) for name, x in of.start.items()}
        for name, e in [*((n, equations.of[n]) for n in order), *of.slopes.items()]:
            try:
                found = value(e, known)
            except ArithmeticError as fault:
                raise ValueError(
                    f"{of.name}: {name} has no value ({fault}); mend its equation."
                ) from None
            known.setdefault(name, found)
    return frozenset(order)


def program_of(of: Described) -> Program:
    """How each state is stepped, and what has to be evaluated for that."""
    equations, V = Equations(of.equations), of.voltage
    states = tuple(state for state in of.slopes if state != V)
    exchanging = exchanges(equations, {s: of.slopes[s] for s in states})
    alone = {s: e for s, e in of.slopes.items() if s not in exchanging}
    settling = _settling(equations, alone, of)
    needed = [*alone.values(), *(e for pair in settling.values() for e in pair)]
    needed += [e for drive, row in exchanging.values() for e in (drive, *row.values())]
    literal = {n: x for n, x in of.equations.items() if isinstance(x, float) and n not in of.silent}
    order = equations.order(needed, literal)
    used = {n for e in [*needed, *(equations.of[n] for n in order)] for n in names(e)}
    return Program(
        name=of.name,
        voltage=V,
        states=states,
        start=(of.start[V] / of.per_mV, *(of.start[s] for s in states)),
        equations=tuple((n, equations.of[n]) for n in order),
        slope=of.slopes[V],
        relaxing=tuple((s, *settling[s]) for s in states if s in settling),
        coupled=tuple((s, d, tuple(row.items())) for s, (d, row) in exchanging.items()),
        changing=tuple((s, e) for s, e in alone.items() if s != V and s not in settling),
        constants=tuple((n, x) for n, x in literal.items() if n in used),
        per_ms=of.per_ms,
        per_mV=of.per_mV,
        paced=of.paced,
        carried=_carried(of),
    )


def _carried(of: Described) -> tuple[tuple[str, float], ...]:
    """What the stimulus of the file changes beside the voltage, with 1 mV of it."""
    free = Equations(
        {name: e for name, e in of.equations.items() if name not in of.silent}
        | {f"dot({state})": e for state, e in of.slopes.items()}
    )
    found: dict[str, float] = {}
    for stimulus in of.silent:
        part = {s: share(free, s, stimulus, (*of.slopes, *of.silent)) for s in of.slopes}
        whole = part.pop(of.voltage)
        found |= {s: own / whole * of.per_mV for s, own in part.items() if whole and own}
    return tuple(found.items())


def _settling(
    equations: Equations, slopes: Mapping[str, Expression], of: Described
) -> dict[str, tuple[Expression, Expression]]:
    """States with dx/dt = drive - decay x, whose decay is positive at every voltage: both."""
    found: dict[str, tuple[Expression, Expression]] = {}
    with jax.enable_x64(True):
        known: dict[str, Any] = {key: jnp.asarray(x) for key, x in of.start.items()}
        known[of.voltage] = jnp.asarray(RANGE * of.per_mV)
        for name in equations.order(slopes.values()):
            known[name] = value(equations.of[name], known)
        for state, slope in slopes.items():
            parts = None if state == of.voltage else equations.affine(slope, state)
            if parts is None or parts[1] == 0.0:
                continue
            decay = subtract(0.0, parts[1])
            rate = np.asarray(value(decay, known)) * of.per_ms
            if np.isfinite(rate).all() and (rate > SLOWEST).all():
                found[state] = (parts[0], decay)
    return found


def _checked(program: Program) -> Program:
    """ValueError where a rate is not finite at the start."""
    with jax.enable_x64(True):
        exact = imported(program)
        rates = exact.rates(*exact.initial(1))
        parts = {"the voltage": [rates.i_ion]}
        parts |= {name: jax.tree.leaves(change) for name, change in rates.changes.items()}
        bad = [name for name, of in parts.items() if not all(np.isfinite(x).all() for x in of)]
    if bad:
        raise ValueError(
            f"{program.name}: the change of {', '.join(bad)} is not finite at the start."
        )
    return program
