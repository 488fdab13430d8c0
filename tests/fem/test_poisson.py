"""Poisson's equation on the host: the same matrix, a known solution, and what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered
from scipy import sparse

from heartsim import fem, mesh

BODY = jittered(mesh.slab((4.0, 3.0, 2.0), 1.0), 0.2, 0)
SIGMA = np.broadcast_to(np.diag([0.3, 0.1, 0.2]), (BODY.n_cells, 3, 3))


@pytest.mark.usefixtures("x64")
def test_the_matrix_is_that_of_the_elements():
    K, x = fem.stiffness_matrix(BODY, SIGMA), np.random.default_rng(0).normal(size=BODY.n_nodes)
    rows = fem.elements(BODY).stiffness(SIGMA)
    assert K @ x == pytest.approx(np.asarray(rows @ jnp.asarray(x)), abs=1e-12)
    assert K.sum(axis=1) == pytest.approx(0, abs=1e-12)
    assert abs(K - K.T).max() < 1e-14


def test_currents_through_opposite_faces_make_a_linear_potential():
    """Linear functions are exact on linear simplices: what is left is the solver's 1e-12."""
    body = mesh.slab((4.0, 3.0, 2.0), 1.0)
    K = fem.stiffness_matrix(body, SIGMA)
    phi = np.stack([body.points[:, 0], body.points @ [1.0, 2.0, -1.0]], axis=1)
    solved = fem.solve_poisson(K, K @ phi)
    assert solved == pytest.approx(phi - phi.mean(axis=0), abs=1e-9)
    assert fem.solve_poisson(K, np.zeros((body.n_nodes, 1))) == pytest.approx(0)


def test_it_is_second_order_on_a_cosine():
    """-∇²u = k² u with no flux at the ends of a bar; root mean square, for at the corners, where
    the lumped source is uneven, it falls a little slower."""
    k, errors = np.pi / 4.0, []
    for edge in (0.5, 0.25, 0.125):
        body = mesh.slab((4.0, 1.0, 1.0), edge)
        u = np.cos(k * body.points[:, 0])
        K = fem.stiffness_matrix(body, np.broadcast_to(np.eye(3), (body.n_cells, 3, 3)))
        measure = np.asarray(fem.elements(body).node_measure, float)
        b = k**2 * measure * (u - u @ measure / measure.sum())
        Z = fem.solve_poisson(K, b[:, None])[:, 0]
        wrong = Z - u - (Z - u) @ measure / measure.sum()
        errors.append(np.sqrt(wrong**2 @ measure))
    order = -np.polyfit(np.log([8, 16, 32]), np.log(errors), 1)[0]
    assert order == pytest.approx(2.0, abs=0.3)


def test_bad_sources_and_bad_matrices_are_refused():
    K = fem.stiffness_matrix(BODY, SIGMA)
    with pytest.raises(ValueError, match="does not sum to 0"):
        fem.solve_poisson(K, np.eye(BODY.n_nodes)[:, :1])
    b = np.zeros((BODY.n_nodes, 1))
    b[0], b[-1] = 1.0, -1.0
    with pytest.raises(ValueError, match="after 2 steps, 1e-12 is wanted"):
        fem.solve_poisson(sparse.csr_array(K), b, max_steps=2)
