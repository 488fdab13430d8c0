"""Features of cell models that a membrane here cannot have, refused by name."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from ._expressions import Expression, names

FEATURES = {
    "a delay": re.compile(r".*delay.*|dde"),
    "random numbers": re.compile(
        r".{0,2}rand|rand.*|normal|uniform|gauss.*|poisson|noise.*|wiener|.*distribution"
    ),
}
CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
GIVEN = re.compile(r"\s*(?:dot\(\s*)?([A-Za-z_]\w*)\s*\)?\s*=(?!=)")
LOOP = re.compile(r"Cyclical reference found: \((.*)\)")


def refusal_of_function(file: str, variable: str, function: str) -> ValueError | None:
    """What to raise of a function that asks for a delay or for random numbers; None of others."""
    for feature, words in FEATURES.items():
        if words.fullmatch(function.lower()):
            return ValueError(
                f"{file}: {variable} asks for {feature} ({function}), which no model here can "
                "have; wanted equations of the present state alone."
            )
    return None


def refusal_of_loop(file: str, loop: list[str]) -> ValueError:
    """What to raise of variables each of which needs the next, the last the first."""
    return ValueError(
        f"{file}: {', '.join(loop)} make an algebraic loop, as each needs the other; wanted "
        "equations solved for their variables."
        if len(loop) > 1
        else f"{file}: {loop[0]} makes an algebraic loop, as it needs itself; wanted its equation "
        "solved for it."
    )


def refuse_loops(equations: Mapping[str, Expression], file: str) -> None:
    """ValueError where variables need one another; what has no equation is known."""
    done: set[str] = set()

    def visit(name: str, above: list[str]) -> None:
        if name in above:
            raise refusal_of_loop(file, above[above.index(name) :])
        if name in done or name not in equations:
            return
        for other in names(equations[name]):
            visit(other, [*above, name])
        done.add(name)

    for name in equations:
        visit(name, [])


def refusal_of_file(path: Path, fault: Exception) -> ValueError | None:
    """What to raise of a file that Myokit cannot read for one of these features; None of others."""
    if (loop := LOOP.search(str(fault))) is not None:
        return refusal_of_loop(str(path), loop.group(1).split(" > ")[:-1])
    text = path.read_bytes().decode(errors="replace")
    line = getattr(fault, "line", 0)
    for variable, function in _in_cellml(text) if path.suffix == ".cellml" else _in_mmt(text, line):
        if (refusal := refusal_of_function(str(path), variable, function)) is not None:
            return refusal
    return None


def _in_mmt(text: str, line: int) -> Iterator[tuple[str, str]]:
    """Functions called in a line, and the variable given there or last before."""
    lines = text.splitlines()[:line]
    given = [found.group(1) for each in lines if (found := GIVEN.match(each))]
    for function in CALL.findall(lines[-1].partition("#")[0]) if lines else ():
        yield given[-1] if given else "an equation", function


def _in_cellml(text: str) -> Iterator[tuple[str, str]]:
    """Symbols from outside MathML, and the variable in whose equation each stands."""
    try:
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError:
        return
    for component in root.iter():
        for equation in component.findall("{*}math/{*}apply"):
            left = [(of.text or "").strip() for side in equation[1:2] for of in side.iter()]
            variable = f"{component.get('name')}.{''.join(left[-1:])}"
            for symbol in equation.iterfind(".//{*}csymbol"):
                url = symbol.get("definitionURL", "") or (symbol.text or "").strip()
                yield variable, re.split(r"[/#:]", url)[-1]
