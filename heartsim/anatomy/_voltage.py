"""Scar and its border zone from the voltages of an electroanatomic map."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from heartsim.mesh import Mesh, signed_volumes

from ._laplace import RV
from ._scar import BORDER, CORE, HEALTHY, marked, require_order
from ._surfaces import find_surfaces

REACH = 10.0  # mm, from the endocardium to the map; ours: maps are registered to some 4 mm


@dataclasses.dataclass(frozen=True)
class VoltageRule:
    """mV: dense scar below `core`, border zone below `border`. The usual bipolar levels, after
    Marchlinski et al. (2000), Circulation 101, 1288-1296 (page not checked)."""

    border: float = 1.5
    core: float = 0.5

    def __post_init__(self):
        require_order("voltage", core=self.core, border=self.border)


@dataclasses.dataclass(frozen=True)
class Mapped:
    """Voltages of a map brought to one ventricle, NaN where it did not reach."""

    nodes: Int[np.ndarray, " endo"]
    """Of the endocardium."""
    voltage: Float[np.ndarray, " endo"]
    cells: Float[np.ndarray, " cells"]
    """Through the wall: each cell as the endocardium at its height and angle; NaN elsewhere."""


def mapped(
    mesh: Mesh,
    points: Float[np.ndarray, "points 3"],
    voltage: Float[np.ndarray, " points"],
    side: str = "left",
) -> Mapped:
    """A map of the left or right endocardium (`side`) on a heart from `describe_heart`, both in one
    frame: each node of the endocardium takes the voltage of the nearest point, each cell that of
    the node at its coordinates. No amplitude is below 0: such points, by which mapping systems say
    that nothing was measured, are left out as NaN is. ValueError where map and endocardium lie
    apart.
    """
    if side not in ("left", "right"):
        raise ValueError(f"side {side!r}: wanted left or right.")
    faces = find_surfaces(mesh).faces
    name = "lv_endo" if side == "left" else "rv_endo"
    if name not in faces:
        raise ValueError(f"anatomy: this heart has no {side} endocardium.")
    nodes = np.unique(faces[name]).astype(np.int32)
    known = np.isfinite(voltage) & (voltage >= 0)
    if not known.any():
        raise ValueError("anatomy: no point of the map has a voltage of 0 mV or more.")
    away, near = cKDTree(points[known]).query(np.asarray(mesh.points)[nodes])
    found = np.where(away <= REACH, voltage[known][near], np.nan)
    if np.isnan(found).all():
        raise ValueError(
            f"anatomy: the map lies {away.min():.0f} mm or more from the {side} endocardium; "
            "wanted both in one frame, in mm."
        )
    z, turn = (np.asarray(mesh.point_data[key]) for key in ("apicobasal", "rotational"))
    at = np.stack([z, np.cos(turn) / 2, np.sin(turn) / 2], axis=1)
    own = (np.asarray(mesh.cell_data["chamber"]) == RV) == (side == "right")
    middle = at[np.asarray(mesh.cells)[own]].mean(axis=1)
    cells = np.full(mesh.n_cells, np.nan)
    cells[own] = found[cKDTree(at[nodes]).query(middle)[1]]
    return Mapped(nodes, found, cells)


def voltage_zones(rule: VoltageRule, voltage: Float[np.ndarray, " any"]) -> Int[np.ndarray, " any"]:
    """0 healthy (and not mapped), 1 border, 2 core."""
    low = np.nan_to_num(voltage, nan=np.inf)
    return np.where(low < rule.core, CORE, np.where(low < rule.border, BORDER, HEALTHY))


def with_voltage_scar(mesh: Mesh, found: Mapped, rule: VoltageRule) -> Mesh:
    """The mesh with regions `border` and `scar` through the wall under low voltages, and cell data
    `voltage` [mV]."""
    note = f"scar: from voltages, below {rule.core:g} mV, border below {rule.border:g} mV"
    marks = marked(mesh, voltage_zones(rule, found.cells), note)
    return dataclasses.replace(marks, cell_data={**marks.cell_data, "voltage": found.cells})


def voltage_areas(mesh: Mesh, found: Mapped, rule: VoltageRule) -> Float[np.ndarray, " 4"]:
    """cm² of the endocardium: healthy, border, core, and not mapped."""
    of = np.full(mesh.n_nodes, np.nan)
    of[found.nodes] = found.voltage
    faces = [f for f in find_surfaces(mesh).faces.values() if np.isin(f, found.nodes).all()]
    triangles = np.concatenate(faces)
    values = of[triangles].mean(axis=1)
    zone = np.where(np.isnan(values), 3, voltage_zones(rule, values))
    area = signed_volumes(mesh.points, triangles)
    return np.bincount(zone, area, 4) / 100
