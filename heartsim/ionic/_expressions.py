"""Equations of a cell model as nested tuples, so that they can be kept, compared and rewritten.

An expression is a number, the name of a variable, or (operation, argument, ...).
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

import jax.numpy as jnp

from ._exp_log import exp
from ._safe import sigmoid, x_over_expm1

Expression = float | str | tuple[Any, ...]


def _power(x: Any, n: Any) -> Any:
    """x^n, by products where n is a small whole number: exact for negative x, with its slope."""
    return x ** int(n) if isinstance(n, float) and n == int(n) and abs(n) < 20 else jnp.power(x, n)


def _blend(past: Any, width: Any, yes: Any, no: Any) -> Any:
    """`yes` where past > 0, led over to `no` by a sigmoid; a side of no weight may be infinite."""
    share, other = sigmoid(jnp.asarray(past / width)), sigmoid(jnp.asarray(-past / width))
    return share * jnp.where(share > 0, yes, 0.0) + other * jnp.where(other > 0, no, 0.0)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "neg": lambda x: -x,
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "quotient": lambda x, y: jnp.floor(x / y),
    "remainder": lambda x, y: x - y * jnp.floor(x / y),
    "^": _power,
    "sqrt": jnp.sqrt,
    "exp": lambda x: exp(jnp.asarray(x)),
    "log": jnp.log,
    "log10": jnp.log10,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "tanh": jnp.tanh,
    "floor": jnp.floor,
    "ceil": jnp.ceil,
    "abs": jnp.abs,
    "not": jnp.logical_not,
    "and": jnp.logical_and,
    "or": jnp.logical_or,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    ">": lambda x, y: x > y,
    "<": lambda x, y: x < y,
    ">=": lambda x, y: x >= y,
    "<=": lambda x, y: x <= y,
    "if": jnp.where,
    "blend": _blend,
    "logaddexp": jnp.logaddexp,
    "sigmoid": lambda x: sigmoid(jnp.asarray(x)),
    "x_over_expm1": lambda x: x_over_expm1(jnp.asarray(x)),
}

# 0/0 in a branch that is not taken has no value that matters, but a gradient that spoils all
GUARDED = OPERATIONS | {
    "/": lambda x, y: x / jnp.where(y == 0, 1.0, y),
    "log": lambda x: jnp.log(jnp.where(x > 0, x, 1.0)),
    "sqrt": lambda x: jnp.sqrt(jnp.where(x > 0, x, 1.0)) * jnp.where(x > 0, 1.0, 0.0),
}


def value(e: Expression, known: Mapping[str, Any], guarded: bool = False) -> Any:
    """The value of an expression; arguments of `if` beyond its condition are guarded."""
    if isinstance(e, str):
        return known[e]
    if not isinstance(e, tuple):
        return e
    op, *arguments = e
    table = GUARDED if guarded else OPERATIONS
    parts = [
        value(a, known, guarded or (op in ("if", "blend") and k > 0))
        for k, a in enumerate(arguments)
    ]
    return table[op](*parts)


def names(e: Expression) -> Iterator[str]:
    """Variables that an expression names, each time it does."""
    if isinstance(e, str):
        yield e
    elif isinstance(e, tuple):
        for argument in e[1:]:
            yield from names(argument)


def add(a: Expression, b: Expression) -> Expression:
    """a + b, without zeros."""
    return b if a == 0.0 else a if b == 0.0 else ("+", a, b)


def subtract(a: Expression, b: Expression) -> Expression:
    """a - b, without zeros."""
    return a if b == 0.0 else ("neg", b) if a == 0.0 else ("-", a, b)


def multiply(a: Expression, b: Expression) -> Expression:
    """a b, without zeros and ones."""
    if 0.0 in (a, b):
        return 0.0
    return b if a == 1.0 else a if b == 1.0 else ("*", a, b)


def divide(a: Expression, b: Expression) -> Expression:
    """a / b, without zeros above and ones below."""
    return 0.0 if a == 0.0 else a if b == 1.0 else ("/", a, b)


class Equations:
    """Variables by name, each an expression of others; what has none is a state or an input."""

    def __init__(self, equations: Mapping[str, Expression]):
        self.of = dict(equations)
        self._needs: dict[str, frozenset[str]] = {}

    def needs(self, name: str) -> frozenset[str]:
        """All variables that one depends on, itself among them."""
        if name not in self._needs:
            self._needs[name] = frozenset([name])  # loops do not get here
            own = names(self.of[name]) if name in self.of else ()
            self._needs[name] = frozenset([name]).union(*(self.needs(other) for other in own))
        return self._needs[name]

    def order(self, wanted: Iterable[Expression], known: Container[str] = ()) -> list[str]:
        """The variables that expressions need, each after those that it needs; without those
        known."""
        order: dict[str, None] = {}

        def visit(name: str) -> None:
            if name in order or name in known or name not in self.of:
                return
            for other in names(self.of[name]):
                visit(other)
            order[name] = None

        for e in wanted:
            for name in names(e):
                visit(name)
        return list(order)

    def number(self, e: Expression, known: Mapping[str, float]) -> float:
        """The value of an expression of which no more has to be known."""
        all_: dict[str, Any] = dict(known)
        for name in self.order([e], known):
            all_[name] = value(self.of[name], all_)
        return float(value(e, all_))

    def depends(self, e: Expression, on: str) -> bool:
        """Whether a variable has a part in an expression."""
        return any(on in self.needs(name) for name in set(names(e)))

    def affine(self, e: Expression, x: str) -> tuple[Expression, Expression] | None:
        """(a, b) with e = a + b x, neither of which depends on x; None where that is not so."""
        if e == x:
            return 0.0, 1.0
        if not self.depends(e, x):
            return e, 0.0
        if isinstance(e, str):
            return self.affine(self.of[e], x)
        assert isinstance(e, tuple)
        op, *arguments = e
        if op == "if" and not self.depends(arguments[0], x):
            return self._branches(arguments, x)
        parts = [self.affine(argument, x) for argument in arguments]
        if None in parts:
            return None
        return _joined(op, parts)

    def _branches(self, arguments, x: str):
        condition, yes, no = arguments
        one, other = self.affine(yes, x), self.affine(no, x)
        if one is None or other is None:
            return None
        a, b = (u if u == v else ("if", condition, u, v) for u, v in zip(one, other, strict=True))
        return a, b


def _joined(op: str, parts: list[Any]) -> tuple[Expression, Expression] | None:
    """Of an operation on affine expressions, where the result is affine."""
    if op == "neg":
        a, b = parts[0]
        return subtract(0.0, a), subtract(0.0, b)
    if op in "+-":
        (a, b), (c, d) = parts
        combine = add if op == "+" else subtract
        return combine(a, c), combine(b, d)
    if op == "*":
        (a, b), (c, d) = parts
        if d == 0.0:
            return multiply(a, c), multiply(b, c)
        return (multiply(a, c), multiply(a, d)) if b == 0.0 else None
    if op == "/" and parts[1][1] == 0.0:
        (a, b), (c, _) = parts
        return divide(a, c), divide(b, c)
    return None
