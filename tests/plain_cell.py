"""A membrane whose rates stay: every step, and every series of them, solves it exactly."""

import jax.numpy as jnp

from heartsim.ionic import AbstractIonicModel, Rates, Relaxation, Slope


class Plain(AbstractIonicModel):
    """dV/dt = i_stim - 2, dx/dt = 3 (0.25 - x), dy/dt = 2."""

    def rates(self, V, state):
        one = jnp.ones_like(V)
        return Rates(2 * one, (Relaxation(0.25 * one, 3 * one), Slope(2 * one)))

    def rest(self):
        return jnp.array(-80.0), (jnp.array(1.0), jnp.array(5.0))
