"""Where time comes into the equations of a cell model: by its stimulus, or by something else."""

from collections.abc import Iterable, Set

from ._expressions import Equations, names


def inlets(equations: Equations, states: Set[str], time: str) -> tuple[list[str], list[str]]:
    """By which variables time comes into the slopes of the states, `dot(x)` each: those of time and
    constants alone, at the end of their helpers (an i_stim, not the floor(time / 500) that it is
    made of); and those that name time and depend on states too."""
    slopes = [f"dot({s})" for s in states]
    needed = frozenset().union(*(equations.needs(s) for s in slopes))
    timed = [n for n in equations.of if n in needed and time in equations.needs(n)]
    mixed = [n for n in timed if n in slopes or equations.needs(n) & states]
    users = {n for m in mixed for n in names(equations.of[m])}
    ends = [n for n in timed if n in users and n not in mixed]
    return [n for n in ends if _by_itself(equations, n, ends, time)], [
        m for m in mixed if time in names(equations.of[m])
    ]


def _by_itself(equations: Equations, name: str, ends: Iterable[str], time: str) -> bool:
    """Whether a variable depends on time other than through others of these."""
    others = dict.fromkeys((n for n in ends if n != name), 0.0)
    return time in Equations(equations.of | others).needs(name)


def is_term(equations: Equations, states: Set[str], voltage: str, name: str) -> bool:
    """Whether a variable adds to the voltage's slope by a fixed share, as a stimulus does, and to
    others (balances of ions) in no other way."""
    free = Equations({n: e for n, e in equations.of.items() if n != name})
    known = {s: share(free, s, name, states) for s in states}
    return known[voltage] not in (None, 0.0) and None not in known.values()


def share(equations: Equations, state: str, name: str, varying: Iterable[str]) -> float | None:
    """By how much the slope of a state, `dot(x)`, changes with a variable that has no equation;
    None where that is no fixed number, but depends on what varies."""
    parts = equations.affine(f"dot({state})", name)
    if parts is None or any(equations.depends(parts[1], other) for other in varying):
        return None
    return equations.number(parts[1], {})
