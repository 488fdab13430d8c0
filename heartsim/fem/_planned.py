"""A linear solve planned for matrices that are known."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from ._solve import Chebyshev, ScaledMatrix

ACCURACY = 0.01
"""Of the ends of a spectrum."""
MARGIN = 1.05
"""By which a spectrum is taken to reach farther from 1 than it was found to."""


def planned(matrices: Sequence[ScaledMatrix], rtol: float = 1e-3) -> Chebyshev:
    """Chebyshev's iteration with as many terms as the widest of these spectra needs to bring the
    residual to `rtol`. The ends of the spectra come from Lanczos' iteration (ARPACK): on a heart
    with slivers the bounds are twice as wide."""
    found = np.array([spectrum(A) for A in matrices])
    bounds = np.array([(A.least, A.greatest) for A in matrices], float)
    reach = np.abs(found - 1) / np.maximum(np.abs(bounds - 1), 1e-6)
    down, up = (jnp.asarray(share, float) for share in np.minimum(1.0, MARGIN * reach.max(axis=0)))
    ends = [Chebyshev(rtol, 1, down, up).ends(A) for A in matrices]
    terms = max(np.arccosh(1 / rtol) / np.arccosh(float(theta / delta)) for theta, delta in ends)
    return Chebyshev(rtol, max(1, int(np.ceil(terms))), down, up)


def spectrum(A: ScaledMatrix) -> tuple[float, float]:
    """The least and the greatest eigenvalue of S A S, to `ACCURACY`; its bounds where Lanczos'
    iteration does not come to an end."""
    slots, nodes = A.rows.off.shape
    here = np.tile(np.arange(nodes), slots)
    entries = np.asarray(A.rows.off, float).ravel(), (here, np.asarray(A.rows.neighbour).ravel())
    matrix = sparse.csr_array(entries, shape=(nodes, nodes)) + sparse.eye_array(nodes)
    start = np.random.default_rng(0).normal(size=nodes)
    told = {"k": 1, "tol": ACCURACY, "v0": start, "return_eigenvectors": False}
    try:
        least, greatest = (float(eigsh(matrix, which=end, **told)[0]) for end in ("SA", "LA"))
    except ArpackNoConvergence:
        return float(A.least), float(A.greatest)
    return least, greatest
