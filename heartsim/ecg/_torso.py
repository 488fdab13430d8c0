"""Lead fields of a body: what electrodes on the skin see of each node's voltage."""

from collections.abc import Mapping
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, boundary_triangles, locate_points

from ._conductor import require_whole, surface_nodes, volume_conductor
from ._electrode_weights import electrode_weights
from ._field_cache import conductor_field

REACH = 30.0
"""How far from the skin an electrode may be given, mm: it is moved to the nearest point there.
Wide enough for electrodes of one body on the torso of another, ours."""


def torso_field(
    torso: Mesh,
    conductivity: Mapping[str | int, float],
    electrodes: Mapping[str, Float[AnyArray, " 3"]],
    heart: Mesh,
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_e: Float[AnyArray, "cells 3 3"],
    *,
    reach: float = REACH,
    cache: Path | None = None,
) -> Float[Array, "electrodes nodes"]:
    """L with φ = L V [mV]: potential of each electrode on the skin, V at the heart's nodes.

        ∇·(σ∇Z_e) = 0, unit current in at electrode e and out evenly through the skin     (1)
        φ_e = -∫ σ_i ∇V · ∇Z_e dx,   discretely  L = -K_i Z                               (2)

    by reciprocity; σ is σ_i + σ_e in the heart (see `volume_conductor`). Potentials are relative to
    the mean over the skin; the twelve leads do not depend on that. Each electrode is moved to the
    nearest point of the skin and shares its current among the corners of that triangle.
    McFee and Johnston (1953), Circulation 8, 554-568 (page not checked).

    Fields are kept as files in the folder `cache`, by everything that they depend on. ValueError
    for an electrode in the heart or more than `reach` mm from the skin, and as `volume_conductor`.
    """
    places = electrode_places(electrodes)
    W = skin_weights(torso, electrodes, heart, reach)
    return conductor_field(torso, conductivity, heart, sigma_i, sigma_e, W, (places,), cache)


def body_surface_map(
    torso: Mesh,
    conductivity: Mapping[str | int, float],
    heart: Mesh,
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_e: Float[AnyArray, "cells 3 3"],
    V: Float[AnyArray, "frames nodes"],
) -> tuple[Int[np.ndarray, " skin"], Float[np.ndarray, "frames skin"]]:
    """The numbers of all nodes on the skin, and their potentials [mV] in each frame, less the mean
    over the skin. One direct solve for each frame, without electrodes."""
    body = volume_conductor(torso, conductivity, heart, sigma_i, sigma_e)
    skin = surface_nodes(torso)
    return skin, body.potentials(V)[:, skin]


def electrode_places(
    electrodes: Mapping[str, Float[AnyArray, " 3"]],
) -> Float[np.ndarray, "electrodes 3"]:
    """Positions as rows [mm]."""
    return np.array([np.asarray(place, np.float64) for place in electrodes.values()])


def skin_weights(
    torso: Mesh,
    electrodes: Mapping[str, Float[AnyArray, " 3"]],
    heart: Mesh,
    reach: float = REACH,
) -> Float[np.ndarray, "electrodes torso"]:
    """How each electrode shares its current among the torso's nodes; each row sums to 1."""
    require_whole(torso)
    places = electrode_places(electrodes)
    inside = locate_points(heart, places)[0] >= 0
    faces = boundary_triangles(torso)
    corners = np.asarray(torso.points, np.float64)[faces]
    W = np.zeros((len(places), torso.n_nodes))
    with jax.enable_x64(True):
        nearest, weights = jax.jit(jax.vmap(electrode_weights, (None, 0)))(corners, places)
    for k, name in enumerate(electrodes):
        face, w = int(nearest[k]), np.asarray(weights[k])
        distance = np.linalg.norm(w @ corners[face] - places[k])
        if inside[k]:
            raise ValueError(
                f"electrode {name} lies inside the heart, {distance:.1f} mm below the skin: move "
                "it to the body's surface, or use `catheter_field` for an electrode within."
            )
        if distance > reach:
            raise ValueError(
                f"electrode {name} lies {distance:.1f} mm from the torso's surface, at most "
                f"{reach:g} mm are allowed: check the unit (mm) and that both share one frame."
            )
        W[k, faces[face]] = w
    return W


class SkinPatches(eqx.Module):
    """A lead field as a function of where the electrodes are: the patch of skin around each, and
    the field of its nodes. A pytree; `field` is differentiable in the places."""

    corners: Float[AnyArray, "electrodes triangles 3 3"]  # mm; short patches repeat a triangle
    rows: Int[AnyArray, "electrodes triangles 3"]  # into `L`
    L: Float[AnyArray, "patch_nodes nodes"]

    def field(self, places: Float[AnyArray, "electrodes 3"]) -> Float[Array, "electrodes nodes"]:
        """L at these places [mm], each on the nearest point of its own patch: linear between nodes,
        so that its derivative jumps at the edges of triangles. Off the patch the electrode
        stays at its rim, where the derivative outward is 0."""

        def one(corners, rows, place):
            face, weights = electrode_weights(corners, place)
            return weights @ jnp.asarray(self.L)[rows[face]]

        return jax.vmap(one)(*map(jnp.asarray, (self.corners, self.rows, places)))


def skin_patches(
    torso: Mesh,
    conductivity: Mapping[str | int, float],
    electrodes: Mapping[str, Float[AnyArray, " 3"]],
    heart: Mesh,
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_e: Float[AnyArray, "cells 3 3"],
    *,
    radius: float = 20.0,
    reach: float = REACH,
    cache: Path | None = None,
) -> SkinPatches:
    """Fields of all skin nodes near each electrode: triangles with a corner within `radius` [mm] of
    the electrode's point on the skin, and the triangle it stands on.

    One solve for each node of the patches; kept in `cache` as by `torso_field`, whose errors
    are these.
    """
    W = skin_weights(torso, electrodes, heart, reach)
    points, faces = np.asarray(torso.points, np.float64), boundary_triangles(torso)
    feet = W @ points
    patches = []
    for foot, w in zip(feet, W, strict=True):
        near = np.linalg.norm(points[faces] - foot, axis=2).min(axis=1) <= radius
        own = np.isin(faces, np.flatnonzero(w)).sum(axis=1) == max(np.count_nonzero(w), 1)
        patches.append(faces[near | own])
    size = max(map(len, patches))
    filled = np.stack([np.pad(p, ((0, size - len(p)), (0, 0)), mode="edge") for p in patches])
    nodes, rows = np.unique(filled, return_inverse=True)
    at_nodes = np.zeros((nodes.size, torso.n_nodes))
    at_nodes[np.arange(nodes.size), nodes] = 1.0
    return SkinPatches(
        corners=jnp.asarray(points[filled], float),
        rows=jnp.asarray(rows.reshape(filled.shape)),
        L=conductor_field(torso, conductivity, heart, sigma_i, sigma_e, at_nodes, (nodes,), cache),
    )
