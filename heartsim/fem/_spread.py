"""How the nodes of a mesh are spread over devices, and what then crosses between them."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh as Devices
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float, Int, PyTree

from heartsim._sizes import roomy, up
from heartsim._types import AnyArray

AXIS = "strips"
REPEATED: Any = PartitionSpec()
"""Of a result that is the same on every device."""


def split(ndim: int) -> Any:
    """Of an array whose last axis counts nodes; a number is the same on every device."""
    return PartitionSpec(*(ndim - 1) * [None], AXIS) if ndim else REPEATED


class AbstractSpread(eqx.Module):
    """Where the nodes lie. Inside `run` an array of shape (..., nodes) is this device's share of
    it, and these methods are the only ways to the rest."""

    @property
    @abstractmethod
    def parts(self) -> int:
        """On how many devices."""

    @abstractmethod
    def around(self, x: Float[Array, " nodes"]) -> Float[Array, " around"]:
        """x at the nodes that this device's matrix rows name."""

    @abstractmethod
    def total(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The sum of x over the devices."""

    @abstractmethod
    def greatest(self, x: Float[Array, " nodes"]) -> Float[Array, ""]:
        """The greatest x of all nodes, NaN where there is one."""

    @abstractmethod
    def worst(self, x: Float[Array, " nodes"]) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """The node of the greatest |x|, or the first that is NaN, and its x."""

    @abstractmethod
    def placed(self, x: PyTree) -> PyTree:
        """x with every array's strips on their devices."""

    @abstractmethod
    def run(self, program: Callable[..., Any], out: PyTree, *args: Any) -> Any:
        """program(*args) on every device at once; `out` says how its results are split."""


class Whole(AbstractSpread):
    """One device holds every node."""

    @property
    def parts(self):
        """1."""
        return 1

    def around(self, x):
        """x itself."""
        return x

    def total(self, x):
        """x itself."""
        return x

    def greatest(self, x):
        """See AbstractSpread."""
        return jnp.max(x)

    def worst(self, x):
        """See AbstractSpread."""
        size = lax.stop_gradient(jnp.abs(x))
        most = jnp.max(size)  # an argmax is a loop of two results, fifteen times as slow
        there = jnp.isnan(size) | (size == most)
        node = jnp.min(jnp.where(there, jnp.arange(x.size, dtype=jnp.int32), x.size))
        return node, x[node]

    def placed(self, x):
        """x itself."""
        return x

    def run(self, program, out, *args):
        """program(*args)."""
        return program(*args)


class Strips(AbstractSpread):
    """Strips of equally many consecutive nodes, one a device. In a banded order the neighbours of
    a strip's nodes lie in it and in the `halo` nodes before and behind it, which the devices
    beside it hand over at every product."""

    devices: Devices = eqx.field(static=True)
    halo: int = eqx.field(static=True)

    @property
    def parts(self):
        """See AbstractSpread."""
        return self.devices.size

    def around(self, x):
        """The end of the strip before, x, the start of the strip behind; 0 beyond both ends."""
        onward = [(k, k + 1) for k in range(self.parts - 1)]
        before = lax.ppermute(x[len(x) - self.halo :], AXIS, onward)
        behind = lax.ppermute(x[: self.halo], AXIS, [(b, a) for a, b in onward])
        return jnp.concatenate([before, x, behind])

    def total(self, x):
        """See AbstractSpread."""
        return lax.psum(x, AXIS)

    def greatest(self, x):
        """See AbstractSpread."""
        return jnp.max(lax.all_gather(jnp.max(x), AXIS))

    def worst(self, x):
        """See AbstractSpread."""
        node, value = Whole().worst(x)
        values = lax.all_gather(value, AXIS)
        nodes = lax.all_gather(node + len(x) * lax.axis_index(AXIS), AXIS)
        strip, value = Whole().worst(values)
        return nodes[strip], value

    def run(self, program, out, *args):
        """program(*args) under `shard_map`: every array is split along its last axis."""
        arrays, rest = eqx.partition(args, eqx.is_array)

        def part(arrays):
            return program(*eqx.combine(arrays, rest))

        inputs = jax.tree.map(lambda x: split(x.ndim), arrays)
        return jax.shard_map(
            part, mesh=self.devices, in_specs=(inputs,), out_specs=out, check_vma=False
        )(arrays)

    def placed(self, x):
        """See AbstractSpread."""

        def place(leaf):
            if not eqx.is_array(leaf):
                return leaf
            return jax.device_put(leaf, jax.NamedSharding(self.devices, split(np.ndim(leaf))))

        return jax.tree.map(place, x)


def strips(neighbour: Int[AnyArray, "slots nodes"], devices: Sequence[jax.Device]) -> Strips:
    """The strips of a matrix with these neighbours on these devices, with the halo they need.

    ValueError where the nodes do not part evenly, or where a strip's neighbours lie beyond the
    strips beside it: the mesh is too small for so many devices, or not in banded order.
    """
    nodes, count = np.shape(neighbour)[1], len(devices)
    if nodes % count:
        raise ValueError(
            f"strips: {nodes} nodes do not part evenly among {count} devices; pad them with "
            f"fem.compact(mesh, parts={count})."
        )
    width = nodes // count
    first = np.arange(nodes) // width * width
    near = np.asarray(neighbour)
    beyond = (first - near, near - first - width + 1)
    reach = max(int(far.max(initial=0)) for far in beyond)
    halo = min(width, up(roomy(reach, 16), 64))  # one of few, for like meshes to share programs
    if reach > width:
        raise ValueError(
            f"strips: neighbours lie up to {reach} nodes away, and {count} devices have {width} "
            "nodes each; use fewer devices, or order the mesh with fem.compact."
        )
    return Strips(Devices(np.array(devices), (AXIS,)), halo)


def most_strips(cells: Int[AnyArray, "cells vertices"], n_nodes: int, devices: int) -> int:
    """Into how many strips a mesh can be cut, `devices` at most: nodes of a cell must lie in the
    same strip or in two beside each other."""
    cells = np.asarray(cells)
    reach = int((cells.max(axis=1) - cells.min(axis=1)).max())
    return next(k for k in range(devices, 0, -1) if n_nodes % k == 0 and reach <= n_nodes // k)
