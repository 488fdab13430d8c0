"""Fibres and sheets in both ventricles by Laplace's equation and angles at the surfaces."""

import dataclasses

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from heartsim.mesh import Mesh, cell_gradients, frames_from, signed_volumes

from ._directions import directions
from ._laplace import Nearness

HALF_TURNS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], float)


@dataclasses.dataclass(frozen=True)
class FibreAngles:
    """Degrees at the endocardia and the epicardium. `fibre`: from the circumference, positive
    towards the base as one goes counterclockwise seen from the base; `sheet`: of the sheet from
    the direction across the wall, about the fibre.

    Bayer et al. (2012), Ann. Biomed. Eng. 40, 2243-2254: 40 to -50 and -65 to 25 (page not
    checked; three programs that cite it agree).
    """

    fibre_endo: float = 40.0
    fibre_epi: float = -50.0
    sheet_endo: float = -65.0
    sheet_epi: float = 25.0

    @property
    def words(self) -> str:
        """The rule and its angles, for a note."""
        return (
            f"by rule (Bayer 2012), {self.fibre_endo:g} (endo) to {self.fibre_epi:g} (epi) "
            f"degrees, sheets {self.sheet_endo:g} to {self.sheet_epi:g}"
        )


def laplace_fibres(
    mesh: Mesh,
    near: Nearness,
    apicobasal: Float[np.ndarray, " nodes"],
    angles: FibreAngles | None = None,
) -> Float[np.ndarray, "cells 3 3"]:
    """Frames (fibre, sheet, normal) of each cell by the rule of Bayer et al. (2012).

    Axes: e_2 out of a cavity, against the gradient of `near.lv` or `near.rv`; e_1 up along the
    gradient of `apicobasal`, made normal to e_2 (they make e_2 normal to e_1; so fibres lie in
    the wall); e_0 = e_1 × e_2 around it. In the left ventricle's axes the fibre is turned
    from e_0 about e_2 by

        α_lv = (φ_lv - φ_rv) α_endo + φ_epi α_epi                               (1)

    and the sheet from e_2 about the fibre by β alike; in the right one's φ_lv and φ_rv change
    places. In the septum both give the same fibre, running from α_endo to -α_endo as there. The
    two frames are blended with the share φ_rv / (φ_lv + φ_rv) along the shortest rotation
    between equivalent ones (their bislerp). Theirs blends an endocardial and an epicardial frame
    that both turn with φ_epi, so that α is quadratic in depth; ours is linear, by (1).
    """
    angles = FibreAngles() if angles is None else angles
    lv, rv, epi = (field[np.asarray(mesh.cells)].mean(axis=1) for field in near)
    up = directions(mesh, apicobasal)
    outward = cell_gradients(mesh, near.epi)
    left = _turned(wall_axes(-cell_gradients(mesh, near.lv), outward, up), lv - rv, epi, angles)
    if not near.rv.any():
        return frame_rows(left)
    right = _turned(wall_axes(-cell_gradients(mesh, near.rv), outward, up), rv - lv, epi, angles)
    return frame_rows(blended(left, right, rv / np.maximum(lv + rv, 1e-12)))


def wall_axes(out, outward, up) -> Float[np.ndarray, "3 cells 3"]:
    """e_0 around the cavity, e_1 up and e_2 out of it."""
    e_2, e_1, e_0 = np.moveaxis(frames_from(_first_of(out, outward, up), up), 1, 0)
    return np.stack([-e_0, e_1, e_2])  # e_2 × e_1 = -e_1 × e_2


def _first_of(out, outward, up) -> Float[np.ndarray, "cells 3"]:
    """`out`; where it vanishes `outward`; where both do a direction across `up`."""
    for other in (outward, frames_from(up)[:, 1], np.eye(3)[:1]):
        lost = np.linalg.norm(out, axis=1) < 1e-9
        out = np.where(lost[:, None], other, out)
    return out


def _turned(axes, endo, epi, angles: FibreAngles) -> Float[np.ndarray, "cells 3 3"]:
    """Columns fibre, normal, sheet: the axes turned by α about e_2, then by β about the fibre."""
    e_0, e_1, e_2 = axes
    alpha = np.radians(endo * angles.fibre_endo + epi * angles.fibre_epi)[:, None]
    beta = np.radians(endo * angles.sheet_endo + epi * angles.sheet_epi)[:, None]
    f = np.cos(alpha) * e_0 + np.sin(alpha) * e_1
    side = -np.sin(alpha) * e_0 + np.cos(alpha) * e_1
    sheet = np.cos(beta) * e_2 + np.sin(beta) * side
    normal = np.cos(beta) * side - np.sin(beta) * e_2
    return np.stack([f, normal, sheet], axis=2)


def blended(a, b, share) -> Float[np.ndarray, "cells 3 3"]:
    """From a (share 0) to b (share 1) by the shortest rotation, where frames that differ by half
    turns about their own axes are the same."""
    near = np.argmax(np.einsum("cij,cij,kj->ck", a, b, HALF_TURNS), axis=1)
    a = a * HALF_TURNS[near][:, None, :]
    turn = Rotation.from_matrix(np.swapaxes(a, 1, 2) @ b).as_rotvec()
    return a @ Rotation.from_rotvec(share[:, None] * turn).as_matrix()


def frames_at_nodes(mesh: Mesh) -> Float[np.ndarray, "nodes 3 3"]:
    """Frames (fibre, sheet, normal = fibre × sheet) at the nodes, orthonormal: the direction
    nearest to those of the cells around each node, by volume and without sign, first of fibres,
    then of sheets across it. ValueError where the mesh has no frames."""
    if mesh.frames is None:
        raise ValueError("the mesh has no fibres, so none at its nodes.")
    cells, volume = np.asarray(mesh.cells), signed_volumes(mesh.points, mesh.cells)
    axes = np.asarray(mesh.frames)

    def mean(axis: int) -> Float[np.ndarray, "nodes 3 3"]:
        own = volume[:, None, None] * axes[:, axis, :, None] * axes[:, axis, None, :]
        total = np.zeros((mesh.n_nodes, 3, 3))
        for corner in cells.T:
            np.add.at(total, corner, own)
        return total

    fibre = np.linalg.eigh(mean(0))[1][:, :, 2]
    first = np.zeros(mesh.n_nodes, int)
    first[cells] = np.arange(len(cells))[:, None]
    fibre *= np.where(np.sum(fibre * axes[first, 0], axis=1) < 0, -1.0, 1.0)[:, None]
    across = np.eye(3) - fibre[:, :, None] * fibre[:, None, :]
    sheet = np.linalg.eigh(across @ mean(1) @ across)[1][:, :, 2]
    sheet *= np.where(np.sum(sheet * axes[first, 1], axis=1) < 0, -1.0, 1.0)[:, None]
    return np.stack([fibre, sheet, np.cross(fibre, sheet)], axis=1)


def frame_rows(columns) -> Float[np.ndarray, "cells 3 3"]:
    """Rows fibre, sheet, normal = fibre × sheet."""
    f, sheet = columns[:, :, 0], columns[:, :, 2]
    return np.stack([f, sheet, np.cross(f, sheet)], axis=1)
