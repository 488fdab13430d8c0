"""Where a heart's apex, left side and front are, as far as the mesh tells."""

import dataclasses

import numpy as np
from jaxtyping import Float

from ._mesh import Mesh
from ._topology import signed_volumes

LEFT = ("lv", "left_ventricle", "left ventricle", "septum", "lv_endo")
RIGHT = ("rv", "right_ventricle", "right ventricle", "rv_endo")


@dataclasses.dataclass(frozen=True)
class HeartAxes:
    """A heart's own right-handed axes: unit vectors with
    posterior_to_anterior = right_to_left × apex_to_base, and the middle of the tissue [mm].

    They follow the heart, not the chest: "left" is where the left ventricle lies from the right
    one, across the long axis, and "anterior" is the side of the anterior wall.
    """

    origin: Float[np.ndarray, " 3"]
    apex_to_base: Float[np.ndarray, " 3"]
    right_to_left: Float[np.ndarray, " 3"]
    posterior_to_anterior: Float[np.ndarray, " 3"]
    flag: str
    """How they were found, and how far to trust them."""


def heart_axes(mesh: Mesh) -> HeartAxes:
    """Axes from node sets apex, base, lv_endo and rv_endo, as `heartsim anatomy` finds them; or
    from regions named LV (with septum) and RV, or node sets lv_endo and rv_endo; or else from
    principal directions alone, which the flag then calls arbitrary.

    With an apex the long axis runs from there to the middle of the left cavity's rim. Else it is
    the principal direction of the left ventricle about which it is most nearly round; its apex is
    the end where the tissue lies closer to the axis. On a real heart with ventricular
    coordinates (Rodero 01) that is 15° off the line from apex to base, on ours 0.5°.
    """
    middle = np.asarray(mesh.points)[np.asarray(mesh.cells)].mean(axis=1)
    weight = np.abs(signed_volumes(mesh.points, mesh.cells))
    origin = np.average(middle, axis=0, weights=weight)
    if {"apex", "base", "lv_endo", "rv_endo"} <= set(mesh.node_sets):
        return _from_sets(mesh, origin)
    left, right, source = _ventricles(mesh, middle)
    if left is None or right is None:
        directions = np.linalg.svd(middle - origin, full_matrices=False)[2]
        up, across = _towards_base(middle, directions[0]), directions[1]
        flag = (
            "heart axes: from principal directions alone (no LV and RV by name); left, right and "
            "anterior are arbitrary, name the regions to mend this"
        )
    else:
        up = _towards_base(left, _roundest_axis(left))
        across = left.mean(axis=0) - right.mean(axis=0)
        flag = f"heart axes: from {source} and principal directions of the left ventricle"
    return _axes(origin, up, across, flag)


def _from_sets(mesh: Mesh, origin: Float[np.ndarray, " 3"]) -> HeartAxes:
    apex, base, left, right = (
        np.asarray(mesh.points)[mesh.node_sets[name]]
        for name in ("apex", "base", "lv_endo", "rv_endo")
    )
    rim = np.intersect1d(mesh.node_sets["lv_endo"], mesh.node_sets["base"])
    top = np.asarray(mesh.points)[rim] if rim.size else base
    up = top.mean(axis=0) - apex.mean(axis=0)
    across = left.mean(axis=0) - right.mean(axis=0)
    flag = "heart axes: from node sets apex, base, lv_endo and rv_endo"
    return _axes(origin, up / np.linalg.norm(up), across, flag)


def _axes(
    origin: Float[np.ndarray, " 3"],
    up: Float[np.ndarray, " 3"],
    across: Float[np.ndarray, " 3"],
    flag: str,
) -> HeartAxes:
    across = across - (across @ up) * up
    across = across / np.linalg.norm(across)
    return HeartAxes(origin, up, across, np.cross(across, up), flag)


def _ventricles(
    mesh: Mesh, middle: Float[np.ndarray, "cells 3"]
) -> tuple[Float[np.ndarray, "left 3"] | None, Float[np.ndarray, "right 3"] | None, str]:
    """Points of the two ventricles and what told them apart."""
    tags = [[t for name, t in mesh.region_names if name.lower() in side] for side in (LEFT, RIGHT)]
    inside = [np.isin(np.asarray(mesh.regions), side) for side in tags]
    if inside[0].any() and inside[1].any():
        return middle[inside[0]], middle[inside[1]], "region tags LV and RV"
    if "lv_endo" in mesh.node_sets and "rv_endo" in mesh.node_sets:
        points = np.asarray(mesh.points)
        left, right = (points[mesh.node_sets[name]] for name in ("lv_endo", "rv_endo"))
        return left, right, "node sets lv_endo and rv_endo"
    return None, None, ""


def _roundest_axis(points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " 3"]:
    """The principal direction whose spread differs most from the two others, which are alike."""
    spread, directions = np.linalg.eigh(np.cov(points.T))
    return directions[:, 0] if spread[1] - spread[0] > spread[2] - spread[1] else directions[:, 2]


def _towards_base(
    points: Float[np.ndarray, "points 3"], axis: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " 3"]:
    """`axis` or its opposite, away from the end (a tenth of the points) that is narrower."""
    centred = points - points.mean(axis=0)
    along = centred @ axis
    off_axis = np.linalg.norm(centred - along[:, None] * axis, axis=1)
    low, high = np.quantile(along, [0.1, 0.9])
    return axis if off_axis[along < low].mean() < off_axis[along > high].mean() else -axis
