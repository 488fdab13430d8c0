"""Products of random tetrahedra and tensors, in every layout of rows, against SciPy's assembly of
element matrices in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered, random_tets, shuffled
from scipy import sparse

from heartsim import fem, mesh

SHARE = 0.3  # of the mass that is lumped
BODIES = {
    "slots": [random_tets(seed, 30) for seed in range(2)],
    "long": [
        *(shuffled(random_tets(seed, count), seed) for seed in range(2) for count in (150, 600)),
        fem.compact(random_tets(3, 700, (9.0, 2.0, 1.0)))[0],  # in a banded order, with padding
        mesh.ball(1.0, 0.25),
    ],
    "shifts": [
        mesh.slab((2.0, 1.5, 1.0), 0.5),
        fem.compact(shuffled(mesh.slab((3.0, 1.0, 2.0), 0.5)))[0],
        jittered(mesh.slab((2.0, 1.5, 1.0), 0.5), 0.2, 3),
    ],
}
CASES = [
    pytest.param(body, layout, id=f"{layout} {k}")
    for layout, bodies in BODIES.items()
    for k, body in enumerate(bodies)
]


def tensors(count):
    """Symmetric and positive, one a cell, at most some hundred times longer than wide."""
    A = np.random.default_rng(count).normal(size=(count, 3, 3))
    return A @ np.swapaxes(A, 1, 2) + 0.1 * np.eye(3)


def assembled(body, local):
    """The matrix of 4 x 4 shares of the cells."""
    cells = np.asarray(body.cells)
    row, column = np.repeat(cells, 4, axis=1), np.tile(cells, 4)
    entries = local.ravel(), (row.ravel(), column.ravel())
    return sparse.coo_array(entries, shape=2 * (body.n_nodes,)).tocsr()


def by_faces(body, D):
    """Stiffness s_i · D s_j / 9v with the area vectors s of the faces across from the vertices, and
    mass v (1 + δ_ij) / 20; with each what its roundings are relative to."""
    x = np.asarray(body.points)[body.cells]
    others = [(1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)]
    s = [np.cross(x[:, b] - x[:, a], x[:, c] - x[:, a]) / 2 for a, b, c in others]
    s, v = np.stack(s, axis=1), np.linalg.det(x[:, 1:] - x[:, :1]) / 6
    v = v[:, None, None]
    K = assembled(body, s @ D @ np.swapaxes(s, 1, 2) / (9 * v))
    size = assembled(body, np.abs(s) @ np.abs(D) @ np.swapaxes(np.abs(s), 1, 2) / (9 * v))
    lumped = SHARE * v * np.eye(4) / 4
    alone = np.bincount(body.cells.ravel(), minlength=body.n_nodes) == 0
    M = assembled(body, lumped + (1 - SHARE) * v * (1 + np.eye(4)) / 20)
    M = M + sparse.diags_array(alone.astype(float))  # padding has unit mass
    return (K, size), (M, M)


@pytest.mark.parametrize(("precision", "near"), [("float64", 1e-12), ("float32", 5e-6)])
@pytest.mark.parametrize(("body", "layout"), CASES)
def test_products_are_those_of_an_assembly_done_another_way(body, layout, precision, near):
    """At each node, relative to the sum of all magnitudes there. A row sums 30 entries of 30 shares
    of 9 terms: 70 roundings at most, 4e-6 in float32. Gradients, in float64 always, are off by eps
    times the condition of a cell's edges squared, up to 2e3 here: 5e-13."""
    D = tensors(body.n_cells)
    x = np.random.default_rng(1).normal(size=body.n_nodes)
    with jax.enable_x64(precision == "float64"):
        parts = fem.elements(body)
        assert (parts.pattern.shifts is not None) == (layout == "shifts")
        assert (parts.pattern.long is not None) == (layout == "long")
        K, M = parts.stiffness(jnp.asarray(D)), parts.mass(SHARE)
        assert K.off.dtype == precision
        y = jnp.asarray(x)
        found = {"K": K @ y, "M": M @ y, "M + K/2": M.plus(0.5, K) @ y, "K again": K.gathered() @ y}
    (k, k_size), (m, m_size) = by_faces(body, D)
    wanted = {"K": k @ x, "M": m @ x, "M + K/2": m @ x + k @ x / 2, "K again": k @ x}

    def magnitudes(size):  # the diagonal is less the sum of the others
        return size @ np.abs(x) + size.sum(axis=1) * np.abs(x)

    k_size, m_size = magnitudes(k_size), magnitudes(m_size)
    sizes = {"K": k_size, "M": m_size, "M + K/2": m_size + k_size / 2, "K again": k_size}
    for name, size in sizes.items():
        off = np.abs(np.asarray(found[name], float) - wanted[name])
        assert (off <= near * size).all(), name
