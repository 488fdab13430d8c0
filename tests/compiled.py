"""What XLA made of a program, or is given, read from its text."""

import re


def read_twice(text: str) -> list[str]:
    """The loops that read one array by two names, of which a call hands on one as the other.

    XLA lets such a loop write its result over the array where it reads one of the names node by
    node, whatever it does with the other, which it may gather.
    """
    bodies = _bodies(text)
    handed_on = {name: _handed_on(lines) for name, lines in bodies.items()}
    return [found for lines in bodies.values() for found in _twice(lines, handed_on)]


def copied_in_loops(text: str, nodes: int) -> int:
    """How many arrays of so many numbers the bodies of loops copy, in every pass."""
    bodies, copy = _bodies(text), re.compile(rf"f32\[{nodes}\]\S* copy\(")
    loops = set(re.findall(r"body=%([\w.\-]+)", text))
    return sum(bool(copy.match(of)) for loop in loops for _, _, of in bodies[loop])


def scattered_in_loops(text: str) -> list[str]:
    """What loops of an exported module scatter, themselves or in functions that they call."""
    functions, name = {}, ""
    for line in text.splitlines():
        if head := re.match(r"  func\.func \w+ @([\w.\-]+)\(", line):
            name = head[1]
        functions.setdefault(name, []).append(line)
    loops = [line for lines in functions.values() for line in _looped(lines)]
    seen: set[str] = set()
    while called := {n for line in loops for n in re.findall(r"call @([\w.\-]+)", line)} - seen:
        loops += [line for name in called for line in functions[name]]
        seen |= called
    return [line.strip() for line in loops if '"stablehlo.scatter"' in line]


def _looped(lines: list[str]) -> list[str]:
    """Of a function's lines those that stand deeper than a `while` before them."""
    inside, depth = [], None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if depth is not None and indent > depth:
            inside.append(line)
        elif "stablehlo.while" in line:
            depth = indent
        elif not re.match(r" *(cond|\}) ", line):
            depth = None
    return inside


def _bodies(text: str) -> dict[str, list[tuple[str, str, str]]]:
    """Of each computation its lines: whether it is the result, its name, and what it is."""
    bodies = {}
    for line in text.splitlines():
        if head := re.match(r"(?:ENTRY )?%([\w.\-]+) \(.*\{$", line):
            lines = bodies.setdefault(head[1], [])
        elif named := re.match(r"  (ROOT )?%([\w.\-]+) = (.*)", line):
            lines.append(named.groups())
    return bodies


def _operands(of: str) -> list[str]:
    return re.findall(r"%([\w.\-]+)", re.search(r" [\w\-]+\((.*?)\)", of.replace("*/", " "))[1])


def _handed_on(lines: list[tuple[str, str, str]]) -> dict[int, int]:
    """Which result of a body is which of its parameters."""
    given = {name: int(n[1]) for _, name, of in lines if (n := re.search(r" parameter\((\d+)", of))}
    out = [(name, of) for root, name, of in lines if root]
    names = [part for name, of in out for part in (_operands(of) if " tuple(" in of else [name])]
    return {k: given[name] for k, name in enumerate(names) if name in given}


def _twice(lines: list[tuple[str, str, str]], handed_on: dict[str, dict[int, int]]) -> list[str]:
    same, calls = {}, {}
    for _, name, of in lines:
        if " call(" in of:
            given = _operands(of)
            known = handed_on[re.search(r"to_apply=%([\w.\-]+)", of)[1]]
            calls[name] = {k: given[n] for k, n in known.items()}
            if known and not of.startswith("("):
                same[name] = calls[name][0]
        elif " get-tuple-element(" in of:
            part = calls.get(_operands(of)[0], {}).get(int(re.search(r"index=(\d+)", of)[1]))
            same |= {name: part} if part else {}

    def first(name):
        return first(same[name]) if name in same else name

    loops = [(name, set(_operands(of))) for _, name, of in lines if " fusion(" in of]
    return [name for name, read in loops if len(set(map(first, read))) < len(read)]
