"""The gates of Courtemanche, Ramirez and Nattel (1998): limit [1] and rate [1/ms] of each.

Rates that read (V - a) / (1 - exp(-(V - a) / k)) are written with b(x) = x / (eˣ - 1), which is
`x_over_expm1`: x / (1 - e⁻ˣ) = b(-x) = b(x) + x. Sources and checks: see `Courtemanche1998`.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter, Relaxation
from .._safe import sigmoid, x_over_expm1
from ._jump import joined

Nodes = Float[Array, " nodes"]


def m(V: Nodes) -> Relaxation:
    """i_Na activation."""
    alpha = 3.2 * x_over_expm1(-0.1 * (V + 47.13))
    beta = 0.08 * exp(-V / 11)
    return _opened(alpha, beta)


def h(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na fast inactivation; its rates jump at V_jump."""
    alpha = 0.135 * exp(-(V + 80) / 6.8)
    beta = 3.56 * exp(0.079 * V) + 3.1e5 * exp(0.35 * V)
    beta_above = sigmoid((V + 10.66) / 11.1) / 0.13
    return _opened(
        joined(V, alpha, 0.0, V_jump, jump_width),
        joined(V, beta, beta_above, V_jump, jump_width),
    )


def j(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na slow inactivation; its rates jump at V_jump."""
    alpha = -127140 * exp(0.2444 * V) - 3.474e-5 * exp(-0.04391 * V)
    alpha = alpha * (V + 37.78) * sigmoid(-0.311 * (V + 79.23))
    beta = 0.1212 * exp(-0.01052 * V) * sigmoid(0.1378 * (V + 40.14))
    beta_above = 0.3 * exp(-2.535e-7 * V) * sigmoid(0.1 * (V + 32))
    return _opened(
        joined(V, alpha, 0.0, V_jump, jump_width),
        joined(V, beta, beta_above, V_jump, jump_width),
    )


def oa(V: Nodes, K_Q10: Parameter) -> Relaxation:
    """i_to activation."""
    return Relaxation(sigmoid((V + 20.47) / 17.54), K_Q10 * _outward_activation(V))


def oi(V: Nodes, K_Q10: Parameter) -> Relaxation:
    """i_to inactivation."""
    alpha = 1 / (18.53 + exp((V + 113.7) / 10.95))
    beta = 1 / (35.56 + exp(-(V + 1.26) / 7.44))
    return Relaxation(sigmoid(-(V + 43.1) / 5.3), K_Q10 * (alpha + beta))


def ua(V: Nodes, K_Q10: Parameter) -> Relaxation:
    """i_Kur activation, as fast as that of i_to."""
    return Relaxation(sigmoid((V + 30.3) / 9.6), K_Q10 * _outward_activation(V))


def ui(V: Nodes, K_Q10: Parameter) -> Relaxation:
    """i_Kur inactivation."""
    alpha = 1 / (21 + exp(-(V - 185) / 28))
    beta = exp((V - 158) / 16)
    return Relaxation(sigmoid(-(V - 99.45) / 27.48), K_Q10 * (alpha + beta))


def xr(V: Nodes) -> Relaxation:
    """i_Kr activation."""
    alpha = 0.0003 * 5 * x_over_expm1(-(V + 14.1) / 5)
    beta = 7.3898e-5 * 5.1237 * x_over_expm1((V - 3.3328) / 5.1237)
    return Relaxation(sigmoid((V + 14.1) / 6.5), alpha + beta)


def xs(V: Nodes) -> Relaxation:
    """i_Ks activation."""
    alpha = 4e-5 * 17 * x_over_expm1(-(V - 19.9) / 17)
    beta = 3.5e-5 * 9 * x_over_expm1((V - 19.9) / 9)
    return Relaxation(jnp.sqrt(sigmoid((V - 19.9) / 12.7)), 2 * (alpha + beta))


def d(V: Nodes) -> Relaxation:
    """i_CaL activation, 1/τ = 0.035 (V + 10) (1 + e⁻ˣ) / (1 - e⁻ˣ) with x = (V + 10) / 6.24."""
    x = (V + 10) / 6.24
    return Relaxation(sigmoid((V + 10) / 8), 0.035 * 6.24 * (x + 2 * x_over_expm1(x)))


def f(V: Nodes) -> Relaxation:
    """i_CaL inactivation by voltage."""
    x = 0.0337 * (V + 10)
    return Relaxation(sigmoid(-(V + 28) / 6.9), (0.0197 * exp(-x * x) + 0.02) / 9)


def f_Ca(Ca_i: Nodes) -> Relaxation:
    """i_CaL inactivation by calcium in the cytosol [mM], τ = 2 ms."""
    return Relaxation(1 / (1 + Ca_i / 0.00035), jnp.full_like(Ca_i, 1 / 2))


def u(F_n: Nodes) -> Relaxation:
    """Release activation by the calcium flux F_n [amol/ms], τ = 8 ms."""
    return Relaxation(_above_threshold(F_n), jnp.full_like(F_n, 1 / 8))


def v(F_n: Nodes) -> Relaxation:
    """Release inactivation by the calcium flux F_n [amol/ms], of a fifth of the threshold of u."""
    tau = 1.91 + 2.09 * _above_threshold(F_n)  # ms
    return Relaxation(sigmoid(-(F_n - 0.06835) / 0.001367), 1 / tau)


def w(V: Nodes) -> Relaxation:
    """Release inactivation by voltage, 1/τ = (V - 7.9) (1 + 0.3 e⁻ˣ) / (6 (1 - e⁻ˣ)) with
    x = (V - 7.9) / 5."""
    x = (V - 7.9) / 5
    return Relaxation(sigmoid(-(V - 40) / 17), 5 / 6 * (x + 1.3 * x_over_expm1(x)))


def _opened(alpha, beta) -> Relaxation:
    """A gate that opens at the rate alpha and closes at beta [1/ms]."""
    return Relaxation(alpha / (alpha + beta), alpha + beta)


def _outward_activation(V: Nodes) -> Nodes:
    """α + β [1/ms] of oa and ua before K_Q10."""
    alpha = 0.65 / (exp(-(V + 10) / 8.5) + exp(-(V - 30) / 59))
    beta = 0.65 / (2.5 + exp((V + 82) / 17))
    return alpha + beta


def _above_threshold(F_n: Nodes) -> Nodes:
    return sigmoid((F_n - 0.34175) / 0.001367)
