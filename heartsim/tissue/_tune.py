"""Conductivities that give wanted velocities on a mesh, and velocities that given ones give."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from heartsim._types import AnyArray
from heartsim.ionic import AbstractIonicModel, RushLarsenStaggered, Thickened

from ._monodomain import Strang
from ._projection import WAYS, Projection, Projections
from ._strand import Scheme, projected_velocity, strand_velocity
from ._tuning_cache import key_of, read, write

WITHIN = 0.002  # relative; the strand itself is read to about 0.1 %
FINE_EDGE = 0.1  # mm, with half-lumped mass, whose leading error in the edge cancels
FINE_DT = 0.01  # ms, second order
ROUNDS = 20
REFUSED = (
    "no conductivity carries a wave of {:g} m/s {}: near this velocity it is blocked between "
    "nodes, or the steps are too long for its front. Refine the mesh, try a smaller dt, or ask "
    "for another velocity."
)
ONE = np.ones(1, bool)
LONGEST_FOOT = 0.5  # mm; on hearts of 1 to 2 mm edges the least error: docs/numerics.md


class Tuned(NamedTuple):
    """What the calibration found."""

    D: float  # mm²/ms
    velocity: float  # mm/ms, reached on the strand


class TunedTensor(NamedTuple):
    """What the calibration found along fibre, sheet and normal."""

    D: Float[np.ndarray, "3"]  # mm²/ms
    velocities: Float[np.ndarray, "3"]  # mm/ms, reached; NaN where the mesh has no such way


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
    key = key_of("tune", ionic, velocity, edge, scheme)
    kept = read(cache, key)
    if kept is not None:
        return Tuned(**kept)
    wanted = np.array([velocity])
    D, reached = _search(
        lambda D: np.array([strand_velocity(ionic, float(D[0]), edge, scheme)]),
        wanted,
        _guess(ionic, wanted),
        f"on edges of {edge:.2f} mm with dt = {scheme.dt:g} ms",
    )
    tuned = Tuned(float(D[0]), float(reached[0]))
    write(cache, key, tuned._asdict())
    return tuned


def tune_velocities(
    ionic: AbstractIonicModel,
    velocities: tuple[float, float, float] | Float[AnyArray, "3"],
    projections: Projections,
    scheme: Scheme,
    cache: Path | None = None,
    start: Sequence[float] | None = None,
) -> TunedTensor:
    """The diffusivities at which plane waves travel at `velocities` [mm/ms] along fibre, sheet and
    normal of a mesh, by its `projected`.

    As `tune_velocity`, on the strand of each way in place of one of equal edges, all three at
    once, as how a wave errs along one way depends on D along the others, too. `start`: D [mm²/ms]
    that are near. ValueError where none carries one of the waves.
    """
    wanted = np.asarray(velocities, float)
    if not ((wanted > 0).all() and scheme.dt > 0):
        raise ValueError(
            f"tune_velocities: velocities {wanted.tolist()} m/s and step {scheme.dt} ms must be "
            "> 0."
        )
    key = key_of("tensor", ionic, wanted, projections, scheme)
    kept = read(cache, key)
    if kept is not None:
        return TunedTensor(*(np.array(kept[name], float) for name in TunedTensor._fields))
    ways = projections.ways[:3]
    edge = next(way.edge for way in ways if way is not None)
    tuned = TunedTensor(
        *_search(
            lambda D: _along(ionic, D, ways, scheme),
            wanted,
            _guess(ionic, wanted) if start is None else np.asarray(start, float),
            f"on this mesh, edges of {edge:.2f} mm on average, with dt = {scheme.dt:g} ms",
            np.array([way is not None for way in ways]),
            projections.alike,
        )
    )
    write(cache, key, {name: own.tolist() for name, own in tuned._asdict().items()})
    return tuned


def velocity_errors(
    ionic: AbstractIonicModel,
    D: Float[AnyArray, "3"],
    projections: Projections,
    scheme: Scheme,
    cache: Path | None = None,
) -> Float[np.ndarray, "3"]:
    """Relative errors of the planar velocities along fibre, sheet and normal of a mesh, against
    fine strands; -1 where a wave does not travel at all, NaN where the mesh has no such way."""
    D, ways = np.asarray(D, float), projections.ways[:3]
    key = key_of("errors", ionic, D, ways, scheme)
    kept = read(cache, key)
    if kept is not None:
        return np.array(kept["errors"], float)
    fine = scheme._replace(dt=FINE_DT, lumped=0.5)
    true = np.array([strand_velocity(ionic, float(own), FINE_EDGE, fine) for own in D])
    share = np.nan_to_num(_along(ionic, D, ways, scheme) / true)  # 0 where it is blocked
    errors = np.where([way is None for way in ways], np.nan, share - 1)
    write(cache, key, {"errors": errors.tolist()})
    return errors


def direction_error(
    ionic: AbstractIonicModel,
    D: Float[AnyArray, "3"],
    projections: Projections,
    scheme: Scheme,
    cache: Path | None = None,
) -> float:
    """The largest error of plane waves at 45° between two of fibre, sheet and normal, relative,
    where v² should be the mean of both squares; NaN where one of them does not travel, or a mesh
    has none of them.

    `D` [mm²/ms] are those along the three.
    """
    D = np.asarray(D, float)
    key = key_of("direction", ionic, D, projections, scheme)
    kept = read(cache, key)
    if kept is not None:
        return kept["error"]
    there = np.array([way is not None for way in projections.ways])
    if not there[3:].any():
        return float("nan")
    v = _along(ionic, D, projections.ways, scheme)
    wanted = np.sqrt(WAYS**2 @ np.where(there[:3], v[:3], 0.0) ** 2)
    errors = (v / wanted - 1)[there]  # 0 along the three
    error = float(errors[np.argmax(abs(errors))])  # NaN before all others
    write(cache, key, {"error": error})
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


def _guess(ionic: AbstractIonicModel, velocity: Any) -> Any:
    """D [mm²/ms] to begin with: 0.1 of 0.6 mm/ms, as v², as much thicker as the front is."""
    thick = float(ionic.factor) if isinstance(ionic, Thickened) else 1.0
    return thick * 0.1 * (velocity / 0.6) ** 2


def _along(
    ionic: AbstractIonicModel,
    D: Float[np.ndarray, "3"],
    ways: Sequence[Projection | None],
    scheme: Scheme,
) -> Float[np.ndarray, " ways"]:
    """Velocities [mm/ms]; NaN where there is no such way or wave."""
    found = [
        float("nan") if way is None else projected_velocity(ionic, D, way, scheme) for way in ways
    ]
    return np.array(found)


def _search(
    velocities_at: Callable[[Float[np.ndarray, " ways"]], Float[np.ndarray, " ways"]],
    wanted: Float[np.ndarray, " ways"],
    D: Float[np.ndarray, " ways"],
    words: str,
    there: Bool[np.ndarray, " ways"] = ONE,
    alike: Sequence[int] = (),
) -> tuple[Float[np.ndarray, " ways"], Float[np.ndarray, " ways"]]:
    """D and what they reach: secant steps on log v over log D of each way that is `there`, from D;
    `alike` step together. ValueError, with `words` where, if none does."""

    def shared(x):
        if alike:
            x[list(alike)] = x[[k for k in alike if there[k]]].mean()
        return x

    slope, carried = np.full(len(D), 0.5), np.zeros(len(D), bool)
    reached = velocities_at(D)
    for _ in range(ROUNDS):
        off = shared(np.log(wanted / reached))
        if (abs(np.expm1(off)) < WITHIN)[there].all():
            return D, reached
        if (np.isnan(off) & carried & there).any():
            break
        carried |= np.isfinite(off)
        # a wave that is blocked has too little coupling for its edges
        step = shared(np.where(np.isnan(off), np.log(2), np.clip(off / slope, -0.7, 0.7)))
        step[~there] = step[there].mean()  # of no effect
        D, before = D * np.exp(step), reached
        reached = velocities_at(D)
        found = np.log(reached / before) / np.where(step == 0, 1, step)
        slope = np.where(np.isfinite(found) & (abs(step) > WITHIN), np.clip(found, 0.3, 3.0), slope)
    farthest = int(np.argmax(np.where(there, abs(np.nan_to_num(off, nan=np.inf)), -1)))
    raise ValueError(REFUSED.format(wanted[farthest], words))
