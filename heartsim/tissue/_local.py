"""The first arrival at a vertex through the opposite face of one simplex, in closed form.

A plane wave between the corners of a face crosses the simplex in a straight ray. With e_j the
edge from the vertex to corner j, and the metric M (inverse squared velocity), all that counts is
the Gram matrix G_jk = e_j · M e_k [ms²] and the arrival times T_j [ms] at the corners:

    T = min over λ ≥ 0, Σλ = 1 of  Σ_j λ_j T_j + √(λᵀ G λ)                                (1)

Fu, Kirby and Whitaker (2013), SIAM J. Sci. Comput. 35, C473-C494, section 3 (page not checked).
Arrays carry corners (or pairs of corners) first; everything behind is a batch.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

NEVER = 1e6
"""Arrival time [ms] of what has not been reached."""

PAIRS = {1: [(0, 0)], 2: [(0, 0), (0, 1), (1, 1)]}
PAIRS[3] = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
"""Order of the entries of G, by number of corners."""


def first_arrival(
    T: Float[Array, "corners *batch"], G: Float[Array, "pairs *batch"]
) -> Float[Array, "*batch"]:
    """The minimum (1), NEVER or later where no corner has been reached."""
    return _candidates(T, G)[0]


def ray_weights(
    T: Float[Array, "corners *batch"], G: Float[Array, "pairs *batch"]
) -> Float[Array, "corners *batch"]:
    """The λ that attains the minimum (1): where the ray leaves the face."""
    return _candidates(T, G, weights=True)[1]


def _candidates(T, G, weights=False):
    corners = len(T)
    g = dict(zip(PAIRS[corners], G, strict=True))
    if corners == 1:
        return T[0] + jnp.sqrt(G[0]), jnp.ones_like(T)
    edges = [(0, 1)] if corners == 2 else [(0, 1), (0, 2), (1, 2)]
    best, where = None, None
    for a, b in edges:
        t, value = _edge(T[a], T[b], g[a, a], g[a, b], g[b, b])
        λ = [jnp.zeros_like(t)] * corners
        λ[a], λ[b] = 1 - t, t
        best, where = _earlier(best, where, value, λ)
    if corners == 3:
        value, λ = _face(T, g)
        best, where = _earlier(best, where, value, λ)
    return best, jnp.stack(where) if weights else None


def _earlier(best, where, value, λ):
    if best is None:
        return value, λ
    wins = value < best
    return jnp.minimum(value, best), [jnp.where(wins, x, y) for x, y in zip(λ, where, strict=True)]


def _edge(Ta, Tb, gaa, gab, gbb):
    """(1) on an edge: t is the weight of corner b, clipped to the edge."""
    rise = Tb - Ta
    length2 = gaa - 2 * gab + gbb
    foot = (gab - gaa) / length2  # minus the place nearest to the vertex
    height2 = jnp.maximum(gaa - length2 * foot**2, 0.0)
    slack = length2 * (length2 - rise**2)
    tiny = jnp.finfo(slack.dtype).tiny
    t = -foot - rise * jnp.sqrt(height2 / jnp.maximum(slack, tiny))
    t = jnp.where(slack > 0, t, jnp.where(rise > 0, 0.0, 1.0))
    t = jnp.clip(t, 0.0, 1.0)
    way = jnp.sqrt(height2 + length2 * (t + foot) ** 2)
    return t, (1 - t) * Ta + t * Tb + way


def _face(T, g):
    """(1) inside a face: with Q = G⁻¹ and μ the arrival, (μ1 - T)ᵀ Q (μ1 - T) = 1 and
    λ ~ Q (μ1 - T); NEVER where a weight is negative."""
    least = jnp.minimum(jnp.minimum(T[0], T[1]), T[2])
    u0, u1, u2 = T[0] - least, T[1] - least, T[2] - least
    c00 = g[1, 1] * g[2, 2] - g[1, 2] ** 2
    c01 = g[0, 2] * g[1, 2] - g[0, 1] * g[2, 2]
    c02 = g[0, 1] * g[1, 2] - g[0, 2] * g[1, 1]
    c11 = g[0, 0] * g[2, 2] - g[0, 2] ** 2
    c12 = g[0, 1] * g[0, 2] - g[0, 0] * g[1, 2]
    c22 = g[0, 0] * g[1, 1] - g[0, 1] ** 2
    det = g[0, 0] * c00 + g[0, 1] * c01 + g[0, 2] * c02
    r0, r1, r2 = c00 + c01 + c02, c01 + c11 + c12, c02 + c12 + c22  # Q1 · det
    s0 = c00 * u0 + c01 * u1 + c02 * u2  # Qu · det
    s1 = c01 * u0 + c11 * u1 + c12 * u2
    s2 = c02 * u0 + c12 * u1 + c22 * u2
    a, b = r0 + r1 + r2, s0 + s1 + s2
    c = u0 * s0 + u1 * s1 + u2 * s2
    root2 = b**2 - a * (c - det)
    mu = (b + jnp.sqrt(jnp.maximum(root2, 0.0))) / a
    λ = [mu * r0 - s0, mu * r1 - s1, mu * r2 - s2]
    inside = (root2 >= 0) & (λ[0] >= 0) & (λ[1] >= 0) & (λ[2] >= 0)
    inside &= jnp.maximum(jnp.maximum(u0, u1), u2) < NEVER / 2
    total = λ[0] + λ[1] + λ[2]
    total = jnp.where(total > 0, total, 1.0)
    return jnp.where(inside, least + mu, NEVER), [x / total for x in λ]
