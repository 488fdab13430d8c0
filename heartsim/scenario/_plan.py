"""Pacing options on one heart, compared by QRS duration and activation."""

import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from heartsim import therapy
from heartsim.ecg import LEADS, MEASURES, Recording, after_rest, measure, twelve_leads
from heartsim.mesh import Mesh, write_mesh
from heartsim.tissue import NEVER

from ._arrivals import arrival_times, start_times
from ._directory import Done, close, input_checksums, open_new, provenance, save
from ._files import checksum, write_json, write_table, write_text
from ._front import FrontScene, at_times, build_front
from ._places import nodes_at
from ._plan_schema import BASELINE, Plan, option_beats, paced
from ._read import locate, read_on_base, read_scenario, to_toml
from ._rows import Rows, row
from ._scene import precision
from ._schema import Scenario

QRS = "qrs_duration_ms"
TAIL = 300.0  # ms of leads after the last activation: the end of QRS is told from ST and T; ours


class Beat(NamedTuple):
    """One activation of the heart, paced or not."""

    name: str
    activation: Float[np.ndarray, " nodes"]  # ms
    values: dict[str, float]


def read_plan(path: str | Path) -> Plan:
    """The plan of a TOML file; ValueError names what is wrong, as `read_scenario` does."""
    return read_on_base(Plan, path, "plan")


def run_plan(
    plan: str | Path | Plan,
    out: str | Path,
    *,
    progress: Callable[[float, float], None] | None = None,
    finish: Callable[[Path], None] | None = None,
    cache: Path | None = None,
) -> list[Rows]:
    """Compute the baseline and every option; write `out` and return one row of numbers for each.

    `out` holds plan.toml, table.csv, summary.json, manifest.json, activation.vtu with a field
    for each beat, and in beats/ a run directory for each. ValueError for what does not fit.
    """
    plan = plan if isinstance(plan, Plan) else read_plan(plan)
    base = read_scenario(locate(plan.base))
    if base.solver.model != "eikonal":
        raise ValueError(
            f'{plan.base}: a plan needs [solver] model = "eikonal", and this scenario has '
            f"{base.solver.model!r}."
        )
    with precision(base):
        scene = build_front(base, cache)
        scenarios = _scenarios(plan, base, scene.mesh)
        folder = open_new(Path(out))
        try:
            beats = []
            for k, (name, scenario) in enumerate(scenarios.items()):
                beats.append(_beat(folder, k, name, of_beat(scene, scenario), plan))
                if progress is not None:
                    progress(float(k + 1), float(len(scenarios)))
            rows = [_rows(beat, beats[0]) for beat in beats]
            _save(folder, plan, scene, beats, rows)
            inputs = {plan.base: checksum(locate(plan.base))} | input_checksums(base)
            about = provenance(inputs, base.solver.precision, None, list(scene.notes))
            write_json(folder / "manifest.json", about)
            if finish is not None:
                finish(folder)
        except Exception:
            shutil.rmtree(folder)  # seconds of work: nothing to go on from
            raise
    close(folder, Path(out))
    return rows


def of_beat(scene: FrontScene, scenario: Scenario) -> FrontScene:
    """The scene of the same heart with other stimuli."""
    start = start_times(scenario, scene.mesh, scene.nodes, scene.paths, scene.M)
    return scene._replace(scenario=scenario, start=start)


def slug(number: int, name: str) -> str:
    """A folder's name for a beat: its number, and what of its name every system can store."""
    return f"{number:02d}-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _scenarios(plan: Plan, base: Scenario, mesh: Mesh) -> dict[str, Scenario]:
    """The baseline, and every beat of every option."""
    for number, lead in enumerate(plan.lead, start=1):
        try:
            nodes_at(lead.at, mesh)
        except ValueError as error:
            raise ValueError(f"[[lead]] {number} ({lead.name}): {error}") from None
    for key, tags in (("lv", plan.lv), ("rv", plan.rv)):
        try:
            [mesh.region_tag(tag) for tag in tags]
        except ValueError as error:
            raise ValueError(f"{key}: {str(error).removeprefix('mesh: ')}") from None
    scenarios = {BASELINE: base}
    for option in plan.option:
        for name, delays in option_beats(option):
            scenarios[name] = paced(base, plan, option, delays)
    return scenarios


def _beat(folder: Path, number: int, name: str, scene: FrontScene, plan: Plan) -> Beat:
    """Run one beat, and keep its run directory."""
    T = np.asarray(arrival_times(scene.paths, scene.M, scene.start, len(scene.nodes)))
    last = float(T[T < NEVER / 2].max(initial=0.0))
    scene = scene._replace(scenario=_seen_to_its_end(scene.scenario, last))
    done = Done(scene, *at_times(scene, T), 0.0)
    own = folder / "beats" / slug(number, name)
    own.mkdir(parents=True)
    write_text(own / "scenario.toml", to_toml(scene.scenario))
    save(done, own)
    mesh, activation = scene.mesh, done.times.activation
    lv, rv = (
        np.isin(np.asarray(mesh.regions), [mesh.region_tag(tag) for tag in tags])
        for tags in (plan.lv, plan.rv)
    )
    values = therapy.indices(mesh, activation, lv, rv)._asdict()
    if scene.field is not None:
        rate = 1000.0 / scene.scenario.output.sample_ms
        ecg = Recording(np.asarray(twelve_leads(done.record.leads)), rate, LEADS)
        values = {QRS: float(measure(after_rest(ecg)).values[QRS])} | values
    return Beat(name, activation, values)


def _seen_to_its_end(scenario: Scenario, last: float) -> Scenario:
    """The scenario, made longer where its leads would end before TAIL after the last activation."""
    solver, sample = scenario.solver, scenario.output.sample_ms
    if solver.duration_ms >= last + TAIL:
        return scenario
    duration = sample * math.ceil((last + TAIL) / sample)
    longer = solver.model_copy(update={"duration_ms": duration})
    return scenario.model_copy(update={"solver": longer})


def _rows(beat: Beat, baseline: Beat) -> Rows:
    rows = {"beat": row(beat.name, "", "the option, with the pacing times of its leads if several")}
    for key, value in beat.values.items():
        unit, definition = (MEASURES if key == QRS else therapy.DEFINITIONS)[key]
        rows[key] = row(value, unit, definition)
        if beat is not baseline:
            change = value - baseline.values[key]
            rows[f"{key.removesuffix('_ms')}_change_ms"] = row(
                change, unit, f"{key} less that of the baseline"
            )
    return rows


def _save(folder: Path, plan: Plan, scene: FrontScene, beats: list[Beat], rows) -> None:
    write_text(folder / "plan.toml", to_toml(plan))
    write_json(folder / "summary.json", rows)
    keys = list(beats[0].values)
    lines = [[b.name, *(f"{b.values[k]:.4g}" for k in keys)] for b in beats]
    write_table(folder / "table.csv", ["beat", *keys], lines)
    fields = {f"activation_{slug(k, b.name)}_ms": b.activation for k, b in enumerate(beats)}
    mesh = eqx.tree_at(lambda m: m.point_data, scene.mesh, scene.mesh.point_data | fields)
    write_mesh(mesh, folder / "activation.vtu")
