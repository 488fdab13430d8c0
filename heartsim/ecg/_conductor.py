"""The body as a volume conductor: bulk conductivity, the heart in it, and Poisson's equation."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from heartsim._types import AnyArray
from heartsim.fem import solve_poisson, stiffness_matrix
from heartsim.mesh import Mesh, boundary_triangles, did_you_mean, locate_points, signed_volumes

from ._lead_field import SIGMA_BATH

CONDUCTIVITY: dict[str | int, float] = {
    "heart": SIGMA_BATH,
    "blood": 0.67,
    "lungs": 0.074,
    "torso": 0.2,
}
"""Conductivities of what surrounds the heart, mS/mm, below about 1 kHz. Blood 0.67 and muscle 0.16:
Geddes and Baker (1967), as quoted in table 1 of PMC6748834 (their own page not checked). Lungs:
1200 to 1500 Ω cm, here 1350, and skeletal muscle 400 Ω cm, in dogs at 100 kHz: the abstract of
report SAM-TDR-64-5 (1964; page not checked). "torso" lumps muscle (0.16 and 0.25 by these two),
fat (0.025, Gabriel et al. 1996, by the same table) and organs into one value, ours. Keller et al.
(2010), IEEE Trans. Biomed. Eng. 57, 1568-1576 (page not checked), rank their influence. "heart" is
for what is tagged heart but lies in no cell of the heart's mesh."""


class VolumeConductor(NamedTuple):
    """∇·(σ∇φ) = -∇·(σ_i∇V) on the torso, discretely K φ = -Eᵀ K_i V. Made by
    `volume_conductor`; matrices in float64 on the host, mS."""

    torso: Mesh
    K: sparse.csr_array  # torso nodes × torso nodes, with σ_i + σ_e in the heart
    K_i: sparse.csr_array  # heart nodes × heart nodes, with σ_i
    E: sparse.csr_array  # heart nodes × torso nodes, linear interpolation
    share: Float[np.ndarray, " torso"]  # of the body surface, by area: where the reference is

    def field(self, W: Float[np.ndarray, "electrodes torso"]) -> Float[np.ndarray, "..."]:
        """L, electrodes × heart nodes, with φ = L V. Unit current in by the weights W of each
        electrode, out evenly through the body surface: K Z = Wᵀ - share, L = -(K_i E Z)ᵀ."""
        Z = solve_poisson(self.K, W.T - self.share[:, None])
        return -(self.K_i @ (self.E @ Z)).T

    def potentials(self, V: Float[AnyArray, "frames heart"]) -> Float[np.ndarray, "..."]:
        """φ, frames × torso nodes [mV], less its mean over the body surface: the direct solve."""
        source = -self.E.T @ (self.K_i @ np.asarray(V, np.float64).T)
        # rows of K_i sum to zero up to rounding only
        phi = solve_poisson(self.K, source - source.sum(axis=0) / len(source))
        return (phi - self.share @ phi).T


def volume_conductor(
    torso: Mesh,
    conductivity: Mapping[str | int, float],
    heart: Mesh,
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_e: Float[AnyArray, "cells 3 3"],
) -> VolumeConductor:
    """The body around a heart, both meshes of tetrahedra in mm and in one place.

    A torso cell whose middle lies in a cell of the heart takes that cell's bulk conductivity
    σ_i + σ_e, whatever its region; every other cell takes the `conductivity` [mS/mm] of its
    region, by name or tag. Where the heart is a part of the torso (same cells), the discrete
    identities are exact; else Z is interpolated to the heart's nodes. Quasi-static, no flux
    through the skin: Keller et al. (2010), IEEE Trans. Biomed. Eng. 57, 1568-1576 (page not
    checked). ValueError for a torso that is a surface, is in parts, has a region without
    conductivity, or does not hold every node of the heart.
    """
    require_whole(torso)
    used = np.unique(np.asarray(heart.cells))
    cell, weights = locate_points(torso, np.asarray(heart.points)[used])
    if (cell < 0).any():
        raise ValueError(
            f"the torso does not enclose the heart: {np.sum(cell < 0)} of {used.size} heart nodes "
            f"lie in no torso cell, node {used[cell < 0][0]} at "
            f"{np.asarray(heart.points)[used[cell < 0][0]].round(1).tolist()} mm among them; check "
            "units and position, and fill the torso where the heart lies."
        )
    rows = np.repeat(used, 4)
    columns = np.asarray(torso.cells)[cell].ravel()
    shape = (heart.n_nodes, torso.n_nodes)
    return VolumeConductor(
        torso=torso,
        K=stiffness_matrix(torso, bulk(torso, conductivity, heart, sigma_i, sigma_e)),
        K_i=stiffness_matrix(heart, sigma_i),
        E=sparse.csr_array((weights.ravel(), (rows, columns)), shape=shape),
        share=surface_share(torso),
    )


def bulk(
    torso: Mesh,
    conductivity: Mapping[str | int, float],
    heart: Mesh,
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_e: Float[AnyArray, "cells 3 3"],
) -> Float[np.ndarray, "torso_cells 3 3"]:
    """The bulk conductivity of each torso cell [mS/mm]: see `volume_conductor`."""
    middle = np.asarray(torso.points, np.float64)[np.asarray(torso.cells)].mean(axis=1)
    corners = np.asarray(heart.points)[np.unique(np.asarray(heart.cells))]
    near = ((middle >= corners.min(axis=0)) & (middle <= corners.max(axis=0))).all(axis=1)
    of = np.full(torso.n_cells, -1)
    of[near] = locate_points(heart, middle[near])[0]
    outside = of < 0
    names = {tag: name for name, tag in torso.region_names}
    sigma = np.zeros((torso.n_cells, 3, 3))
    for tag in np.unique(np.asarray(torso.regions)[outside]).tolist():
        name = names.get(tag, tag)
        value = next((conductivity[k] for k in (name, tag, str(tag)) if k in conductivity), None)
        if value is None or not value > 0:
            hint = did_you_mean(name, [str(key) for key in conductivity])
            raise ValueError(
                f"torso: region {name!r} (tag {tag}) has conductivity {value}{hint}; give every "
                "region outside the heart a positive one, in mS/mm."
            )
        sigma[outside & (np.asarray(torso.regions) == tag)] = value * np.eye(3)
    both = np.asarray(sigma_i, np.float64) + np.asarray(sigma_e, np.float64)
    sigma[~outside] = both[of[~outside]]
    return sigma


def require_whole(torso: Mesh) -> None:
    """ValueError unless the torso is one connected body of tetrahedra."""
    if torso.dim != 3:
        raise ValueError(
            "the torso is a mesh of "
            f"{'triangles' if torso.dim == 2 else 'lines'}, a volume of tetrahedra is wanted; "
            "`body_around(heart, surface)` fills a closed surface."
        )
    cells = np.asarray(torso.cells)
    pairs = np.concatenate([cells[:, [0, k]] for k in (1, 2, 3)]).T
    graph = sparse.coo_array((np.ones(pairs.shape[1]), pairs), shape=(torso.n_nodes,) * 2)
    parts = sparse.csgraph.connected_components(graph)[0]
    if parts > 1:
        raise ValueError(
            f"the torso is in {parts} parts that share no cell (single nodes count); no current "
            "flows between them: keep one part, and merge nodes that lie at one place."
        )


def surface_share(torso: Mesh) -> Float[np.ndarray, " nodes"]:
    """The share of the boundary's area that stands with each node; sums to 1."""
    faces = boundary_triangles(torso)
    area = signed_volumes(torso.points, faces)
    share = np.bincount(faces.ravel(), np.repeat(area / 3, 3), torso.n_nodes)
    return share / share.sum()


def surface_nodes(torso: Mesh) -> Int[np.ndarray, " surface"]:
    """The nodes of the boundary, ascending."""
    return np.unique(boundary_triangles(torso))
