"""Jumps of imported models at fixed voltages, led over by sigmoids."""

import dataclasses
from typing import Any

from ._expressions import Equations, Expression, divide, subtract
from ._imported import Imported, Program

BELOW = ("<", "<=")
ABOVE = (">", ">=")


def led_over(model: Imported, width: float) -> Imported:
    """The membrane with every choice by a comparison in which the voltage has a part and no other
    state, as `if V < -40 mV`, led over by a sigmoid of `width` [mV]; others jump as in the file."""
    of = model.program
    equations = Equations(dict(of.equations))

    def smooth(e: Expression) -> Expression:
        if not isinstance(e, tuple):
            return e
        op, *parts = (e[0], *map(smooth, e[1:]))
        if op == "if" and (past := _past(parts[0], of, equations)) is not None:
            return ("blend", past, width * of.per_mV, *parts[1:])
        return (op, *parts)

    program = dataclasses.replace(
        of,
        equations=tuple((n, smooth(e)) for n, e in of.equations),
        slope=smooth(of.slope),
        relaxing=tuple((n, smooth(a), smooth(b)) for n, a, b in of.relaxing),
        coupled=tuple(
            (n, smooth(d), tuple((k, smooth(e)) for k, e in row)) for n, d, row in of.coupled
        ),
        changing=tuple((n, smooth(e)) for n, e in of.changing),
    )
    return Imported(program, model.constants)


def jumps(model: Imported) -> int:
    """How many choices `led_over` leads over."""

    def count(e: Any) -> int:
        return sum(map(count, e)) + (e[:1] == ("blend",)) if isinstance(e, tuple) else 0

    of = led_over(model, 1.0).program
    return count((of.equations, of.slope, of.relaxing, of.coupled, of.changing))


def _past(condition: Any, of: Program, equations: Equations) -> Expression | None:
    """By how much the voltage [its unit] is past where a condition on it alone begins to hold; None
    of any other condition."""
    if not (isinstance(condition, tuple) and condition[0] in (*BELOW, *ABOVE)):
        return None
    op, left, right = condition
    above = subtract(left, right) if op in ABOVE else subtract(right, left)
    if any(equations.depends(above, state) for state in of.states):
        return None
    parts = equations.affine(above, of.voltage)
    if parts is None or parts[1] == 0.0:
        return None
    return divide(above, abs(equations.number(parts[1], dict(of.constants))))
