"""Electrodes within: what a catheter in the blood, or touching the wall, sees of each node."""

from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import sparse

from heartsim._types import AnyArray
from heartsim.fem import basis_gradients
from heartsim.mesh import Mesh, locate_points

from ._conductor import require_whole
from ._field_cache import conductor_field
from ._lead_field import SIGMA_BATH
from ._torso import electrode_places

# faces of a tetrahedron of positive volume, normals outward; face i is opposite to vertex i
_FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


def catheter_field(
    torso: Mesh,
    conductivity: Mapping[str | int, float],
    electrodes: Mapping[str, Float[AnyArray, " 3"]],
    heart: Mesh,
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_e: Float[AnyArray, "cells 3 3"],
    *,
    cache: Path | None = None,
) -> Float[Array, "electrodes nodes"]:
    """L with φ = L V [mV] for electrodes anywhere in the torso, heart and blood included: unipolar,
    extracellular, against the mean over the skin. As `torso_field`, the unit current shared among
    the corners of the cell that holds the electrode; nearer than a few edges to a wavefront it is
    as coarse as the torso's mesh. ValueError for an electrode outside the torso."""
    require_whole(torso)
    places = electrode_places(electrodes)
    cell, weights = locate_points(torso, places)
    for name, found in zip(electrodes, cell, strict=True):
        if found < 0:
            raise ValueError(
                f"electrode {name} lies outside the torso: check the unit (mm), or use "
                "`torso_field`, which moves it to the skin."
            )
    W = np.zeros((len(places), torso.n_nodes))
    np.put_along_axis(W, np.asarray(torso.cells)[cell].astype(int), weights, axis=1)
    shares = (cell, weights)
    return conductor_field(torso, conductivity, heart, sigma_i, sigma_e, W, shares, cache)


def electrogram_field(
    mesh: Mesh,
    electrodes: Mapping[str, Float[AnyArray, " 3"]],
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_bath: float = SIGMA_BATH,
) -> Float[Array, "electrodes nodes"]:
    """L with φ = L V [mV] in an infinite medium, as `lead_field`, but exact for a voltage that is
    linear in each cell: the electrode may touch the heart or lie in it.

        φ(x) = -1/(4π σ_bath) Σ_cells (σ_i∇V) · ∮ n / |x - y| dS                          (1)

    by the divergence theorem, the integral over each face in closed form: Wilton et al. (1984),
    IEEE Trans. Antennas Propag. 32, 276-281 (page not checked; tested against φ = -(σ_i/σ) V).
    """
    places = electrode_places(electrodes)
    cells = np.asarray(mesh.cells)
    faces = cells[:, _FACES].reshape(-1, 3)
    unique, which = np.unique(np.sort(faces, axis=1), axis=0, return_inverse=True)
    corners = np.asarray(mesh.points, np.float64)
    edges = corners[faces[:, 1:]] - corners[faces[:, :1]]
    normal = np.cross(edges[:, 0], edges[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    grad, _ = basis_gradients(mesh.points, cells)
    flux = np.einsum("cfd,cde,cje->cfj", normal.reshape(-1, 4, 3), sigma_i, grad)
    row = np.repeat(which.reshape(-1), 4)
    column = np.repeat(cells, 4, axis=0).ravel()
    F = sparse.csr_array((flux.ravel(), (row, column)), shape=(len(unique), mesh.n_nodes))
    seen = np.stack([_one_over_distance(corners[unique], x) for x in places])
    return jnp.asarray(-(F.T @ seen.T).T / (4 * np.pi * sigma_bath), float)


def bipolar(potentials: Float[AnyArray, "frames electrodes"]) -> Float[AnyArray, "frames pairs"]:
    """Each electrode's potential less the next one's [mV]: of a catheter listed from its tip,
    distal minus proximal. A field's transpose makes a field of pairs likewise."""
    return potentials[:, :-1] - potentials[:, 1:]


def _one_over_distance(
    corners: Float[np.ndarray, "faces 3 3"], x: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " faces"]:
    """∫ dS / |x - y| over each triangle [mm]. With h the height of x over the plane and, for each
    side, P its distance in the plane and l from the foot to both ends along it, R² = P² + l² + h²:

    Σ_sides P [asinh(l/R₀)] - |h| Σ_sides [atan(P l / (R₀² + |h| R))],  R₀² = P² + h².
    """
    v = corners - x
    side = np.roll(v, -1, axis=1) - v
    length = np.linalg.norm(side, axis=2, keepdims=True)
    normal = np.cross(side[:, 0], side[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    along = side / length
    outward = np.cross(along, normal[:, None])
    h = np.abs(np.einsum("fd,fd->f", v[:, 0], normal))[:, None]
    P = np.einsum("fsd,fsd->fs", v, outward)
    # where R₀ = 0 the side points at x, P = 0 and both terms vanish
    R0 = np.sqrt(P**2 + h**2 + (1e-12 * length[:, :, 0]) ** 2)
    total = np.zeros(len(v))
    for sign, end in ((1, np.roll(v, -1, axis=1)), (-1, v)):
        reach, R = np.einsum("fsd,fsd->fs", end, along), np.linalg.norm(end, axis=2)
        angle = np.arctan(P * reach / (R0**2 + h * R))
        total += sign * (P * np.arcsinh(reach / R0) - h * angle).sum(axis=1)
    return total
