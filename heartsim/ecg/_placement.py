"""Where the electrodes are taken to be when nobody says."""

import numpy as np
from jaxtyping import Float

from heartsim.mesh import HeartAxes, Mesh, heart_axes

BODY_MM = {
    "RA": (-120.0, -40.0, 130.0),
    "LA": (125.0, -40.0, 130.0),
    "LL": (100.0, -30.0, -190.0),
    "V1": (-50.0, -85.0, 15.0),
    "V2": (0.0, -85.0, 15.0),
    "V3": (32.0, -82.0, -5.0),
    "V4": (62.0, -72.0, -25.0),
    "V5": (90.0, -42.0, -25.0),
    "V6": (105.0, 0.0, -25.0),
}
"""Offsets from the middle of the heart, mm, towards the patient's left, back and head. Ours: V1
and V2 beside the breastbone, V4 to V6 around the left side at one level, V3 between; the limb
electrodes on the trunk, below the collar-bones and at the left hip, as in exercise ECGs (Mason and
Likar 1966, Am. Heart J. 71, 196-205, page not checked): an infinite medium has no limbs, and their
true distance would leave almost nothing of leads I to aVF."""

APEX_TO_BASE = (-0.62, 0.50, 0.61)
RIGHT_TO_LEFT = (0.63, 0.78, 0.0)
"""How a heart is taken to lie, in the same axes: apex to the left, forward and down, left
ventricle to the left and behind the right one. Ours."""


def default_electrodes(mesh: Mesh) -> tuple[dict[str, Float[np.ndarray, " 3"]], str]:
    """Nine electrodes [mm] around a heart without a torso, and the sentence that flags them.

    The heart's own axes (`heart_axes`) are turned to where a heart usually lies, and the
    electrodes stand at fixed offsets from its middle. A proxy: body size, heart position and
    orientation of this patient are not in it.
    """
    axes = heart_axes(mesh)
    to_own = body_frame(axes)
    places = {name: axes.origin + to_own @ np.array(at) for name, at in BODY_MM.items()}
    flag = "electrodes: default placement by the heart's own axes, not this patient's"
    return places, f"{flag}; {axes.flag}"


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
