"""A series of a membrane's steps, as tissue takes them between two samples."""

import jax
import jax.numpy as jnp

from heartsim.ionic import RushLarsenStaggered


def through(model, V, state, dt, steps, i_stim=lambda k: 0.0, step=None):
    """V and the state after a series of steps, and V after each."""
    step = RushLarsenStaggered() if step is None else step

    def one(so_far, k):
        V, state, told = so_far
        V, state, told, _ = step.following(model, V, state, told, dt, i_stim(k))
        return (V, *step.closed(model, V, state, told, dt)), V

    start = (V, *step.ready(model, V, state, dt, steps))
    (V, state, _), each = jax.lax.scan(one, start, jnp.arange(steps))
    return V, state, each
