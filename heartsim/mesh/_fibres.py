"""Rule-based fibres: an angle that turns through the wall."""

import dataclasses

import numpy as np
from jaxtyping import Float

from heartsim._depth import no_depth
from heartsim._types import AnyArray

from ._frames import frames_from
from ._mesh import Mesh
from ._topology import edges_by_axis


def rule_based_fibres(
    mesh: Mesh,
    transmural: Float[AnyArray, " nodes"],
    apicobasal: Float[AnyArray, " nodes"],
    endo_deg: float = 60.0,
    epi_deg: float = -60.0,
) -> Mesh:
    """The mesh with frames from two fields at its nodes: `transmural` (0 endocardium, 1
    epicardium; in the septum 0 left, 1 right) and `apicobasal` (rising from apex to base).

    With e_r, e_l the directions of their gradients in each cell, e_l made normal to e_r, and
    e_c = e_l × e_r, the fibre is

        f = cos α e_c + sin α e_l,  α = (1 - t) endo + t epi                              (1)

    and the sheet direction is e_r. The angle is linear in t as in Bayer et al. (2012), Ann.
    Biomed. Eng. 40, 2243-2254 (page not checked); +60° to -60° after Streeter et al. (1969),
    Circ. Res. 24, 339-347 (page not checked). Ours is without their blending between ventricles:
    it is as smooth as the fields are. A placeholder, and the mesh's notes say so. ValueError if
    a field has NaN (leave out regions where it is not defined), `transmural` leaves 0 to 1, or the
    mesh is not of tetrahedra.
    """
    if mesh.dim != 3:
        raise ValueError("rule_based_fibres: the mesh has no tetrahedra, so no wall.")
    _require_numbers("transmural", transmural)
    _require_numbers("apicobasal", apicobasal)
    node = no_depth(transmural)
    if node is not None:
        raise ValueError(
            f"rule_based_fibres: transmural is {transmural[node]:g} at node {node}; give 0 "
            "(endocardium) to 1 (epicardium) everywhere."
        )
    t = np.clip(np.asarray(transmural, float)[mesh.cells].mean(axis=1), 0.0, 1.0)
    across = cell_gradients(mesh, np.asarray(transmural, float))
    along = cell_gradients(mesh, np.asarray(apicobasal, float))
    frames = wall_frames(across, along, t, endo_deg, epi_deg)
    note = f"fibres: rule-based placeholder, {endo_deg:g} (endo) to {epi_deg:g} (epi) degrees"
    others = (old for old in mesh.notes if not old.startswith("fibres:"))
    return dataclasses.replace(mesh, frames=frames, notes=(*others, note))


def _require_numbers(name: str, field: Float[AnyArray, " nodes"]) -> None:
    bad = np.flatnonzero(~np.isfinite(np.asarray(field)))
    if bad.size:
        raise ValueError(
            f"rule_based_fibres: {name} is not a number at {bad.size} nodes (first: node "
            f"{bad[0]}); leave out the regions where it is not defined (keep = [...])."
        )


def wall_frames(
    radial: Float[np.ndarray, "cells 3"],
    longitudinal: Float[np.ndarray, "cells 3"],
    t: Float[np.ndarray, " cells"],
    endo_deg: float,
    epi_deg: float,
) -> Float[np.ndarray, "cells 3 3"]:
    """Frames of eq. (1) of `rule_based_fibres`; where the longitudinal direction vanishes or lies
    along the radial one (an apex), another direction across the wall stands in."""
    lost = np.linalg.norm(radial, axis=1) < 1e-12
    radial = np.where(lost[:, None], frames_from(longitudinal)[:, 1], radial)
    e_r, e_l, e_n = np.moveaxis(frames_from(radial, longitudinal), 1, 0)
    alpha = np.radians((1 - t) * endo_deg + t * epi_deg)[:, None]
    f = np.cos(alpha) * -e_n + np.sin(alpha) * e_l  # e_n = e_r × e_l = -e_c
    return np.stack([f, e_r, np.cross(f, e_r)], axis=1)


def cell_gradients(mesh: Mesh, field: Float[np.ndarray, " nodes"]) -> Float[np.ndarray, "cells 3"]:
    """Gradient of a nodal field in each tetrahedron, per mm: Σ rise_i (e_j × e_k) / det over the
    edges from its first vertex."""
    a, b, c = np.moveaxis(edges_by_axis(mesh.points, mesh.cells), 1, 0)
    u = field[np.asarray(mesh.cells)].T
    over_a, over_b, over_c = (np.cross(*pair, axis=0) for pair in ((b, c), (c, a), (a, b)))
    rise = u[1:] - u[0]
    return ((rise[0] * over_a + rise[1] * over_b + rise[2] * over_c) / np.sum(a * over_a, axis=0)).T
