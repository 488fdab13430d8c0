"""The run directory of a fit: filled beside its final place, and renamed into it at the end."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from heartsim._files import NEW
from heartsim.fit import Fit, Problem, Search, fit_qrs, to_twelve
from heartsim.mesh import write_mesh
from heartsim.tissue import in_wall

from ._directory import input_checksums, provenance, put, require_new
from ._files import checksum, write_json, write_leads, write_text
from ._fit_read import FitScene, build_fit, read_fit
from ._fit_schema import FitFile
from ._fit_summary import summarise_fit
from ._front_schema import FastLayer
from ._loop import Progress
from ._read import locate, to_toml
from ._rows import Rows
from ._schema import BulkConduction, Ecg, Place, Pulses, Scenario, Solver


def run_fit(
    file: str | Path | FitFile,
    out: str | Path,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
    finish: Callable[[Path], None] | None = None,
    cache: Path | None = None,
) -> Rows:
    """Fit a QRS and write the run directory `out`; return its summary.

    `seed` goes before that of the file. `finish` may add files (pictures) to the directory before
    it is renamed. A result outside the gate is written too, and says `fitted: false`. ValueError
    if `out` exists, and for whatever `read_fit` and `build_fit` refuse.
    """
    out = Path(out).absolute()
    require_new(out)
    file = file if isinstance(file, FitFile) else read_fit(file)
    file = file if seed is None else _with_seed(file, seed)
    clock = time.time(), time.process_time()
    inputs = _inputs(file)
    scene = build_fit(file, cache)
    out.parent.mkdir(parents=True, exist_ok=True)  # before the search, lest its result be lost
    begun = time.time()
    fit = fit_qrs(scene.problem, Search(**file.search.model_dump()), progress)
    seconds = {"device_seconds": time.time() - begun}
    summary = summarise_fit(scene, fit)
    seconds |= {
        "wall_seconds": time.time() - clock[0],
        "cpu_seconds": time.process_time() - clock[1],
    }
    notes = [fit.sentence, *scene.notes]
    manifest = provenance(inputs, "float32", file.search.seed, notes) | seconds
    with TemporaryDirectory(dir=out.parent, prefix=f"{NEW}{out.name}-") as place:
        folder = Path(place) / out.name
        folder.mkdir()
        for name, content in (("manifest.json", manifest), ("summary.json", summary)):
            write_json(folder / name, content)
        write_text(folder / "fit.toml", to_toml(file))
        write_text(folder / "scenario.toml", to_toml(as_scenario(file, fit, scene.problem)))
        _write_results(scene, fit, folder)
        if finish is not None:
            finish(folder)
        put(folder, out)
    return summary


def _with_seed(file: FitFile, seed: int) -> FitFile:
    search = file.search.model_copy(update={"seed": seed})
    return file.model_copy(update={"search": search})


def as_scenario(file: FitFile, fit: Fit, problem: Problem) -> Scenario:
    """What was found as an eikonal scenario: its velocities, and its sources as points of the wall
    (`in_wall`), whose onsets count from the beginning of the fitted window, or from the first of
    them that is before it."""
    along, across = (float(v) for v in fit.best.velocity)
    M = problem.metric(fit.best.velocity)
    found = in_wall(problem.mesh, problem.front, M, fit.best.sources)
    sources = zip(found.position, found.onset, fit.used, strict=True)
    shared = {key: getattr(file.ecg, key) for key in Ecg.model_fields}
    layer, fast = file.fast_layer, None
    onsets = np.asarray(found.onset, float)[np.asarray(fit.used)]
    begun = min([file.ecg.qrs_window_ms[0], *onsets.tolist()])
    if layer is not None:
        fast = FastLayer(surfaces=layer.surfaces, velocity_m_s=layer.times_fibre_velocity * along)
    return Scenario(
        heart=file.heart,
        conduction=BulkConduction(
            velocity_fibre_m_s=along, velocity_sheet_m_s=across, velocity_normal_m_s=across
        ),
        stimulus=[
            Pulses(at=Place(point_mm=[float(x) for x in place]), start_ms=float(onset) - begun)
            for place, onset, used in sources
            if used
        ],
        solver=Solver(model="eikonal"),
        ecg=Ecg(**shared),
        fast_layer=fast,
    )


def _inputs(file: FitFile) -> dict[str, str]:
    """SHA-256 of every file that the fit reads."""
    inputs = input_checksums(file.scenario)
    if file.ecg.file is not None:
        inputs[file.ecg.file] = checksum(locate(file.ecg.file))
    return inputs


def _write_results(scene: FitScene, fit: Fit, folder: Path) -> None:
    """activation.vtu, the fitted leads and the measured ones at the same times."""
    fields = {"activation_ms": np.asarray(fit.activation, float)}
    if scene.true_activation is not None:
        fields["true_activation_ms"] = scene.true_activation
    data = scene.mesh.point_data | fields
    write_mesh(dataclasses.replace(scene.mesh, point_data=data), folder / "activation.vtu")
    times = np.asarray(scene.problem.time, float)
    for name, leads in (("ecg.csv", fit.leads), ("measured.csv", scene.problem.measured)):
        write_leads(folder / name, times, to_twelve(leads))
