"""The gates of O'Hara and Rudy (2011): limit [1] and rate [1/ms] of each at V [mV].

Sources and checks: see `OHaraRudy2011`.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter, Relaxation
from .._safe import sigmoid

Nodes = Float[Array, " nodes"]


def sodium(V: Nodes) -> dict[str, Relaxation]:
    """Of i_Na."""
    limit = sigmoid(-(V + 82.9) / 6.086)
    fast = 1.432e-5 * exp(-(V + 1.196) / 6.285) + 6.149 * exp((V + 0.5096) / 20.27)
    slow = 0.009794 * exp(-(V + 17.95) / 28.05) + 0.3343 * exp((V + 5.73) / 56.66)
    j = 0.02136 * exp(-(V + 100.6) / 8.281) + 0.3052 * exp((V + 0.9941) / 38.45)
    tau_j = 2.038 + 1 / j
    return {
        "m": Relaxation(sigmoid((V + 39.57) / 9.871), m_rate(V)),
        "hf": Relaxation(limit, fast),
        "hs": Relaxation(limit, slow),
        "j": Relaxation(limit, 1 / tau_j),
        "hsp": Relaxation(sigmoid(-(V + 89.1) / 6.086), slow / 3),
        "jp": Relaxation(limit, 1 / (1.46 * tau_j)),
    }


def m_rate(V: Nodes) -> Nodes:
    """Of i_Na and i_NaL."""
    return 6.765 * exp((V + 11.64) / 34.77) + 8.552 * exp(-(V + 77.42) / 5.955)


def late_sodium(V: Nodes, activation: Nodes) -> dict[str, Relaxation]:
    """Of i_NaL, whose activation is as fast as that of i_Na."""
    still = jnp.ones_like(V)
    return {
        "mL": Relaxation(sigmoid((V + 42.85) / 5.264), activation),
        "hL": Relaxation(sigmoid(-(V + 87.61) / 7.488), still / 200),
        "hLp": Relaxation(sigmoid(-(V + 93.81) / 7.488), still / 600),
    }


def transient_outward(V: Nodes, epi: Parameter) -> dict[str, Relaxation]:
    """Of i_to; `epi` is 0.95 of epicardial cells, which inactivate faster, and 0 of others."""
    opening = sigmoid((V - 18.4099) / 29.3814) / 1.2089 + 3.5 * sigmoid(-(V + 100) / 29.3814)
    activation = opening / 1.0515
    limit = sigmoid(-(V + 43.94) / 5.711)
    shorter = 1 - epi * sigmoid(-(V + 70) / 5)
    fast = 0.3933 * exp(-(V + 100) / 100) + 0.08004 * exp((V + 50) / 16.59)
    slow = 0.001416 * exp(-(V + 96.52) / 59.05) + 1.78e-8 * exp((V + 114.1) / 8.079)
    tau_f, tau_s = (4.562 + 1 / fast) * shorter, (23.62 + 1 / slow) * shorter
    steep = jnp.logaddexp((V - 167.4) / 15.89, -(V - 12.23) / 0.2154)  # does not overflow
    longer = (1.354 + 1e-4 * exp(-steep)) * (1 - 0.5 * sigmoid(-(V + 70) / 20))
    return {
        "a": Relaxation(sigmoid((V - 14.34) / 14.82), activation),
        "iF": Relaxation(limit, 1 / tau_f),
        "iS": Relaxation(limit, 1 / tau_s),
        "ap": Relaxation(sigmoid((V - 24.34) / 14.82), activation),
        "iFp": Relaxation(limit, 1 / (longer * tau_f)),
        "iSp": Relaxation(limit, 1 / (longer * tau_s)),
    }


def calcium(V: Nodes, d_limit: Nodes, j_limit: Nodes, tau_j: float) -> dict[str, Relaxation]:
    """Of i_CaL, all but the share that calcium inactivates."""
    limit = f_limit(V)
    d = exp(-0.05 * (V + 6)) + exp(0.09 * (V + 14))
    slow = exp(-(V + 5) / 4) + exp((V + 5) / 6)
    calcium_slow = exp(-V / 3) + exp(V / 7)
    tau_ff = 7 + 1 / (0.009 * jnp.cosh((V + 20) / 10))
    tau_fcaf = 7 + 1 / (0.08 * jnp.cosh((V - 4) / 7))
    return {
        "d": Relaxation(d_limit, 1 / (0.6 + 1 / d)),
        "ff": Relaxation(limit, 1 / tau_ff),
        "fs": Relaxation(limit, 1 / (1000 + 1 / (3.5e-5 * slow))),
        "fcaf": Relaxation(limit, 1 / tau_fcaf),
        "fcas": Relaxation(limit, 1 / (100 + 1 / (0.00012 * calcium_slow))),
        "jca": Relaxation(j_limit, jnp.full_like(V, 1 / tau_j)),
        "ffp": Relaxation(limit, 1 / (2.5 * tau_ff)),
        "fcafp": Relaxation(limit, 1 / (2.5 * tau_fcaf)),
    }


def f_limit(V: Nodes) -> Nodes:
    """Of the inactivation of i_CaL."""
    return sigmoid(-(V + 19.58) / 3.696)


def inactivated(jca: Nodes, Ca: Nodes, k2n: float) -> Relaxation:
    """Share of i_CaL channels that calcium [mM] has inactivated: binding at k2n [1/ms], leaving at
    jca [1/ms]."""
    sites = 1 + 0.002 / Ca  # Kmn, mM
    four = sites * sites * sites * sites
    return Relaxation(limit=k2n / (k2n + jca * four), rate=jca)


def rapid_potassium(V: Nodes) -> dict[str, Relaxation]:
    """Of i_Kr."""
    limit = sigmoid((V + 8.337) / 6.789)
    fast = 0.3652 * exp((V - 31.66) / 3.869) + 4.123e-5 * exp(-(V - 47.78) / 20.38)
    slow = 0.06629 * exp((V - 34.70) / 7.355) + 1.128e-5 * exp(-(V - 29.74) / 25.94)
    return {
        "xrf": Relaxation(limit, 1 / (12.98 + 1 / fast)),
        "xrs": Relaxation(limit, 1 / (1.865 + 1 / slow)),
    }


def slow_potassium(V: Nodes) -> dict[str, Relaxation]:
    """Of i_Ks."""
    limit = sigmoid((V + 11.6) / 8.932)
    x1 = 2.326e-4 * exp((V + 48.28) / 17.8) + 0.001292 * exp(-(V + 210) / 230)
    x2 = 0.01 * exp((V - 50) / 20) + 0.0193 * exp(-(V + 66.54) / 31)
    return {"xs1": Relaxation(limit, 1 / (817.3 + 1 / x1)), "xs2": Relaxation(limit, x2)}


def xk1(V: Nodes, K_o: Parameter) -> Relaxation:
    """i_K1 inactivation, with potassium outside [mM]."""
    limit = sigmoid((V + 2.5538 * K_o + 144.59) / (1.5692 * K_o + 3.8115))
    rate = (exp(-(V + 127.2) / 20.36) + exp((V + 236.8) / 69.33)) / 122.2
    return Relaxation(limit, rate)
