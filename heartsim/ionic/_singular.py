"""Quotients that are 0/0 at one voltage, written so that value and slope hold there."""

import math
from collections.abc import Callable

from ._expressions import Equations, Expression, divide, multiply

CLOSE = 1e-9  # relative, of roots that are the same
Constant = Callable[[Expression], tuple[float, float] | None]


def without_singularities(
    e: Expression, x: str, equations: Equations, constant: Constant
) -> Expression:
    """The expression with every f / (exp(u) - 1) whose f and u are linear in `x` and vanish at the
    same place as (f'/u') u / (exp(u) - 1), which `x_over_expm1` has exactly; f may be one
    factor among others; (exp(u) - 1) / (exp(u) + 1), which overflows, becomes tanh(u/2).
    `constant` evaluates what no state has a part in, with the file's parameters and with others:
    two places that are the same by the values of different parameters are not."""
    if not isinstance(e, tuple):
        return e
    op, *arguments = e
    parts = [without_singularities(a, x, equations, constant) for a in arguments]
    if op == "^" and parts[1] == -1.0:
        op, parts = "/", [1.0, parts[0]]
    if op == "/":
        if (u := _tanh(*parts)) is not None:
            return ("tanh", multiply(0.5, u))
        parts[0], parts[1] = _sigmoids(parts[0], parts[1])
        found = _rewritten(parts[0], parts[1], x, equations, constant)
        if found is not None:
            return found
        return divide(*parts)
    return (op, *parts)


def _rewritten(above, below, x, equations, constant) -> Expression | None:
    factors = _factors(below)
    for k, factor in enumerate(factors):
        u, sign = _expm1(factor, equations)
        if u is None:
            continue
        place = _root(u, x, equations, constant)
        if place is None:
            continue
        over = _factors(above)
        for j, f in enumerate(over):
            other = _root(f, x, equations, constant)
            if other is None or not _same(place[0], other[0]):
                continue
            ratio = divide(other[1], place[1])
            rest = _product([sign, ratio, *over[:j], *over[j + 1 :]])
            left = factors[:k] + factors[k + 1 :]
            return divide(multiply(rest, ("x_over_expm1", u)), _product(left))
    return None


def _sigmoids(above: Expression, below: Expression) -> tuple[Expression, Expression]:
    """Each factor 1 + exp(u) below the line as a sigmoid above, and exp(u) + exp(v) as exp of minus
    their logaddexp: their slopes do not overflow."""
    factors = _factors(below)
    kept = []
    for factor in factors:
        if (u := _exp1p(factor)) is not None:
            above = multiply(above, ("sigmoid", ("neg", u)))
        elif (pair := _exp_sum(factor)) is not None:
            above = multiply(above, ("exp", ("neg", ("logaddexp", *pair))))
        else:
            kept.append(factor)
    return (above, below) if len(kept) == len(factors) else (above, _product(kept))


def _exp1p(e: Expression) -> Expression | None:
    """u of 1 + exp(u)."""
    if isinstance(e, tuple) and e[0] == "+":
        for one, other in ((e[1], e[2]), (e[2], e[1])):
            if one == 1.0 and _is_exp(other):
                return other[1]
    return None


def _same(a: list[float], b: list[float]) -> bool:
    return all(math.isclose(*pair, rel_tol=CLOSE, abs_tol=CLOSE) for pair in zip(a, b, strict=True))


def _root(e, x, equations: Equations, constant) -> tuple[list[float], Expression] | None:
    """Where an expression linear in x vanishes, by either parameters, and its slope."""
    if not equations.depends(e, x):
        return None
    parts = equations.affine(e, x)
    if parts is None:
        return None
    a, b = (constant(part) for part in parts)
    if a is None or b is None or 0.0 in b:
        return None
    return [-p / q for p, q in zip(a, b, strict=True)], parts[1]


def _expm1(e: Expression, equations: Equations | None = None) -> tuple[Expression | None, float]:
    """u and the sign of exp(u) - 1 or 1 - exp(u), where exp(u) may have a name."""
    if isinstance(e, tuple) and e[0] in ("-", "+"):
        op, a, b = e
        if equations is not None:
            a, b = (equations.of.get(n, n) if isinstance(n, str) else n for n in (a, b))
        if op == "-" and b == 1.0 and _is_exp(a):
            return a[1], 1.0
        if op == "-" and a == 1.0 and _is_exp(b):
            return b[1], -1.0
        if op == "+" and a == -1.0 and _is_exp(b):
            return b[1], 1.0
    return None, 1.0


def _tanh(above: Expression, below: Expression) -> Expression | None:
    """u of (exp(u) - 1) / (exp(u) + 1)."""
    u, sign = _expm1(above)
    if u is not None and sign > 0 and below in (("+", ("exp", u), 1.0), ("+", 1.0, ("exp", u))):
        return u
    return None


def _exp_sum(e: Expression) -> tuple[Expression, Expression] | None:
    """u and v of exp(u) + exp(v)."""
    if isinstance(e, tuple) and e[0] == "+" and _is_exp(e[1]) and _is_exp(e[2]):
        return e[1][1], e[2][1]
    return None


def _is_exp(e: Expression) -> bool:
    return isinstance(e, tuple) and e[0] == "exp"


def _factors(e: Expression) -> list[Expression]:
    """What an expression is the product of."""
    if isinstance(e, tuple) and e[0] == "*":
        return [*_factors(e[1]), *_factors(e[2])]
    if isinstance(e, tuple) and e[0] == "/" and e[1] != 1.0:
        return [*_factors(e[1]), ("/", 1.0, e[2])]
    if isinstance(e, tuple) and e[0] == "neg":
        return [-1.0, *_factors(e[1])]
    return [e]


def _product(factors: list[Expression]) -> Expression:
    whole: Expression = 1.0
    for factor in factors:
        whole = multiply(whole, factor)
    return whole
