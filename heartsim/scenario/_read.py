"""From a TOML file to a scenario, or one sentence that says what is wrong with it."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
from pydantic import ValidationError

from heartsim.ionic import is_file
from heartsim.tissue import whole_steps

from ._schema import Scenario
from ._section import OnBase, Section
from ._sentence import sentence

T = TypeVar("T", bound=Section)
B = TypeVar("B", bound=OnBase)

SHIPPED = "shipped:"
"""Before the name of a file that comes with heartsim: mesh = "shipped:biventricular.vtu"."""


def read_scenario(path: str | Path) -> Scenario:
    """The scenario of a TOML file, with every default filled in and every path absolute.

    ValueError names file, section and key of the first thing that is wrong, what is wanted, and
    the nearest known key; FileNotFoundError if there is no such file.
    """
    path = Path(path)
    return scenario_from(read_toml(path, "scenario"), path.name, path.resolve().parent)


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """The content of a TOML file; ValueError or FileNotFoundError says what is wrong."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; give a {kind} file (.toml).")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: this is not TOML: {error}.") from None


def validated(model: type[T], data: dict[str, Any], name: str) -> T:
    """The sections of a file; ValueError names the file and the first thing that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ValueError(f"{name}: {sentence(error, model)}") from None


def read_on_base(model: type[B], path: str | Path, kind: str) -> B:
    """The file, its base absolute; ValueError names what is wrong, as `read_scenario` does."""
    path = Path(path)
    read = validated(model, read_toml(path, kind), path.name)
    return read.model_copy(update={"base": absolute(read.base, path.resolve().parent)})


def scenario_from(
    data: dict[str, Any], name: str = "scenario", folder: Path | None = None
) -> Scenario:
    """The scenario of a dictionary shaped like the file; paths are relative to `folder`."""
    folder = Path.cwd() if folder is None else folder
    scenario = with_paths(validated(Scenario, data, name), folder)
    trees = [
        tree.model_copy(update={"tree": absolute(tree.tree, folder)}) for tree in scenario.purkinje
    ]
    regions = [
        region.model_copy(update={"ionic": region.ionic and _membrane(region.ionic, folder)})
        for region in scenario.region
    ]
    drugs = [
        drug.model_copy(update={"table": absolute(drug.table, folder)}) for drug in scenario.drug
    ]
    changed = {"purkinje": trees, "region": regions, "drug": drugs}
    scenario = scenario.model_copy(update=changed)
    try:
        _check_times(scenario)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return scenario


def to_toml(scenario: Section) -> str:
    """A scenario, or another file, as TOML, every default written out; keys that are absent have
    no default."""
    return tomli_w.dumps(scenario.model_dump(exclude_none=True))


def shipped(name: str) -> Path:
    """A file that comes with heartsim: in the wheel, or beside the package in a checkout."""
    package = Path(str(files("heartsim")))
    places = [package / "_meshes", package.parent / "meshes"]
    for place in places:
        if (place / name).is_file():
            return place / name
    there = sorted({p.name for place in places if place.is_dir() for p in place.iterdir()})
    raise FileNotFoundError(f"{SHIPPED}{name} does not exist; shipped are {', '.join(there)}.")


def locate(reference: str) -> Path:
    """The file behind a path or a `shipped:` name; FileNotFoundError if there is none."""
    if reference.startswith(SHIPPED):
        return shipped(reference.removeprefix(SHIPPED))
    if not Path(reference).is_file():
        raise FileNotFoundError(f"{reference} does not exist; check the path.")
    return Path(reference)


def with_paths(scenario: Any, folder: Path) -> Any:
    """A file with sections heart and ecg, their paths absolute; CARP meshes in their unit."""
    heart, ecg = scenario.heart, scenario.ecg
    mesh = absolute(heart.mesh, folder)
    changed: dict[str, Any] = {"mesh": mesh}
    if heart.initial_state is not None:
        changed["initial_state"] = absolute(heart.initial_state, folder)
    changed["ionic"] = _membrane(heart.ionic, folder)
    if heart.layers is not None:
        own = {key: _membrane(getattr(heart.layers, key), folder) for key in ("endo", "mid", "epi")}
        changed["layers"] = heart.layers.model_copy(update=own)
    if "unit" not in heart.model_fields_set and Path(mesh).suffix in (".pts", ".elem"):
        changed["unit"] = "um"
    if ecg.electrodes not in ("default", "none"):
        ecg = ecg.model_copy(update={"electrodes": absolute(ecg.electrodes, folder)})
    if ecg.torso not in (None, "ellipsoid"):
        ecg = ecg.model_copy(update={"torso": absolute(ecg.torso, folder)})
    heart = heart.model_copy(update=changed)
    return scenario.model_copy(update={"heart": heart, "ecg": ecg})


def _membrane(name: str, folder: Path) -> str:
    """The name of a cell model, its path absolute where it is a file."""
    return absolute(name, folder) if is_file(name) else name


def absolute(reference: str, folder: Path) -> str:
    """A path beside the file that names it; names of shipped files stay."""
    return reference if reference.startswith(SHIPPED) else str((folder / reference).resolve())


def _check_times(scenario: Scenario) -> None:
    """Every time that the loop counts in steps is a whole number of them."""
    dt, sample = scenario.solver.dt_ms, scenario.output.sample_ms
    if whole_steps(sample, dt, "[output] sample_ms") < 1:
        raise ValueError(f"[output] sample_ms = {sample:g} is less than [solver] dt_ms = {dt:g}.")
    for key, time in (
        ("[solver] duration_ms", scenario.solver.duration_ms),
        ("[output] voltage_every_ms", scenario.output.voltage_every_ms),
    ):
        if time is not None and abs(round(time / sample) * sample - time) > 1e-6 * sample:
            raise ValueError(
                f"{key} = {time:g} is not a multiple of [output] sample_ms = {sample:g}."
            )
    for number, pulses in enumerate(scenario.stimulus, start=1):
        if pulses.beats > 1:
            whole_steps(pulses.cycle_ms, dt, f"[[stimulus]] {number}: cycle_ms")
    entered = any(tree.start_ms is not None for tree in scenario.purkinje)
    if not scenario.stimulus and not entered and scenario.heart.initial_state is None:
        raise ValueError(
            "[[stimulus]] is missing: nothing would start; give at least one"
            + (", or a tree its start_ms." if scenario.purkinje else ".")
        )
