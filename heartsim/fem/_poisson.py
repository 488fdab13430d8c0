"""One-off Poisson solves on the host, in float64: a sparse matrix and many right-hand sides."""

import numpy as np
from jaxtyping import Float
from scipy import sparse

from heartsim._types import AnyArray
from heartsim.mesh import Mesh

from ._geometry import basis_gradients


def stiffness_matrix(mesh: Mesh, sigma: Float[AnyArray, "cells 3 3"]) -> sparse.csr_array:
    """K_ij = ∫ ∇λ_i · σ ∇λ_j in float64, nodes × nodes; constants lie in its kernel.

    The same matrix as `Elements.stiffness`, for solves that happen once and want all digits.
    """
    grad, measure = basis_gradients(mesh.points, mesh.cells)
    flux = np.einsum("cde,cje,c->cjd", np.asarray(sigma, np.float64), grad, measure)
    K = np.einsum("cid,cjd->cij", grad, flux)
    row, column = (np.broadcast_to(x, K.shape) for x in _corners(np.asarray(mesh.cells)))
    return sparse.csr_array(
        (K.ravel(), (row.ravel(), column.ravel())), shape=(mesh.n_nodes, mesh.n_nodes)
    )


def _corners(cells):
    return cells[:, :, None], cells[:, None, :]


def solve_poisson(
    K: sparse.csr_array,
    b: Float[np.ndarray, "nodes sources"],
    rtol: float = 1e-12,
    max_steps: int = 20_000,
) -> Float[np.ndarray, "nodes sources"]:
    """Z with K Z = b and no flux through the boundary, each column of mean 0.

    Jacobi-preconditioned conjugate gradients (Hestenes and Stiefel 1952), one for each column but
    all in step, so that one pass over K serves them all; they stop at |b - K z| ≤ rtol |b|. A
    column of b must sum to 0, or nothing takes up the current: ValueError, as where `max_steps`
    do not suffice.
    """
    size = np.linalg.norm(b, axis=0)
    if (np.abs(b.sum(axis=0)) > 1e-9 * np.abs(b).sum(axis=0)).any():
        raise ValueError("solve_poisson: a source does not sum to 0; take out what is put in.")
    inverse = 1 / K.diagonal()[:, None]
    Z, r = np.zeros_like(b), b.copy()
    p = inverse * r
    rz = np.sum(r * p, axis=0)
    for _ in range(max_steps):
        done = np.linalg.norm(r, axis=0) <= rtol * size
        if done.all():
            return Z - Z.mean(axis=0)
        Kp = K @ p
        alpha = np.where(done, 0.0, rz / np.where(done, 1.0, np.sum(p * Kp, axis=0)))
        Z += alpha * p
        r -= alpha * Kp
        z = inverse * r
        rz, old = np.sum(r * z, axis=0), rz
        p = z + np.where(done, 0.0, rz / np.where(done, 1.0, old)) * p
    raise ValueError(
        f"solve_poisson: the residual is {np.max(np.linalg.norm(r, axis=0) / size):.1e} of the "
        f"source after {max_steps} steps, {rtol:.0e} is wanted; look for cells that are "
        "nearly flat."
    )
