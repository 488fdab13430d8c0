"""Where a stimulus acts: from the keys of `at` to nodes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from heartsim.mesh import Mesh

from ._schema import Place, Pulses


def nodes_at(place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    """The nodes that satisfy every key of a place; ValueError where there is none."""
    given = {k: getattr(place, k) for k in _SELECT if getattr(place, k) is not None}
    inside = np.ones(mesh.n_nodes, bool)
    for key, value in given.items():
        inside &= _SELECT[key](value, place, mesh)
    if not inside.any():
        raise ValueError(f"at touches no node: {_why_not(place, mesh, list(given))}.")
    return inside


def site_of(number: int, pulses: Pulses, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    """The nodes of a [[stimulus]]; ValueError with its number where there are none."""
    try:
        return nodes_at(pulses.at, mesh)
    except ValueError as error:
        raise ValueError(f"[[stimulus]] {number}: {error}") from None


def _in_set(name: str, place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    return _mask(mesh, mesh.node_set(name))


def _on_surface(name: str, place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    if name != "endocardium":
        return _mask(mesh, mesh.node_set(name))
    both = [side for side in ("lv_endo", "rv_endo") if side in mesh.node_sets]
    if not both:
        raise ValueError(
            "surface = 'endocardium' needs a node set lv_endo or rv_endo, which this mesh lacks; "
            "give point_mm and radius_mm instead."
        )
    return _mask(mesh, np.concatenate([np.asarray(mesh.node_sets[side]) for side in both]))


def _in_region(tag: str | int, place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    cells = np.asarray(mesh.regions) == mesh.region_tag(tag)
    return _mask(mesh, np.unique(np.asarray(mesh.cells)[cells]))


def _in_segment(number: int, place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    if "segment" not in mesh.cell_data:
        raise ValueError(
            "segment needs cell data 'segment', which this mesh lacks; heartsim anatomy makes it."
        )
    cells = np.asarray(mesh.cell_data["segment"]) == number
    if not cells.any():
        raise ValueError(
            f"segment {number} does not exist in this mesh; it has 1 to 17, and 18 to "
            "26 in the right ventricle."
        )
    return _mask(mesh, np.unique(np.asarray(mesh.cells)[cells]))


def _near_points(points: Any, place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    if place.is_point:
        return _mask(mesh, [_distance(point, mesh).argmin() for point in np.atleast_2d(points)])
    return _distance(points, mesh) <= place.radius_mm


def _distance(points: Any, mesh: Mesh) -> Float[np.ndarray, " nodes"]:
    """Distance of each node from the nearest of one or more points [mm]."""
    centres = np.atleast_2d(np.asarray(points, float))
    nodes = np.asarray(mesh.points)
    return np.min([np.linalg.norm(nodes - centre, axis=1) for centre in centres], axis=0)


def _in_box(box: Any, place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    low, high = np.sort(np.asarray(box, float), axis=0)
    slack = 1e-9 * (1.0 + np.abs(high).max())  # a node on a face of the box lies inside
    points = np.asarray(mesh.points)
    return ((points >= low - slack) & (points <= high + slack)).all(axis=1)


def _numbered(nodes: list[int], place: Place, mesh: Mesh) -> Bool[np.ndarray, " nodes"]:
    numbers = np.asarray(nodes, int)
    wrong = numbers[(numbers < 0) | (numbers >= mesh.n_nodes)]
    if wrong.size:
        raise ValueError(
            f"node {wrong[0]} does not exist; the mesh has nodes 0 to {mesh.n_nodes - 1}."
        )
    return _mask(mesh, numbers)


_SELECT: dict[str, Callable[[Any, Place, Mesh], Any]] = {
    "node_set": _in_set,
    "surface": _on_surface,
    "region": _in_region,
    "segment": _in_segment,
    "point_mm": _near_points,
    "box_mm": _in_box,
    "nodes": _numbered,
}


def _mask(mesh: Mesh, nodes: Any) -> Bool[np.ndarray, " nodes"]:
    mask = np.zeros(mesh.n_nodes, bool)
    mask[np.asarray(nodes)] = True
    return mask


def _why_not(place: Place, mesh: Mesh, keys: list[str]) -> str:
    """What a user needs to see the mistake: the nearest node, or the mesh's own box."""
    if keys == ["point_mm"]:
        nearest = _distance(place.point_mm, mesh).min()
        return f"the nearest node lies {nearest:.3g} mm away, radius_mm is {place.radius_mm:g}"
    if keys == ["box_mm"]:
        low, high = np.min(mesh.points, axis=0), np.max(mesh.points, axis=0)
        return f"the mesh lies between {_mm(low)} and {_mm(high)} mm"
    return f"none satisfies {' and '.join(keys)} together"


def _mm(point: Float[np.ndarray, " 3"]) -> str:
    return "[" + ", ".join(f"{x:.4g}" for x in point) + "]"
