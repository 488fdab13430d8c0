"""A symmetric sparse matrix as padded rows, and its product with a vector."""

import dataclasses
from collections.abc import Sequence
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._linear import linear
from heartsim._loops import of_stored, taken, taken_in_loop
from heartsim._types import AnyArray

from ._long import Long
from ._spread import AbstractSpread, Whole, strips

MANY = 100_000
"""Nodes from which a GPU takes a second kernel for long rows: at 38 976 nodes of a heart it costs a
tenth of a step, at 274 880 it saves a third (docs/performance.md)."""

CONDUCTIVITY = "a matrix (conductivity)"


class Rows(eqx.Module):
    """A symmetric matrix: its diagonal, and the off-diagonal entries of each row by slot."""

    neighbour: Int[AnyArray, "slots nodes"]
    off: Float[Array, "slots nodes"]
    diagonal: Float[Array, " nodes"]
    shifts: tuple[int, ...] | None = eqx.field(static=True, default=None)
    """Neighbour less node in each slot, where that is the same for all nodes: see fem.shifts."""
    spread: AbstractSpread = Whole()
    long: Long | None = None
    """Rows that products take apart."""
    rest: Float[Array, "rest long"] | None = None
    """What `long` takes apart, made once for all products: new entries come by `with_entries`."""

    def __matmul__(self, x: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
        """y_i = a_ii x_i + Σ_j a_ij x_j."""
        return self.diagonal * x + self.beside(x)

    def beside(self, x: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
        """y_i = Σ_j a_ij x_j, without the diagonal."""
        apart = self.long, self.rest
        return _off_product(self.spread, self.shifts, self.off, self.neighbour, apart, x)

    def around(self, x: Float[Array, " nodes"]) -> Float[Array, " around"]:
        """x and, before and behind it, what a product reads beside it."""
        return _around(self.spread, self.shifts, x)

    def within(self, around: Float[Array, " around"]) -> Float[Array, " nodes"]:
        """x of `around(x)`."""
        before = (around.size - self.diagonal.size) // 2
        return around[before : before + self.diagonal.size]

    def beside_from(self, around: Float[Array, " around"]) -> Float[Array, " nodes"]:
        """`beside` of x from `around(x)`, without a derivative, again and again in a loop."""
        apart = self.long, self.rest
        return _sum(self.shifts, self.off, self.neighbour, apart, around, taken_in_loop)

    def with_entries(
        self, off: Float[Array, "slots nodes"], diagonal: Float[Array, " nodes"]
    ) -> "Rows":
        """Another matrix on the same pattern."""
        rest = None if self.long is None else self.long.rest(off)
        return dataclasses.replace(self, off=off, diagonal=diagonal, rest=rest)

    def gathered(self) -> "Rows":
        """The same matrix, whose products gather all slots whatever the numbers of its nodes."""
        return dataclasses.replace(self, shifts=None, long=None, rest=None)

    def plus(self, factor: Float[Array, ""] | float, other: "Rows") -> "Rows":
        """self + factor · other, on the same pattern; self may be diagonal, without slots."""
        if not len(self.off):
            diagonal = self.diagonal + factor * other.diagonal
            return other.with_entries(factor * other.off, diagonal)
        return self.with_entries(
            self.off + factor * other.off, self.diagonal + factor * other.diagonal
        )

    def scaled(self, s: Float[Array, " nodes"]) -> "Rows":
        """S A S with S = diag(s); symmetric as A is."""
        beside = self.spread.around(jnp.asarray(s))[self.neighbour]
        return self.with_entries(self.off * s * beside, self.diagonal * s**2)

    def over(self, devices: Sequence[jax.Device]) -> "Rows":
        """The same matrix in strips, one a device; ValueError as `strips` has it."""
        cut = strips(self.neighbour, devices)
        nodes, width = self.diagonal.size, self.diagonal.size // len(devices)
        first = np.arange(nodes) // width * width - cut.halo
        near = (np.asarray(self.neighbour) - first).astype(np.int32)
        whole = dataclasses.replace(self, neighbour=near, spread=cut, long=None, rest=None)
        return cut.placed(whole)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _off_product(
    spread: AbstractSpread,
    shifts: tuple[int, ...] | None,
    off: Float[Array, "slots nodes"],
    neighbour: Int[AnyArray, "slots nodes"],
    apart: tuple[Long | None, Float[Array, "rest long"] | None],
    x: Float[Array, " nodes"],
) -> Float[Array, " nodes"]:
    """y_i = Σ_s off_si x_neighbour(s,i) of a symmetric matrix, unrolled over the slots.

    The adjoint of a gather is a scatter, which is slow on a GPU; as the matrix is symmetric
    the product is its own adjoint, and says so here. First derivatives only.
    """
    return _product(spread, shifts, off, neighbour, apart, x)


def _product(spread, shifts, off, neighbour, apart, x):
    def of(around):
        return _sum(shifts, off, neighbour, apart, around)

    around = _around(spread, shifts, x)
    return of_stored(of, around) if shifts is None else of(around)


def _around(spread, shifts, x):
    """x with the halo of this device and, for slices, zeros beyond as far as they reach."""
    around = spread.around(jnp.asarray(x))
    have = (around.size - x.size) // 2
    return jnp.pad(around, max(0, max(map(abs, shifts or ()), default=0) - have))


def _sum(shifts, off, neighbour, apart, around, read=taken):
    """The products, with long rows apart where that pays."""
    long, rest = apart

    def whole(around):
        return _of_slots(shifts, off, neighbour, around, read)

    def parted(around):
        most = _of_slots(shifts, off[: long.short], neighbour, around, read)
        return most + long.beyond(rest, around, read)

    if long is None:
        return whole(around)
    elsewhere = parted if off.shape[1] >= MANY else whole
    return lax.platform_dependent(around, cpu=parted, default=elsewhere)


def _of_slots(shifts, off, neighbour, around, read=taken):
    """The products from slices of x where slots have shifts, else from gathers."""
    nodes = off.shape[1]
    before = (around.size - nodes) // 2
    y = jnp.zeros(nodes, off.dtype)
    for s, row in enumerate(off):
        if shifts is None:
            near = read(around, neighbour[s])
        else:
            near = around[before + shifts[s] : before + shifts[s] + nodes]
        y = y + row * near
    return y


@partial(_off_product.defjvp, symbolic_zeros=True)
def _off_product_jvp(spread, shifts, primals, tangents):
    off, neighbour, apart, x = primals
    d_off, _, _, d_x = tangents
    y = _off_product(spread, shifts, off, neighbour, apart, x)
    change = jnp.zeros_like(y)
    if not _still(d_x):
        of = partial(_of_vector, spread, shifts)
        change = change + linear(of, of, (off, neighbour, apart), d_x, CONDUCTIVITY)
    if not _still(d_off) and len(off):
        place = neighbour, _around(spread, shifts, x)
        of, transposed = partial(_of_entries, shifts), partial(_to_entries, shifts)
        change = change + linear(of, transposed, place, d_off, CONDUCTIVITY)[0]
    return y, change


def _still(tangent):
    return isinstance(tangent, jax.custom_derivatives.SymbolicZero)


def _of_vector(spread, shifts, place, x):
    """The product, which is its own transpose as the matrix is symmetric."""
    off, neighbour, apart = place
    return _product(spread, shifts, off, neighbour, apart, x)


def _of_entries(shifts, place, off):
    """The products, with rows of nothing below, in the shape of the entries."""
    y = _of_slots(shifts, off, *place)
    return jnp.pad(y[None], ((0, len(off) - 1), (0, 0)))


def _to_entries(shifts, place, y):
    """Its transpose, in one loop: by JAX each slot would be one, and then put beside the others."""
    neighbour, around = place
    if shifts is not None:
        nodes = y.shape[1]
        first = (around.size - nodes) // 2 + np.asarray(shifts, np.int32)
        neighbour = jnp.arange(nodes, dtype=np.int32) + first[:, None]
    return y[0] * taken(around, neighbour)
