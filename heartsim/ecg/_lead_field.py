"""Potentials far from the heart: what an electrode sees of each node's voltage."""

from collections.abc import Mapping
from itertools import combinations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from heartsim._types import AnyArray
from heartsim.fem import Rows, elements
from heartsim.mesh import Mesh

SIGMA_IL, SIGMA_IT, SIGMA_EL, SIGMA_ET = 0.17, 0.019, 0.62, 0.24
"""Intra- and extracellular conductivities along and across the fibre, mS/mm. Niederer et al.
(2011), Phil. Trans. R. Soc. A 369, 4331-4351, table of parameters: their harmonic means are the
benchmark's 0.1334 and 0.0176 (page not checked; the means are, by a test)."""

SIGMA_BATH = (SIGMA_IL + SIGMA_EL + 2 * (SIGMA_IT + SIGMA_ET)) / 3
"""Conductivity of the infinite medium, mS/mm: the heart's own bulk σ_i + σ_e, averaged over
directions, so that heart and surroundings are one medium."""


def lead_field(
    mesh: Mesh,
    electrodes: Mapping[str, Float[AnyArray, " 3"]],
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_bath: float = SIGMA_BATH,
) -> Float[Array, "electrodes nodes"]:
    """L with φ = L V [mV]: potential of each electrode in an infinite homogeneous medium.

        φ(x_e) = -1/(4π σ_bath) ∫ σ_i ∇V · ∇(1/|x - x_e|) dx                              (1)

    which is the current source ∇·(σ_i∇V) seen through 1/(4π σ_bath r), integrated by parts; with
    1/r interpolated at the nodes L = -K_i Z / (4π σ_bath). σ_i [mS/mm] is the physiological
    intracellular tensor, never one tuned to an edge length.
    Plonsey and Barr (2007), Bioelectricity, 3rd ed., ch. 8 (page not checked).
    ValueError if an electrode lies nearer to a node than one edge: (1) would diverge.
    """
    points = np.asarray(mesh.points, np.float64)
    places = np.array([np.asarray(place, np.float64) for place in electrodes.values()])
    distance = np.linalg.norm(points[None] - places[:, None], axis=2)
    corners = points[np.asarray(mesh.cells).T]
    longest = max(np.linalg.norm(a - b, axis=1).max() for a, b in combinations(corners, 2))
    for name, nearest in zip(electrodes, distance.min(axis=1), strict=True):
        if not nearest >= longest:
            raise ValueError(
                f"electrode {name} lies {nearest:.2f} mm from the heart's nearest node, within one "
                f"edge ({longest:.2f} mm): move it off the heart, or check the unit (mm)."
            )
    # float64 on the host: the rows of K sum to zero, and L is a small difference of large Z
    return infinite_medium(mesh, sigma_i, sigma_bath).seen(_nearness(distance))


class InfiniteMedium(eqx.Module):
    """The lead field of an infinite medium as a function of where the electrodes are. A pytree;
    `field` is differentiable in the places, and so in how the heart lies among them."""

    points: Float[AnyArray, "nodes 3"]  # mm
    K: Rows  # ∫ ∇λ_i · σ_i ∇λ_j, mS
    sigma_bath: Float[AnyArray, ""] | float  # mS/mm

    def field(self, places: Float[AnyArray, "electrodes 3"]) -> Float[Array, "electrodes nodes"]:
        """L of `lead_field` at these places [mm]; that they keep off the heart is not checked."""
        away = jnp.asarray(self.points)[None] - jnp.asarray(places)[:, None]
        return self.seen(_nearness(jnp.linalg.norm(away, axis=2)))

    @eqx.filter_jit
    def seen(self, Z: Float[AnyArray, "electrodes nodes"]) -> Float[Array, "electrodes nodes"]:
        """L from 1/r at the nodes."""
        products = lax.map(self.K.__matmul__, jnp.asarray(Z, float))
        return -products / (4 * np.pi * self.sigma_bath)


def infinite_medium(
    mesh: Mesh, sigma_i: Float[AnyArray, "cells 3 3"], sigma_bath: float = SIGMA_BATH
) -> InfiniteMedium:
    """The medium of `lead_field`, for electrodes that move."""
    K = elements(mesh).stiffness(jnp.asarray(sigma_i, float))
    return InfiniteMedium(jnp.asarray(mesh.points, float), K, sigma_bath)


def _nearness(distance: Float[AnyArray, "electrodes nodes"]):
    """1/r [1/mm] less its mean over the nodes, which is not seen: so less is lost in rounding."""
    return 1 / distance - (1 / distance).mean(axis=1, keepdims=True)
