"""Where the electrodes are taken to be when nobody says."""

import numpy as np
from jaxtyping import Float

from heartsim.mesh import Mesh, heart_axes

from ._chest import Chest, moved_body, placed, require_in_chest
from ._position import HeartPosition, body_frame

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


def default_electrodes(
    mesh: Mesh, position: HeartPosition | None = None, chest: Chest | None = None
) -> tuple[dict[str, Float[np.ndarray, " 3"]], str]:
    """Nine electrodes [mm] around a heart without a torso, and the sentence that flags them.

    The heart's own axes (`heart_axes`) are turned to where a heart usually lies, and the
    electrodes stand at fixed offsets from its middle; on another `chest`, and around a heart in
    another `position`, as `Chest.stretched` and `HeartPosition.carried` have it. A proxy: body
    size, heart position and orientation of this patient are in it as far as they are given.
    ValueError for a position or chest in which the heart does not lie in the made-up trunk, or
    lies in its lungs.
    """
    axes = heart_axes(mesh)
    to_own = body_frame(axes)
    places = np.array([axes.origin + to_own @ np.array(at) for at in BODY_MM.values()])
    flag = "electrodes: default placement by the heart's own axes, not this patient's"
    if position is not None or chest is not None:
        require_in_chest(mesh, placed(axes, position, chest))
        places = moved_body(places, axes, position, chest)
    return dict(zip(BODY_MM, places, strict=True)), f"{flag}; {axes.flag}"
