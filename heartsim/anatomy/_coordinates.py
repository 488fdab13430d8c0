"""Ventricular coordinates: where in the heart a point lies, whatever heart it is."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from heartsim.fem import basis_gradients, solve_poisson, stiffness_matrix
from heartsim.mesh import Mesh, cell_gradients, signed_volumes, submesh

from ._landmarks import INSERTIONS
from ._laplace import RV, SEPTUM, harmonic, laplacian
from ._surfaces import Surfaces

APEX = 5.0  # mm around the apex, which are height 0; ours
UVC_APEX = 10.0  # mm, the same of the harmonic height; as Rodero 01's published one has it, best
# of 3 to 15 in LV, RV and septum
TIP = 0.97  # of the farthest node from the rim: the others there are its lower end, too
LEVELS = 50  # of height, over which it is made to rise evenly


@dataclasses.dataclass(frozen=True)
class LongAxis:
    """The left ventricle's own directions: unit vectors, right-handed as
    anterior = up × septal."""

    apex: Float[np.ndarray, " 3"]
    """The epicardial node farthest below the base, mm."""
    base: Float[np.ndarray, " 3"]
    """Middle of the left cavity's rim, mm."""
    up: Float[np.ndarray, " 3"]
    """From the lower end of the left cavity to the base."""
    septal: Float[np.ndarray, " 3"]
    anterior: Float[np.ndarray, " 3"]
    flag: str
    """Empty, or what is arbitrary."""


def long_axis(
    mesh: Mesh,
    surfaces: Surfaces,
    septal: Float[np.ndarray, " 3"] | None = None,
    landmarks: Mapping[str, int] = MappingProxyType({}),
) -> LongAxis:
    """From the cavities: up from the left one's lowest point to the middle of its rim, septal
    towards the right one. Without a right one the insertions among the `landmarks` (nodes) tell,
    else `septal` is believed, and without that any direction is as good as another, as the flag
    then says. A landmark apex is believed."""
    x = np.asarray(mesh.points, float)
    left = surfaces.nodes("lv_endo")
    rim = np.intersect1d(left, surfaces.nodes("base"))
    if not rim.size:
        raise ValueError("anatomy: the left endocardium does not meet the base.")
    base = x[rim].mean(axis=0)
    away = np.linalg.norm(x[left] - base, axis=1)
    tip = x[left][away > TIP * away.max()].mean(axis=0)
    up = (base - tip) / np.linalg.norm(base - tip)
    flag = ""
    if "rv_endo" in surfaces.faces:
        septal = x[surfaces.nodes("rv_endo")].mean(axis=0) - x[left].mean(axis=0)
    elif INSERTIONS[0] in landmarks:
        septal = x[[landmarks[name] for name in INSERTIONS]].mean(axis=0) - base
    elif septal is None:
        septal = np.eye(3)[np.argmin(np.abs(up))]
        flag = "segments: one ventricle, nothing tells where the septum is; angles start anywhere"
    else:
        flag = "segments: one ventricle, the septum is taken to be where it was said to be"
    septal = septal - (septal @ up) * up
    septal = septal / np.linalg.norm(septal)
    outside = x[surfaces.nodes("epi")]
    across = np.linalg.norm(np.cross(outside - base, up), axis=1)
    within = across < np.quantile(np.linalg.norm(np.cross(x[left] - base, up), axis=1), 0.9)
    apex = outside[within][np.argmin(outside[within] @ up)]
    apex = x[landmarks["apex"]] if "apex" in landmarks else apex
    return LongAxis(apex, base, up, septal, np.cross(up, septal), flag)


def harmonic_height(
    mesh: Mesh,
    K: sparse.csr_array,
    surfaces: Surfaces,
    apex: Float[np.ndarray, " 3"],
    radius: float,
) -> Float[np.ndarray, " nodes"]:
    """The harmonic field that is 0 within `radius` [mm] of the apex, or at the node nearest to it,
    and 1 at the base. ValueError where the base lies within the radius."""
    x = np.asarray(mesh.points, float)
    given = np.full(mesh.n_nodes, np.nan)
    given[surfaces.nodes("base")] = 1.0
    away = np.linalg.norm(x - apex, axis=1)
    low = away <= max(radius, away.min())
    if (given[low] == 1.0).any():
        raise ValueError(
            f"anatomy: the base begins within {radius:g} mm of the apex; wanted a smaller radius."
        )
    given[low] = 0.0
    return np.clip(harmonic(K, given), 0.0, 1.0)


def apicobasal(
    mesh: Mesh, K: sparse.csr_array, surfaces: Surfaces, apex: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " nodes"]:
    """Height: 0 within 5 mm of the apex, 1 at the base. Harmonic, then stretched so that it rises
    evenly: by the mean gradient at each level, so that equal steps are equally far apart."""
    return _evened(mesh, harmonic_height(mesh, K, surfaces, apex, APEX))


def _evened(mesh: Mesh, u: Float[np.ndarray, " nodes"]) -> Float[np.ndarray, " nodes"]:
    """s(u) with 1/s' the mean of |∇u| over the cells at each level; from 0 to 1 as u."""
    slope = np.linalg.norm(cell_gradients(mesh, u), axis=1)
    volume = np.where(
        slope > 0, signed_volumes(mesh.points, mesh.cells), 0.0
    )  # all of a cell may be apex or base
    edges = np.linspace(0.0, 1.0, LEVELS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    level = np.clip(np.digitize(u[mesh.cells].mean(axis=1), edges) - 1, 0, LEVELS - 1)
    total, rise = np.bincount(level, volume, LEVELS), np.bincount(level, volume * slope, LEVELS)
    some = total > 0
    far = np.cumsum(1 / np.interp(middle, middle[some], rise[some] / total[some]))
    return np.interp(u, edges, np.append(0.0, far) / far[-1])


def transmural(
    mesh: Mesh, surfaces: Surfaces, chamber: Int[np.ndarray, " cells"]
) -> Float[np.ndarray, " nodes"]:
    """Depth: 0 at the endocardium, 1 at the epicardium; in the septum 0 left and 1 right. Harmonic
    in the left ventricle with septum, and in the right one, apart; nodes of both are left."""
    out = np.full(mesh.n_nodes, np.nan)
    for inner, outer, own in (
        ("rv_endo", ("epi",), chamber == RV),
        ("lv_endo", ("epi", "rv_endo"), chamber != RV),
    ):
        if not own.any():
            continue
        part, nodes = submesh(mesh, own)
        given = np.full(mesh.n_nodes, np.nan)
        for name in outer:
            if name in surfaces.faces:
                given[surfaces.nodes(name)] = 1.0
        given[surfaces.nodes(inner)] = 0.0
        out[nodes] = np.clip(harmonic(laplacian(part), given[nodes]), 0.0, 1.0)
    return out


def rotational(
    mesh: Mesh,
    axis: LongAxis,
    chamber: Int[np.ndarray, " cells"],
    height: Float[np.ndarray, " nodes"],
    depth: Float[np.ndarray, " nodes"],
    landmarks: Mapping[str, int] = MappingProxyType({}),
) -> tuple[Float[np.ndarray, " nodes"], float]:
    """Angle around the left cavity, -π to π: 0 in the middle of the septum, rising to anterior; and
    the angle of the anterior insertion of the right ventricle, half the width of the septum, which
    lies between the insertions where these are `landmarks` (nodes).

    In the left ventricle with septum the harmonic field that winds once around the long axis,
    without flux through any surface; in the right one harmonic from there.
    """
    left, nodes = submesh(mesh, chamber != RV)
    turn = _winding(left, axis, depth[nodes])
    half = np.pi / 3
    if INSERTIONS[0] in landmarks:
        middle, half = _between(turn[np.searchsorted(nodes, [landmarks[k] for k in INSERTIONS])])
        turn = wrapped(turn - middle)
    elif (chamber == SEPTUM).any():
        septum = np.isin(chamber[chamber != RV], SEPTUM)
        middle, half = _septum(left, septum, turn, height[nodes])
        turn = wrapped(turn - middle)
    out = np.full(mesh.n_nodes, np.nan)
    out[nodes] = turn
    if (chamber == RV).any():
        right, own = submesh(mesh, chamber == RV)
        given = out[own]
        out[own] = harmonic(laplacian(right), given)
    return out, half


def _winding(
    left: Mesh, axis: LongAxis, depth: Float[np.ndarray, " nodes"]
) -> Float[np.ndarray, " nodes"]:
    """The harmonic angle: the geometric one, less what its gradient diverges.

    Diffusivity falls with the thickness of the wall, so that the angle turns as evenly through
    a thick wall as through a thin one.
    """
    away = np.asarray(left.points, float) - axis.base
    turn = np.arctan2(away @ axis.anterior, away @ axis.septal)
    cells = np.asarray(left.cells)
    rise = wrapped(turn[cells] - turn[cells[:, :1]])
    pierced = np.abs(wrapped(np.roll(rise, 1, axis=1) - rise) - np.roll(rise, 1, axis=1) + rise)
    rise[pierced.max(axis=1) > 1e-9] = 0.0  # the axis runs through: no direction is around it
    grad, volume = basis_gradients(left.points, left.cells)
    thin = np.linalg.norm(cell_gradients(left, depth), axis=1)
    thin = np.maximum(thin, 0.1 * np.median(thin))
    flux = np.einsum("cvd,cwd,cw,c->cv", grad, grad, rise, thin * volume)
    b = -np.bincount(cells.reshape(-1), flux.reshape(-1), left.n_nodes)
    K = stiffness_matrix(left, thin[:, None, None] * np.eye(3))
    more = solve_poisson(K, b[:, None], rtol=1e-8)[:, 0]
    return wrapped(turn + more)


def _between(ends: Float[np.ndarray, " 2"]) -> tuple[float, float]:
    """Middle and half width of the septum as angles, from those of its two insertions."""
    width = float((ends[0] - ends[1]) % (2 * np.pi))
    if width > np.pi:
        raise ValueError(
            f"anatomy: between {' and '.join(INSERTIONS)} the septum would span "
            f"{np.degrees(width):.0f} degrees; swapped, it would be {360 - np.degrees(width):.0f}."
        )
    return float(ends[1]) + width / 2, width / 2


def _septum(left: Mesh, septum, turn, height) -> tuple[float, float]:
    """Middle and half width of the septum as angles, medians over heights from 0.3 to 0.8."""
    nodes = np.unique(np.asarray(left.cells)[septum])
    centre = np.angle(np.exp(1j * turn[nodes]).mean())
    own, at = wrapped(turn[nodes] - centre), height[nodes]
    bounds = [
        np.quantile(own[inside], [0.02, 0.98])
        for low in np.arange(0.3, 0.8, 0.05)
        if (inside := (at >= low) & (at < low + 0.05)).sum() > 10
    ]
    if not bounds:
        raise ValueError("anatomy: hardly any septum was found between the two cavities.")
    low, high = np.median(bounds, axis=0)
    return float(centre + (low + high) / 2), float((high - low) / 2)


def wrapped(angle: Any) -> Any:
    """The same angle between -π and π."""
    return np.angle(np.exp(1j * np.asarray(angle)))
