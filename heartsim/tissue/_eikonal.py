"""The eikonal equation on a front: first arrival times, and their exact derivatives.

    √(∇T · C ∇T) = 1,  C = Σ_k v_k² a_k a_kᵀ,  M = C⁻¹                                     (1)

Each node takes the least over the simplices around it of their first arrival (`_local.py`), over
incoming links, and its own start time; the fixed point is reached block by block, the earliest
first. Fu, Kirby and Whitaker (2013), SIAM J. Sci. Comput. 35, C473-C494 (page not checked).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from heartsim._linear import first_order_only
from heartsim._loops import taken
from heartsim._types import AnyArray
from heartsim.mesh import Mesh

from ._checks import require_velocities
from ._conductivity import PerCell, tensor
from ._front import Front
from ._front_rule import derivative
from ._local import NEVER, first_arrival
from ._metric import gram, ray_time

AT_ONCE = 2
"""Updates of a block before the next block's turn. One costs more visits, many more updates: on
58,176 nodes 14 (1), 18 (2) and 24 (5) sweeps' worth, but least time at 2 to 3."""

AHEAD = 4.0
"""How far the blocks of one round reach ahead of the earliest unsettled one, in mean edges."""


def slowness(
    mesh: Mesh, fibre: PerCell, sheet: PerCell, normal: PerCell
) -> Float[Array, "cells 3 3"]:
    """M = Σ_k a_k a_kᵀ / v_k² [ms²/mm²] from velocities [mm/ms] along fibre, sheet and normal,
    each one number or one per cell; ValueError where one is not positive, known before tracing.
    """
    require_velocities(fibre=fibre, sheet=sheet, normal=normal)
    if fibre is sheet and sheet is normal:  # one velocity needs no fibres
        return tensor(mesh, *(3 * [jnp.asarray(fibre, float) ** -2]))
    return tensor(mesh, *(jnp.asarray(v, float) ** -2 for v in (fibre, sheet, normal)))


def arrival(
    front: Front,
    M: Float[AnyArray, "cells 3 3"],
    start: Float[AnyArray, " inner"],
    delay: Float[AnyArray, " links"] | None = None,
) -> Float[Array, " nodes"]:
    """Arrival time [ms] at each node, the mesh's first, then the network's; NEVER where none.

    `start` are times [ms] by inner number at which nodes activate by themselves, NEVER for most
    (`source_times`). `delay` [ms] is each link's own. Differentiable in M, start and delay, in
    both modes: with the ray that reached each node held fixed, dT = P dT + b along the causal
    order, by the envelope theorem. First derivatives only.
    """
    dtype = jnp.result_type(M)
    delay = jnp.zeros(len(front.links.cells), dtype) if delay is None else jnp.asarray(delay, dtype)
    return _arrival(front, jnp.asarray(M), jnp.asarray(start, dtype), delay)[front.place]


class _Ways(NamedTuple):
    """All ways to each node: through simplices, and by links."""

    corner: Int[Array, "blocks corners slots size"]
    G: Float[Array, "blocks pairs slots size"]  # ms²
    incoming: Int[Array, "blocks link_slots size"]
    source: Int[Array, " links_and_none"]
    time: Float[Array, " links_and_none"]  # ms
    touches: Bool[Array, "blocks blocks"]


@jax.custom_jvp
def _arrival(front, M, start, delay):
    return _fixed_point(front, gram(front, M), M, start, delay)


@_arrival.defjvp
def _arrival_jvp(primals, tangents):
    """Ways and rays are held fixed, so that a derivative of this one would be wrong."""
    front, *parameters = primals
    M, start, delay = (first_order_only(p, "what arrival times depend on") for p in parameters)
    G = gram(front, M)  # once for both
    T = _fixed_point(front, G, M, start, delay)
    return T, derivative(front, G, T, (M, start, delay), tangents[1:])


def _fixed_point(front, G, M, start, delay):
    ways = _Ways(
        *map(jnp.asarray, (front.corner, G, front.incoming)),
        source=jnp.append(jnp.asarray(front.links.ends)[:, 0], len(start) - 1),
        time=jnp.append(delay + ray_time(front.links, M), NEVER),
        touches=jnp.asarray(front.touches),
    )
    ahead = AHEAD * front.spacing * jnp.sqrt(jnp.trace(M, axis1=1, axis2=2).mean() / 3)
    # a block waits with the earliest time that may change it; infinity: it is settled
    earliest = start.reshape(-1, front.size).min(axis=1)
    earliest = jnp.where(earliest < NEVER, earliest, jnp.inf)
    due = jnp.where(ways.touches, earliest[:, None], jnp.inf).min(axis=0)

    def one_round(c):
        return _one_round(ways, ahead, *c)

    return lax.while_loop(lambda c: jnp.isfinite(c[1]).any(), one_round, (start, due))[0]


def _one_round(ways: _Ways, ahead, T, due):
    """Every block that is due soon, in order of time."""
    now = due <= due.min() + ahead
    order = jnp.argsort(jnp.where(now, due, jnp.inf))

    def one_block(i, c):
        T, due = c
        b = order[i]
        T, unsettled, earliest = _update(ways, b, T)
        due = jnp.where(ways.touches[b], jnp.minimum(due, earliest), due)
        return T, due.at[b].set(jnp.where(unsettled, earliest, jnp.inf))

    return lax.fori_loop(0, now.sum(), one_block, (T, due))


def _update(ways: _Ways, b, T):
    """T after the updates of block b, whether it would go on changing, and the earliest of its
    times that changed (infinity: none did)."""
    size = ways.corner.shape[-1]
    # changes below this are rounding: 6e-5 ms in float32, where 100 ms has steps of 1e-5
    least = 500 * jnp.finfo(T.dtype).eps

    def once(c):
        T, count, _, earliest = c
        new = first_arrival(taken(T, ways.corner[b]), ways.G[b]).min(axis=0)
        if ways.incoming.shape[1]:
            link = ways.incoming[b]
            new = jnp.minimum(new, (taken(T, ways.source[link]) + ways.time[link]).min(axis=0))
        old = lax.dynamic_slice(T, (b * size,), (size,))
        less = new < old - least
        earliest = jnp.minimum(earliest, jnp.where(less, new, jnp.inf).min())
        T = lax.dynamic_update_slice(T, jnp.where(less, new, old), (b * size,))
        return T, count + 1, less.any(), earliest

    first = (T, jnp.int32(0), jnp.asarray(True), jnp.asarray(jnp.inf, T.dtype))
    T, _, unsettled, earliest = lax.while_loop(lambda c: c[2] & (c[1] < AT_ONCE), once, first)
    return T, unsettled, earliest
