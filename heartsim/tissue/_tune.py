"""Conductivities that give a wanted velocity on a mesh of a given edge length."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from heartsim._code import code_of
from heartsim._files import whole
from heartsim._types import AnyArray
from heartsim.ionic import AbstractIonicModel, RushLarsenStaggered, Thickened

from ._monodomain import Strang
from ._spacing import WAYS
from ._strand import Scheme, strand_velocity

WITHIN = 0.002  # relative; the strand itself is read to about 0.1 %
FINE_EDGE = 0.1  # mm, with half-lumped mass, whose leading error in the edge cancels
FINE_DT = 0.01  # ms, second order
LONGEST_FOOT = 0.5  # mm; on hearts of 1 to 2 mm edges the least error: docs/numerics.md


class Tuned(NamedTuple):
    """What the calibration found."""

    D: float  # mm²/ms
    velocity: float  # mm/ms, reached on the strand


def tune_velocity(
    ionic: AbstractIonicModel,
    velocity: float,
    edge: float,
    scheme: Scheme,
    cache: Path | None = None,
) -> Tuned:
    """The diffusivity at which a plane wave travels at `velocity` [mm/ms] on edges of `edge` [mm].

    Secant steps on log v over log D, as v grows like √D; on a coarse mesh D comes out larger
    than the physical one, so that it belongs to the diffusion operator only, never to the ECG's
    source. ValueError where no diffusivity carries the wave at this edge length and dt.
    """
    if not (velocity > 0 and edge > 0 and scheme.dt > 0):
        raise ValueError(
            f"tune_velocity: velocity {velocity} m/s, edge {edge} mm and step {scheme.dt} ms must "
            "be > 0."
        )
    key = _key("tune", ionic, velocity, edge, scheme)
    kept = _read(cache, key)
    if kept is not None:
        return Tuned(**kept)
    tuned = _search(ionic, velocity, edge, scheme)
    _write(cache, key, tuned._asdict())
    return tuned


def velocity_error(
    ionic: AbstractIonicModel, D: float, edge: float, scheme: Scheme, cache: Path | None = None
) -> float:
    """Relative error of the planar velocity at this edge and scheme, against a fine strand;
    -1 where the wave does not travel at all."""
    key = _key("error", ionic, D, edge, scheme)
    kept = _read(cache, key)
    if kept is not None:
        return kept["error"]
    fine = scheme._replace(dt=FINE_DT, lumped=0.5)
    finest = min(FINE_EDGE, edge)
    here = strand_velocity(ionic, D, edge, scheme, beside=finest)
    true = strand_velocity(ionic, D, finest, fine)
    error = -1.0 if np.isnan(here) else here / true - 1
    _write(cache, key, {"error": error})
    return error


def direction_error(
    ionic: AbstractIonicModel,
    D: Float[AnyArray, "3"],
    edges: Float[AnyArray, "9"],
    scheme: Scheme,
    cache: Path | None = None,
) -> float:
    """The largest error of plane waves at 45° between two of fibre, sheet and normal, relative,
    where v² should be the mean of both squares; NaN where one of them does not travel.

    `D` [mm²/ms] are those along the three; at 45° the mean of two rules. `edges` [mm] are those of
    strands that err alike (`spacing`) along `WAYS`, NaN where a mesh has no such way. Right to 1 or
    2 % on tetrahedra without order, and on split cubes to half of what it is, whatever the frame
    (benchmarks/direction.csv).
    """
    D, edges = np.asarray(D, float), np.asarray(edges, float)
    key = _key("direction", ionic, D, edges, scheme)
    kept = _read(cache, key)
    if kept is not None:
        return kept["error"]
    there, v = np.isfinite(edges), np.zeros(9)
    for k in np.flatnonzero(there):
        v[k] = strand_velocity(ionic, float(WAYS[k] ** 2 @ D), float(edges[k]), scheme)
    wanted = np.sqrt(WAYS[there] ** 2 @ v[:3] ** 2)
    errors = v[there] / wanted - 1  # 0 along the three
    error = float(errors[np.argmax(abs(errors))])  # NaN before all others
    _write(cache, key, {"error": error})
    return error


def thickening(
    ionic: AbstractIonicModel,
    velocity: float,
    edge: float,
    cache: Path | None = None,
    longest: float = LONGEST_FOOT,
) -> float:
    """The factor for `ionic.Thickened` that makes the foot of a wave of `velocity` [mm/ms] as long
    as an edge of `edge` [mm], but not longer than `longest` [mm]; at least 1.

    The foot of a front rises e-fold in D/v; D is that of a fine strand at 0.5 m/s, and goes as
    v². As long as an edge, plane waves err by 3 % at most in most directions; on coarse edges so
    thick a front is slowed by more than that where it is curved: docs/numerics.md.
    """
    fine = Scheme(FINE_DT, 0.5, RushLarsenStaggered(), Strang())
    D, v = tune_velocity(ionic, 0.5, FINE_EDGE, fine, cache)
    return max(1.0, round(min(edge, longest) / (D / v * velocity / v), 1))


def _search(ionic, velocity: float, edge: float, scheme: Scheme) -> Tuned:
    thick = float(ionic.factor) if isinstance(ionic, Thickened) else 1.0
    D = thick * 0.1 * (velocity / 0.6) ** 2
    reached = strand_velocity(ionic, D, edge, scheme)
    for _ in range(8):  # too little coupling for this edge: the wave is blocked
        if np.isfinite(reached):
            break
        D *= 2
        reached = strand_velocity(ionic, D, edge, scheme)
    slope = 0.5
    for _ in range(12):
        if np.isfinite(reached) and abs(reached / velocity - 1) < WITHIN:
            return Tuned(D, reached)
        if np.isnan(reached):
            break
        step = np.clip(np.log(velocity / reached) / slope, -0.7, 0.7)
        D, before = D * float(np.exp(step)), reached
        reached = strand_velocity(ionic, D, edge, scheme)
        slope = np.clip(np.log(reached / before) / step, 0.3, 3.0)
    raise ValueError(
        f"no conductivity carries a wave of {velocity:g} m/s on edges of {edge:.2f} mm with dt = "
        f"{scheme.dt:g} ms: near this velocity it is blocked between nodes, or the steps are too "
        "long for its front. Refine the mesh, try a smaller dt, or ask for another velocity."
    )


def _key(*parts) -> str:
    """Hash of everything that the result depends on."""
    code = code_of("mesh", "ionic", "fem", "tissue")
    digest = hashlib.sha256(f"{jax.__version__} {code}".encode())
    for part in parts:
        arrays, rest = eqx.partition(part, eqx.is_array)
        digest.update(repr(rest).encode())
        for leaf in jax.tree.leaves(arrays):
            digest.update(np.asarray(leaf).tobytes() + str(leaf.dtype).encode())
    return digest.hexdigest()[:32]


def _read(cache: Path | None, key: str) -> dict | None:
    path = None if cache is None else cache / f"{key}.json"
    return (
        None if path is None or not path.exists() else json.loads(path.read_text(encoding="utf-8"))
    )


def _write(cache: Path | None, key: str, value: dict) -> None:
    if cache is None:
        return
    cache.mkdir(parents=True, exist_ok=True)
    with whole(cache / f"{key}.json") as new:
        new.write_text(json.dumps(value))
