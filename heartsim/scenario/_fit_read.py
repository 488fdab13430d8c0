"""From a fit file to the problem that a search solves."""

from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from heartsim._types import AnyArray
from heartsim.ecg import Recording, read_ecg
from heartsim.fit import INDEPENDENT, Parameters, Problem, leads_of_sources, problem
from heartsim.mesh import Mesh, refine
from heartsim.tissue import NEVER, Sources, require_sources

from ._fit_schema import FitFile, MeasuredEcg, Truth
from ._leads import leads_of
from ._read import absolute, read_toml, validated, with_paths
from ._scene import build_mesh
from ._tissue import fast_cells


class FitScene(NamedTuple):
    """A fit, ready to start."""

    problem: Problem
    mesh: Mesh
    truth: Parameters | None
    true_activation: Float[np.ndarray, " nodes"] | None  # ms, at the nodes of `mesh`
    notes: tuple[str, ...]


def read_fit(path: str | Path) -> FitFile:
    """The fit of a TOML file, with every default filled in and every path absolute; errors as
    `read_scenario`."""
    path = Path(path)
    return fit_from(read_toml(path, "fit"), path.name, path.resolve().parent)


def fit_from(data: dict[str, Any], name: str = "fit", folder: Path | None = None) -> FitFile:
    """The fit of a dictionary shaped like the file; paths are relative to `folder`."""
    folder = Path.cwd() if folder is None else folder
    file: FitFile = with_paths(validated(FitFile, data, name), folder)
    if file.ecg.file is None:
        return file
    ecg = file.ecg.model_copy(update={"file": absolute(file.ecg.file, folder)})
    return file.model_copy(update={"ecg": ecg})


def build_fit(file: FitFile, cache: Path | None = None) -> FitScene:
    """The objects of a fit; torso fields are kept in `cache`. ValueError names section and key of
    what does not fit the mesh or the recording."""
    mesh = build_mesh(file.scenario)
    field, notes = _field(file, mesh, cache)
    if file.truth is None:
        time, measured, noise, more = _recorded(file.ecg)
        true = None, None
    else:
        time, measured, noise = _no_record(file.ecg)
        more = ("ecg: made from [truth], with noise drawn by [search] seed",)
    free = file.free
    begun = file.ecg.qrs_window_ms[0]
    made = problem(
        mesh,
        field,
        time,
        measured,
        noise,
        sources=free.sources,
        velocity=(free.velocity_fibre_m_s, free.velocity_transverse_m_s),
        onset=[begun + t for t in free.onset_ms],
        fast=_fast(file, mesh),
    )
    if file.truth is not None:
        made, *true = _made_up(file, file.truth, mesh, made, cache)
    return FitScene(made, mesh, *true, tuple(mesh.notes) + notes + more)


def _field(file: FitFile, mesh: Mesh, cache: Path | None):
    """What the electrodes see of each node, and what to tell the user."""
    field, notes = leads_of(file.ecg, mesh, mesh, cache)
    if field is None:
        raise ValueError("[heart] mesh: a fit needs tetrahedra, and this mesh has no volume.")
    return field, notes


def _fast(file: FitFile, mesh: Mesh) -> Float[np.ndarray, " cells"] | None:
    """`fit.problem`'s `fast`."""
    layer = file.fast_layer
    if layer is None:
        return None
    return layer.times_fibre_velocity * fast_cells(layer.surfaces, mesh)


def _recorded(ecg: MeasuredEcg):
    """Times, leads, noise and notes of the recording's window."""
    recording = read_ecg(str(ecg.file), rate=ecg.rate_Hz, check=False)
    try:
        leads = np.stack([recording.lead(name) for name in INDEPENDENT], axis=1)
    except ValueError as error:
        raise ValueError(f"[ecg] file: {error}") from None
    inside = _within(recording, ecg.qrs_window_ms, "qrs_window_ms")
    stride = max(1, round(ecg.sample_ms * recording.rate / 1000.0))
    inside = inside[::stride]
    _require_values(leads[inside], "qrs_window_ms")
    noise = np.full(leads.shape[1], ecg.noise_mV)
    if ecg.baseline_ms is not None:
        rest = leads[_within(recording, ecg.baseline_ms, "baseline_ms")]
        _require_values(rest, "baseline_ms")
        noise, leads = rest.std(axis=0, ddof=1), leads - rest.mean(axis=0)
        flat = [name for name, sd in zip(INDEPENDENT, noise, strict=True) if not sd > 0]
        if flat:
            raise ValueError(
                f"[ecg] baseline_ms: lead {flat[0]} is flat there, and says nothing of its noise; "
                "choose another stretch, or give noise_mV."
            )
    return recording.time[inside], leads[inside], noise, recording.notes


def _require_values(leads: Float[np.ndarray, "samples leads"], key: str) -> None:
    lost = (~np.isfinite(leads)).sum(axis=0)
    for name, count in zip(INDEPENDENT, lost.tolist(), strict=True):
        if count:
            raise ValueError(
                f"[ecg] file: lead {name} has no value at {count} of {len(leads)} samples within "
                f"{key}; choose another stretch, or fill them in."
            )


def _within(recording: Recording, window, key: str):
    """The samples within a window, at least ten."""
    inside = np.flatnonzero((recording.time >= window[0]) & (recording.time <= window[1]))
    if window[1] > recording.time[-1] + 1e-6 or len(inside) < 10:
        raise ValueError(
            f"[ecg] {key} = [{window[0]:g}, {window[1]:g}] ms must hold ten samples or more of the "
            f"recording, which ends at {recording.time[-1]:g} ms."
        )
    return inside


def _no_record(ecg: MeasuredEcg):
    """The times of a record that is yet to be made, zeros, and the noise."""
    start, end = ecg.qrs_window_ms
    time = np.arange(start, end + 1e-9, ecg.sample_ms)
    shape = len(time), len(INDEPENDENT)
    return time, np.zeros(shape), np.full(shape[1], ecg.noise_mV)


def _made_up(file: FitFile, truth: Truth, mesh: Mesh, blank: Problem, cache: Path | None):
    """The problem with the truth's noisy leads, the truth, and its activation."""
    true = _parameters(truth, mesh)
    model, fine = blank, mesh
    if truth.refine:
        for _ in range(truth.refine):
            fine = refine(fine)
        field, _ = _field(file, fine, cache)
        fast = _fast(file, fine)
        model = problem(fine, field, blank.time, blank.measured, blank.noise, fast=fast)
    try:
        require_sources(model.front, true.sources)
    except ValueError as error:
        raise ValueError(f"[truth] source: {error}") from None
    T, leads = (np.asarray(x, float) for x in leads_of_sources(model, true))
    rng = np.random.default_rng([file.search.seed, 1])
    noisy = leads + np.asarray(blank.noise) * rng.normal(size=leads.shape)
    made = eqx.tree_at(lambda p: p.measured, blank, jnp.asarray(noisy, float))
    T = np.where(T < NEVER / 2, T, np.nan)
    return made, true, T[: mesh.n_nodes]  # refining keeps the first nodes


def _parameters(truth: Truth, mesh: Mesh) -> Parameters:
    places = []
    for number, source in enumerate(truth.source, start=1):
        if source.point_mm is not None:
            places.append(np.array(source.point_mm))
            continue
        try:
            points = np.asarray(mesh.points)[mesh.node_set(str(source.node_set))]
        except ValueError as error:
            raise ValueError(f"[truth] source {number}: {error}") from None
        middle = np.linalg.norm(points - points.mean(axis=0), axis=1).argmin()
        places.append(points[middle])
    return Parameters(
        _real([truth.velocity_fibre_m_s, truth.velocity_transverse_m_s]),
        Sources(_real(places), _real([source.onset_ms for source in truth.source])),
    )


def _real(x) -> AnyArray:
    return jnp.asarray(np.asarray(x), float)
