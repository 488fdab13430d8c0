"""How arrival times change: each along the ray that reached it, in causal order.

At the fixed point every node has one best way: a start of its own, a link, or a ray from a face
with weights λ. With that way held fixed (envelope theorem),

    dT_i = Σ_j λ_ij dT_j + d(time of the ray, link or start)     or   (I - P) dT = b       (1)

P moves along causality only, so that the sums b + Pb + P²b + ... end by themselves.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from heartsim._loops import taken

from ._front import Front
from ._local import NEVER, first_arrival, ray_weights
from ._metric import length, ray_time


class Ways(NamedTuple):
    """The best way to each node. Where none of the three is true the node was never reached."""

    by_start: Bool[Array, " inner"]
    by_link: Bool[Array, " inner"]
    by_ray: Bool[Array, " inner"]
    link: Int[Array, " inner"]
    cell: Int[Array, " inner"]
    ray: Float[Array, "inner 3"]  # mm, from the face to the node
    origin: Int[Array, "corners inner"]
    weight: Float[Array, "corners inner"]  # λ; zero where not by_ray


def ways(front: Front, G, T, start, link_time) -> Ways:
    """The best ways at the fixed point T, from one more look at every block."""
    blocks = (front.corner, front.row, front.incoming, G, start.reshape(-1, front.size))
    look = _look(front, T, jnp.append(link_time, NEVER))
    found = lax.map(look, jax.tree.map(jnp.asarray, blocks))
    by_start, by_link, by_ray, link, cell = (x.ravel() for x in found[:5])
    origin, weight = (jnp.moveaxis(x, 1, 0).reshape(x.shape[1], -1) for x in found[5:])
    weight = jnp.where(by_ray, weight, 0.0)
    points = jnp.asarray(front.points, T.dtype)
    ray = points - jnp.einsum("cn,cni->ni", weight, points[origin])
    return Ways(by_start, by_link, by_ray, jnp.where(by_link, link, 0), cell, ray, origin, weight)


def _look(front: Front, T, time):
    """The function that finds a block's best ways."""
    source = jnp.append(jnp.asarray(front.links.ends)[:, 0], len(T) - 1)
    n_cells = len(front.cells)

    def of_block(block):
        corner, row, incoming, G, start = block
        value = first_arrival(T[corner], G)
        slot = value.argmin(axis=0)
        best, origin = value.min(axis=0), _slot(corner, slot)
        weight = ray_weights(T[origin], _slot(G, slot))
        cell = _slot(row, slot) % n_cells
        if len(incoming):
            arrivals = T[source[incoming]] + time[incoming]
            linked, link = arrivals.min(axis=0), _slot(incoming, arrivals.argmin(axis=0))
        else:
            link, linked = jnp.zeros_like(slot), jnp.full_like(best, NEVER)
        reached = jnp.minimum(jnp.minimum(best, linked), start) < NEVER / 2
        by_start = reached & (start <= jnp.minimum(best, linked))
        by_link = reached & ~by_start & (linked < best)
        return by_start, by_link, reached & ~by_start & ~by_link, link, cell, origin, weight

    return of_block


def _slot(table: Int[Array, "*lead slots size"] | Float[Array, "*lead slots size"], slot):
    """The entries of one slot for each node of a block."""
    index = slot.reshape((1,) * (table.ndim - 1) + slot.shape)
    return jnp.take_along_axis(table, index, axis=-2).squeeze(-2)


def derivative(front: Front, G, T, primals, tangents) -> Float[Array, " inner"]:
    """dT of (1) for changes of (M, start, delay)."""
    M, start, delay = primals
    way = ways(front, G, T, start, delay + ray_time(front.links, M))

    def own_time(M, start, delay):
        through = length(jnp.where(way.by_ray[:, None], way.ray, 0.0), M[way.cell])
        times = jnp.where(way.by_start, start, through)
        if len(delay):
            linked = delay + ray_time(front.links, M)
            times = jnp.where(way.by_link, linked[way.link], times)
        return times

    _, b = jax.jvp(own_time, primals, tangents)
    forwards = _along_rays(front, way)
    return lax.custom_linear_solve(
        lambda x: x - _product(forwards, x),
        b,
        solve=lambda _, b: _summed(forwards, b),
        transpose_solve=lambda _, b: _summed(_against_rays(front, forwards), b),
    )


class _Rows(NamedTuple):
    """A sparse matrix by slots, y_i = Σ_s weight_si x_node(s,i)."""

    node: Int[Array, "slots inner"]
    weight: Float[Array, "slots inner"]


def _along_rays(front: Front, way: Ways) -> _Rows:
    """P: each node's corners, or the node at the other end of its link in the first slot."""
    node, weight = way.origin, way.weight
    if front.incoming.shape[1]:
        source = jnp.asarray(front.links.ends)[:, 0][way.link]
        node = node.at[0].set(jnp.where(way.by_link, source, node[0]))
        weight = weight.at[0].set(jnp.where(way.by_link, 1.0, weight[0]))
    return _Rows(node, weight)


def _against_rays(front: Front, rows: _Rows) -> _Rows:
    """Pᵀ, gathered by neighbours: what each node gives to those whose rays begin at it."""
    near, twin = jnp.asarray(front.neighbour), jnp.asarray(front.twin)
    given = jnp.zeros(near.shape, rows.weight.dtype)
    for node, weight in zip(rows.node, rows.weight, strict=True):
        given = given + jnp.where(near == node, weight, 0.0)
    own = near == jnp.arange(near.shape[1])  # padding
    return _Rows(near, jnp.where(own, 0.0, given[twin, near]))


def _product(rows: _Rows, x):
    return sum(weight * taken(x, node) for node, weight in zip(rows.node, rows.weight, strict=True))


def _summed(rows: _Rows, b):
    """b + Pb + P²b + ...: repeat x = b + Px until nothing changes."""

    def unfinished(c):
        x, before, steps = c
        return (x != before).any() & (steps < len(b))

    def once(c):
        x, _, steps = c
        return b + _product(rows, x), x, steps + 1

    first = (b + _product(rows, b), b, jnp.int32(1))
    return lax.while_loop(unfinished, once, first)[0]
