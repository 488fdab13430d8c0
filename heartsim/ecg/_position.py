"""How a heart lies in a chest: where hearts usually lie, and shifts and turns from there."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from heartsim._types import AnyArray
from heartsim.mesh import HeartAxes

APEX_TO_BASE = (-0.62, 0.50, 0.61)
RIGHT_TO_LEFT = (0.63, 0.78, 0.0)
"""How a heart is taken to lie, towards the patient's left, back and head: apex to the left, forward
and down, left ventricle to the left and behind the right one. Ours: the long axis 38° from the
transverse and 30° from the frontal plane; Hoekema et al. (1999), J. Electrocardiol. 32 (abstract
read), have 27 ± 9° and 38 ± 5° in 25 healthy people."""

Number = Float[AnyArray, ""] | float


class HeartPosition(eqx.Module):
    """How the heart lies in the chest, from where hearts usually lie (APEX_TO_BASE): shifts of its
    middle [mm] and turns about its middle [degrees]. A pytree, differentiable in each number.

    In the body's axes (left, back, head) a point of the heart goes  b -> R b + s  with

        R = R_y(vertical) R_x(-apex_forward) R_long(clockwise),  s = (left, back, head)         (1)

    first about the heart's own long axis, then in the sagittal, then in the frontal plane.
    """

    left: Number = 0.0
    back: Number = 0.0
    head: Number = 0.0
    vertical: Number = 0.0
    """In the frontal plane; positive: the apex towards the feet, the QRS axis towards +90°;
    negative: towards a horizontal heart."""
    clockwise: Number = 0.0
    """About the long axis, clockwise as seen from the apex; positive: the right ventricle to the
    front and left, R waves in the chest leads later."""
    apex_forward: Number = 0.0
    """In the sagittal plane; positive: the apex forward and up."""

    @property
    def shift(self) -> Float[Array, " 3"]:
        """s of (1), mm."""
        return jnp.stack([jnp.asarray(x, float) for x in (self.left, self.back, self.head)])

    @property
    def turn(self) -> Float[Array, "3 3"]:
        """R of (1); exactly the identity where nothing turns."""
        long = _rotation(np.array(APEX_TO_BASE), self.clockwise)
        tilt = _rotation(np.array([-1.0, 0.0, 0.0]), self.apex_forward)
        return _rotation(np.array([0.0, 1.0, 0.0]), self.vertical) @ tilt @ long

    def carried(
        self, points: Float[AnyArray, "points 3"], axes: HeartAxes
    ) -> Float[Array, "points 3"]:
        """Points of the body (electrodes, a torso's nodes) in the heart mesh's coordinates [mm],
        as they lie once the heart has moved: the mesh stays, and the body goes the other way,
        b -> R⁻¹ (b - s). With no shift and no turn, exactly the points given."""
        back = self.turn.T
        moved = in_body_axes(back, points, axes)
        return moved - jnp.asarray(body_frame(axes), float) @ (back @ self.shift)

    def __str__(self) -> str:
        names = type(self).__dataclass_fields__
        given = [(name, float(getattr(self, name))) for name in names]
        units = ["mm"] * 3 + ["degrees"] * 3
        words = [
            f"{x:+g} {unit} {name}"
            for (name, x), unit in zip(given, units, strict=True)
            if x != 0.0
        ]
        return ", ".join(words).replace("_", " ") if words else "as hearts usually lie"


def in_body_axes(
    M: Float[AnyArray, "3 3"], points: Float[AnyArray, "points 3"], axes: HeartAxes
) -> Float[Array, "points 3"]:
    """b -> M b in the body's axes about the heart's middle, for points in the mesh's coordinates
    [mm]; written so that M = 1 gives exactly the points."""
    F, origin = jnp.asarray(body_frame(axes), float), jnp.asarray(axes.origin, float)
    x = jnp.asarray(points, float)
    return x + (x - origin) @ F @ (M - jnp.eye(3)).T @ F.T


def body_frame(axes: HeartAxes) -> Float[np.ndarray, "3 3"]:
    """Columns: where the patient's left, back and head point in the mesh's own coordinates, if the
    heart lies as hearts usually do."""
    own = _frame(axes.apex_to_base, axes.right_to_left)
    usual = _frame(np.array(APEX_TO_BASE), np.array(RIGHT_TO_LEFT))
    return own.T @ usual


def _frame(up: Float[np.ndarray, " 3"], across: Float[np.ndarray, " 3"]):
    """Rows: apex to base, right to left, posterior to anterior; orthonormal, right-handed."""
    up = up / np.linalg.norm(up)
    across = across - (across @ up) * up
    across = across / np.linalg.norm(across)
    return np.stack([up, across, np.cross(across, up)])


def _rotation(axis: Float[np.ndarray, " 3"], degrees: Number) -> Float[Array, "3 3"]:
    """1 + sin α K + (1 - cos α) K², clockwise for who looks along the axis (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    K = jnp.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    a = jnp.deg2rad(jnp.asarray(degrees, float))
    return jnp.eye(3) + jnp.sin(a) * K + (1 - jnp.cos(a)) * (K @ K)
