"""Indices of how a pair of ventricles is activated, from a map of activation times."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from heartsim._types import AnyArray
from heartsim.fem import basis_gradients
from heartsim.mesh import Mesh


class Indices(NamedTuple):
    """What pacing options are compared by; NaN where nothing of the part was activated."""

    total_activation_ms: float
    lv_activation_ms: float
    lv_rv_delay_ms: float


DEFINITIONS = {
    "total_activation_ms": ("ms", "latest minus earliest activation of all nodes"),
    "lv_activation_ms": (
        "ms",
        "latest minus earliest activation of the nodes of the left ventricle's cells, the septum's "
        "included where the plan counts it in",
    ),
    "lv_rv_delay_ms": (
        "ms",
        "mean activation of the left ventricle less that of the right, each the mean over the "
        "volume of its cells; positive: the left ventricle is late",
    ),
}
"""Unit and meaning of each index. Ours: of the many indices of dyssynchrony these need no wall
motion, no segment and no threshold."""


def indices(
    mesh: Mesh,
    T: Float[AnyArray, " nodes"],
    lv: Bool[AnyArray, " cells"],
    rv: Bool[AnyArray, " cells"],
) -> Indices:
    """The indices of activation times T [ms], NaN where a node was never activated."""
    T = np.asarray(T, float)
    left = np.unique(np.asarray(mesh.cells)[np.asarray(lv)])
    return Indices(_span(T), _span(T[left]), region_mean(mesh, T, lv) - region_mean(mesh, T, rv))


def region_mean(
    mesh: Mesh, T: Float[AnyArray, " nodes"], inside: Bool[AnyArray, " cells"]
) -> float:
    """∫ T dV / ∫ dV over some cells, exact for linear T; cells with an unreached node are left
    out, and NaN is returned where none remains."""
    cells = np.asarray(mesh.cells)[np.asarray(inside)]
    _, volume = basis_gradients(mesh.points, cells) if len(cells) else (None, np.zeros(0))
    mean = np.asarray(T, float)[cells].mean(axis=1)
    known = np.isfinite(mean)
    if not known.any():
        return np.nan
    return float((mean[known] * volume[known]).sum() / volume[known].sum())


def _span(T) -> float:
    return float(np.nanmax(T) - np.nanmin(T)) if np.isfinite(T).any() else np.nan
