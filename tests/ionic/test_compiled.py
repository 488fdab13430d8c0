"""What XLA makes of a membrane's steps on a processor."""

import jax
import pytest
from compiled import copied_in_loops

from heartsim.ionic import RushLarsen, RushLarsenMidpoint, RushLarsenStaggered, by_name

NODES = 320


@pytest.mark.parametrize(
    ("step", "most"),
    [(RushLarsen(), 3), (RushLarsenMidpoint(), 0), (RushLarsenStaggered(), 0)],
    ids=["frozen", "midpoint", "staggered"],
)
def test_a_step_moves_its_state_where_it_stands(step, most):
    """One core makes each copy while others wait. By rates frozen at the start V and the two
    concentrations that move gates are still read once what follows is known; no gate is."""
    model = by_name("ten_tusscher_2006_epi")

    def one(carry, _):
        V, state, told = carry
        V, state, told, _ = step.following(model, V, state, told, 0.05)
        state, told = step.closed(model, V, state, told, 0.05)
        return (V, state, told), None

    def run(V, state):
        start = V, *step.ready(model, V, state, 0.05, 50)
        return jax.lax.scan(one, start, length=50)[0]

    text = jax.jit(run).lower(*model.initial(NODES)).compile().as_text()
    assert " while(" in text
    assert copied_in_loops(text, NODES) <= most


def test_a_copy_is_seen():
    def run(x, y):
        return jax.lax.fori_loop(0, 9, lambda _, of: (of[1], of[0] + of[1]), (x, y))

    x = jax.numpy.linspace(0.0, 1.0, NODES)
    text = jax.jit(run).lower(x, 2 * x).compile().as_text()
    assert copied_in_loops(text, NODES) > 0
