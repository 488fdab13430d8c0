"""The run directory: filled beside its final place, and renamed into it at the end."""

import platform
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from heartsim._files import NEW, whole
from heartsim._memory import freed_goes_back, pages_go_back
from heartsim.ecg import twelve_leads
from heartsim.ionic import is_file
from heartsim.mesh import write_mesh
from heartsim.tissue import Carry

from ._checkpoint import POINTER, Record, find_checkpoint, machine
from ._files import checksum, write_json, write_leads, write_text
from ._front import FrontScene, activate, build_front
from ._loop import Progress, Runaway, run_scene
from ._read import locate, read_scenario, to_toml
from ._rows import Rows
from ._scene import Scene, build_scene, precision
from ._schema import Scenario
from ._state import save_state
from ._summary import Times, beats_of, late, shortfall, summarise, times_of
from ._tissue import membrane_names
from ._vtkhdf import write_vtkhdf


def run_scenario(
    scenario: str | Path | Scenario,
    out: str | Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    finish: Callable[[Path], None] | None = None,
    cache: Path | None = None,
    done: "Done | None" = None,
    keep: bool = True,
) -> Rows:
    """Run a scenario and write the run directory `out`; return its summary.

    While it runs everything lies in `out`.partial, checkpoints included; `resume` goes on from
    the last one, bit for bit. `finish` may add files (pictures) to the directory before it is
    renamed. Tuned conductivities are kept in the folder `cache`. `done` is the run where it was
    computed already, with others (`run_batch`). Without `keep` only scenario, manifest and summary
    are written, for who wants the numbers alone.

    ValueError if `out` exists, if `resume` meets a checkpoint that is damaged or of another
    scenario, mesh, precision, device or version, and for whatever `read_scenario` refuses.
    """
    scenario = scenario if isinstance(scenario, Scenario) else read_scenario(scenario)
    clock = time.time(), time.process_time()
    inputs = input_checksums(scenario)
    identity = _identity(scenario, inputs)
    folder = open_new(Path(out), resume)
    checkpoint = find_checkpoint(folder, identity) if resume else None
    try:
        with precision(scenario):
            write_text(folder / "scenario.toml", to_toml(scenario))
            if done is None and scenario.solver.model == "eikonal":
                done = run_front(build_front(scenario, cache))
            elif done is None:
                done = _run_loop(scenario, cache, folder, identity, checkpoint, progress)
            summary = save(done, folder, keep)
        seconds = {
            "device_seconds": done.seconds,
            "wall_seconds": time.time() - clock[0],
            "cpu_seconds": time.process_time() - clock[1],
        }
        write_json(folder / "manifest.json", manifest(done.scene, inputs, summary) | seconds)
        if finish is not None:
            finish(folder)
    except Exception as error:
        if isinstance(error, Runaway) or not (folder / POINTER).is_file():
            shutil.rmtree(folder)  # nothing in it that a later run could go on from
        raise
    close(folder, Path(out))
    return summary


class Done(NamedTuple):
    """What a run of any model leaves."""

    scene: Scene | FrontScene
    record: Record
    times: Times
    seconds: float  # on the device
    carry: Carry | None = None  # where a run through time ended


def run_front(scene: FrontScene) -> Done:
    """An eikonal run."""
    begun = time.time()
    record, times = activate(scene)
    return Done(scene, record, times, time.time() - begun)


@pages_go_back()
def _run_loop(scenario, cache, folder: Path, identity, checkpoint, progress) -> Done:
    """A run through time, with its voltages."""
    if checkpoint is None:  # of a process that was killed before its first
        _remove(folder, "V-*.npy")
    scene = build_scene(scenario, cache)
    begun = time.time()
    carry, record = run_scene(scene, folder, identity, checkpoint, progress)
    seconds = time.time() - begun
    if scenario.output.voltage_every_ms is not None:
        _write_voltage(scene, folder)
    return Done(scene, record, times_of(scene, carry), seconds, carry)


def input_checksums(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of every file that the scenario reads."""
    return {str(path): checksum(path) for path in input_files(scenario)}


def input_files(scenario: Scenario) -> list[Path]:
    """Every file that the scenario reads; FileNotFoundError if one is absent."""
    heart, ecg = scenario.heart, scenario.ecg
    mesh = locate(heart.mesh)
    carp = [mesh.with_suffix(end) for end in (".pts", ".elem", ".lon")]
    paths = [mesh] if mesh not in carp else [p for p in carp if p.is_file()]
    if ecg.electrodes not in ("default", "none"):
        paths.append(locate(ecg.electrodes))
    if ecg.torso not in (None, "ellipsoid"):
        paths.append(locate(ecg.torso))
    paths += [locate(tree.tree) for tree in scenario.purkinje]
    paths += [locate(drug.table) for drug in scenario.drug]
    paths += [locate(name) for name in sorted(_membrane_files(scenario))]
    if heart.initial_state is not None:
        paths.append(locate(heart.initial_state))
    return paths


def _membrane_files(scenario: Scenario) -> set[str]:
    """Files of cell models that the scenario names."""
    return {name for name in membrane_names(scenario) if is_file(name)}


def manifest(scene: Scene | FrontScene, inputs: dict[str, str], summary: Rows) -> dict[str, Any]:
    """How a run came about; nothing in it is drawn by chance."""
    notes = [*shortfall(summary), *late(scene, summary), *scene.notes]
    return provenance(inputs, scene.scenario.solver.precision, None, notes)


def provenance(
    inputs: dict[str, str], precision: str, seed: int | None, notes: list[str]
) -> dict[str, Any]:
    """Inputs, versions, device, precision, seed, and notes for the reader."""
    packages = ("heartsim", "jax", "jaxlib", "equinox", "numpy")
    return {
        "inputs_sha256": inputs,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
        "machine": machine() | {"system": sys.platform},
        "precision": precision,
        "seed": seed,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "notes": notes,
    }


def _identity(scenario: Scenario, inputs: dict[str, str]) -> dict[str, Any]:
    """What must be the same for a checkpoint to be gone on from."""
    return {
        "precision": scenario.solver.precision,
        "scenario": scenario.model_dump(mode="json"),
        "input file": inputs,
        "heartsim version": version("heartsim"),
    } | machine()


def open_new(out: Path, resume: bool = False) -> Path:
    """The folder in which `out` is made, beside it; ValueError where either exists already."""
    require_new(out)
    folder = partial_of(out)
    try:
        folder.mkdir(parents=True, exist_ok=resume)
    except FileExistsError:
        raise ValueError(
            f"{folder} holds a run that was stopped; go on with --resume, or remove it."
        ) from None
    return folder


def partial_of(out: Path) -> Path:
    """Where `out` lies until it is whole."""
    out = out.absolute()
    return out.with_name(f"{out.name}.partial")


def require_new(out: Path) -> None:
    """ValueError where something lies at `out` already; an empty folder is nothing."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} exists and is not overwritten; give another --out, or remove it.")


def close(folder: Path, out: Path) -> None:
    """Put what is complete in its final place, without what only a stopped run needs."""
    _remove(folder, "checkpoint*", "V-*.npy")
    for path in folder.glob(f"{NEW}*"):  # of a process that was killed while it wrote
        shutil.rmtree(path)
    put(folder, out)


def put(folder: Path, out: Path) -> None:
    """Move what is whole to its final place."""
    if out.absolute() != Path.cwd():
        folder.rename(out)
        return
    for path in folder.iterdir():  # who stands in the folder would not see another of its name
        path.rename(out / path.name)
    folder.rmdir()


def _remove(folder: Path, *patterns: str) -> None:
    """The files of these names, if there are any."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            path.unlink()


@freed_goes_back()
def save(done: Done, folder: Path, keep: bool = True) -> Rows:
    """Every other result but the pictures, or without `keep` the summary alone; returns that."""
    summary = summarise(done.scene, done.record, done.times)
    if keep:
        _write_results(done, folder)
    write_json(folder / "summary.json", summary)
    return summary


def _write_results(done: Done, folder: Path) -> None:
    scene, record, times, _, carry = done
    _write_map(scene, times, folder / "activation.vtu")
    _write_activations(scene, record, folder / "activations.csv")
    if scene.field is not None:
        _write_ecg(scene, record, folder / "ecg.csv")
    if isinstance(scene, Scene) and carry is not None:
        save_state(folder / "state.npz", scene, carry)


def _write_map(scene: Scene | FrontScene, times: Times, path: Path) -> None:
    fields = {f"{name}_ms": values for name, values in times._asdict().items()}
    mesh = eqx.tree_at(lambda m: m.point_data, scene.mesh, scene.mesh.point_data | fields)
    write_mesh(mesh, path)


def _write_activations(scene: Scene | FrontScene, record: Record, path: Path) -> None:
    rows = zip(scene.nodes[record.node], beats_of(record), record.time, strict=True)
    lines = [f"{node},{beat},{t:.4f}" for node, beat, t in rows]
    write_text(path, "\n".join(["node,beat,activation_ms", *lines]) + "\n")


def _write_ecg(scene: Scene | FrontScene, record: Record, path: Path) -> None:
    leads = np.asarray(twelve_leads(record.leads))
    time = (1 + np.arange(len(leads))) * scene.scenario.output.sample_ms
    write_leads(path, time, leads)


def _write_voltage(scene: Scene, folder: Path) -> None:
    output, duration = scene.scenario.output, scene.scenario.solver.duration_ms
    frame = output.samples_per_frame * output.sample_ms
    times = frame * (1 + np.arange(int(duration / frame + 1e-9)))
    chunks = sorted(folder.glob("V-*.npy"))
    with whole(folder / "V.vtkhdf") as new:
        write_vtkhdf(new, scene.mesh, scene.nodes, times, chunks)
