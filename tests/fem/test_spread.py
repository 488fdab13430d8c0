"""What is asked of all nodes at once."""

import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.fem._spread import Whole

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("x", "node"),
    [
        ([1.0, -3.0, 2.0], 1),
        ([0.0, 2.0, -2.0, 2.0], 1),
        ([0.0, 0.0], 0),
        ([1.0, INF, -INF], 1),
        ([INF, NAN, 5.0, NAN], 1),
        ([NAN], 0),
    ],
)
def test_the_worst_node_is_the_first_of_the_greatest_size_or_that_is_nan(x, node):
    found, value = Whole().worst(jnp.asarray(x))
    assert int(found) == node
    np.testing.assert_equal(float(value), x[node])
