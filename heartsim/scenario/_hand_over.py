"""From the eikonal to the monodomain model: the same velocities and sites, and what differs."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from heartsim.ecg import Recording, after_rest, measure, read_ecg
from heartsim.fit import INDEPENDENT
from heartsim.mesh import Mesh, edge_lengths, read_mesh, write_mesh

from ._directory import require_new, run_scenario
from ._files import write_json
from ._loop import Progress
from ._read import read_scenario, scenario_from
from ._rows import Rows, row
from ._scene import build_mesh
from ._schema import Scenario

EIKONAL = "eikonal"
"""Folder of the eikonal run in a hand-over's directory."""

RADIUS = 3.0
"""mm, least radius of the tissue that a pulse excites where a front started from a point: enough
to capture (tests/scenario/test_hand_over.py); an edge where edges are longer."""

QRS_END = 10.0
"""ms after the latest arrival, until which leads are compared: an upstroke has a width."""

HAND_OVER_DEFINITIONS = {
    "hand_over_delay_ms": (
        "ms",
        "median over nodes of monodomain minus eikonal activation: capture, and the size of the "
        "excited tissue; taken off the monodomain before every comparison",
    ),
    "hand_over_rmse_ms": (
        "ms",
        "root mean square over nodes of the remaining difference in activation",
    ),
    "hand_over_p95_ms": ("ms", "95th percentile of its magnitude"),
    "hand_over_correlation": ("1", "Pearson's correlation of the two activations"),
    "total_activation_eikonal_ms": ("ms", "latest minus earliest arrival of the eikonal model"),
    "qrs_duration_eikonal_ms": ("ms", "QRS duration of the eikonal model's leads"),
    "qrs_duration_monodomain_ms": ("ms", "QRS duration of the monodomain model's leads"),
    "qrs_correlation": (
        "1",
        f"Pearson's correlation of the two models' leads (I, II, V1 to V6 together) from the start "
        f"to {QRS_END:g} ms after the latest arrival",
    ),
    "qrs_correlation_by_lead": ("1", "the same for each lead"),
}
"""Unit and meaning of each number that compares the two."""


def run_hand_over(
    given: str | Path,
    out: str | Path,
    *,
    edge: float = 2.0,
    resume: bool = False,
    progress: Progress | None = None,
    finish: Callable[[Path], None] | None = None,
    cache: Path | None = None,
) -> Rows:
    """Run an eikonal scenario as monodomain with velocities tuned, and write the run directory
    `out` with the eikonal run in it, compared.vtu, and the comparison in summary.json.

    `given` is the scenario, or the directory of a fit. The mesh is refined until its mean edge is
    at most `edge` [mm]. ValueError for a fit that is none, for a scenario of another model or
    without leads, and for whatever `run_scenario` refuses.
    """
    front, out = eikonal_of(Path(given)), Path(out)
    require_new(out)
    scenario = monodomain_of(front, edge)
    rows: Rows = {}
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent) as place:
        early = Path(place) / EIKONAL
        run_scenario(front, early, cache=cache)
        if not (early / "ecg.csv").is_file():
            raise ValueError(
                f"{given}: leaves no leads to compare; give [ecg] electrodes, and a mesh of "
                "tetrahedra."
            )

        def compare(folder: Path) -> None:
            shutil.rmtree(folder / EIKONAL, ignore_errors=True)  # of a run stopped just here
            shutil.move(early, folder / EIKONAL)
            summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
            rows.update(summary | _compared(folder))
            write_json(folder / "summary.json", rows)
            if finish is not None:
                finish(folder)

        run_scenario(scenario, out, resume=resume, progress=progress, finish=compare, cache=cache)
    return rows


def eikonal_of(given: Path) -> Scenario:
    """The scenario to hand over; ValueError where the fit that it comes from was none."""
    if not given.is_dir():
        return _require_front(read_scenario(given), given.name)
    summary, scenario = given / "summary.json", given / "scenario.toml"
    if not scenario.is_file():
        raise ValueError(f"{given}: holds no scenario.toml; give the directory of a fit.")
    rows = json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else {}
    if "fitted" in rows and not rows["fitted"]["value"]:
        raise ValueError(
            f"{given}: is no fit ({rows['verdict']['value'].rstrip('.')}) and is not handed over; "
            "fit again, with more starts or fewer unknowns."
        )
    return _require_front(read_scenario(scenario), str(scenario))


def _require_front(scenario: Scenario, name: str) -> Scenario:
    if scenario.solver.model != "eikonal":
        raise ValueError(
            f'{name}: a hand-over begins with [solver] model = "eikonal", and this scenario has '
            f"{scenario.solver.model!r}."
        )
    return scenario


def monodomain_of(front: Scenario, edge: float) -> Scenario:
    """The monodomain scenario of an eikonal one, on a mesh of edges no longer than `edge` [mm]."""
    length = float(np.mean(edge_lengths(build_mesh(front))))
    finer = max(0, int(np.ceil(np.log2(length / edge) - 1e-9)))
    data: dict[str, Any] = front.model_dump(exclude_none=True)
    data["heart"]["refine"] += finer
    data["solver"]["model"] = "monodomain"
    data.pop("template", None)
    for pulses, own in zip(front.stimulus, data["stimulus"], strict=True):
        if pulses.at.is_point:
            own["at"]["radius_mm"] = max(RADIUS, length / 2**finer)
    return scenario_from(data)


def _compared(folder: Path) -> Rows:
    """The rows that compare a monodomain run with the eikonal one in it; writes compared.vtu."""
    coarse = read_mesh(folder / EIKONAL / "activation.vtu")
    fine = read_mesh(folder / "activation.vtu")
    early = np.asarray(coarse.point_data["activation_ms"], float)
    late = np.asarray(fine.point_data["activation_ms"], float)[: len(early)]  # refining appends
    delay = float(np.nanmedian(late - early))
    late = late - delay
    _write_fields(coarse, early, late, folder / "compared.vtu")
    both = np.isfinite(early) & np.isfinite(late)
    apart = np.abs(late - early)[both]
    simple, full = (_recording(folder / name) for name in (f"{EIKONAL}/ecg.csv", "ecg.csv"))
    qrs = _same_times(simple, full, delay, simple.time <= np.nanmax(early) + QRS_END)
    values = {
        "hand_over_delay_ms": delay,
        "hand_over_rmse_ms": float(np.sqrt(np.mean(apart**2))),
        "hand_over_p95_ms": float(np.quantile(apart, 0.95)),
        "hand_over_correlation": _correlation(early[both], late[both]),
        "total_activation_eikonal_ms": float(np.nanmax(early) - np.nanmin(early)),
        "qrs_duration_eikonal_ms": _qrs_duration(simple),
        "qrs_duration_monodomain_ms": _qrs_duration(full),
        "qrs_correlation": _correlation(qrs[0].ravel(), qrs[1].ravel()),
        "qrs_correlation_by_lead": {
            name: _correlation(a, b) for name, a, b in zip(INDEPENDENT, *qrs, strict=True)
        },
    }
    return {name: row(value, *HAND_OVER_DEFINITIONS[name]) for name, value in values.items()}


def _write_fields(mesh: Mesh, early, late, path: Path) -> None:
    fields = {"eikonal_ms": early, "monodomain_ms": late, "difference_ms": late - early}
    write_mesh(dataclasses.replace(mesh, point_data=fields), path)


def _recording(path: Path) -> Recording:
    return read_ecg(str(path), check=False)


def _same_times(early: Recording, late: Recording, delay: float, within):
    """The independent leads of both, those of `late` moved back by `delay` [ms]."""
    time = early.time[within]
    moved = [np.interp(time + delay, late.time, late.lead(name)) for name in INDEPENDENT]
    return np.array([early.lead(name)[within] for name in INDEPENDENT]), np.array(moved)


def _qrs_duration(ecg: Recording) -> float:
    return float(measure(after_rest(ecg)).values["qrs_duration_ms"])


def _correlation(a, b) -> float:
    return float(np.corrcoef(a, b)[0, 1])
