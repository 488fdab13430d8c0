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
from heartsim.tissue import NEVER, Sources

from ._problem import Problem, activated, parameters_at
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
    never = np.full(problem.unknowns.sources, NEVER)
    never[0] = 0.0  # the others lie at the same place and never begin

    def of_site(r, x):
        sources = Sources(_f(np.tile(x, (len(never), 1))), _f(never))
        return activated(problem, Parameters(_f([1.0, r]), sources))

    time = jnp.stack([jnp.stack([of_site(r, x) for x in place]) for r in ratio])
    return Table(place, ratio, time)


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
) -> Float[np.ndarray, "starts unknowns"]:
    """θ of at most `best` combinations in order of their misfit: twice as many of a Latin
    hypercube of candidates are improved part by part over the table, and of those that end at the
    same sites one is kept."""
    k = problem.unknowns.sources
    cube = latin_hypercube(rng, candidates, 2 + 2 * k)
    n_sites = len(table.site)
    sites = np.minimum((cube[:, 2 : 2 + k] * n_sites).astype(np.int32), n_sites - 1)
    all_ = Candidate(*map(jnp.asarray, (cube[:, :2], sites, cube[:, 2 + k :])))
    all_ = Candidate(_f(all_.speed), all_.site, _f(all_.onset))
    order = np.argsort(np.asarray(_costs(problem, table, all_, _f(smooth))))[: 2 * best]
    chosen = [Candidate(*(x[i] for x in all_)) for i in order]
    improved = [_improved(problem, table, c, _f(smooth)) for c in chosen]
    distinct: dict[tuple[int, ...], Candidate] = {}
    for found, _ in sorted(improved, key=lambda pair: float(pair[1])):
        distinct.setdefault(tuple(np.sort(found.site).tolist()), found)
    return np.stack([_theta(problem, table, c) for c in list(distinct.values())[:best]])


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


def _from_sites(table: Table, velocity, site):
    """Arrival from sites with onset 0, the table interpolated in the logarithm of its ratio."""
    log = jnp.log(jnp.asarray(table.ratio, velocity.dtype))
    at = jnp.interp(jnp.log(velocity[1] / velocity[0]), log, jnp.arange(len(log), dtype=log.dtype))
    below = jnp.clip(at.astype(int), 0, len(log) - 2)
    share = at - below
    time = (1 - share) * table.time[below, site] + share * table.time[below + 1, site]
    return time / velocity[0]


def _misfit(problem: Problem, T, smooth):
    """|r|² without the prior."""
    misfit = (problem.leads(T) - problem.measured) / problem.noise
    return jnp.sum((smooth @ misfit) ** 2)


def _cost(problem: Problem, table: Table, candidate: Candidate, smooth):
    """|r|² of a candidate, T by (1)."""
    velocity, onset = _physical(problem, candidate)
    T = (onset[:, None] + _from_sites(table, velocity, candidate.site)).min(axis=0)
    return _misfit(problem, T, smooth)


@jax.jit
def _costs(problem: Problem, table: Table, candidates: Candidate, smooth):
    return lax.map(lambda c: _cost(problem, table, c, smooth), candidates)


@jax.jit
def _improved(problem: Problem, table: Table, candidate: Candidate, smooth):
    """The candidate after each source took its best site and onset, and the velocities their
    best pair, in turn; and its |r|²."""
    site, onset = _places(table)
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
        c = lax.fori_loop(0, problem.unknowns.sources, with_source, c)
        speed = jnp.concatenate([c.speed[None], pair])
        others = (jnp.tile(x, (len(speed), 1)) for x in (c.site, c.onset))
        return best_of(Candidate(speed, *others))

    return lax.fori_loop(0, ROUNDS, once, (candidate, jnp.asarray(jnp.inf, candidate.speed.dtype)))


def _places(table: Table):
    """All pairs of a site and the share of an onset."""
    sites = jnp.arange(table.time.shape[1], dtype=jnp.int32)
    return tuple(x.ravel() for x in jnp.meshgrid(sites, _steps(ONSETS)))


def _steps(count: int) -> Float[Array, " count"]:
    return (jnp.arange(count) + 0.5) / count


def _theta(problem: Problem, table: Table, candidate: Candidate) -> Float[np.ndarray, " unknowns"]:
    velocity, onset = _physical(problem, candidate)
    position = np.asarray(table.site)[np.asarray(candidate.site)]
    return problem.unknowns.theta(np.asarray(velocity), position, np.asarray(onset))


def resettled(
    problem: Problem, table: Table, theta: Float[AnyArray, " unknowns"], smooth
) -> Float[np.ndarray, " unknowns"]:
    """θ with each source in turn moved to the site and onset of the table that help most, if any
    does by more than a tenth. So a source that another overtook, on which nothing depends and
    which no derivative can move, gets another place."""
    theta = np.array(theta, float)
    k = problem.unknowns.sources
    for source in range(k):
        velocity, sources = parameters_at(problem, _f(theta))
        off = jnp.asarray(sources.onset).at[source].set(NEVER)
        rest = activated(problem, Parameters(velocity, Sources(sources.position, off)))
        now = _misfits(problem, activated(problem, Parameters(velocity, sources)), _f(smooth))
        costs = _elsewhere(problem, table, velocity, rest, _f(smooth))
        best = int(np.argmin(np.asarray(costs)))
        if float(costs[best]) < 0.9 * float(now):
            site, onset = (np.asarray(x)[best] for x in _places(table))
            theta[2 + source] = np.log(onset / (1 - onset))
            where = 2 + k + 3 * source
            theta[where : where + 3] = np.asarray(table.site)[site]
    return theta


@jax.jit
def _misfits(problem: Problem, T, smooth):
    return _misfit(problem, T, smooth)


@jax.jit
def _elsewhere(problem: Problem, table: Table, velocity, rest, smooth):
    """|r|² with one more source at each place of the table beside the activation `rest`."""
    site, share = _places(table)
    first, last = problem.unknowns.onset

    def cost(place):
        i, onset = place
        own = first + (last - first) * onset + _from_sites(table, velocity, i)
        return _misfit(problem, jnp.minimum(rest, own), smooth)

    return lax.map(cost, (site, share))
