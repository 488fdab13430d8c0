"""An electrode on a triangulated surface: the nearest triangle and its weights, differentiable."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray


def electrode_weights(
    corners: Float[AnyArray, "triangles 3 3"], place: Float[AnyArray, " 3"]
) -> tuple[Int[Array, ""], Float[Array, " 3"]]:
    """The triangle nearest to `place`, and the barycentric weights of its nearest point.

    φ(place) = Σ_b w_b φ_b is then linear along the surface and constant across it. The weights are
    continuous in `place`; their derivative jumps where the nearest point crosses an edge.
    Nearest point of a triangle: the foot of the perpendicular where that lies inside, else the
    nearest point of the three edges.
    """
    corners, place = jnp.asarray(corners), jnp.asarray(place)
    weights = _nearest_weights(corners, place)
    gap = jnp.einsum("tk,tkd->td", weights, corners) - place
    nearest = jnp.argmin(lax.stop_gradient(jnp.sum(gap**2, axis=1)))
    return nearest, weights[nearest]


def _nearest_weights(corners, place):
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    foot = _foot(b - a, c - a, place - a)
    edges = jnp.stack([_on_edge(corners, place, k) for k in range(3)], axis=1)
    gap = jnp.einsum("tek,tkd->ted", edges, corners) - place
    best = jnp.argmin(lax.stop_gradient(jnp.sum(gap**2, axis=2)), axis=1)
    edge = jnp.take_along_axis(edges, best[:, None, None], axis=1)[:, 0]
    return jnp.where((foot >= 0).all(axis=1, keepdims=True), foot, edge)


def _foot(u, v, x):
    """Barycentric weights of the foot of the perpendicular: least squares on two edges."""
    uu, uv, vv = jnp.sum(u * u, 1), jnp.sum(u * v, 1), jnp.sum(v * v, 1)
    ux, vx = jnp.sum(u * x, 1), jnp.sum(v * x, 1)
    det = uu * vv - uv**2
    second, third = (vv * ux - uv * vx) / det, (uu * vx - uv * ux) / det
    return jnp.stack([1 - second - third, second, third], axis=1)


def _on_edge(corners, place, k):
    """Weights of the nearest point on the edge from corner k to the next."""
    start, end = corners[:, k], corners[:, (k + 1) % 3]
    along = end - start
    t = jnp.clip(jnp.sum((place - start) * along, 1) / jnp.sum(along**2, 1), 0.0, 1.0)
    return jnp.zeros(corners.shape[:2], t.dtype).at[:, k].set(1 - t).at[:, (k + 1) % 3].set(t)
