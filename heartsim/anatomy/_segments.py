"""Segments of the ventricles: the seventeen of the American Heart Association, and nine right."""

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh

from ._laplace import RV
from ._surfaces import Surfaces

AHA = (
    "basal anterior",
    "basal anteroseptal",
    "basal inferoseptal",
    "basal inferior",
    "basal inferolateral",
    "basal anterolateral",
    "mid anterior",
    "mid anteroseptal",
    "mid inferoseptal",
    "mid inferior",
    "mid inferolateral",
    "mid anterolateral",
    "apical anterior",
    "apical septal",
    "apical inferior",
    "apical lateral",
    "apex",
)
RIGHT = tuple(
    f"RV {height} {side}"
    for height in ("basal", "mid", "apical")
    for side in ("anterior", "lateral", "inferior")
)
SEGMENTS = AHA + RIGHT
"""Segment k has name k - 1; 18 to 26 are ours, for the free wall of the right ventricle."""

SIXTH = np.pi / 3


def segments(
    mesh: Mesh,
    surfaces: Surfaces,
    chamber: Int[np.ndarray, " cells"],
    apicobasal: Float[np.ndarray, " nodes"],
    rotational: Float[np.ndarray, " nodes"],
    insertion: float,
) -> Int[np.ndarray, " cells"]:
    """The segment of each cell, 1 to 26.

    Cerqueira et al. (2002), Circulation 105, 539-542 (pages not checked): the left ventricle from
    the lower end of its cavity to the base in thirds of length; sixths of 60° in the two upper
    ones, of which 1 and 2 (7 and 8) meet at the anterior insertion of the right ventricle, angle
    `insertion`; quarters in the lower one, the septal in the middle of both septal sixths; 17
    below the cavity. The right free wall likewise in thirds of its height, and of its angle.
    """
    cells = np.asarray(mesh.cells)
    z = apicobasal[cells].mean(axis=1)
    turn = np.angle(np.exp(1j * rotational[cells]).mean(axis=1))
    out = np.zeros(mesh.n_cells, np.int32)
    left = chamber != RV
    tip = apicobasal[surfaces.nodes("lv_endo")].min()
    third = np.clip(np.floor(3 * (1 - z) / (1 - tip)), 0, 3).astype(int)  # 0 basal, 3 apex
    sixth = np.floor((insertion - turn) / SIXTH).astype(int) % 6  # 0 anteroseptal, 5 anterior
    upper = 1 + (sixth + 1) % 6 + 6 * third
    middle = insertion - SIXTH
    quarter = np.floor((middle - turn) / (np.pi / 2) + 0.5).astype(int) % 4  # 0 septal, 3 anterior
    lower = 13 + (quarter + 1) % 4
    out[left] = np.select([third < 2, third == 2], [upper, lower], 17)[left]
    if not left.all():
        low, high = (f(z[~left]) for f in (np.min, np.max))
        level = np.clip(np.floor(3 * (high - z) / (high - low)), 0, 2).astype(int)
        side = np.clip(np.floor(1.5 * (1 - turn / insertion)), 0, 2).astype(int)
        out[~left] = (18 + 3 * level + side)[~left]
    return out
