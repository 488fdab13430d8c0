"""Where to start: many combinations of sites, tried without solving for each.

Arrival from several sources is the least of the arrivals from each, and scales with velocity:

    T(v_f, v_t, sources) = min_k [onset_k + T_1(site_k; v_t / v_f) / v_f]                   (1)

so that one table of solves, sites by ratios, gives every combination for the price of its leads.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray
from heartsim.tissue import Sources

from ._problem import Problem
from ._unknowns import Parameters

ONSETS, SPEEDS = 6, 5
"""Values tried of an onset, and of each velocity, evenly within its bounds."""

ROUNDS = 2
"""How often each part of a candidate is tried anew."""


class Table(NamedTuple):
    """T_1 of (1): arrival [ms] with onset 0 and fibre velocity 1 mm/ms."""

    site: Float[AnyArray, "sites 3"]  # mm
    ratio: Float[AnyArray, " ratios"]  # v_t / v_f, ascending
    time: Float[Array, "ratios sites nodes"]


class Candidate(NamedTuple):
    """One combination; a share runs from 0 at the lower bound to 1."""

    speed: Float[AnyArray, "*batch 2"]
    site: Int[AnyArray, "*batch sources"]
    onset: Float[AnyArray, "*batch sources"]


def arrival_table(problem: Problem, sites: int, ratios: int = 3) -> Table:
    """Solve for `sites` endocardial nodes far from each other, and `ratios` of the velocities."""
    surface = np.asarray(problem.unknowns.surface)
    place = surface[spread_out(surface, sites)]
    low, high = np.log(np.asarray(problem.unknowns.velocity)).T
    ends = low[1] - high[0], min(0.0, high[1] - low[0])
    ratio = np.exp(np.linspace(*ends, ratios))
    time = _solved(problem, *(jnp.asarray(x, float) for x in (place, ratio)))
    return Table(place, ratio, time)


@jax.jit
def _solved(problem: Problem, place, ratio):
    def of_site(r, x):
        one = jnp.stack([jnp.ones_like(r), r])
        return problem.activation(Parameters(one, Sources(x[None], jnp.zeros(1, x.dtype))))

    return lax.map(lambda r: lax.map(lambda x: of_site(r, x), place), ratio)


def spread_out(points: Float[np.ndarray, "places 3"], count: int) -> Int[np.ndarray, " count"]:
    """Indices of `count` points, each the farthest from all before it."""
    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    nearest = np.full(len(points), np.inf)
    while len(chosen) < min(count, len(points)):
        nearest = np.minimum(nearest, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(nearest.argmax()))
    return np.array(chosen)


def screened(
    problem: Problem,
    table: Table,
    smooth: Float[AnyArray, "frames frames"],
    *,
    candidates: int,
    best: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "best unknowns"]:
    """θ of the `best` of a Latin hypercube of candidates, each then improved part by part over
    the table, in order of their misfit."""
    k = problem.unknowns.sources
    cube = latin_hypercube(rng, candidates, 2 + 2 * k)
    n_sites = len(table.site)
    sites = np.minimum((cube[:, 2 : 2 + k] * n_sites).astype(np.int32), n_sites - 1)
    all_ = Candidate(*map(jnp.asarray, (cube[:, :2], sites, cube[:, 2 + k :])))
    all_ = Candidate(_f(all_.speed), all_.site, _f(all_.onset))
    order = np.argsort(np.asarray(_costs(problem, table, all_, _f(smooth))))[:best]
    chosen = [Candidate(*(x[i] for x in all_)) for i in order]
    improved = [_improved(problem, table, c, _f(smooth)) for c in chosen]
    ranked = sorted(improved, key=lambda found: float(found[1]))
    return np.stack([_theta(problem, table, c) for c, _ in ranked])


def latin_hypercube(
    rng: np.random.Generator, count: int, dim: int
) -> Float[np.ndarray, "count dim"]:
    """Points of the unit cube, one in each of `count` slices along every axis. McKay, Beckman and
    Conover (1979), Technometrics 21, 239-245 (page not checked)."""
    slices = np.stack([rng.permutation(count) for _ in range(dim)], axis=1)
    return (slices + rng.random((count, dim))) / count


def _f(x) -> Array:
    return jnp.asarray(np.asarray(x), float)


def _physical(problem: Problem, candidate: Candidate):
    """Velocities [mm/ms] and onsets [ms]."""
    low, high = problem.unknowns.velocity.T
    first, last = problem.unknowns.onset
    return low * (high / low) ** candidate.speed, first + (last - first) * candidate.onset


def _cost(problem: Problem, table: Table, candidate: Candidate, smooth):
    """|r|² without the prior, T by (1), the table interpolated in the ratio's logarithm."""
    velocity, onset = _physical(problem, candidate)
    log = jnp.log(jnp.asarray(table.ratio, velocity.dtype))
    at = jnp.interp(jnp.log(velocity[1] / velocity[0]), log, jnp.arange(len(log), dtype=log.dtype))
    below = jnp.clip(at.astype(int), 0, len(log) - 2)
    share = at - below
    rows = (1 - share) * table.time[below, candidate.site]
    rows = rows + share * table.time[below + 1, candidate.site]
    T = (onset[:, None] + rows / velocity[0]).min(axis=0)
    misfit = (problem.leads(T) - problem.measured) / problem.noise
    return jnp.sum((smooth @ misfit) ** 2)


@jax.jit
def _costs(problem: Problem, table: Table, candidates: Candidate, smooth):
    return lax.map(lambda c: _cost(problem, table, c, smooth), candidates)


@jax.jit
def _improved(problem: Problem, table: Table, candidate: Candidate, smooth):
    """The candidate after each source took its best site and onset, and the velocities their
    best pair, in turn; and its |r|²."""
    n_sites, k = table.time.shape[1], problem.unknowns.sources
    site, onset = (x.ravel() for x in jnp.meshgrid(jnp.arange(n_sites), _steps(ONSETS)))
    pair = jnp.stack([x.ravel() for x in jnp.meshgrid(_steps(SPEEDS), _steps(SPEEDS))], axis=1)

    def best_of(tries: Candidate):
        costs = lax.map(lambda c: _cost(problem, table, c, smooth), tries)
        return jax.tree.map(lambda x: x[costs.argmin()], tries), costs.min()

    def with_source(i, c: Candidate):
        tries = Candidate(
            jnp.tile(c.speed, (len(site) + 1, 1)),
            jnp.tile(c.site, (len(site) + 1, 1)).at[1:, i].set(site),
            jnp.tile(c.onset, (len(site) + 1, 1)).at[1:, i].set(onset),
        )
        return best_of(tries)[0]

    def once(_, carry):
        c, _ = carry
        c = lax.fori_loop(0, k, with_source, c)
        speed = jnp.concatenate([c.speed[None], pair])
        others = (jnp.tile(x, (len(speed), 1)) for x in (c.site, c.onset))
        return best_of(Candidate(speed, *others))

    return lax.fori_loop(0, ROUNDS, once, (candidate, jnp.asarray(jnp.inf, candidate.speed.dtype)))


def _steps(count: int) -> Float[Array, " count"]:
    return (jnp.arange(count) + 0.5) / count


def _theta(problem: Problem, table: Table, candidate: Candidate) -> Float[np.ndarray, " unknowns"]:
    velocity, onset = _physical(problem, candidate)
    position = np.asarray(table.site)[np.asarray(candidate.site)]
    return problem.unknowns.theta(np.asarray(velocity), position, np.asarray(onset))
