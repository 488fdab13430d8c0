"""Atrial fibres by rule: harmonic fields between the openings, and bundles by thresholds."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh, frames_from, unique_edges

from ._directions import directions
from ._laplace import harmonic, laplacian

FIELDS: dict[str, dict[str, dict[str, float]]] = {
    "left": {
        "to_valve": {"valve": 1, "left_veins": 0, "right_veins": 0, "appendage": 0},
        "to_right_veins": {"left_veins": 0, "right_veins": 1},
        "appendage_to_right_veins": {
            "appendage": -1,
            "left_veins": 0,
            "valve": 1,
            "right_veins": 2,
        },
    },
    "right": {
        "to_valve": {"valve": 1, "band": 0},
        "to_ivc": {"svc": 0, "appendage": 0, "ivc": 1},
        "appendage_to_ivc": {"appendage": -1, "svc": 0, "valve": 1, "ivc": 2},
        "to_septum": {"free_rim": -1, "band": 0, "septal_rim": 1},
    },
}
"""What each field is at each opening: ψ_r, ψ_v, ψ_ab and (right) ψ_w of Piersanti et al. (2021),
Comput. Methods Appl. Mech. Eng. 373, 113468 (page not checked). The values are those of two
programs that cite it and agree: PyAnsys-Heart (the writer's `_update_la_bc`, `_update_ra_bc`) and
the MATLAB functions computeFieldsLA and computeFieldsRA, which use distances in place of harmonic
fields and leave `to_septum` free at the band."""

BUNDLES = {
    "mitral_ring": 1,
    "left_vein_rings": 2,
    "right_vein_rings": 3,
    "left_body": 4,
    "tricuspid_ring": 11,
    "svc_ring": 12,
    "ivc_ring": 13,
    "lateral_wall": 14,
    "crista_terminalis": 15,
    "intercaval_bundle": 16,
    "right_septum": 17,
}
"""Numbers of the cell data `bundle`."""


@dataclasses.dataclass(frozen=True)
class LeftBundles:
    """Where bundles of a left atrium end, as values of the fields. The paper's table 4 for an
    idealised atrium, as quoted in PyAnsys-Heart (settings/defaults/fibers.py), which takes the two
    veins' values of the table for interchanged, as we do."""

    valve: float = 0.65
    """Of `to_valve`, above which fibres run around the valve."""
    left_veins: float = 0.10
    """Of `to_right_veins`, below which they run around the left veins."""
    right_veins: float = 0.65
    """Of the same, above which they run around the right veins."""


@dataclasses.dataclass(frozen=True)
class RightBundles:
    """The same of a right atrium, from the same place, which takes the last two of the table for
    interchanged, as we do."""

    valve: float = 0.90
    """Of `to_valve`, above which fibres run around the valve."""
    wall: float = 0.55
    """Of the same, above which the bundles between the venae cavae end."""
    crista_low: float = -0.18
    crista_high: float = -0.10
    """Of `to_septum`, between which the crista terminalis runs."""
    svc: float = 0.10
    """Of `to_ivc`, below which fibres run around the superior vena cava."""
    ivc: float = 0.90
    """Of the same, above which they run around the inferior one."""
    intercaval: float = 0.135
    """Of `to_septum`, up to which the intercaval bundle reaches beside the crista."""
    septum: float = 0.35
    """Of the same, above which fibres of the septum run around the valve."""


AtrialBundles = LeftBundles | RightBundles


def atrial_fields(
    mesh: Mesh, side: str, sets: Mapping[str, Int[np.ndarray, " _set"]]
) -> dict[str, Float[np.ndarray, " nodes"]]:
    """The harmonic fields of a `side`, with no flux where no set is; `sets` are nodes of valve,
    left_veins, right_veins, appendage or valve, svc, ivc, appendage, band, free_rim, septal_rim.
    On triangles the Laplacian is that of the surface."""
    K, fields = laplacian(mesh), {}
    for name, values in FIELDS[side].items():
        given = np.full(mesh.n_nodes, np.nan)
        for key, value in values.items():
            if key in sets:
                given[sets[key]] = value
        fields[name] = harmonic(K, given)
    return fields


def right_sets(
    mesh: Mesh, valve: Int[np.ndarray, " rim"], middles: Mapping[str, Float[np.ndarray, " 3"]]
) -> dict[str, Int[np.ndarray, " _set"]]:
    """Sets that a right atrium has from the plane through the middles of valve, svc and ivc:
    `band`, the nodes beside it behind both venae cavae; `septal_rim` and `free_rim`, the two
    sides of the valve. With up from ivc to svc, and ahead from between them to the valve, the
    septum is on the side of up × ahead: behind and to the left, as right-handed coordinates have
    it.

    The programs named above take the band on the epicardium only; ours goes through the wall.
    """
    up = middles["svc"] - middles["ivc"]
    ahead = middles["tricuspid_valve"] - (middles["svc"] + middles["ivc"]) / 2
    ahead = ahead - (ahead @ up) / (up @ up) * up
    septal = np.cross(up, ahead)
    if np.linalg.norm(septal) < 1e-6 * (up @ up):
        raise ValueError("the middles of tricuspid_valve, svc and ivc lie on one line.")
    x = np.asarray(mesh.points, float) - middles["svc"]
    height = x @ septal
    ends = unique_edges(mesh.cells)
    ends = ends[np.prod(height[ends], axis=1) <= 0]
    beside = np.unique(ends[np.arange(len(ends)), np.argmin(np.abs(height[ends]), axis=1)])
    behind = beside[x[beside] @ ahead < 0]
    band = np.setdiff1d(behind, valve)
    if not band.size:
        raise ValueError("there is no wall behind the venae cavae; check their names.")
    on_septum = height[valve] > 0
    return {"band": band, "septal_rim": valve[on_septum], "free_rim": valve[~on_septum]}


def rule_frames(
    mesh: Mesh,
    side: str,
    fields: Mapping[str, Float[np.ndarray, " nodes"]],
    depth: Float[np.ndarray, " nodes"] | None = None,
    bundles: AtrialBundles | None = None,
) -> tuple[Float[np.ndarray, "cells 3 3"], Int[np.ndarray, " cells"]]:
    """Frames and bundle of each cell: with e_t the direction across the wall (of the gradient of
    `depth`, or the normal of a triangle) and k the gradient of the bundle's field,

        e_n = k less its part along e_t, normalised;  f = e_n × e_t,                    (1)

    so that fibres lie in the wall, along lines where the bundle's field is the same. Rows are f,
    e_t, f × e_t = -e_n.
    """
    choose, kind = (_left, LeftBundles) if side == "left" else (_right, RightBundles)
    if not isinstance(bundles, kind | None):
        raise ValueError(f"bundles of a {side} atrium are {kind.__name__}, not those of the other.")
    here = {name: field[np.asarray(mesh.cells)].mean(axis=1) for name, field in fields.items()}
    leading, bundle = choose(here, kind() if bundles is None else bundles)
    names = list(fields)
    gradients = np.stack([directions(mesh, fields[name]) for name in names])
    k = gradients[[names.index(name) for name in leading], np.arange(mesh.n_cells)]
    across = _normals(mesh) if depth is None else directions(mesh, depth)
    e_t, _, side_way = np.moveaxis(frames_from(across, k), 1, 0)  # side_way = e_t × e_n
    return np.stack([-side_way, e_t, np.cross(-side_way, e_t)], axis=1), bundle


def _left(here: Mapping[str, Any], at: Any) -> tuple[Any, Int[np.ndarray, " cells"]]:
    """The field that leads in each cell of a left atrium, and its bundle."""
    r, v = here["to_valve"], here["to_right_veins"]
    return _first(
        (r >= at.valve, "to_valve", "mitral_ring"),
        (v <= at.left_veins, "to_right_veins", "left_vein_rings"),
        (v >= at.right_veins, "to_right_veins", "right_vein_rings"),
        (r >= -np.inf, "appendage_to_right_veins", "left_body"),
    )


def _right(here: Mapping[str, Any], at: Any) -> tuple[Any, Int[np.ndarray, " cells"]]:
    """The same of a right atrium."""
    r, v, w = here["to_valve"], here["to_ivc"], here["to_septum"]
    caval = r < at.wall
    crista = (w >= at.crista_low) & (w <= at.crista_high)
    return _first(
        (r >= at.valve, "to_valve", "tricuspid_ring"),
        (caval & crista, "to_septum", "crista_terminalis"),
        (v >= at.ivc, "to_ivc", "ivc_ring"),
        (v <= at.svc, "to_ivc", "svc_ring"),
        (caval & (w < at.crista_low), "appendage_to_ivc", "lateral_wall"),
        (caval & (w <= at.intercaval), "to_ivc", "intercaval_bundle"),
        (caval & (w < at.septum), "to_septum", "right_septum"),
        (caval | (w >= 0), "to_valve", "right_septum"),
        (r >= -np.inf, "appendage_to_ivc", "lateral_wall"),
    )


def _first(*cases: tuple[Any, str, str]) -> tuple[Any, Int[np.ndarray, " cells"]]:
    """Field and bundle of the first case that holds."""
    holds = [case[0] for case in cases]
    field = np.select(holds, [case[1] for case in cases], "")
    return field, np.select(holds, [BUNDLES[case[2]] for case in cases], 0).astype(np.int32)


def _normals(mesh: Mesh) -> Float[np.ndarray, "cells 3"]:
    """Unit normals of triangles."""
    a, b, c = np.moveaxis(np.asarray(mesh.points, float)[np.asarray(mesh.cells)], 1, 0)
    normal = np.cross(b - a, c - a)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)
