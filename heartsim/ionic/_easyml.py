"""EasyML, openCARP's language of cell models, as expressions."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ._expressions import Expression, divide
from ._refused import refusal_of_function

TOKENS = re.compile(
    r"\s+|//[^\n]*|#[^\n]*|/\*.*?\*/"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>!?:=;.,(){}])",
    re.DOTALL,
)
BINDING = {  # how strongly an operator binds, and what it is
    "or": (1, "or"), "||": (1, "or"), "and": (2, "and"), "&&": (2, "and"),
    "==": (3, "=="), "!=": (3, "!="), "<": (4, "<"), ">": (4, ">"), "<=": (4, "<="),
    ">=": (4, ">="), "+": (5, "+"), "-": (5, "-"), "*": (6, "*"), "/": (6, "/"), "^": (8, "^"),
}  # fmt: skip
UNARY = 7
AROUND = "around "
"""Before the name of what a variable is outside of a block; no name has a blank."""

FUNCTIONS = {"fabs": "abs", "ln": "log"} | {
    name: name
    for name in (
        "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "tanh",
        "floor", "ceil", "abs",
    )
}  # fmt: skip


class _Token(NamedTuple):
    text: str
    line: int
    kind: str


class Read(NamedTuple):
    """Statements of a file."""

    equations: dict[str, Expression]
    external: dict[str, str]
    """Outer name of each variable that comes from outside, or goes there."""


class Parser:
    """By recursive descent; expressions by how strongly operators bind."""

    def __init__(self, text: str, name: str):
        self.name, self.at = name, 0
        self.tokens = list(self._tokens(text))
        self.equations: dict[str, Expression] = {}
        self.external: dict[str, str] = {}
        self.last: list[str] = []

    def _tokens(self, text: str) -> Iterator[_Token]:
        at = 0
        while at < len(text):
            found, line = TOKENS.match(text, at), text.count("\n", 0, at) + 1
            if found is None:
                raise ValueError(f"{self.name}: line {line}: {text[at]!r} is not EasyML.")
            at = found.end()
            if found.lastgroup is not None:
                yield _Token(found.group(), line, found.lastgroup)
        yield _Token("", text.count("\n") + 1, "end")

    @property
    def now(self) -> _Token:
        """The token to be read next."""
        return self.tokens[self.at]

    def take(self, *texts: str) -> bool:
        """Read a token if it is one of these."""
        if self.now.text in texts and self.now.kind != "end":
            self.at += 1
            return True
        return False

    def want(self, text: str) -> None:
        """Read this token; ValueError where another stands."""
        if not self.take(text):
            self.fault(f"wanted {text!r}")

    def fault(self, words: str) -> None:
        """Say what is wrong here."""
        there = repr(self.now.text) if self.now.text else "the end"
        raise ValueError(f"{self.name}: line {self.now.line}: {words}, there is {there}.")

    def word(self) -> str:
        """Read a name."""
        if self.now.kind != "name":
            self.fault("wanted a name")
        self.at += 1
        return self.tokens[self.at - 1].text

    def read(self) -> Read:
        """Every statement."""
        while self.now.kind != "end":
            self.statement(self.equations)
        return Read(self.equations, self.external)

    def statement(self, into: dict[str, Expression]) -> None:
        """An assignment, a declaration, a group, a choice, or attributes."""
        if self.take(";"):
            return
        if self.now.text == ".":
            return self.attributes(self.last)
        if self.now.text == "group":
            self.at += 1
            return self.group(into)
        if self.now.text == "if" and self.tokens[self.at + 1].text == "(":
            self.at += 1
            return self.choice(into)
        self.last = [self.word()]
        if self.take("="):
            into[self.last[0]] = self.expression()
        if not self.take(";") and self.now.text not in ("", ".", "}"):
            self.fault("wanted ';'")
        self.attributes(self.last)

    def group(self, into: dict[str, Expression]) -> None:
        """`group { a; b = 1; }.attribute();`"""
        members = []
        self.want("{")
        while not self.take("}"):
            members.append(self.now.text)
            self.statement(into)
        self.last = members
        self.attributes(members)

    def attributes(self, of: list[str]) -> None:
        """`.external(Vm); .units(mV);`"""
        while self.take("."):
            kind, inside = self.word(), []
            self.want("(")
            while not self.take(")"):
                if self.now.kind == "end":
                    self.fault("wanted ')'")
                inside.append(self.now.text)
                self.at += 1
            self.take(";")
            if kind == "external":
                for name in of:
                    self.external[name] = inside[0] if inside else name

    def choice(self, into: dict[str, Expression]) -> None:
        """`if (c) { ... } elif (d) { ... } else { ... }`, of which what all assign is kept."""
        conditions, branches = [], []
        while True:
            self.want("(")
            self.last = []
            conditions.append(self.expression())
            self.want(")")
            branches.append(self.block(into))
            if self.take("elif") or (self.now.text == "else" and self._else_if()):
                continue
            break
        other = self.block(into) if self.take("else") else {}
        for name in dict.fromkeys(n for branch in [*branches, other] for n in branch):
            given: list[Any] = [branch.get(name, into.get(name)) for branch in [*branches, other]]
            if None in given:
                continue  # of one branch alone, where it has been put in
            whole = given[-1]
            for condition, own in zip(reversed(conditions), reversed(given[:-1]), strict=True):
                whole = ("if", condition, own, whole)
            into[name] = whole

    def _else_if(self) -> bool:
        if self.tokens[self.at + 1].text != "if":
            return False
        self.at += 2
        return True

    def block(self, around: dict[str, Expression]) -> dict[str, Expression]:
        """Assignments in braces; what uses one of them has it put in, and a choice that leaves
        something as it is finds what it is here, or else `around`."""
        own: dict[str, Expression] = {}
        outer = {AROUND + name: e for name, e in around.items()}
        self.want("{")
        while not self.take("}"):
            before: dict[str, Expression] = {name: AROUND + name for name in around}
            before |= {name: name for name in own}
            new = dict(before)
            self.statement(new)
            changed = {name: e for name, e in new.items() if e != before.get(name)}
            own |= {name: _put_in(_put_in(e, own), outer) for name, e in changed.items()}
        return own

    def expression(self, least: int = 0) -> Expression:
        """Operators that bind at least so strongly; then `? :`."""
        left = self.operand()
        while self.now.text in BINDING and BINDING[self.now.text][0] >= max(least, 1):
            strength, op = BINDING[self.now.text]
            self.at += 1
            left = (op, left, self.expression(strength + (op != "^")))
        if least == 0 and self.take("?"):
            yes = self.expression()
            self.want(":")
            left = ("if", left, yes, self.expression())
        return left

    def operand(self) -> Expression:
        """A number, a name, a call, something in parentheses or behind a sign."""
        if self.take("-"):
            inner = self.expression(UNARY)
            return -inner if isinstance(inner, float) else ("neg", inner)
        if self.take("+"):
            return self.expression(UNARY)
        if self.take("!", "not"):
            return ("not", self.expression(UNARY))
        if self.take("("):
            inner = self.expression()
            self.want(")")
            return inner
        if self.now.kind == "number":
            self.at += 1
            return float(self.tokens[self.at - 1].text)
        name = self.word()
        return self.call(name) if self.take("(") else name

    def call(self, name: str) -> Expression:
        """A function of arguments."""
        where, given = f"{self.name}: line {self.now.line}", (self.last or ["a choice"])[0]
        if (refusal := refusal_of_function(where, given, name)) is not None:
            raise refusal
        arguments: list[Expression] = []
        while not self.take(")"):
            if arguments:
                self.want(",")
            arguments.append(self.expression())
        x = arguments[0] if arguments else 0.0
        known: dict[str, Any] = {
            "expm1": lambda: ("-", ("exp", x), 1.0),
            "pow": lambda: ("^", x, arguments[1]),
            "square": lambda: ("*", x, x),
            "cube": lambda: ("*", ("*", x, x), x),
            "sinh": lambda: divide(("-", ("exp", x), ("exp", ("neg", x))), 2.0),
            "cosh": lambda: divide(("+", ("exp", x), ("exp", ("neg", x))), 2.0),
        }
        if name not in (*known, *FUNCTIONS) or len(arguments) != 1 + (name == "pow"):
            self.fault(f"{name} of {len(arguments)} arguments is not known, before this")
        return known[name]() if name in known else (FUNCTIONS[name], x)


def _put_in(e: Expression, own: dict[str, Expression]) -> Expression:
    if isinstance(e, str):
        return own.get(e, e)
    return (e[0], *(_put_in(a, own) for a in e[1:])) if isinstance(e, tuple) else e
