"""The gates of ten Tusscher and Panfilov (2006): limit [1] and rate [1/ms] of each at V [mV].

Written so that a gate takes few exponentials (exp(V/5) = exp(V/20)⁴, and so on) and divides once
for its limit and once for its rate: sums of fractions have their common denominator. Gates share
nothing, as each is a loop of its own. Sources and checks: see `TenTusscher2006`.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter, Relaxation
from ._jump import joined

Nodes = Float[Array, " nodes"]


def m(V: Nodes) -> Relaxation:
    """i_Na activation."""
    opening, e = 1 + exp((-56.86 - V) / 9.03), exp(V / 5)
    a = e + math.exp(-12.0)  # α = e/a, β = 0.1/b + 0.1/c
    b, c = 1 + math.exp(7.0) * e, 1 + exp((V - 50) / 200)
    return Relaxation(1 / (opening * opening), 10 * a * b * c / (e * (b + c)))


def h(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na fast inactivation; its rate jumps at V_jump."""
    below = (
        0.057 * exp(-(V + 80) / 6.8)
        + 2.7 * exp(0.079 * V)
        + 310000 * exp(0.3485 * V)
    )  # fmt: skip
    above = 0.77 / 0.13 / (1 + exp((V + 10.66) / -11.1))
    return Relaxation(_h_limit(V), joined(V, below, above, V_jump, jump_width))


def j(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na slow inactivation; its rate jumps at V_jump."""
    alpha = -25428 * exp(0.2444 * V) - 6.948e-6 * exp(-0.04391 * V)
    alpha, a = alpha * (V + 37.78), 1 + exp(0.311 * (V + 79.23))
    beta, b = 0.02424 * exp(-0.01052 * V), 1 + exp(-0.1378 * (V + 40.14))
    below = (alpha * b + beta * a) / (a * b)
    above = 0.6 * exp(0.057 * V) / (1 + exp(-0.1 * (V + 32)))
    return Relaxation(_h_limit(V), joined(V, below, above, V_jump, jump_width))


def xr1(V: Nodes) -> Relaxation:
    """i_Kr activation."""
    a, b = 1 + exp((-45 - V) / 10), 1 + exp((V + 30) / 11.5)  # α = 450/a, β = 6/b
    return Relaxation(1 / (1 + exp((-26 - V) / 7)), a * b / 2700)


def xr2(V: Nodes) -> Relaxation:
    """i_Kr inactivation."""
    e = exp(V / 20)
    a, b = e + math.exp(-3.0), 1 + math.exp(-3.0) * e  # α = 3 e/a, β = 1.12/b
    return Relaxation(1 / (1 + exp((V + 88) / 24)), a * b / (3.36 * e))


def xs(V: Nodes) -> Relaxation:
    """i_Ks activation."""
    e = exp(V / 14)
    a, b = jnp.sqrt(1 + exp((5 - V) / 6)), 1 + exp((V - 35) / 15)  # α = 1400/a, β = 1/b
    return Relaxation(e / (e + math.exp(-5 / 14)), a * b / (1400 + 80 * a * b))  # τ = α β + 80


def r(V: Nodes) -> Relaxation:
    """i_to activation."""
    tau = 9.5 * exp(-(V + 40) * (V + 40) / 1800) + 0.8
    return Relaxation(1 / (1 + exp((20 - V) / 6)), 1 / tau)


def s(V: Nodes, of) -> Relaxation:
    """i_to inactivation; `of` holds the six numbers that set the endocardial cell apart."""
    away, e = V - of.tau_s_centre, exp(V / 5)
    tau = of.tau_s_peak * exp(-away * away / of.tau_s_spread) + of.tau_s_floor
    a = 1 + math.exp(-4.0) * e  # and τ_s_step/a more
    return Relaxation(1 / (1 + exp(-of.s_half / 5) * e), a / (tau * a + of.tau_s_step))


def d(V: Nodes) -> Relaxation:
    """i_CaL activation."""
    e = exp(V / 20)
    a, b = 1 + exp((-35 - V) / 13), 1 + math.exp(1.0) * e * e * e * e
    c, ab = e + math.exp(2.5), a * b * e  # τ = (1.4/a + 0.25) 1.4/b + e/c
    return Relaxation(1 / (1 + exp((-8 - V) / 7.5)), a * b * c / ((1.96 + 0.35 * a) * c + ab))


def f(V: Nodes) -> Relaxation:
    """i_CaL slow voltage inactivation."""
    tau = 1102.5 * exp(-(V + 27) * (V + 27) / 225) + 20  # and 200 e/a + 180/b more
    e = exp(V / 10)
    a, b = e + math.exp(1.3), 1 + math.exp(3.0) * e
    ab = a * b
    return Relaxation(1 / (1 + exp((V + 20) / 7)), ab / (tau * ab + 200 * e * b + 180 * a))


def f2(V: Nodes) -> Relaxation:
    """i_CaL fast voltage inactivation."""
    tau = 562 * exp(-(V + 27) * (V + 27) / 240)  # and 31 e/a + 80/b more
    e = exp(V / 10)
    a, b = e + math.exp(2.5), 1 + math.exp(3.0) * e
    ab, shut = a * b, 1 + exp((V + 35) / 7)
    return Relaxation(0.67 / shut + 0.33, ab / (tau * ab + 31 * e * b + 80 * a))


def fCass(Ca_ss: Nodes) -> Relaxation:
    """i_CaL inactivation by calcium in the subspace [mM]."""
    shut = 1 + (Ca_ss / 0.05) * (Ca_ss / 0.05)
    return Relaxation(0.6 / shut + 0.4, shut / (80 + 2 * shut))


def _h_limit(V: Nodes) -> Nodes:
    closing = 1 + exp((V + 71.55) / 7.43)
    return 1 / (closing * closing)
