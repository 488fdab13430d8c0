"""What the cells of the ten Tusscher family share: numbers, currents, calcium fluxes.

In every function x is the state of the cell and `of` the model, which holds the parameters.
Sources and checks: see `TenTusscher2006`.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp, log
from .._model import AbstractIonicModel, Parameter, Relaxation, Slope, param
from .._safe import x_over_expm1

Nodes = Float[Array, " nodes"]


class TenTusscherFamily(AbstractIonicModel):
    """Numbers that all cells of ten Tusscher's line have."""

    # Conductances per capacitance, and other largest currents
    g_bNa: Parameter = param(0.00029)  # mS/µF
    g_bCa: Parameter = param(0.000592)  # mS/µF
    g_pK: Parameter = param(0.0146)  # mS/µF
    K_NaCa: Parameter = param(1000.0)  # A/F
    # Pump, exchanger and reversal potentials
    P_KNa: Parameter = param(0.03)  # 1
    K_mK: Parameter = param(1.0)  # mM
    K_mNa: Parameter = param(40.0)  # mM
    K_mNai: Parameter = param(87.5)  # mM
    K_mCa: Parameter = param(1.38)  # mM
    k_sat: Parameter = param(0.1)  # 1
    alpha: Parameter = param(2.5)  # 1
    gamma: Parameter = param(0.35)  # 1
    K_pCa: Parameter = param(0.0005)  # mM
    # Calcium handling
    K_up: Parameter = param(0.00025)  # mM
    Buf_sr: Parameter = param(10.0)  # mM
    K_buf_c: Parameter = param(0.001)  # mM
    K_buf_sr: Parameter = param(0.3)  # mM
    # Concentrations outside, volumes, physics
    K_o: Parameter = param(5.4)  # mM
    Na_o: Parameter = param(140.0)  # mM
    Ca_o: Parameter = param(2.0)  # mM
    V_c: Parameter = param(16404.0)  # µm³, cytosol
    V_sr: Parameter = param(1094.0)  # µm³, sarcoplasmic reticulum
    C_cell: Parameter = param(185.0)  # pF, capacitance of the cell
    T: Parameter = param(310.0)  # K
    R: Parameter = param(8.314472)  # J/mol/K; 2004 8.314
    F: Parameter = param(96.4853415)  # C/mmol; 2004 96.485
    # The published jump
    V_jump: Parameter = param(-40.0)  # mV
    jump_width: Parameter | None = param(None)  # mV; None keeps the published jump

    @property
    def potassium_per_mV(self) -> Parameter:
        """See AbstractIonicModel."""
        return self.C_cell / (self.V_c * self.F)


class WithSubspace(TenTusscherFamily):
    """Numbers of those whose calcium is released into a subspace."""

    # Conductances per capacitance, and other largest currents
    g_CaL: Parameter = param(0.0398)  # L/F/s
    g_pCa: Parameter = param(0.1238)  # A/F
    P_NaK: Parameter = param(2.724)  # A/F
    # Calcium handling
    V_max_up: Parameter = param(0.006375)  # mM/ms
    V_rel: Parameter = param(0.102)  # 1/ms
    V_leak: Parameter = param(0.00036)  # 1/ms
    V_xfer: Parameter = param(0.0038)  # 1/ms
    k1_prime: Parameter = param(0.15)  # 1/mM²/ms
    k2_prime: Parameter = param(0.045)  # 1/mM/ms
    k3: Parameter = param(0.06)  # 1/ms
    k4: Parameter = param(0.005)  # 1/ms
    EC: Parameter = param(1.5)  # mM
    max_sr: Parameter = param(2.5)  # 1
    min_sr: Parameter = param(1.0)  # 1
    Buf_c: Parameter = param(0.2)  # mM
    Buf_ss: Parameter = param(0.4)  # mM
    K_buf_ss: Parameter = param(0.00025)  # mM
    V_ss: Parameter = param(54.68)  # µm³, dyadic subspace


class Reversal(NamedTuple):
    """Reversal potentials [mV]."""

    Na: Nodes
    K: Nodes
    Ca: Nodes
    Ks: Nodes  # of the slow potassium channel, which sodium passes too


def reversal(x, of) -> Reversal:
    """Where each ion, and i_Ks, is in equilibrium."""
    FRT = of.F / (of.R * of.T)  # 1/mV; XLA stores quotients, and computes products for each reader
    return Reversal(
        Na=(jnp.log(of.Na_o) - log(x.Na_i)) / FRT,
        K=(jnp.log(of.K_o) - log(x.K_i)) / FRT,
        Ca=(jnp.log(of.Ca_o) - log(x.Ca_i)) / (2 * FRT),
        Ks=(jnp.log(of.K_o + of.P_KNa * of.Na_o) - log(x.K_i + of.P_KNa * x.Na_i)) / FRT,
    )


def K1_open(x: Nodes) -> Nodes:
    """Open fraction α / (α + β) of i_K1 in the ventricle at x = V - E_K [mV], where

    α = 0.1 / (1 + exp(0.06 x - 12)),
    β = (3 exp(0.0002 (x + 100)) + exp(0.1 x - 1)) / (1 + exp(-0.5 x)),

    by powers of one exponential.
    """
    e1 = exp(-0.02 * x)
    e2 = e1 * e1
    e3, e5 = e2 * e1, e2 * e2 * e1
    e8, e10 = e5 * e3, e5 * e5
    shut = 0.1 * e8 * (1 + e10 * e10 * e5)  # 0.1 exp(-0.16 x) (1 + exp(-0.5 x))
    y = 0.0002 * (x + 100)
    grown = jnp.ones_like(y)  # exp(y) by its series, to 1e-11 if |x| < 250 mV
    for k in range(6, 0, -1):
        grown = 1 + y / k * grown
    return shut / (shut + (3 * grown * e5 + math.exp(-1.0)) * (e3 + math.exp(-12.0)))


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
    e = exp(-0.1 * v)
    e5 = e * e * e * e * e
    slowed = 1 + 0.1245 * e + 0.0353 * e5 * e5
    return most * x.Na_i / ((x.Na_i + of.K_mNa) * slowed)


def i_NaCa(V: Nodes, x, of) -> Nodes:
    """Sodium-calcium exchanger [A/F]."""
    v = V * of.F / (of.R * of.T)
    inward = exp(of.gamma * v)
    outward = inward * exp(-v)
    Na_i3 = x.Na_i * x.Na_i * x.Na_i
    Na_o3 = of.Na_o * of.Na_o * of.Na_o
    K_mNai3 = of.K_mNai * of.K_mNai * of.K_mNai
    most = of.K_NaCa / ((K_mNai3 + Na_o3) * (of.K_mCa + of.Ca_o))
    net = inward * Na_i3 * of.Ca_o - outward * Na_o3 * x.Ca_i * of.alpha
    return most * net / (1 + of.k_sat * outward)


def calcium(i, x, of) -> dict[str, Relaxation | Slope]:
    """Calcium release and balance of 2006, by the currents i; fluxes in mM/ms of own volume."""
    Ca_ss2, Ca_sr2, Ca_i2 = x.Ca_ss * x.Ca_ss, x.Ca_sr * x.Ca_sr, x.Ca_i * x.Ca_i
    EC2 = of.EC * of.EC
    q, p = Ca_sr2 + EC2, of.max_sr * EC2 + of.min_sr * Ca_sr2  # k_casr = p/q, k1 = k1' q/p
    k1p = of.k1_prime * q * Ca_ss2
    O = k1p * x.R_prime / (of.k3 * p + k1p)  # noqa: E741
    i_rel = of.V_rel * O * (x.Ca_sr - x.Ca_ss)
    i_up = of.V_max_up * Ca_i2 / (Ca_i2 + of.K_up * of.K_up)
    i_leak = of.V_leak * (x.Ca_sr - x.Ca_i)
    i_xfer = of.V_xfer * (x.Ca_ss - x.Ca_i)
    per_A = of.C_cell / (2 * of.F)  # mM µm³/ms for 1 A/F of calcium
    dCa_i = (i_leak - i_up) * of.V_sr / of.V_c + i_xfer
    dCa_i = dCa_i - per_A / of.V_c * (i.bCa + i.pCa - 2 * i.NaCa)
    dCa_ss = (i_rel * of.V_sr - i_xfer * of.V_c - per_A * i.CaL) / of.V_ss
    opening = of.k2_prime * p * x.Ca_ss + of.k4 * q  # (k2 Ca_ss + k4) q
    return {
        "R_prime": Relaxation(limit=of.k4 * q / opening, rate=opening / q),
        "Ca_i": Slope(dCa_i * free(x.Ca_i, of.Buf_c, of.K_buf_c)),
        "Ca_ss": Slope(dCa_ss * free(x.Ca_ss, of.Buf_ss, of.K_buf_ss)),
        "Ca_sr": Slope((i_up - i_rel - i_leak) * free(x.Ca_sr, of.Buf_sr, of.K_buf_sr)),
    }


def free(Ca: Nodes, Buf: Parameter, K: Parameter) -> Nodes:
    """Share of a calcium flux that stays free beside an instantaneous buffer."""
    squared = (Ca + K) * (Ca + K)
    return squared / (squared + Buf * K)
