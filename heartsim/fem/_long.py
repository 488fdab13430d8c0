"""The few rows of a matrix that are much longer than most."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._loops import stored, taken
from heartsim._sizes import up
from heartsim._types import AnyArray

MULTIPLE = 64  # whole vectors at the end of a loop
PARTS = 32  # long rows are padded to whole 32nds of all rows, for like meshes to share programs
WORTH = 0.9  # of the slots that are read: what is saved must pay for a loop more


class Long(eqx.Module):
    """Which rows have entries beyond the first `short` slots.

    In a mesh of tetrahedra built from an image most nodes have 14 neighbours or fewer, one in ten
    has more, one in a thousand 20. A product that reads the first 14 slots of all rows, and the
    rest of the long ones apart, takes a third less than one that reads 23 slots of each.
    """

    nodes: Int[AnyArray, " long"]  # of the long rows; the last one's is short
    place: Int[AnyArray, " nodes"]  # of each node among these, of short rows the last
    near: Int[AnyArray, "rest long"]  # neighbours beyond the first `short`
    short: int = eqx.field(static=True)

    def rest(self, off: Float[Array, "slots nodes"]) -> Float[Array, "rest long"]:
        """What the rows hold there. Without a derivative: that of a product is by all slots."""
        return lax.stop_gradient(off)[self.short :, self.nodes]

    def beyond(
        self,
        rest: Float[Array, "rest long"],
        around: Float[Array, " around"],
        read: Callable[..., Array] = taken,
    ) -> Float[Array, " nodes"]:
        """y_i = Σ_s off_si x_neighbour(s,i) over the slots from `short` on; `read` gathers what
        stays the same through a loop by `taken_in_loop`."""

        def product(around):
            y = jnp.zeros(rest.shape[1], rest.dtype)
            for row, at in zip(rest, self.near, strict=True):
                y = y + row * taken(around, at)
            return y

        return read(stored(product, around), self.place)


def long_rows(neighbour: Int[AnyArray, "slots nodes"]) -> Long | None:
    """The rows to take apart, where that saves a tenth of a product; empty slots name their own
    node, and stand last."""
    slots, n_nodes = neighbour.shape
    length = (np.asarray(neighbour) != np.arange(n_nodes)).sum(axis=0)
    longer = n_nodes - np.bincount(length, minlength=slots + 1).cumsum()  # than k slots
    step = up(max(1, n_nodes // PARTS), MULTIPLE)
    kept = longer + step - longer % step  # one at least is short
    short = np.arange(slots)
    read = short + 1 + (slots - short) * kept[:-1] / n_nodes
    best = int(read.argmin())
    if read[best] > WORTH * slots:
        return None
    nodes = np.flatnonzero(length > best)
    empty = np.full(kept[best] - nodes.size, length.argmin())
    place = np.full(n_nodes, nodes.size)
    place[nodes] = np.arange(nodes.size)
    nodes = np.r_[nodes, empty].astype(np.int32)
    return Long(nodes, place.astype(np.int32), np.asarray(neighbour)[best:, nodes], best)
