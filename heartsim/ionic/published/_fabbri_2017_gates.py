"""The gates of Fabbri et al. (2017): limit [1] and rate [1/ms] of each at V [mV].

Sources and checks: see `Fabbri2017`.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter, Relaxation
from .._safe import sigmoid, x_over_expm1

Nodes = Float[Array, " nodes"]

SHORTEST = 1.0  # ms, of τ_y


def m(V: Nodes) -> Relaxation:
    """i_Na activation."""
    alpha = 2 * x_over_expm1(-0.1 * (V + 41))
    beta = 8 * exp(-0.056 * (V + 66))
    return Relaxation(sigmoid((V + 42.0504) / 8.3106), alpha + beta)


def h(V: Nodes) -> Relaxation:
    """i_Na inactivation."""
    alpha = 0.02 * exp(-0.125 * (V + 75))
    beta = 2 / (320 * exp(-0.1 * (V + 75)) + 1)
    return Relaxation(sigmoid(-(V + 69.804) / 4.4565), alpha + beta)


def dL(V: Nodes, Iso: Parameter) -> Relaxation:
    """i_CaL activation; isoprenaline shifts it by -8 mV and makes it 27 % steeper."""
    limit = sigmoid((V + 16.4508 + 8 * Iso) / (4.3371 * (1 - 0.27 * Iso)))
    alpha = (
        0.02839 * 2.5 * x_over_expm1(-(V + 41.8) / 2.5)
        + 0.0849 * 4.8 * x_over_expm1(-(V + 6.8) / 4.8)
    )  # fmt: skip
    beta = 0.01143 * 2.5 * x_over_expm1((V + 1.8) / 2.5)
    return Relaxation(limit, alpha + beta)


def fL(V: Nodes) -> Relaxation:
    """i_CaL inactivation by voltage."""
    away = (V + 36) / 10
    tau = 44.3 + 230 * exp(-away * away)
    return Relaxation(sigmoid(-(V + 37.4) / 5.3), 1 / tau)


def fCa(Ca_sub: Nodes) -> Relaxation:
    """i_CaL inactivation by calcium in the subspace [mM]."""
    limit = 0.000338 / (0.000338 + Ca_sub)
    return Relaxation(limit, 0.0075 / limit)


def dT(V: Nodes) -> Relaxation:
    """i_CaT activation."""
    e30 = exp((V + 38.3) / 30)
    return Relaxation(sigmoid((V + 38.3) / 5.5), 1.068 * (e30 + 1 / e30))


def fT(V: Nodes) -> Relaxation:
    """i_CaT inactivation."""
    rate = 0.01667 * (exp(-(V + 75) / 83.3) + exp((V + 75) / 15.38))
    return Relaxation(sigmoid(-(V + 58.7) / 3.8), rate)


def y(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_f activation; V is taken from where acetylcholine and isoprenaline shift it to.

    Its limit jumps at V_jump; a sigmoid leads over if it has a width [mV].
    """
    below = 0.01329 + 0.99921 * sigmoid(-(V + 97.134) / 8.1752)
    above = 0.0002501 * exp(-V / 12.861)
    if jump_width is None:
        limit = jnp.where(V_jump > V, below, above)
    else:
        past = (V - V_jump) / jump_width
        limit = sigmoid(-past) * below + sigmoid(past) * above
    opening = 0.36 / 0.066 * x_over_expm1(0.066 * (V + 148.8))  # 1/s
    closing = 0.1 / 0.2 * x_over_expm1(-0.2 * (V + 87.3))  # 1/s
    tau = 1000 / (opening + closing) - 54
    return Relaxation(limit, 1 / jnp.maximum(tau, SHORTEST))


def r_Kur(V: Nodes) -> Relaxation:
    """i_Kur activation."""
    tau = 9 * sigmoid(-(V + 5) / 12) + 0.5
    return Relaxation(sigmoid((V + 6) / 8.6), 1 / tau)


def s_Kur(V: Nodes) -> Relaxation:
    """i_Kur inactivation."""
    tau = 590 * sigmoid(-(V + 60) / 10) + 3050
    return Relaxation(sigmoid(-(V + 7.5) / 10), 1 / tau)


def q(V: Nodes) -> Relaxation:
    """i_to inactivation."""
    speed = 0.57 * exp(-0.08 * (V + 44)) + 0.065 * exp(0.1 * (V + 45.93))
    tau = 0.6 * (65.17 / speed + 10.1)
    return Relaxation(sigmoid(-(V + 49) / 13), 1 / tau)


def r(V: Nodes) -> Relaxation:
    """i_to activation."""
    speed = 1.037 * exp(0.09 * (V + 30.61)) + 0.369 * exp(-0.12 * (V + 23.84))
    tau = 0.66 * 1.4 * (15.59 / speed + 2.98)
    return Relaxation(sigmoid((V - 19.3) / 15), 1 / tau)


def paF(V: Nodes) -> Relaxation:
    """i_Kr fast activation."""
    return Relaxation(_pa_limit(V), 0.03 * exp(V / 10) + 0.001 * exp(-V / 12))


def paS(V: Nodes) -> Relaxation:
    """i_Kr slow activation."""
    rate = (4.2 * exp(V / 17) + 0.15 * exp(-V / 21.6)) / 846.55354
    return Relaxation(_pa_limit(V), rate)


def piy(V: Nodes) -> Relaxation:
    """i_Kr inactivation."""
    rate = 0.1 * exp(-V / 54.645) + 0.656 * exp(V / 106.157)
    return Relaxation(sigmoid(-(V + 28.6) / 17.1), rate)


def n(V: Nodes) -> Relaxation:
    """i_Ks activation; V is taken from where isoprenaline shifts it to."""
    alpha = 0.028 * sigmoid((V - 40) / 3)
    beta = 0.001 * exp(-(V - 5) / 25)
    return Relaxation(jnp.sqrt(sigmoid((V + 0.6383) / 10.7071)), alpha + beta)


def a(V: Nodes, ACh: Parameter) -> Relaxation:
    """i_KACh activation by acetylcholine [mM]; a trickle without it, as in the source."""
    bound = ACh**1.6951  # times mM to the power of -1.6951
    alpha = 2.5641e-5 + (0.0035988 - 2.5641e-5) * bound / (bound + 1.2155e-6)
    beta = 0.01 * exp(0.0133 * (V + 40))
    return Relaxation(alpha / (alpha + beta), alpha + beta)


def _pa_limit(V: Nodes) -> Nodes:
    return sigmoid((V + 10.0144) / 7.6607)
