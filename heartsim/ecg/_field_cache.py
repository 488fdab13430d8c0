"""Lead fields on file, found again by what they depend on."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from heartsim._files import whole
from heartsim._types import AnyArray
from heartsim.mesh import Mesh

FORMAT = "1"
"""Changes whenever the same input would give another field."""


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
    digest = hashlib.sha256(FORMAT.encode())
    for mesh in meshes:
        digest.update(repr(mesh.region_names).encode())
        arrays += (mesh.points, mesh.cells, mesh.regions)
    digest.update(repr(sorted((str(k), float(v)) for k, v in conductivity.items())).encode())
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype}".encode() + array.tobytes())
    return digest.hexdigest()[:32]
