"""Files of cell models as Myokit reads them, and their parts as ours."""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any

from ._described import Described
from ._expressions import Equations, Expression, divide
from ._refused import refusal_of_file
from ._stimulus import inlets, is_term

ENDINGS = (".mmt", ".cellml")
VOLTS = ("[mV]", "[V]")
VOLTAGES = ("v", "u", "vm", "v_m", "membrane_potential", "membrane_voltage")
STIMULI = re.compile(r"stim|(^|_)i_?st(_|$)")  # of lower case; not "distance"
ANNOTATED = "membrane_stimulus_current"  # by Oxford's metadata, which Chaste's files have
INFIX = {
    "Plus": "+", "Minus": "-", "Multiply": "*", "Divide": "/", "Quotient": "quotient",
    "Remainder": "remainder", "Power": "^", "And": "and", "Or": "or", "Equal": "==",
    "NotEqual": "!=", "More": ">", "Less": "<", "MoreEqual": ">=", "LessEqual": "<=",
}  # fmt: skip
FUNCTIONS = {
    "PrefixMinus": "neg", "Sqrt": "sqrt", "Exp": "exp", "Log10": "log10", "Sin": "sin",
    "Cos": "cos", "Tan": "tan", "ASin": "asin", "ACos": "acos", "ATan": "atan",
    "Floor": "floor", "Ceil": "ceil", "Abs": "abs", "Not": "not",
}  # fmt: skip


def described(path: Path, voltage: str | None = None, stimulus: str | None = None) -> Described:
    """A file's model; ValueError as `read_membrane`."""
    model, name = read_model(path), path.name
    v = voltage_of(model, voltage, name)
    label = labels_of(model)
    silent = frozenset(label(variable) for variable in stimulus_of(model, v, stimulus, name))
    slopes = {label(s): expression_of(s.rhs(), label, name) for s in model.states()}
    return Described(
        name=name,
        voltage=label(v),
        slopes=slopes,
        start=dict(zip(slopes, map(float, model.initial_values(True)), strict=True)),
        equations=equations_of(model, label, silent, name),
        silent=silent,
        per_ms=per_ms_of(model, name),
        per_mV=per_mV_of(v, name),
        paced=bool(silent),
    )


def read_model(path: Path) -> Any:
    """The file as Myokit has it."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; check the path.")
    try:
        import myokit
        import myokit.formats
    except ModuleNotFoundError:
        raise ValueError(
            'cell models in files need Myokit: python -m pip install "heartsim[cells]"'
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if path.suffix == ".mmt":
                model = myokit.load_model(str(path))
            else:
                model = myokit.formats.importer("cellml").model(str(path))
            if model is None:
                raise ValueError(f"{path} holds no model.")
            model.validate()
        except (myokit.MyokitError, OSError, UnicodeDecodeError) as fault:
            reason = " ".join(str(fault).split())
            unread = ValueError(f"{path} cannot be read as a cell model: {reason}")
            raise (refusal_of_file(path, fault) or unread) from None
    if not model.count_states():
        raise ValueError(f"{path} has no state; wanted a cell model.")
    return model


def voltage_of(model: Any, wanted: str | None, name: str) -> Any:
    if wanted is not None:
        found = [s for s in model.states() if wanted in (s.qname(), s.name())]
        if len(found) != 1:
            known = ", ".join(s.qname() for s in model.states())
            raise ValueError(f"{name}: there is no one state {wanted!r}; there are {known}.")
        return found[0]
    if (labelled := model.label("membrane_potential")) is not None:
        if not labelled.is_state():
            raise ValueError(f"{name}: {labelled.qname()}, the voltage, is no state.")
        return labelled
    found = [s for s in model.states() if s.meta.get("oxmeta") == "membrane_voltage"]
    found = found or [s for s in model.states() if str(s.unit()) in VOLTS]
    found = found or [s for s in model.states() if s.name().lower() in VOLTAGES]
    if len(found) == 1:
        return found[0]
    told = ", ".join(s.qname() for s in found) or "no state in mV or V, nor one called V or u"
    raise ValueError(f"{name}: which state is the voltage is not clear: {told}. Name it (voltage).")


def stimulus_of(model: Any, voltage: Any, wanted: str | None, name: str) -> list[Any]:
    """Variables that are taken to be 0: what is fed in, and the stimulus, which is, of those by
    which time comes in: what is wanted (one, or several as a,b), or annotated, or called so, or the
    one that adds to dV/dt alone and to balances."""
    label = labels_of(model)
    by = {label(v): v for v in model.variables(deep=True)}
    states, time = frozenset(label(s) for s in model.states()), label(model.time())
    equations = equations_of(model, label, frozenset(), name)
    equations.pop(time)
    of = Equations(equations)
    ends, mixed = inlets(of, states, time)
    entries = [by.get(n) or by[n.removeprefix("dot(").removesuffix(")")] for n in (*ends, *mixed)]
    fed = [v for v in model.variables(bound=True) if v.binding() != "time"]
    found = _told(entries, wanted, fed, name)
    if not found:
        found = [
            by[n]
            for n in ends
            if str(by[n].unit()) not in VOLTS and is_term(of, states, label(voltage), n)
        ]
        if len(found) > 1:
            told = ", ".join(v.qname() for v in found)
            raise ValueError(
                f"{name}: which variable is the stimulus is not clear: {told}. Name it (stimulus), "
                "or all, as a,b."
            )
    if other := [v for v in entries if v not in found]:
        raise ValueError(
            f"{name}: {', '.join(v.qname() for v in other)} depends on time; wanted equations in "
            "which nothing but a stimulus does (what is one may be named: stimulus)."
        )
    return [*fed, *(v for v in found if v not in fed)]


def _told(entries: list[Any], wanted: str | None, fed: list[Any], name: str) -> list[Any]:
    """Of the variables by which time comes in, those that are said to be the stimulus."""
    entries = [v for v in entries if not v.is_state()]
    if wanted is None:
        notes = [v for v in entries if v.meta.get("oxmeta") == ANNOTATED]
        notes = notes or [v for v in entries if v.label() == "stimulus_current"]
        return notes or [v for v in entries if STIMULI.search(v.name().lower())]
    told = []
    for one in wanted.split(","):
        found = [v for v in (*entries, *fed) if one.strip() in (v.qname(), v.name())]
        if len(found) != 1:
            known = ", ".join(v.qname() for v in (*entries, *fed)) or "none"
            raise ValueError(
                f"{name}: there is no one stimulus {one.strip()!r}; of variables by which time "
                f"comes in there are {known}."
            )
        told += found
    return told


def labels_of(model: Any) -> Callable[[Any], str]:
    """Short names of variables where they are the only one of that name, else component_name; with
    _ behind it where that is another's."""
    count = Counter(str(variable.name()) for variable in model.variables(deep=True))
    labels: dict[str, str] = {}
    taken = {name for name, times in count.items() if times == 1}
    for variable in model.variables(deep=True):
        label = str(variable.name())
        if count[label] > 1:
            label = str(variable.qname()).replace(".", "_")
            while label in taken:
                label += "_"
            taken.add(label)
        labels[variable.qname()] = label
    return lambda variable: labels[variable.qname()]


def equations_of(
    model: Any, label: Callable[[Any], str], silent: Set[str], name: str
) -> dict[str, Expression]:
    """Of every variable but the states."""
    found: dict[str, Expression] = {}
    for variable in model.variables(deep=True):
        if variable.is_state():
            found[f"dot({label(variable)})"] = expression_of(variable.rhs(), label, name)
        elif label(variable) in silent or variable.binding() is not None:
            found[label(variable)] = 0.0
        else:
            found[label(variable)] = expression_of(variable.rhs(), label, name)
    return found


def expression_of(e: Any, label: Callable[[Any], str], name: str) -> Expression:
    """Myokit's expression as ours; ValueError names what there is no operation for."""
    kind = type(e).__name__
    arguments = [expression_of(a, label, name) for a in e] if kind not in ("Name", "Number") else []
    if kind == "Number":
        return float(e.eval())
    if kind == "Name":
        return label(e.var())
    if kind == "Derivative":
        return f"dot({arguments[0]})"
    if kind == "PrefixPlus":
        return arguments[0]
    if kind == "PrefixMinus" and isinstance(arguments[0], float):
        return -arguments[0]
    if kind in INFIX or kind in FUNCTIONS:
        return (INFIX.get(kind) or FUNCTIONS[kind], *arguments)
    if kind == "Log":
        log: Expression = ("log", arguments[0])
        return log if len(arguments) == 1 else divide(log, ("log", arguments[1]))
    if kind in ("If", "Piecewise"):
        whole = arguments[-1]
        for k in range(len(arguments) - 3, -1, -2):
            whole = ("if", arguments[k], arguments[k + 1], whole)
        return whole
    raise ValueError(f"{name}: {kind} is not supported: {e.code()}")


def per_ms_of(model: Any, name: str) -> float:
    unit = str(model.time().unit())
    known = {"[s]": 1e-3, "[ms]": 1.0, "[us]": 1e3}
    if unit not in known:
        raise ValueError(f"{name}: the unit of time is {unit}; wanted one of {' '.join(known)}.")
    return known[unit]


def per_mV_of(voltage: Any, name: str) -> float:
    unit = str(voltage.unit())
    known = {"[V]": 1e-3, "[mV]": 1.0, "[1]": 1.0, "None": 1.0}
    if unit not in known:
        raise ValueError(
            f"{name}: {voltage.qname()} is in {unit}; wanted one of {' '.join(known)}."
        )
    return known[unit]
