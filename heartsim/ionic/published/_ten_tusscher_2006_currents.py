"""Currents and calcium fluxes that the cells of the ten Tusscher family share.

In every function x is the state of the cell and `of` the model, which holds the parameters.
Sources and checks: see `TenTusscher2006`.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import Parameter, Relaxation, Slope
from .._safe import sigmoid, x_over_expm1

Nodes = Float[Array, " nodes"]


class Reversal(NamedTuple):
    """Reversal potentials [mV]."""

    Na: Nodes
    K: Nodes
    Ca: Nodes
    Ks: Nodes  # of the slow potassium channel, which sodium passes too


def reversal(x, of) -> Reversal:
    """Where each ion, and i_Ks, is in equilibrium."""
    RTF = of.R * of.T / of.F  # mV
    return Reversal(
        Na=RTF * jnp.log(of.Na_o / x.Na_i),
        K=RTF * jnp.log(of.K_o / x.K_i),
        Ca=0.5 * RTF * jnp.log(of.Ca_o / x.Ca_i),
        Ks=RTF * jnp.log((of.K_o + of.P_KNa * of.Na_o) / (x.K_i + of.P_KNa * x.Na_i)),
    )


def K1_open(x: Nodes) -> Nodes:
    """Open fraction α / (α + β) of i_K1 in the ventricle at x = V - E_K [mV]."""
    e2 = jnp.exp(0.02 * x)
    e6, e10 = e2 * e2 * e2, e2 * e2 * e2 * e2 * e2  # exp(0.06 x), exp(0.1 x)
    beta = (3 * jnp.exp(0.0002 * (x + 100)) + math.exp(-1.0) * e10) * sigmoid(0.5 * x)
    return 0.1 / (0.1 + beta * (1 + math.exp(-12.0) * e6))  # α = 0.1 / (1 + exp(0.06 x - 12))


def i_CaL(V: Nodes, x, of) -> Nodes:
    """4 g (V - 15) F²/RT (¼ Ca_ss eᶻ - Ca_o) / (eᶻ - 1) with z = 2 (V - 15) F/RT [A/F]."""
    z = 2 * (V - 15) * of.F / (of.R * of.T)
    b = x_over_expm1(z)  # and z eᶻ / (eᶻ - 1) = z + b
    open_ = x.d * x.f * x.f2 * x.fCass
    return 2 * of.F * of.g_CaL * open_ * (0.25 * x.Ca_ss * (z + b) - of.Ca_o * b)


def i_NaK(V: Nodes, x, of) -> Nodes:
    """Sodium-potassium pump [A/F]."""
    v = V * of.F / (of.R * of.T)
    most = of.P_NaK * of.K_o / (of.K_o + of.K_mK)
    slowed = 1 + 0.1245 * jnp.exp(-0.1 * v) + 0.0353 * jnp.exp(-v)
    return most * x.Na_i / ((x.Na_i + of.K_mNa) * slowed)


def i_NaCa(V: Nodes, x, of) -> Nodes:
    """Sodium-calcium exchanger [A/F]."""
    v = V * of.F / (of.R * of.T)
    inward = jnp.exp(of.gamma * v)
    outward = inward * jnp.exp(-v)
    Na_i3 = x.Na_i * x.Na_i * x.Na_i
    Na_o3 = of.Na_o * of.Na_o * of.Na_o
    K_mNai3 = of.K_mNai * of.K_mNai * of.K_mNai
    most = of.K_NaCa / ((K_mNai3 + Na_o3) * (of.K_mCa + of.Ca_o))
    net = inward * Na_i3 * of.Ca_o - outward * Na_o3 * x.Ca_i * of.alpha
    return most * net / (1 + of.k_sat * outward)


def calcium(i, x, of) -> dict[str, Relaxation | Slope]:
    """Calcium release and balance of 2006, by the currents i; fluxes in mM/ms of own volume."""
    Ca_ss2, Ca_sr2, Ca_i2 = x.Ca_ss * x.Ca_ss, x.Ca_sr * x.Ca_sr, x.Ca_i * x.Ca_i
    k_casr = of.max_sr - (of.max_sr - of.min_sr) * Ca_sr2 / (Ca_sr2 + of.EC * of.EC)
    k1, k2 = of.k1_prime / k_casr, of.k2_prime * k_casr
    O = k1 * Ca_ss2 * x.R_prime / (of.k3 + k1 * Ca_ss2)  # noqa: E741
    i_rel = of.V_rel * O * (x.Ca_sr - x.Ca_ss)
    i_up = of.V_max_up * Ca_i2 / (Ca_i2 + of.K_up * of.K_up)
    i_leak = of.V_leak * (x.Ca_sr - x.Ca_i)
    i_xfer = of.V_xfer * (x.Ca_ss - x.Ca_i)
    per_A = of.C_cell / (2 * of.F)  # mM µm³/ms for 1 A/F of calcium
    dCa_i = (i_leak - i_up) * of.V_sr / of.V_c + i_xfer
    dCa_i = dCa_i - per_A / of.V_c * (i.bCa + i.pCa - 2 * i.NaCa)
    dCa_ss = (i_rel * of.V_sr - i_xfer * of.V_c - per_A * i.CaL) / of.V_ss
    opening = k2 * x.Ca_ss + of.k4
    return {
        "R_prime": Relaxation(limit=of.k4 / opening, rate=opening),
        "Ca_i": Slope(dCa_i * free(x.Ca_i, of.Buf_c, of.K_buf_c)),
        "Ca_ss": Slope(dCa_ss * free(x.Ca_ss, of.Buf_ss, of.K_buf_ss)),
        "Ca_sr": Slope((i_up - i_rel - i_leak) * free(x.Ca_sr, of.Buf_sr, of.K_buf_sr)),
    }


def free(Ca: Nodes, Buf: Parameter, K: Parameter) -> Nodes:
    """Share of a calcium flux that stays free beside an instantaneous buffer."""
    return 1 / (1 + Buf * K / ((Ca + K) * (Ca + K)))
