"""The made-up chest: trunk, lungs, and whether a heart can lie in it."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from heartsim._types import AnyArray
from heartsim.mesh import HeartAxes, Mesh

from ._position import HeartPosition, Number, body_frame, in_body_axes

CENTRE_MM = (0.0, 20.0, -40.0)
HALF_AXES_MM = (130.0, 105.0, 260.0)
"""The made-up trunk, |x/a|⁴ + |y/b|⁴ + |z/c|⁴ with the first two rounded: (x²/a² + y²/b²)² +
z⁴/c⁴ = 1; centre from where the middle of a heart usually lies and half axes, mm, towards the
patient's left, back and head. Ours, so that the default electrodes of the chest lie near it."""

CHEST_MM = tuple(2 * half for half in HALF_AXES_MM)
"""Width, depth and height of the made-up trunk, mm."""

LUNGS_MM = (((75.0, 25.0, 30.0), (42.0, 72.0, 105.0)), ((-75.0, 25.0, 30.0), (42.0, 72.0, 105.0)))
"""Centres and half axes of two ellipsoids, in the same axes. Ours; heart and blood go before."""

MOST_IN_LUNGS = 0.5
"""The share of a heart's nodes that may lie where a lung is made up. A heart makes its lung give
way, but one that lies more in it than beside it is misplaced. Ours."""


class Chest(eqx.Module):
    """The size of the made-up chest [mm]: width and depth at the level of the heart, height of the
    trunk. Electrodes and lungs are stretched with it, from the middle of a heart that lies as
    hearts usually do. A pytree; where the electrodes are is differentiable in it."""

    width: Number = CHEST_MM[0]
    depth: Number = CHEST_MM[1]
    height: Number = CHEST_MM[2]

    @property
    def scale(self) -> Float[Array, " 3"]:
        """Size over the usual one, towards left, back and head."""
        sizes = zip((self.width, self.depth, self.height), CHEST_MM, strict=True)
        return jnp.stack([jnp.asarray(size, float) / usual for size, usual in sizes])

    def stretched(
        self, points: Float[AnyArray, "points 3"], axes: HeartAxes
    ) -> Float[Array, "points 3"]:
        """Points of the usual body in the heart mesh's coordinates [mm], where this chest has
        them. For the usual size, exactly the points given."""
        return in_body_axes(jnp.diag(self.scale), points, axes)


class Placed(NamedTuple):
    """Chest and heart as numbers on the host, in float64: x -> (x - origin) frame + shift leads
    from the mesh's coordinates to the body's axes."""

    origin: Float[np.ndarray, " 3"]
    frame: Float[np.ndarray, "3 3"]
    shift: Float[np.ndarray, " 3"]  # mm
    scale: Float[np.ndarray, " 3"]

    def body(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """Points from the heart's middle in the mesh's axes [mm] -> body's axes [mm]."""
        return x @ self.frame + self.shift

    def in_trunk(self, b: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
        """`b` in the body's axes."""
        q = (b - np.array(CENTRE_MM) * self.scale) / (np.array(HALF_AXES_MM) * self.scale)
        return (q[:, 0] ** 2 + q[:, 1] ** 2) ** 2 + q[:, 2] ** 4 < 1

    def in_lungs(self, b: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
        """`b` in the body's axes."""
        inside = [
            np.linalg.norm((b - c * self.scale) / (h * self.scale), axis=1) < 1
            for c, h in np.array(LUNGS_MM)
        ]
        return np.any(inside, axis=0)


def placed(axes: HeartAxes, position: HeartPosition | None, chest: Chest | None) -> Placed:
    """ValueError for a size that is not positive."""
    position = HeartPosition() if position is None else position
    chest = Chest() if chest is None else chest
    for name in ("width", "depth", "height"):
        size = float(getattr(chest, name))
        if not 0 < size < np.inf:
            raise ValueError(
                f"chest: {name} = {size:g} mm; give a positive length, as measured across the body."
            )
    with jax.enable_x64(True):
        turn, shift = np.asarray(position.turn), np.asarray(position.shift)
        return Placed(axes.origin, body_frame(axes) @ turn.T, shift, np.asarray(chest.scale))


def moved_body(
    points: Float[AnyArray, "points 3"],
    axes: HeartAxes,
    position: HeartPosition | None,
    chest: Chest | None = None,
) -> Float[np.ndarray, "points 3"]:
    """Points of the usual body stretched, then carried, in float64 on the host."""
    with jax.enable_x64(True):
        points = points if chest is None else chest.stretched(points, axes)
        return np.asarray(points if position is None else position.carried(points, axes))


def require_in_chest(heart: Mesh, at: Placed, lungs: bool = True) -> None:
    """ValueError unless every node of the heart lies in the made-up trunk, and at most
    MOST_IN_LUNGS of them where lungs are made up."""
    used = np.unique(np.asarray(heart.cells))
    b = at.body(np.asarray(heart.points, np.float64)[used] - at.origin)
    outside = ~at.in_trunk(b)
    if outside.any():
        size = " x ".join(f"{x:g}" for x in np.array(CHEST_MM) * at.scale)
        raise ValueError(
            f"the heart does not fit into the made-up chest: {outside.sum()} of {used.size} nodes "
            f"lie outside its skin ({size} mm); shift it less, or give a larger chest, both in mm."
        )
    share = at.in_lungs(b).mean()
    if lungs and share > MOST_IN_LUNGS:
        raise ValueError(
            f"the heart lies in the lungs with {share:.0%} of its nodes, at most "
            f"{MOST_IN_LUNGS:.0%} can make a lung give way; shift it less, or give a wider chest."
        )
