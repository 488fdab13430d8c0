"""Cell models in EasyML, as openCARP has them."""

from pathlib import Path

from ._described import Described
from ._easyml import Parser, Read
from ._expressions import Equations, Expression, divide, multiply, names, subtract
from ._refused import refuse_loops


def read_easyml(path: Path) -> Described:
    """A model: dV/dt = -Iion in µA/µF, states by `diff_x`, `alpha_x` and `beta_x`, or `x_inf` and
    `tau_x`. Attributes of numerics (`lookup`, `method`, ...) are not needed. ValueError names file
    and line."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; check the path.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is no text in UTF-8; wanted a model in EasyML.") from None
    return _described(Parser(text, path.name).read(), path.name)


def _described(read: Read, name: str) -> Described:
    equations, outer = read.equations, read.external
    voltages = [n for n, out in outer.items() if "Vm" in (n, out)]
    if not voltages or "Iion" not in outer:
        raise ValueError(f"{name}: wanted Vm and Iion, each .external().")
    V = voltages[0]
    strange = [n for n in outer if n not in (V, "Iion") and n not in equations]
    if strange:
        raise ValueError(f"{name}: {', '.join(strange)} would come from outside; there is none.")
    slopes = {V: ("neg", "Iion")} | _slopes(equations)
    refuse_loops({n: e for n, e in equations.items() if n not in slopes}, name)
    start = _start(equations, slopes, V, name)
    rest = {
        n: e
        for n, e in equations.items()
        if not n.endswith("_init") and n.removeprefix("diff_") not in slopes
    }
    unknown = {n for e in [*rest.values(), *slopes.values()] for n in names(e)}
    unknown -= {*rest, *slopes}
    if unknown:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is used and never given.")
    return Described(name, V, slopes, start, rest, frozenset(), 1.0, 1.0, paced=True)


def _slopes(equations: dict[str, Expression]) -> dict[str, Expression]:
    """The derivative of each state but the voltage; one written out goes before a gate's."""
    gates: dict[str, Expression] = {}
    for n in equations:
        x = n.removeprefix("alpha_")
        if x != n and f"beta_{x}" in equations:
            gates[x] = subtract(multiply(n, ("-", 1.0, x)), multiply(f"beta_{x}", x))
        x = n.removesuffix("_inf")
        if x != n and f"tau_{x}" in equations:
            gates[x] = divide(("-", n, x), f"tau_{x}")
    written = {n.removeprefix("diff_"): e for n, e in equations.items() if n.startswith("diff_")}
    return gates | written


def _start(equations, slopes, V: str, name: str) -> dict[str, float]:
    """As given by `x_init`; a gate without one settled at the voltage's."""
    given = {n.removesuffix("_init"): e for n, e in equations.items() if n.endswith("_init")}
    start: dict[str, float] = {}
    of = Equations(equations)
    for x, e in sorted(given.items(), key=lambda item: item[0] != V):  # others may be by V
        try:
            start[x] = of.number(e, {x: start[x] for x in slopes if x in start})
        except (KeyError, ArithmeticError, ValueError):
            raise ValueError(f"{name}: {x}_init has no value before the run.") from None
    if V not in start:
        raise ValueError(f"{name}: {V}_init is missing; wanted a number.")
    known = {x: start[x] for x in slopes if x in start}
    for x in slopes:
        if x in start:
            continue
        total = ("+", f"alpha_{x}", f"beta_{x}")
        limit = f"{x}_inf" if f"{x}_inf" in equations else ("/", f"alpha_{x}", total)
        try:
            start[x] = of.number(limit, known)
        except (KeyError, ArithmeticError):
            raise ValueError(f"{name}: {x}_init is missing; wanted a number.") from None
    return {x: start[x] for x in slopes}
