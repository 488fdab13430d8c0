"""Landmarks that are given instead of found."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh

from ._laplace import RV
from ._surfaces import VALVES, Surfaces

INSERTIONS = ("insertion_anterior", "insertion_inferior")
LANDMARKS = ("apex", *INSERTIONS, *(valve for pair in VALVES.values() for valve in pair))
FAR = 20.0  # mm from its surface: a place of another heart or frame; ours


def with_valves(
    mesh: Mesh, surfaces: Surfaces, given: Mapping[str, Float[np.ndarray, " 3"]]
) -> Mesh:
    """Node sets of the valves whose middles are given: of the rims of its cavity the one whose
    middle is nearest; two valves on one rim share it by which is nearer. ValueError for a name that
    is not known, and a middle 20 mm from every rim."""
    if unknown := [name for name in given if name not in LANDMARKS]:
        raise ValueError(
            f"anatomy: landmark {unknown[0]!r} is not known; there are {', '.join(LANDMARKS)}."
        )
    x, sets = np.asarray(mesh.points, float), dict(mesh.node_sets)
    for side, valves in VALVES.items():
        told = {valve: np.asarray(given[valve], float) for valve in valves if valve in given}
        rims = surfaces.openings(side) if told and side in surfaces.faces else []
        middles = [x[rim].mean(axis=0) for rim in rims]
        at = {}
        for valve, place in told.items():
            away = [np.linalg.norm(x[rim] - place, axis=1).min() for rim in rims]
            _near(min(away, default=np.inf), valve, "rims of its cavity")
            at[valve] = int(np.argmin(np.linalg.norm(np.array(middles) - place, axis=1)))
        for valve, k in at.items():
            rim = rims[k]
            sharing = [told[other] for other in told if at[other] == k]
            away = [np.linalg.norm(x[rim] - place, axis=1) for place in sharing]
            own = np.linalg.norm(x[rim] - told[valve], axis=1) <= np.min(away, axis=0)
            sets[valve] = rim[own].astype(np.int32)
    return dataclasses.replace(mesh, node_sets=sets)


def on_epicardium(
    mesh: Mesh,
    surfaces: Surfaces,
    chamber: Int[np.ndarray, " cells"],
    given: Mapping[str, Float[np.ndarray, " 3"]],
) -> dict[str, int]:
    """The epicardial node of the left ventricle with septum nearest to apex and insertions, where
    they are given. ValueError for one insertion without the other, and for a place 20 mm from
    there."""
    if len(here := [name for name in INSERTIONS if name in given]) == 1:
        raise ValueError(f"anatomy: {here[0]} is given alone; wanted {' and '.join(INSERTIONS)}.")
    x, found = np.asarray(mesh.points, float), {}
    left = np.intersect1d(surfaces.nodes("epi"), np.asarray(mesh.cells)[chamber != RV])
    for name in ("apex", *here):
        if name in given:
            away = np.linalg.norm(x[left] - given[name], axis=1)
            _near(away.min(), name, "left ventricle's epicardium")
            found[name] = int(left[away.argmin()])
    return found


def _near(away: float, name: str, what: str) -> None:
    if away > FAR:
        raise ValueError(
            f"anatomy: the {name} given lies {away:.0f} mm from the {what}; wanted a place in mm "
            "in the mesh's own frame."
        )
