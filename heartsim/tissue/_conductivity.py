"""From fibre frames to tensors."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from heartsim import units
from heartsim._types import AnyArray
from heartsim.mesh import Mesh

PerCell = Float[AnyArray, " cells"] | Float[AnyArray, ""] | float
"""One value for all cells, or one for each."""


def tensor(
    mesh: Mesh, along: PerCell, sheet: PerCell, normal: PerCell
) -> Float[Array, "cells 3 3"]:
    """Σ_k value_k a_k a_kᵀ over the fibre, sheet and normal directions a_k of each cell.

    A mesh without fibres has no directions: its three values must be equal, and one
    object where they are traced.
    """
    values = [
        jnp.broadcast_to(jnp.asarray(v, float), (mesh.n_cells,)) for v in (along, sheet, normal)
    ]
    if mesh.frames is None:
        if not (_alike(along, sheet) and _alike(sheet, normal)):
            raise ValueError(
                "the mesh has no fibres, so that conduction along and across them cannot differ: "
                "give fibres, or one value for fibre, sheet and normal."
            )
        return values[0][:, None, None] * jnp.eye(3)
    frames = jnp.asarray(mesh.frames, values[0].dtype)
    return jnp.einsum("kc,cki,ckj->cij", jnp.stack(values), frames, frames)


def _alike(a: PerCell, b: PerCell) -> bool:
    """Whether two values are the same, or known to be equal."""
    if a is b:
        return True
    known = not any(isinstance(x, jax.core.Tracer) for x in (a, b))
    return known and bool(np.all(np.asarray(a) == np.asarray(b)))


def diffusivity(
    sigma: Float[AnyArray, "..."] | float, chi: float = units.CHI, C_m: float = units.C_M
) -> Float[Array, "..."]:
    """D = σ / (χ C_m) [mm²/ms], from σ [mS/mm], χ [1/mm] and C_m [µF/mm²].

    mS/mm · mm / (µF/mm²) = mm² · 1e-3/1e-6 · 1/s = 1e3 mm²/s = mm²/ms.
    """
    return jnp.asarray(sigma, float) / (chi * C_m)


def monodomain_conductivity(
    sigma_i: Float[AnyArray, "..."] | float, sigma_e: Float[AnyArray, "..."] | float
) -> Float[AnyArray, "..."] | float:
    """σ = σ_i σ_e / (σ_i + σ_e) along one direction [mS/mm]: the two domains in series."""
    return sigma_i * sigma_e / (sigma_i + sigma_e)
