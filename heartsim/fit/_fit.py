"""The fit: screened starts, Levenberg-Marquardt at ever less smoothing, and a gate."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from heartsim._types import AnyArray

from ._levenberg_marquardt import levenberg_marquardt
from ._problem import (
    Problem,
    leads_of_sources,
    linear_of,
    parameters_at,
    residual_of,
    smoothing,
)
from ._screen import Table, arrival_table, resettled, screened
from ._unknowns import Parameters

GATE = (0.8, 1.2)
"""χ²/n within which a result may be called a fit: the misfit is the noise, and no more or less."""

WIDTHS = (8.0, 4.0, 0.0)
"""ms; how leads and measurement are smoothed in turn. Smooth leads have few wrong valleys."""


class Search(NamedTuple):
    """How hard to look."""

    seed: int = 0
    candidates: int = 1024
    """Combinations of sites, onsets and velocities that are screened."""
    sites: int = 32
    """Endocardial places in the screen's table."""
    starts: int = 6
    """Best candidates that are followed to the end, at most."""
    enough: int = 2
    """Accepted starts after which no more are followed."""
    steps: int = 25
    """Of Levenberg-Marquardt at each width, at most."""


class Start(NamedTuple):
    """Where one start ended."""

    theta: Float[np.ndarray, " unknowns"]
    chi2: float  # χ²/n, without smoothing and prior
    steps: int

    @property
    def accepted(self) -> bool:
        """Whether the gate lets it pass."""
        return GATE[0] <= self.chi2 <= GATE[1]


class Fit(NamedTuple):
    """What was found; only a `fitted` one may be called a fit."""

    best: Parameters
    chi2: float
    fitted: bool
    activation: Float[AnyArray, " nodes"]  # ms
    leads: Float[AnyArray, "frames leads"]  # mV, as measured: I, II, V1 to V6
    starts: Sequence[Start]  # best first
    spread: float  # ms, RMS difference of activation between accepted starts; NaN for one
    used: Bool[np.ndarray, " sources"]  # whether it is the first to reach a node

    @property
    def sentence(self) -> str:
        """What a reader must know first."""
        low, high = GATE
        if self.fitted:
            return f"fitted: χ²/n = {self.chi2:.2f} lies within {low:g} to {high:g}."
        why = (
            "the model cannot explain these leads, or no start came near"
            if self.chi2 > high
            else "the noise is less than stated, so that the leads cannot tell"
        )
        return f"not fitted: χ²/n = {self.chi2:.3g} lies outside {low:g} to {high:g}; {why}."


def fit_qrs(
    problem: Problem,
    search: Search = Search(),  # noqa: B008, a tuple of numbers
    progress: Callable[[float, float], None] | None = None,
) -> Fit:
    """Look for velocities and sources whose leads differ from the measured by noise alone.

    Candidates are screened on leads smoothed by WIDTHS[0]; the best are followed by
    Levenberg-Marquardt at each width in turn, before which each source is tried elsewhere. The
    least χ²/n of all starts is the result.
    """
    rng = np.random.default_rng(search.seed)
    smooth = [smoothing(problem.time, width) for width in WIDTHS]
    table = arrival_table(problem, search.sites)
    thetas = screened(
        problem, table, smooth[0], candidates=search.candidates, best=search.starts, rng=rng
    )
    starts: list[Start] = []
    for number, theta in enumerate(thetas, start=1):
        starts.append(_followed(problem, table, theta, smooth, search.steps))
        if progress is not None:
            progress(float(number), float(len(thetas)))
        if sum(start.accepted for start in starts) >= search.enough:
            if progress is not None:
                progress(float(len(thetas)), float(len(thetas)))
            break
    return _result(problem, sorted(starts, key=lambda start: start.chi2))


def chi2_of(problem: Problem, theta: Float[AnyArray, " unknowns"]) -> float:
    """χ²/n: the mean square of (leads - measured) / noise."""
    r = residual_of(problem, _real(theta), _real(np.eye(len(problem.time))))
    return float(np.mean(np.asarray(r, np.float64)[: np.size(problem.measured)] ** 2))


def _followed(problem: Problem, table: Table, theta, smooth, steps: int) -> Start:
    taken = 0
    for rows in smooth:
        theta = resettled(problem, table, theta, rows)
        found = levenberg_marquardt(
            partial(_rows, residual_of, problem, rows),
            partial(_rows, linear_of, problem, rows),
            theta,
            steps=steps,
            longest=problem.unknowns.longest,
        )
        theta, taken = found.theta, taken + found.steps
    return Start(theta, chi2_of(problem, theta), taken)


def _rows(compiled, problem: Problem, smooth, theta):
    return compiled(problem, _real(theta), _real(smooth))


def _alive(problem: Problem, theta, rows) -> Bool[np.ndarray, " sources"]:
    """Whether any lead depends on each source's onset."""
    _, Jt = linear_of(problem, _real(theta), _real(rows))
    onsets = np.asarray(Jt)[2 : 2 + problem.unknowns.sources, : np.size(problem.measured)]
    return np.asarray(onsets.any(axis=1))


def _result(problem: Problem, starts: Sequence[Start]) -> Fit:
    parameters, T, leads = _at(problem, _real(starts[0].theta))
    accepted = [_at(problem, _real(s.theta))[1] for s in starts if s.accepted]
    apart = [float(jnp.sqrt(jnp.mean((T - other) ** 2))) for other in accepted[1:]]
    return Fit(
        best=parameters,
        chi2=starts[0].chi2,
        fitted=starts[0].accepted,
        activation=T,
        leads=leads,
        starts=starts,
        spread=max(apart, default=float("nan")),
        used=_alive(problem, starts[0].theta, smoothing(problem.time, 0.0)),
    )


def _at(problem: Problem, theta):
    parameters = parameters_at(problem, theta)
    return parameters, *leads_of_sources(problem, parameters)


def _real(x):
    return jnp.asarray(np.asarray(x), float)
