"""The strand on which a plane wave errs as it does on a mesh."""

import numpy as np
from jaxtyping import Bool, Float

from heartsim._types import AnyArray
from heartsim.fem import basis_gradients
from heartsim.mesh import Mesh

_BETWEEN = np.array([(1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)]) / 2**0.5
WAYS = np.vstack([np.eye(3), _BETWEEN])
"""Along fibre, sheet and normal, and at 45° between two of them: unit vectors by these three."""
LEAST = 0.5
"""Of the mean edge. Where the fourth moment vanishes, as across the fibre on tetrahedra without
order, waves err as on strands of 0.41 to 0.53 of it, at feet of 0.2 to 1 edge: docs/numerics.md."""
WITHIN = 0.9  # of a way's square that lies in the cells: lines and triangles have not all ways
ENOUGH = 100_000  # cells, drawn at random; a mean over more is no better


def spacing(
    mesh: Mesh,
    velocities: tuple[float, float, float] | Float[AnyArray, "3"],
    ways: Float[AnyArray, "ways 3"] = WAYS[:3],
    inside: Bool[np.ndarray, " cells"] | None = None,
) -> Float[np.ndarray, " ways"]:
    """Edges h [mm] of the strand whose leading error is that of plane waves along `ways`: unit
    vectors by fibre, sheet and normal, in tissue of such velocities along the three.

    With d_ij = n·(x_j - x_i) the diffusion of lumped elements along n is
    Σ_j -K_ij (φ_j - φ_i) / m_i = n·Dn φ'' + Σ_j -K_ij d_ij⁴ φ'''' / 24 m_i + ..., as odd moments
    cancel between nodes. On a strand it is D (φ'' + h² φ'''' / 12), so that, over all edges of the
    cells `inside` (all), h² = Σ -K_ij d_ij⁴ / Σ -K_ij d_ij²; h is at least `LEAST` of their mean
    edge. D goes as v². A mesh without fibres has the mean over all directions; NaN is what leads
    out of a mesh of lines or triangles.

    A consistent mass runs faster across the fibre than on any strand: docs/numerics.md.
    """
    some = np.arange(mesh.n_cells) if inside is None else np.flatnonzero(inside)
    if len(some) > ENOUGH:
        some = np.random.default_rng(0).choice(some, ENOUGH, replace=False)
    cells, dim = np.asarray(mesh.cells)[some], mesh.dim
    low, high = np.triu_indices(dim + 1, 1)
    corners = np.asarray(mesh.points, float)[cells]
    apart = corners[:, high] - corners[:, low]
    square = np.sum(apart**2, axis=2)
    least = LEAST * np.sqrt(square).mean()
    gradients, measure = basis_gradients(mesh.points, cells)
    plain = _couplings(gradients, gradients, measure)
    if mesh.frames is None:  # means of cos² and cos⁴ in so many dimensions
        squared = np.sum(plain * square**2) / np.sum(plain * square) * 3 / (dim + 2)
        return np.full(len(ways), np.sqrt(max(squared, least**2)))
    frames, D = np.asarray(mesh.frames, float)[some], np.asarray(velocities, float) ** 2
    flow = np.einsum("k,cki,ckj,cvj->cvi", D, frames, frames, gradients, optimize=True)
    along = np.einsum("wk,cki,cpi->wcp", np.asarray(ways, float), frames, apart, optimize=True)
    K = _couplings(gradients, flow, measure)
    second, fourth = (np.sum(K * along**power, axis=(1, 2)) for power in (2, 4))
    within = np.sum(plain * along**2, axis=(1, 2)) > WITHIN * measure.sum()
    squared = fourth / np.where(within, second, np.inf)
    return np.where(within, np.sqrt(np.maximum(squared, least**2)), np.nan)


def _couplings(
    gradients: Float[np.ndarray, "cells vertices 3"],
    flow: Float[np.ndarray, "cells vertices 3"],
    measure: Float[np.ndarray, " cells"],
) -> Float[np.ndarray, "cells pairs"]:
    """-K_ij of each cell alone."""
    low, high = np.triu_indices(gradients.shape[1], 1)
    return -measure[:, None] * np.sum(gradients[:, low] * flow[:, high], axis=2)
