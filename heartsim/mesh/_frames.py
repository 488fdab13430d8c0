"""Directions: from raw fibre vectors to an orthonormal frame (f, s, n) per cell."""

import numpy as np
from jaxtyping import Float


def unit(v: Float[np.ndarray, "*rows 3"]) -> Float[np.ndarray, "*rows 3"]:
    """Vectors of length one; a zero vector stays zero."""
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return v / np.where(length > 0, length, 1.0)


def frames_from(
    f: Float[np.ndarray, "cells 3"], s: Float[np.ndarray, "cells 3"] | None = None
) -> Float[np.ndarray, "cells 3 3"]:
    """Frames with rows f, s, n = f × s by Gram-Schmidt, f kept.

    Where no sheet direction is given (or it lies along f), s is any direction across f: the one
    nearest the coordinate axis that f is most across. Only transverse isotropy is meaningful then.
    """
    f = unit(f)
    axis = np.eye(3)[np.argmin(np.abs(f), axis=-1)]
    s = axis if s is None else unit(s)
    across = s - np.sum(s * f, axis=-1, keepdims=True) * f
    along = np.linalg.norm(across, axis=-1, keepdims=True) < 1e-6
    across = np.where(along, axis - np.sum(axis * f, axis=-1, keepdims=True) * f, across)
    s = unit(across)
    return np.stack([f, s, np.cross(f, s)], axis=-2)


def mean_directions(v: Float[np.ndarray, "cells vertices 3"]) -> Float[np.ndarray, "cells 3"]:
    """The mean direction over each cell's vertices, where v and -v are the same fibre: the
    principal eigenvector of Σ v vᵀ, signed like the first vertex's vector."""
    # LAPACK returns eigenvalues ascending, so the last column is the principal one
    principal = np.linalg.eigh(np.einsum("cvi,cvj->cij", v, v))[1][:, :, -1]
    sign = np.where(np.sum(principal * v[:, 0], axis=-1, keepdims=True) < 0, -1.0, 1.0)
    return sign * principal
