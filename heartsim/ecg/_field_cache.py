"""Lead fields on file, found again by what they depend on."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from heartsim._code import code_of
from heartsim._files import whole
from heartsim._types import AnyArray
from heartsim.mesh import Mesh

from ._conductor import volume_conductor


def conductor_field(
    torso: Mesh,
    conductivity: Mapping[str | int, float],
    heart: Mesh,
    sigma_i: Float[AnyArray, "cells 3 3"],
    sigma_e: Float[AnyArray, "cells 3 3"],
    W: Float[np.ndarray, "electrodes torso"],
    places: tuple[AnyArray, ...],
    cache: Path | None,
) -> Float[Array, "electrodes nodes"]:
    """The field of electrodes that share their current by W, kept by everything it depends on;
    `places` are what W follows from, and smaller."""
    key = content_key((torso, heart), conductivity, sigma_i, sigma_e, *places)
    body = partial(volume_conductor, torso, conductivity, heart, sigma_i, sigma_e)
    return jnp.asarray(kept(cache, key, lambda: body().field(W)), float)


def kept(
    cache: Path | None, key: str, compute: Callable[[], Float[np.ndarray, "..."]]
) -> Float[np.ndarray, "..."]:
    """The array of this key in the folder `cache`, or a new one, which is then kept there."""
    if cache is None:
        return compute()
    path = cache / f"{key}.npy"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        field = compute()
        with whole(path) as new:
            np.save(new, field)
        return field
    return np.load(path, allow_pickle=False)


def content_key(
    meshes: tuple[Mesh, ...],
    conductivity: Mapping[str | int, float],
    *arrays: AnyArray,
) -> str:
    """Hash of the meshes' points, cells, regions and names, of the conductivities and arrays."""
    digest = hashlib.sha256(code_of("mesh", "fem", "ecg").encode())
    for mesh in meshes:
        digest.update(repr(mesh.region_names).encode())
        arrays += (mesh.points, mesh.cells, mesh.regions)
    digest.update(repr(sorted((str(k), float(v)) for k, v in conductivity.items())).encode())
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype}".encode() + array.tobytes())
    return digest.hexdigest()[:32]
