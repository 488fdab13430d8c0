"""Fibres that turn along the outflow tracts, in a heart whose base is told apart as valves."""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, cell_gradients

from ._directions import filled
from ._fibres import blended, frame_rows, wall_axes
from ._laplace import Nearness, harmonic
from ._surfaces import VALVES, Surfaces


@dataclasses.dataclass(frozen=True)
class WallAngles:
    """Degrees at the two surfaces of a wall, as one goes counterclockwise seen from the base.
    `endo`, `epi`: of the fibre from the circumference, positive towards the base. `dip_endo`,
    `dip_epi`: of the fibre out of its layer of the wall, positive towards the cavity."""

    endo: float
    epi: float
    dip_endo: float = 0.0
    dip_epi: float = 0.0


@dataclasses.dataclass(frozen=True)
class OutflowAngles:
    """The rule of Doste et al. (2019), Int. J. Numer. Meth. Biomed. Eng. 35, e3185, and its angles
    (page not checked; fenicsx-ldrb 0.4.4, svMultiPhysics, pyansys-heart and a program for voxels
    agree on those of fibres but for signs, pyansys-heart leaving those of the outflow tracts open.
    Dips are as in fenicsx-ldrb and pyansys-heart; svMultiPhysics has 20 at the right endocardium,
    where its reviewer says the paper has 0)."""

    left: WallAngles = WallAngles(60.0, -60.0, 20.0, -20.0)
    right: WallAngles = WallAngles(90.0, -25.0, 0.0, -20.0)
    outflow: WallAngles = WallAngles(90.0, 0.0)
    """At the aortic and the pulmonary valve."""
    septum_left: float = 2 / 3
    """Share of the septum, from its left side, whose fibres turn as the left ventricle's do."""

    def __post_init__(self) -> None:
        if not 0.0 < self.septum_left < 1.0:
            raise ValueError(
                f"fibres: septum_left is {self.septum_left:g}; wanted a share between 0 and 1."
            )

    @property
    def words(self) -> str:
        """The rule and its angles, for a note."""
        walls = (("left", self.left), ("right", self.right), ("outflow tracts", self.outflow))
        told = ", ".join(f"{name} {own.endo:g} to {own.epi:g}" for name, own in walls)
        return f"by rule (Doste 2019), endo to epi {told} degrees"


def require_valves(mesh: Mesh, surfaces: Surfaces) -> None:
    """ValueError where node sets of valves that Doste's rule asks for are missing or empty."""
    sides = ("lv_endo", "rv_endo") if "rv_endo" in surfaces.faces else ("lv_endo",)
    wanted = [valve for side in sides for valve in VALVES[side]]
    missing = [valve for valve in wanted if not np.size(mesh.node_sets.get(valve, ()))]
    if missing:
        raise ValueError(
            f"anatomy: Doste's rule asks for each valve's nodes, and {', '.join(missing)} "
            "cannot be told from the rest of the base. Give node sets of these names, the regions "
            "beyond the valves in a mesh that has them (valves), or a segmentation's labels of "
            "atria and vessels; else use Bayer's rule, which takes the base as one."
        )


class _Side(NamedTuple):
    """One ventricle with its outflow tract: up, and angles at its surfaces [degrees]."""

    up: Float[np.ndarray, "cells 3"]
    endo: Float[np.ndarray, " cells"]
    epi: Float[np.ndarray, " cells"]
    dip_endo: Float[np.ndarray, " cells"]
    dip_epi: Float[np.ndarray, " cells"]


def outflow_fibres(
    mesh: Mesh,
    K: sparse.csr_array,
    near: Nearness,
    apicobasal: Float[np.ndarray, " nodes"],
    angles: OutflowAngles,
) -> Float[np.ndarray, "cells 3 3"]:
    """Frames (fibre, sheet, normal) of each cell by the rule of Doste et al. (2019).

    In each ventricle ψ_in and ψ_out are harmonic, 0 at the apex and 1 at the inflow and the
    outflow valve, and w is, 1 at the apex and the inflow valve and 0 at the outflow valve. Up is

        w ∇ψ_in + (1 - w) ∇ψ_out                                                (1)

    and each angle w times the ventricle's and 1 - w times the outflow tract's. In the axes of
    `laplace_fibres` of the left ventricle the fibre is turned from e_0 about e_2 by

        α = a α_left - b α_right + φ_epi α_epi                                  (2)

    and then, with the sheet e_2, about the normal by β = a β_left + b β_right + φ_epi β_epi. Here
    a = max(φ_lv - φ_rv (1-s)/s, 0), b = max(φ_rv - φ_lv s/(1-s), 0), and s is the left share of
    the septum. In the right one's axes a and b change signs in (2), which is the same fibre in
    the septum; the two frames are blended as there. (w is as in pyansys-heart and fenicsx-ldrb; β
    about the normal as in svMultiPhysics, whose issue 551 says so of the paper.)

    Theirs measures depth by one field, -2 at the left endocardium, 0 at the epicardium and 1 at
    the right one, which is b - 2a in the septum with s = 2/3; turns left and right halves of the
    septum apart; and has an apex in each ventricle, where ours is the heart's.
    """
    lv, rv, epi = (field[np.asarray(mesh.cells)].mean(axis=1) for field in near)
    s = angles.septum_left
    a, b = np.maximum(lv - rv * (1 - s) / s, 0.0), np.maximum(rv - lv * s / (1 - s), 0.0)
    outward = cell_gradients(mesh, near.epi)

    def side(name: str, own: WallAngles) -> _Side:
        here, there = (near.lv, near.rv) if name == "lv_endo" else (near.rv, near.lv)
        valves = (_own_nodes(mesh, valve, here, there) for valve in VALVES[name])
        up, w = _upward(mesh, K, apicobasal == 0.0, *valves)
        pairs = zip(dataclasses.astuple(own), dataclasses.astuple(angles.outflow), strict=True)
        return _Side(up, *(w * inner + (1 - w) * outer for inner, outer in pairs))

    left = side("lv_endo", angles.left)
    right = side("rv_endo", angles.right) if near.rv.any() else left  # b = 0: it has no say
    alpha, beta = a * left.endo - b * right.endo, a * left.dip_endo + b * right.dip_endo
    axes = wall_axes(-cell_gradients(mesh, near.lv), outward, left.up)
    frames = _turned(axes, alpha + epi * left.epi, beta + epi * left.dip_epi)
    if near.rv.any():
        axes = wall_axes(-cell_gradients(mesh, near.rv), outward, right.up)
        other = _turned(axes, -alpha + epi * right.epi, beta + epi * right.dip_epi)
        frames = blended(frames, other, rv / np.maximum(lv + rv, 1e-12))
    return frame_rows(frames)


def _own_nodes(
    mesh: Mesh, valve: str, here: Float[np.ndarray, " nodes"], there: Float[np.ndarray, " nodes"]
) -> Int[np.ndarray, " valve"]:
    """Nodes of a valve that are no nearer to the other cavity: an aorta may lie against the right
    outflow tract as well. ValueError where none is nearer to its own."""
    nodes = np.asarray(mesh.node_sets[valve])
    if not (here[nodes] > there[nodes]).any():
        raise ValueError(
            f"anatomy: node set {valve} lies at the other ventricle; mitral and aortic are valves "
            "of the left one, tricuspid and pulmonary of the right one."
        )
    return nodes[here[nodes] >= there[nodes]]


def _upward(
    mesh: Mesh,
    K: sparse.csr_array,
    apex: Bool[np.ndarray, " nodes"],
    inflow: Int[np.ndarray, " inflow"],
    outflow: Int[np.ndarray, " outflow"],
) -> tuple[Float[np.ndarray, "cells 3"], Float[np.ndarray, " cells"]]:
    """Up by eq. (1), and w of each cell. Nodes of both valves are the outflow valve's."""

    def field(*given: tuple[AnyArray, float]) -> Float[np.ndarray, " nodes"]:
        values = np.full(mesh.n_nodes, np.nan)
        for nodes, value in given:
            values[nodes] = value
        return np.clip(harmonic(K, values), 0.0, 1.0)

    w = field((apex, 1.0), (inflow, 1.0), (outflow, 0.0))[np.asarray(mesh.cells)].mean(axis=1)
    into, out = (field((apex, 0.0), (valve, 1.0)) for valve in (inflow, outflow))
    up = w[:, None] * cell_gradients(mesh, into) + (1 - w)[:, None] * cell_gradients(mesh, out)
    return filled(mesh, up), w


def _turned(axes, alpha, beta) -> Float[np.ndarray, "cells 3 3"]:
    """Columns fibre, normal, sheet: the axes turned by α about e_2, then by β about the normal."""
    e_0, e_1, e_2 = axes
    alpha, beta = (np.radians(angle)[:, None] for angle in (alpha, beta))
    layer = np.cos(alpha) * e_0 + np.sin(alpha) * e_1
    normal = np.cos(alpha) * e_1 - np.sin(alpha) * e_0
    f = np.cos(beta) * layer - np.sin(beta) * e_2
    sheet = np.cos(beta) * e_2 + np.sin(beta) * layer
    return np.stack([f, normal, sheet], axis=2)
