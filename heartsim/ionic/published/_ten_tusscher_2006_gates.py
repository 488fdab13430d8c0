"""The gates of ten Tusscher and Panfilov (2006): limit [1] and rate [1/ms] of each at V [mV].

Written so that gates share exponentials (exp(V/10) = exp(V/20)², and so on: equal expressions are
computed once) and divide once: 1/(1 + e⁻ˣ) stands as eˣ/(1 + eˣ) where that reuses eˣ, and sums of
fractions have their common denominator. Sources and checks: see `TenTusscher2006`.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import Parameter, Relaxation
from .._safe import sigmoid
from ._jump import joined

Nodes = Float[Array, " nodes"]


def m(V: Nodes) -> Relaxation:
    """i_Na activation."""
    opening = 1 + jnp.exp((-56.86 - V) / 9.03)
    a = 1 + math.exp(-12.0) / _e5(V)  # α = 1/a, β = 0.1/b + 0.1/c
    b, c = 1 + math.exp(7.0) * _e5(V), 1 + jnp.exp((V - 50) / 200)
    return Relaxation(1 / (opening * opening), 10 * a * b * c / (b + c))


def h(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na fast inactivation; its rate jumps at V_jump."""
    below = (
        0.057 * jnp.exp(-(V + 80) / 6.8)
        + 2.7 * jnp.exp(0.079 * V)
        + 310000 * jnp.exp(0.3485 * V)
    )  # fmt: skip
    above = 0.77 / (0.13 * (1 + jnp.exp((V + 10.66) / -11.1)))
    return Relaxation(_h_limit(V), joined(V, below, above, V_jump, jump_width))


def j(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na slow inactivation; its rate jumps at V_jump."""
    alpha = -25428 * jnp.exp(0.2444 * V) - 6.948e-6 * jnp.exp(-0.04391 * V)
    alpha = alpha * (V + 37.78) * sigmoid(-0.311 * (V + 79.23))
    beta = 0.02424 * jnp.exp(-0.01052 * V) / (1 + jnp.exp(-0.1378 * (V + 40.14)))
    above = 0.6 * jnp.exp(0.057 * V) / (1 + math.exp(-3.2) / _e10(V))
    return Relaxation(_h_limit(V), joined(V, alpha + beta, above, V_jump, jump_width))


def xr1(V: Nodes) -> Relaxation:
    """i_Kr activation."""
    a, b = 1 + math.exp(-4.5) / _e10(V), 1 + jnp.exp((V + 30) / 11.5)  # α = 450/a, β = 6/b
    return Relaxation(1 / (1 + math.exp(-26 / 7) / _e7(V)), a * b / 2700)


def xr2(V: Nodes) -> Relaxation:
    """i_Kr inactivation."""
    a, b = 1 + math.exp(-3.0) / _e20(V), 1 + math.exp(-3.0) * _e20(V)  # α = 3/a, β = 1.12/b
    return Relaxation(1 / (1 + jnp.exp((V + 88) / 24)), a * b / 3.36)


def xs(V: Nodes) -> Relaxation:
    """i_Ks activation."""
    a = jnp.sqrt(1 + math.exp(5 / 6) / _e6(V))  # α = 1400/a, β = 1/b, τ = α β + 80
    ab = a * (1 + math.exp(-35 / 15) * _e15(V))
    return Relaxation(1 / (1 + math.exp(-5 / 14) / _e14(V)), ab / (1400 + 80 * ab))


def r(V: Nodes) -> Relaxation:
    """i_to activation."""
    tau = 9.5 * jnp.exp(-(V + 40) * (V + 40) / 1800) + 0.8
    return Relaxation(1 / (1 + math.exp(20 / 6) / _e6(V)), 1 / tau)


def s(V: Nodes, of) -> Relaxation:
    """i_to inactivation; `of` holds the six numbers that set the endocardial cell apart."""
    away = V - of.tau_s_centre
    tau = of.tau_s_peak * jnp.exp(-away * away / of.tau_s_spread) + of.tau_s_floor
    a = 1 + math.exp(-4.0) * _e5(V)  # and τ_s_step/a more
    rate = a / (tau * a + of.tau_s_step)
    return Relaxation(1 / (1 + jnp.exp(-of.s_half / 5) * _e5(V)), rate)


def d(V: Nodes) -> Relaxation:
    """i_CaL activation."""
    a, b = 1 + jnp.exp((-35 - V) / 13), 1 + math.exp(1.0) * _e5(V)
    c, ab = 1 + math.exp(2.5) / _e20(V), a * b  # τ = (1.4/a + 0.25) 1.4/b + 1/c
    return Relaxation(
        1 / (1 + math.exp(-8 / 7.5) / (_e15(V) * _e15(V))),
        ab * c / ((1.96 + 0.35 * a) * c + ab),
    )


def f(V: Nodes) -> Relaxation:
    """i_CaL slow voltage inactivation."""
    tau = 1102.5 * jnp.exp(-(V + 27) * (V + 27) / 225) + 20  # and 200/a + 180/b more
    a, b = 1 + math.exp(1.3) / _e10(V), 1 + math.exp(3.0) * _e10(V)
    ab = a * b
    return Relaxation(1 / (1 + math.exp(20 / 7) * _e7(V)), ab / (tau * ab + 200 * b + 180 * a))


def f2(V: Nodes) -> Relaxation:
    """i_CaL fast voltage inactivation."""
    tau = 562 * jnp.exp(-(V + 27) * (V + 27) / 240)  # and 31/a + 80/b more
    a, b = 1 + math.exp(2.5) / _e10(V), 1 + math.exp(3.0) * _e10(V)
    ab = a * b
    return Relaxation(0.67 / (1 + math.exp(5.0) * _e7(V)) + 0.33, ab / (tau * ab + 31 * b + 80 * a))


def fCass(Ca_ss: Nodes) -> Relaxation:
    """i_CaL inactivation by calcium in the subspace [mM]."""
    share = 1 / (1 + (Ca_ss / 0.05) * (Ca_ss / 0.05))
    return Relaxation(0.6 * share + 0.4, 1 / (80 * share + 2))


def _h_limit(V: Nodes) -> Nodes:
    closing = 1 + jnp.exp((V + 71.55) / 7.43)
    return 1 / (closing * closing)


def _e20(V: Nodes) -> Nodes:
    return jnp.exp(V / 20)


def _e10(V: Nodes) -> Nodes:
    return _e20(V) * _e20(V)


def _e5(V: Nodes) -> Nodes:
    return _e10(V) * _e10(V)


def _e14(V: Nodes) -> Nodes:
    return jnp.exp(V / 14)


def _e7(V: Nodes) -> Nodes:
    return _e14(V) * _e14(V)


def _e15(V: Nodes) -> Nodes:
    return jnp.exp(V / 15)


def _e6(V: Nodes) -> Nodes:
    return jnp.exp(V / 6)
