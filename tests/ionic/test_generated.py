"""Cell models made up at random, each written in a way of its own, against the plain one.

A plain model is text in ms and mV by short names that NumPy evaluates. The file says the same in s
or ms, V or mV, with other names or the same name in several components, with choices in choices and
components that nothing needs, in Myokit's format or CellML.
"""

import re
import warnings
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import myokit
import myokit.formats
import numpy as np
import pytest

from heartsim.ionic import Pacing, check_import, read_membrane
from tests.published import derivatives

SPARE = {"off": "3 - 2", "of": "piecewise(u < 0, exp(u / 40), off > 2, u, 1 / off)"}


class Plain(NamedTuple):
    """By component.name; all are in ms and mV, u the voltage."""

    given: dict[str, str]
    slopes: dict[str, str]
    start: dict[str, float]

    def at(self, u, state):
        """Derivatives, by NumPy."""
        known = {"u": u, "exp": np.exp, "piecewise": _piecewise}
        known |= {_flat(name): x for name, x in state.items()}
        for name, text in self.given.items():
            known[_flat(name)] = eval(_python(text), known)
        return {name: eval(_python(text), known) for name, text in self.slopes.items()}


def _piecewise(*parts):
    return np.select(parts[:-1:2], np.broadcast_arrays(*parts[1:-1:2], parts[0])[:-1], parts[-1])


def _flat(name):
    return name.replace(".", "__")


def _python(text):
    for ours, theirs in (("^", "**"), (" and ", " & "), (" or ", " | "), ("not ", "~")):
        text = text.replace(ours, theirs)
    return re.sub(r"([a-z]\w*)\.([a-z]\w*)", r"\1__\2", text)


def positive(rng, depth):
    """A function of u above 0, choices in choices."""
    if depth and rng.random() < 0.8:
        parts = []
        for _ in range(rng.integers(1, 4)):
            low, high = np.sort(rng.uniform(-100, 40, 2)).round(2)
            between = f"(u > {low}) and (u <= {high})"
            told = [f"u < {low}", between, f"not ((u < {low}) or (u > {high}))"]
            parts += [str(rng.choice(told)), positive(rng, depth - 1)]
        return f"piecewise({', '.join(parts)}, {positive(rng, depth - 1)})"
    size, place, sign = rng.uniform(0.01, 0.2), rng.uniform(-90, 20), rng.choice([-1, 1])
    if rng.random() < 0.5:
        return f"{size:.3f} * exp((u - {place:.1f}) / {sign * rng.uniform(60, 90):.1f})"
    return f"{size:.3f} / (1 + exp((u - {place:.1f}) / {sign * rng.uniform(4, 12):.1f}))"


def plain(rng):
    """Gates, by opening and closing or by limit and time; a concentration; their currents."""
    given, slopes, start, currents = {}, {}, {}, []
    for k in range(rng.integers(1, 4)):
        x = f"g{k}.x"
        given[f"g{k}.a"], given[f"g{k}.b"] = positive(rng, 2), positive(rng, 1)
        slopes[x] = f"g{k}.a * (1 - g{k}.x) - g{k}.b * g{k}.x"
        if rng.random() < 0.5:
            slopes[x] = f"(1 / (1 + exp(-(u + 40) / 6)) - g{k}.x) / (1 + 1 / g{k}.a)"
        given[f"g{k}.g"] = f"{rng.uniform(0.002, 0.02):.4f}"
        drive = f"(u + {rng.uniform(-60, 90):.1f})"
        given[f"g{k}.i"] = f"g{k}.g * g{k}.x ^ {rng.integers(1, 4)} * {drive}"
        currents.append(f"g{k}.i")
        start[x] = round(rng.uniform(0.05, 0.95), 3)
    slopes["ion.c"] = "0.002 * g0.i - 0.01 * ion.c ^ 2 / (ion.c + 5)"
    given["leak.i"] = f"0.004 * (u + 80) * {positive(rng, 2)}"
    start["ion.c"] = 7.5
    slopes["m.v"] = f"-({' + '.join(currents)} + leak.i)"
    return Plain(given, slopes, {"m.v": -80.0} | start)


def written(rng, of: Plain, path: Path):
    """The file, and what each variable is called when it is read."""
    time, speed = [("ms", 1), ("s", 1000)][rng.integers(2)]
    volt, size = [("mV", 1), ("V", 0.001)][rng.integers(2)]
    given = {"m.u": f"m.v / {size}"} | of.given
    for own in (f"spare{k}." for k in range(rng.integers(3))):
        given |= {own + n: text.replace("off", f"{own}off") for n, text in SPARE.items()}
    new = {name: name.split(".")[1] for name in (*given, *of.slopes)}
    if rng.random() < 0.7:
        words = rng.permutation([f"{letter}{k}_x" for letter in "pqrwyz" for k in range(9)])
        new = dict(zip(new, map(str, words[: len(new)]), strict=True))

    def told(text):
        text = re.sub(r"\bu\b", "m.u", text)
        return re.sub(r"\b([a-z]\w*)\.([a-z]\w*)\b", lambda m: f"{m[1]}.{new[m[0]]}", text)

    lines = ["[[model]]"]
    lines += [told(n) + f" = {x * (size if n == 'm.v' else 1)}" for n, x in of.start.items()]
    lines += ["[engine]", "time = 0 bind time", f"    in [{time}]", "pace = 0 bind pace"]
    for component in rng.permutation(sorted({name.split(".")[0] for name in new})):
        lines.append(f"[{component}]")
        for name in rng.permutation([n for n in new if n.startswith(f"{component}.")]):
            if name in given:
                lines.append(f"{new[name]} = {told(given[name])}")
                continue
            slope = told(of.slopes[name])
            if name == "m.v":
                slope, unit = f"{size} * ({slope} + 40 * engine.pace)", [f"    in [{volt}]"]
            lines += [f"dot({new[name]}) = {speed} * ({slope})", *(unit if name == "m.v" else [])]
    path.write_text("\n".join(lines) + "\n")
    many = list(new.values())
    return {n: new[n] if many.count(new[n]) == 1 else told(n).replace(".", "_") for n in new}


def in_cellml(rng, path: Path) -> Path:
    """The same file as CellML, by Myokit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, other = myokit.load_model(str(path)), path.with_suffix(".cellml")
        version = str(rng.choice(["1.0", "1.1", "2.0"]))
        myokit.formats.exporter("cellml").model(str(other), model, version=version)
    return other


def held(seed, folder, beat=False):
    rng = np.random.default_rng(seed)
    of = plain(rng)
    path = folder / f"made{seed}.mmt"
    called = written(rng, of, path)
    if rng.random() < 0.4:
        path = in_cellml(rng, path)
    model = read_membrane(path)
    assert model.program.voltage == called["m.v"]
    assert set(model.program.states) == {called[n] for n in of.slopes if n != "m.v"}
    wanted = {called[name] for name in of.given if name.endswith(".g")}
    assert set(model.named()) - {"pace"} == wanted  # nothing of what is not needed
    V, share = rng.uniform(-110, 50, 40), rng.uniform(0.2, 2.0, 40)
    state = {n: x * share for n, x in of.start.items() if n != "m.v"}
    renamed = {called[n]: jnp.asarray(x) for n, x in state.items()}
    found = derivatives(model, jnp.asarray(V), renamed)
    for name, wanted in of.at(V, state).items():
        own = found["V" if name == "m.v" else called[name]]
        np.testing.assert_allclose(own, wanted, rtol=1e-9, atol=1e-12, err_msg=f"{seed} {name}")
    if beat:
        assert check_import(path, model, Pacing(cycle_length=60.0)).largest < 0.02


def test_a_generated_model_is_the_plain_one(tmp_path, x64):
    """All derivatives at 40 random states, to round-off of other units."""
    for seed in range(12):
        held(seed, tmp_path)
    text = "".join(path.read_text() for path in tmp_path.glob("made*.mmt"))
    for varied in ("in [s]", "in [ms]", "in [V]", "in [mV]", "[spare1]", "g0.x", "piecewise"):
        assert varied in text
    assert list(tmp_path.glob("*.cellml"))


@pytest.mark.long
def test_many_generated_models_are_the_plain_ones(tmp_path, x64):
    """And a beat of ten of them agrees with LSODA's."""
    for seed in range(100, 300):
        held(seed, tmp_path, beat=seed % 20 == 0)
