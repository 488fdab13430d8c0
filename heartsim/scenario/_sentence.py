"""One sentence, in our own words, for what is wrong in a scenario file."""

from typing import Any

from pydantic import BaseModel, ValidationError

from heartsim.mesh import did_you_mean

from ._schema import Scenario

Place = tuple[int | str, ...]


def sentence(error: ValidationError, model: type[BaseModel] = Scenario) -> str:
    """The first thing that is wrong in a file of this model, an unknown key before all else."""
    problems = error.errors(include_url=False)
    tables = [p for p in problems if p["type"] != "string_type" or not isinstance(p["input"], dict)]
    problems = sorted(tables, key=lambda p: p["type"] != "extra_forbidden")
    more = len({_where(p["loc"]) for p in problems}) - 1
    rest = f" ({more} more after that)" if more else ""
    return f"{_where(problems[0]['loc'])}{_what(problems[0], model)}{rest}"


def _where(loc: Place) -> str:
    """`[solver] dt_ms`, `[[stimulus]] 2: at.radius_mm`, or a key that stands outside sections."""
    if not loc:
        return ""
    section, path = str(loc[0]), [p for p in loc[1:] if not _is_branch(p)]
    head = f"[{section}] "
    if path and isinstance(path[0], int):
        head = f"[[{section}]] {path[0] + 1}: "
        path = path[1:]
    return (head + ".".join(str(p) for p in path)).strip()


def _is_branch(part: int | str) -> bool:
    """A part of a location that names a type of a union rather than a key."""
    return isinstance(part, str) and (part in ("str", "int", "FibreRule") or "[" in part)


def _what(problem: Any, model: type[BaseModel]) -> str:
    kind, given, loc = problem["type"], problem["input"], problem["loc"]
    shown, context = _shown(given), problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = known_keys(loc[:-1], model)
        kind_of = "a section" if len(loc) == 1 else "a key"
        guess = did_you_mean(loc[-1], known)
        hint = guess.strip(" ()").replace("'", "") if guess else f"there are {', '.join(known)}."
        return f" is not {kind_of}; {hint}"
    if kind == "missing":
        return " is missing; give it."
    if kind == "value_error":
        return f": {context['error']}"
    if kind == "literal_error":
        return f" = {shown} does not exist; there is {context['expected']}."
    for limit, words in _LIMITS.items():
        if limit in context:
            return f" = {shown} must be {words} {context[limit]:g}{_unit(loc)}."
    if kind == "int_type" and "int" in loc:
        return f" = {shown} is not a region's tag or name."
    wanted = next((w for k, w in _WANTED.items() if kind.startswith(k)), problem["msg"])
    return f" = {shown} is not {wanted}{_unit(loc)}."


_LIMITS = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}
_WANTED = {
    "float": "a number",
    "finite": "a finite number",
    "int": "a whole number",
    "bool": "true or false",
    "string": "a text in quotes",
    "dict": "a table",
    "model": "a table",
    "list": "a list",
    "too_short": "a list of the wanted length",
    "too_long": "a list of the wanted length",
}
_UNITS = {"_mV_per_ms": "mV/ms", "_mS_mm": "mS/mm", "_m_s": "m/s", "_uF_mm2": "µF/mm²"}
_UNITS |= {"_1_mm": "1/mm", "_ms": "ms", "_mm": "mm", "_mV": "mV", "_deg": "degrees"}


def _unit(loc: Place) -> str:
    keys = [part for part in loc if isinstance(part, str)]
    return next((f" [{u}]" for end, u in _UNITS.items() if keys and keys[-1].endswith(end)), "")


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else text[:57] + "..."


def known_keys(loc: Place, of: type[BaseModel] = Scenario) -> list[str]:
    """The keys of the section at a location; those of the whole file at ()."""
    model: Any = of
    for part in loc:
        if isinstance(part, int) or _is_branch(part):
            continue
        model = _section_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _section_in(annotation: Any) -> type[BaseModel]:
    """The section class inside an annotation such as list[Region] or Layers | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_section_in(a) for a in getattr(annotation, "__args__", ()) if a is not type(None)]
    return next(m for m in inner if m is not BaseModel) if inner else BaseModel
