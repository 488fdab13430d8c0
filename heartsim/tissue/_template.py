"""Voltage from activation times by the shape of an action potential: no membrane, no time loop."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from heartsim._types import AnyArray
from heartsim.ionic import param

from ._local import NEVER

AT_ONCE = 16
"""Frames evaluated together: enough to fill the vector units, few enough to stay in the cache."""


class Template(eqx.Module):
    """One action potential for all nodes, moved to each node's activation time T and stretched to
    its duration:

        V(t) = V_rest + V_range [S((t - T) / w_up) - S((t - T - APD) / w_down)]           (1)

    with the logistic S. Smooth in everything. The widths are ours: the upstroke is kept wider
    than a membrane's (0.3 ms), as a front must not be thinner than an edge or the leads show the
    mesh; recovery falls from 90 to 10 % in 4.4 w_down.
    """

    V_rest: Float[Array, ""] = param(-85.0)  # mV
    V_range: Float[Array, ""] = param(110.0)  # mV
    w_up: Float[Array, ""] = param(1.5)  # ms
    w_down: Float[Array, ""] = param(15.0)  # ms

    def __call__(
        self,
        t: Float[AnyArray, " frames"],
        T: Float[AnyArray, " nodes"],
        apd: Float[AnyArray, " nodes"] | Float[AnyArray, ""] | float,
    ) -> Float[Array, "frames nodes"]:
        """V [mV] by (1) at times t [ms]; `apd` [ms] is the time from half up to half down."""
        return self.V_rest + self.V_range * self.shape(jnp.asarray(t)[:, None], T, apd)

    def shape(self, t, T, apd):
        """The bracket of (1)."""
        since = t - jnp.asarray(T)
        up = jax.nn.sigmoid(since / self.w_up)
        return up - jax.nn.sigmoid((since - apd) / self.w_down)


def template_leads(
    template: Template,
    field: Float[AnyArray, "electrodes nodes"],
    t: Float[AnyArray, " frames"],
    T: Float[AnyArray, " nodes"],
    apd: Float[AnyArray, " nodes"] | Float[AnyArray, ""] | float,
) -> Float[Array, "frames electrodes"]:
    """φ = L V [mV] at times t [ms], a few frames at once, so that V(x, t) is never stored.

    A constant is invisible to every field of leads, so that the rest potential is left out.
    """
    rows = jnp.asarray(field, jnp.result_type(T)).T

    def at(t):
        return template.V_range * (template.shape(t, T, apd) @ rows)

    return lax.map(at, jnp.asarray(t, rows.dtype), batch_size=AT_ONCE)


COWAN = -1.44
"""ms of action potential duration per ms of activation time. Cowan et al. (1988), Br. Heart J. 60,
424-433, abstract: mean slope on the epicardium of ten patients with upright T waves."""


SHORTEST = 0.25
"""Of the usual action potential duration, below which the slope makes none: far from where it was
measured it would end before it began. Ours."""


def repolarise_backwards(
    T: Float[AnyArray, " nodes"], apd: Float[AnyArray, ""] | float, slope: float = COWAN
) -> Float[Array, " nodes"]:
    """APD_i = apd + slope (T_i - mean T) [ms]: with a slope below -1 what is activated first
    recovers last, and T waves have the sign of the QRS. Unreached nodes have `apd`; none has less
    than SHORTEST of it."""
    T = jnp.asarray(T)
    reached = T < NEVER / 2
    mean = jnp.sum(jnp.where(reached, T, 0.0)) / jnp.maximum(reached.sum(), 1)
    apd = jnp.asarray(apd)
    return jnp.maximum(apd + slope * jnp.where(reached, T - mean, 0.0), SHORTEST * apd)
