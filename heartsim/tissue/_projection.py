"""A mesh as plane waves see it: projected on the line along which they travel."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from heartsim._types import AnyArray
from heartsim.fem import Rows, basis_gradients
from heartsim.mesh import Mesh

_BETWEEN = np.array([(1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)]) / 2**0.5
WAYS = np.vstack([np.eye(3), _BETWEEN])
"""Along fibre, sheet and normal, and at 45° between two of them: unit vectors by these three."""
REACH = 16  # spacings of a projection in the longest edge; with 8 most velocities are the same
WITHIN = 0.1  # of an axis' square, in its line or triangle, and of the cells: less does not count
MOST = 0.999  # of the edges REACH spacings reach; beyond, the same parabola goes on
ENOUGH = 100_000  # cells, drawn at random; a mean over more is no better


class Projection(NamedTuple):
    """A strand on which plane waves run as they do along one direction n of a mesh.

    Of a wave φ(n·x) a node x_i sees of its neighbours only d_ij = n·(x_j - x_i). The mean over
    all nodes of Σ_j K_ij φ_j and Σ_j M_ij φ_j is that of a strand whose nodes, `spacing` apart,
    are coupled with those 1, 2, ... REACH places before and behind them. Exact where all nodes
    are alike (cubes, split alike, in any direction), and for what tetrahedra without order do to
    waves on average: our own derivation, measured in docs/numerics.md.
    """

    spacing: float  # mm
    stiffness: Float[np.ndarray, "3 reach"]  # 1/mm², of D = 1 along fibre, sheet and normal
    mass: Float[np.ndarray, " reach"]  # consistent, of 1
    edge: float  # mm, mean of the mesh's

    def matrices(self, D: Float[AnyArray, "3"], lumped: float, nodes: int) -> tuple[Rows, Rows]:
        """Stiffness [1/ms] and blended mass [1] of a strand of so many nodes."""
        ahead = np.arange(1, REACH + 1)
        shifts = np.stack([ahead, -ahead], axis=1).ravel()
        place = np.arange(nodes) + shifts[:, None]
        there = (place >= 0) & (place < nodes)
        near = np.where(there, place, np.arange(nodes)).astype(np.int32)

        def rows(entries, row_sum):
            off = np.repeat(entries, 2)[:, None] * there
            diagonal = row_sum - off.sum(axis=0)
            return Rows(
                near, jnp.asarray(off, float), jnp.asarray(diagonal, float), tuple(shifts.tolist())
            )

        K = rows(-_held(np.asarray(D, float) @ self.stiffness), 0.0)
        M = rows((1 - lumped) * self.mass, 1.0)
        return K, M if lumped < 1 else Rows(near[:0], M.off[:0], M.diagonal, ())


class Projections(NamedTuple):
    """Of one mesh along `WAYS`; None where a way leads out of lines or triangles."""

    ways: tuple[Projection | None, ...]
    alike: tuple[int, ...]  # of fibre, sheet and normal: those whose diffusivities cannot differ


def _held(weights: Float[np.ndarray, " reach"]) -> Float[np.ndarray, " reach"]:
    """The weights, and as much of (2 - 2 cos θ)⁴ as holds each wave of θ a node from growing: a
    mesh's own matrix lets none grow, but for short ones the parabolas of `_binned` may."""
    ahead, wave = np.arange(1, REACH + 1), np.linspace(0, np.pi, 1025)[1:]
    short = np.array([56.0, -28.0, 8.0, -1.0])  # of (2 - 2 cos θ)⁴ at 1 to 4 places
    least = (2 - 2 * np.cos(np.outer(wave, ahead))) @ weights
    needed = max(0.0, float((-least / (2 - 2 * np.cos(wave)) ** 4).max()))
    return weights + 1.1 * needed * np.pad(short, (0, REACH - 4))  # waves between those tried, too


def projected(mesh: Mesh, inside: Bool[np.ndarray, " cells"] | None = None) -> Projections:
    """The mesh, or its cells `inside`, along `WAYS`: by fibre, sheet and normal, or by x, y and z
    where it has no fibres. In lines and triangles the axes are those of the frames as they lie in
    each cell: where both sheet and normal lead along a triangle, it is one way.

    ValueError for no cell inside, and for cells inside without a frame.
    """
    some = _some(mesh, inside)
    cells, dim = np.asarray(mesh.cells)[some], mesh.dim
    low, high = np.triu_indices(dim + 1, 1)
    corners = np.asarray(mesh.points, float)[cells]
    apart = corners[:, high] - corners[:, low]
    edge = float(np.linalg.norm(apart, axis=2).mean())
    gradients, measure = basis_gradients(mesh.points, cells)
    frames = np.broadcast_to(np.eye(3), (len(some), 3, 3))
    if mesh.frames is not None:
        frames = np.asarray(mesh.frames, float)[some]
    slope = np.einsum("cki,cvi->kcv", frames, gradients)
    K = -measure[:, None] * slope[..., low] * slope[..., high]  # one for each axis
    M = np.repeat(measure[:, None] / ((dim + 1) * (dim + 2)), len(low), axis=1)
    axes = _within(frames, apart[:, :dim])
    found: list[Projection | None] = []
    for way in WAYS:
        n = way @ axes
        lies = abs(np.sum(n**2, axis=1) - 1) < WITHIN
        if measure @ lies <= WITHIN * measure.sum():
            found.append(None)
            continue
        along = np.abs(np.einsum("ci,cpi->cp", n[lies], apart[lies]))
        spacing = float(np.quantile(along, MOST)) / REACH
        weights = np.concatenate([K, M[None]])[:, lies].reshape(4, -1) / measure[lies].sum()
        entries = _binned(along.ravel() / spacing, weights)
        found.append(Projection(spacing, entries[:3], entries[3], edge))
    if mesh.frames is None or dim == 1:
        return Projections(tuple(found), (0, 1, 2))
    one = dim == 2 and found[1] is not None and found[2] is not None
    return Projections(tuple(found), (1, 2) if one else ())


def _binned(
    at: Float[np.ndarray, " pairs"], weights: Float[np.ndarray, "4 pairs"]
) -> Float[np.ndarray, "4 reach"]:
    """Weights at such distances on whole numbers from 1 to REACH, so that what they say of 1, x²
    and x⁴ stays: cos(kx) is smooth in x². What falls on 0 couples a node with itself."""
    middle = np.clip(np.rint(at), 1, REACH - 1).astype(int)
    square, total = at**2, np.zeros((4, REACH + 1))
    three = [middle - 1, middle, middle + 1]
    for own in three:
        share = np.ones_like(at)
        for other in three:
            if other is not own:
                share *= (square - other**2) / (own**2 - other**2)
        for kind in range(4):
            total[kind] += np.bincount(own, share * weights[kind], REACH + 1)
    return total[:, 1:]


def _some(mesh: Mesh, inside: Bool[np.ndarray, " cells"] | None) -> np.ndarray:
    """The numbers of the cells inside, or of enough of them."""
    some = np.arange(mesh.n_cells) if inside is None else np.flatnonzero(inside)
    if not len(some):
        raise ValueError("projected: no cell lies inside; name at least one.")
    if len(some) > ENOUGH:
        some = np.random.default_rng(0).choice(some, ENOUGH, replace=False)
    if mesh.frames is not None:
        bare = some[~np.isfinite(np.asarray(mesh.frames)[some]).all(axis=(1, 2))]
        if len(bare):
            raise ValueError(
                f"projected: cell {bare[0]} has no fibre (NaN in its frame); leave such cells out "
                "by `inside`."
            )
    return some


def _within(
    frames: Float[np.ndarray, "cells 3 3"], edges: Float[np.ndarray, "cells dim 3"]
) -> Float[np.ndarray, "cells 3 3"]:
    """The axes of each frame as they lie in its cell, that `edges` from its first corner span, as
    unit vectors; 0 where one leads out of it."""
    if edges.shape[1] == 3:
        return frames
    basis = np.linalg.qr(edges.transpose(0, 2, 1))[0]
    axes = frames @ basis @ basis.transpose(0, 2, 1)
    square = np.sum(axes**2, axis=2, keepdims=True)
    return np.where(square > WITHIN, axes / np.sqrt(np.maximum(square, WITHIN)), 0.0)
