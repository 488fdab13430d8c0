"""Product, sum and membrane beside SciPy and NumPy in this process.

The values must agree; the ratios stand at the end of what pytest prints (`pytest_terminal_summary`
in tests/conftest.py), so that an upgrade that makes one of them ten times slower is seen.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse

from heartsim import fem, ionic, mesh

BODY, _ = fem.compact(mesh.slab((20.0, 7.0, 3.0), 0.4))
X = np.random.default_rng(0).normal(size=BODY.n_nodes).astype(np.float32)


def least(function, *args):
    """Seconds of the fastest of 20 calls, after one that compiles."""
    jax.block_until_ready(function(*args))
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        jax.block_until_ready(function(*args))
        times.append(time.perf_counter() - begun)
    return min(times)


@pytest.fixture
def told(record_property):
    """Tell a ratio at the end of the session, also from a worker of xdist."""

    def tell(what, ours, theirs, whose):
        line = f"{what}: {ours / theirs:.2f} times {whose} ({BODY.n_nodes} nodes, {ours:.1e} s)"
        record_property("ratio", line)
        assert ours > 0

    return tell


def test_product(told):
    K = fem.elements(BODY).stiffness(jnp.broadcast_to(jnp.eye(3), (BODY.n_cells, 3, 3)))
    row = np.broadcast_to(np.arange(BODY.n_nodes), K.off.shape)
    entries = (np.asarray(K.off).ravel(), (row.ravel(), np.asarray(K.neighbour).ravel()))
    whole = sparse.csr_array(entries, shape=2 * (BODY.n_nodes,))
    whole = (whole + sparse.diags_array(np.asarray(K.diagonal))).tocsr()
    product = jax.jit(lambda K, x: K @ x)
    scale = np.abs(whole @ X).max()
    np.testing.assert_allclose(product(K, X), whole @ X, atol=1e-5 * scale)
    told("sparse product", least(product, K, X), least(whole.__matmul__, X), "SciPy's CSR")


def test_sum_of_products(told):
    dot = jax.jit(lambda x: x @ x)
    assert float(dot(X)) == pytest.approx(float(X @ X), rel=1e-4)
    told("dot product", least(dot, jnp.asarray(X)), least(X.dot, X), "NumPy's")


def test_membrane(told):
    model = ionic.by_name("ten_tusscher_2006_epi")
    V, state = model.initial(BODY.n_nodes)
    step = jax.jit(lambda V, state: ionic.RushLarsen()(model, V, state, 0.05))
    assert np.isfinite(np.asarray(step(V, state)[0])).all()
    ours, theirs = least(step, V, state), least(np.exp, X)
    told("TTP06 step", ours, theirs, "NumPy's exp")
