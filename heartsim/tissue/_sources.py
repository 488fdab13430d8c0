"""Where and when a front starts: points anywhere in the wall, each with an onset."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from heartsim._loops import taken
from heartsim._types import AnyArray
from heartsim.mesh import Mesh, nearest_cells

from ._front import Front
from ._local import NEVER
from ._metric import length

BALL = 3.5
"""Radius of a source ball in mean edges. Inside, times are those of straight rays; a ball of 2.2
leaves more of the first edges' error and a rougher dependence on the position."""

DETOUR = 1.5
"""Longest way along edges to a node of a ball, in straight ones, beside half a mean edge: no node
of a slab of split cubes is farther, and 0.4 % of the shipped heart's. A ray to one that is would
cross a cavity or a scar."""

RIM = 0.15
"""What the ray's time is raised by, relative, from half the radius to the rim, so that a node
that enters the ball is first reached the usual way and does not jump."""


class Sources(eqx.Module):
    """Points where activation begins."""

    position: Float[AnyArray, "sources 3"]  # mm
    onset: Float[AnyArray, " sources"]  # ms


def source_times(
    front: Front, M: Float[AnyArray, "cells 3 3"], sources: Sources
) -> Float[Array, " inner"]:
    """Time [ms] by inner number at which sources reach the nodes in their balls, NEVER elsewhere:

        start_i = min_k onset_k + ½ (|d|_M_i + |d|_M_k) (1 + RIM ramp(|d| / R)),  d = x_i - x_k

    with M_i averaged over the cells around node i, M_k over the nodes near source k, and R = BALL
    mean edges. A ball does not reach through a cavity or around a scar: mesh edges lead to its
    nodes on ways of DETOUR times the ray at most. Differentiable in M, position and onset.
    """
    M = jnp.asarray(M)
    points = jnp.asarray(front.points, M.dtype)
    position, onset = (jnp.asarray(x, M.dtype) for x in (sources.position, sources.onset))
    radius = BALL * jnp.asarray(front.spacing, M.dtype)
    d = points - position[:, None]  # sources, inner, 3
    away = length(d, jnp.eye(3, dtype=M.dtype)[None, None])
    share, inside = away / radius, _straight(front, lax.stop_gradient(away))
    kernel = jnp.where(inside, jnp.maximum(1 - share**2, 0.0) ** 2, 0.0)
    M_node = node_average(front, M)
    total = jnp.maximum(kernel.sum(axis=1), jnp.finfo(M.dtype).tiny)
    M_source = jnp.einsum("ki,ijl->kjl", kernel, M_node) / total[:, None, None]
    way = (length(d, M_node[None]) + length(d, M_source[:, None])) / 2
    x = jnp.clip(2 * share - 1, 0.0, 1.0)
    ramp = x**2 * (3 - 2 * x)
    times = onset[:, None] + way * (1 + RIM * ramp)
    return jnp.where(inside, times, NEVER).min(axis=0)


def node_average(front: Front, M: Float[Array, "cells 3 3"]) -> Float[Array, "inner 3 3"]:
    """Mean over the cells around each node; the unit matrix where there are none."""
    n_cells = len(front.cells)
    row = jnp.asarray(front.row)
    real = row < front.cells.size
    cell = jnp.where(real, row % n_cells, 0)
    count = real.sum(axis=1)
    mean = [
        jnp.where(real, taken(M[:, i, j], cell), 0.0).sum(axis=1) / jnp.maximum(count, 1)
        for i in range(3)
        for j in range(3)
    ]
    whole = jnp.stack(mean, axis=-1).reshape(-1, 3, 3)
    return jnp.where(count.reshape(-1, 1, 1) > 0, whole, jnp.eye(3, dtype=M.dtype))


def _straight(front: Front, away: Float[Array, "sources inner"]) -> Bool[Array, "sources inner"]:
    """The nodes within each ball that are hardly farther along edges than straight."""
    real = jnp.zeros(len(front.points), bool).at[_mesh_nodes(front)].set(True)
    near = [jnp.asarray(slot) for slot in front.neighbour]
    points = lax.stop_gradient(jnp.asarray(front.points, away.dtype))
    edges = [jnp.linalg.norm(points[slot] - points, axis=1) for slot in near]
    spacing = jnp.asarray(front.spacing, away.dtype)
    ball = (away < BALL * spacing) & real
    nearest = jnp.where(real, away, jnp.inf).argmin(axis=1)
    seed = jnp.arange(away.shape[1]) == nearest[:, None]
    beside = seed | jnp.any(jnp.stack([seed[:, slot] for slot in near]), axis=0)

    def shorten(c):
        way, _ = c
        new = way
        for slot, edge in zip(near, edges, strict=True):
            new = jnp.minimum(new, way[:, slot] + edge)
        return jnp.where(ball, new, jnp.inf), way

    start = jnp.where(beside & ball, away, jnp.inf)
    way, _ = lax.while_loop(
        lambda c: (c[0] != c[1]).any(), shorten, (start, jnp.full_like(start, jnp.inf))
    )
    return way <= DETOUR * away + spacing / 2


def _mesh_nodes(front: Front) -> Int[AnyArray, " nodes"]:
    return jnp.asarray(front.cells).ravel()


def in_wall(mesh: Mesh, front: Front, M: Float[AnyArray, "cells 3 3"], sources: Sources) -> Sources:
    """The sources that lie outside the muscle, as those of a fit may, moved to its nearest point,
    each so much later that the nodes in its ball have the same times (their median). On the host.
    """
    position, onset = (np.array(x, float) for x in (sources.position, sources.onset))
    _, nearest = nearest_cells(mesh, position)
    for k in np.flatnonzero(np.linalg.norm(nearest - position, axis=1) > 1e-3):
        before, after = (
            np.asarray(source_times(front, M, Sources(x[k : k + 1], onset[k : k + 1])))
            for x in (position, nearest)
        )
        both = (before < NEVER) & (after < NEVER)
        if both.any():
            onset[k] += np.median(before[both] - after[both])
            position[k] = nearest[k]
    return Sources(position, onset)


def require_sources(front: Front, sources: Sources) -> None:
    """ValueError where a source lies farther from every node of the muscle than a mean edge, and
    than any point of a cell does: 0.62 of the longest edge, as √(3/8) in a regular tetrahedron."""
    points, cells = np.asarray(front.points, float), np.asarray(front.cells)
    corners = points[cells]
    longest = np.linalg.norm(corners[:, :, None] - corners[:, None], axis=3).max()
    farthest = max(float(front.spacing), 0.62 * longest)
    muscle = points[np.unique(cells)]
    for k, place in enumerate(np.asarray(sources.position, float)):
        nearest = np.linalg.norm(muscle - place, axis=1).min()
        if not nearest <= farthest:
            at = ", ".join(f"{x:.1f}" for x in place)
            raise ValueError(
                f"source {k} at ({at}) mm lies outside the heart: the nearest node is "
                f"{nearest:.1f} mm away, and edges are {float(front.spacing):.1f} mm; move it into "
                "the wall, or check the unit (mm)."
            )
