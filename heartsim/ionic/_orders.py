"""From the order of a mesh to that of its patches and back; each way is the other's transpose."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from heartsim._linear import linear
from heartsim._loops import of_stored, stored, taken

WHAT = "the order of nodes"

Orders = tuple[tuple[Int[Array, "..."], ...], Int[Array, " nodes"]]
"""The nodes of each patch, and where each node stands in the joined patches. What stands at no
node's place is padding: it repeats nodes of its patch, the last one where it stands behind."""


def in_patches(orders: Orders, x: Float[Array, " nodes"]) -> list[Float[Array, "..."]]:
    """x at the nodes and the padding of each patch."""
    given = x, [jnp.zeros(own.shape, x.dtype) for own in orders[0]]
    return linear(_parted, _summed, orders, given, WHAT)[1]


def in_mesh_order(orders: Orders, parts: list[Float[Array, "..."]]) -> Float[Array, " nodes"]:
    """Of what patches say of their nodes and padding, what they say of each node."""
    kind = jnp.result_type(*parts)
    given = jnp.zeros(orders[1].shape, kind), [part.astype(kind) for part in parts]
    return linear(_joined, _given_back, orders, given, WHAT)[0]


def _parted(orders, given):
    x, nodes = given[0], orders[0]
    return jnp.zeros_like(x), [taken(x, own) for own in nodes]


def _joined(orders, given):
    parts, place = given[1], orders[1]
    return taken(jnp.concatenate(parts), place), [jnp.zeros_like(part) for part in parts]


def _given_back(orders, given):
    """Transposes `_joined`: nothing asks for padding."""

    def of(x):
        each = zip(orders[0], _owned(orders), strict=True)
        return [jnp.where(own, taken(x, nodes), 0) for nodes, own in each]

    return jnp.zeros_like(given[0]), stored(of, given[0])


def _summed(orders, given):
    """Transposes `_parted`: what stands at padding is added to the node that it repeats. Of parts
    that are stored, as XLA computes what it joins one by one."""

    def of(parts):
        x = taken(jnp.concatenate(parts), orders[1])
        node = jnp.arange(x.size, dtype=np.int32)
        for nodes, own, part in zip(orders[0], _owned(orders), parts, strict=True):
            x = x + jnp.where(node == nodes[-1], jnp.where(own, 0, part).sum(), 0)
        return x

    return of_stored(of, given[1]), [jnp.zeros_like(part) for part in given[1]]


def _owned(orders: Orders) -> list[Bool[Array, "..."]]:
    """Of each patch, what is no padding."""
    nodes, place = orders
    first = np.cumsum([0, *map(len, nodes)], dtype=np.int32)
    return [
        taken(place, own) == start + jnp.arange(len(own), dtype=np.int32)
        for start, own in zip(first[:-1], nodes, strict=True)
    ]
