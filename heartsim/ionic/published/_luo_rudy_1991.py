"""The guinea pig ventricular membrane of Luo and Rudy (1991)."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp, log
from .._model import AbstractIonicModel, Parameter, Rates, Relaxation, Slope, Variable, param
from .._safe import sigmoid, x_over_expm1
from ._beeler_reuter_1977_gates import gate, turn
from ._jump import joined

Nodes = Float[Array, " nodes"]


class LuoRudy1991State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na fast inactivation
    j: Variable  # i_Na slow inactivation
    d: Variable  # i_CaL activation
    f: Variable  # i_CaL inactivation
    X: Variable  # i_K activation
    Ca_i: Variable  # mM, cytosol


class LuoRudy1991Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    Na: Nodes  # fast sodium
    CaL: Nodes  # slow inward, carried by calcium
    K: Nodes  # potassium, time-dependent
    K1: Nodes  # potassium, time-independent
    Kp: Nodes  # potassium at the plateau
    b: Nodes  # background


START = (
    -83.853,
    LuoRudy1991State(
        m=0.00187018,
        h=0.9804713,
        j=0.98767124,
        d=0.00316354,
        f=0.99427859,
        X=0.16647703,
        Ca_i=0.0002,
    ),
)
"""V [mV] and state of `luo_rudy_1991.cellml`: of a paced cell, whose X is still closing."""


class LuoRudy1991(AbstractIonicModel):
    """Guinea pig ventricular membrane: 6 currents, 6 gates, calcium inside.

    Luo and Rudy (1991), Circ. Res. 68, 1501-1526 (page not checked). Every number and equation was
    checked against `luo_rudy_1991.cellml` (Chaste and CellML repository), but for its two
    additions to h and j, a shift and a share without inactivation, which are 0 there. The gates d,
    f and X are those of Beeler and Reuter (1977).

    α and β of h and j jump at V_jump = -40 mV as published, 1/τ_h by a quarter, and the
    rectification X_i of i_K at V_jump_K = -100 mV, by 0.1 %; with `jump_width` [mV] given, a
    sigmoid of that width leads from one branch to the other.

    The file has µA/cm² and 1 µF/cm², so its numbers of current are A/F.
    """

    # Conductances per capacitance, at 5.4 mM of potassium outside
    g_Na: Parameter = param(23.0)  # mS/µF
    g_CaL: Parameter = param(0.09)  # mS/µF; P_si in the file
    g_K: Parameter = param(0.282)  # mS/µF; the delayed rectifier, i_Kr and i_Ks in one
    g_K1: Parameter = param(0.6047)  # mS/µF
    g_Kp: Parameter = param(0.0183)  # mS/µF
    g_b: Parameter = param(0.03921)  # mS/µF
    E_b: Parameter = param(-59.87)  # mV
    leak_Na: Parameter = param(0.01833)  # 1, permeability of i_K to sodium over that to potassium
    # Calcium inside
    k_in: Parameter = param(1e-4)  # mM/ms for 1 A/F of i_CaL
    k_up: Parameter = param(0.07)  # 1/ms
    Ca_rest: Parameter = param(1e-4)  # mM, where the uptake ends
    # Other concentrations, physics
    K_o: Parameter = param(5.4)  # mM
    K_i: Parameter = param(145.0)  # mM
    Na_o: Parameter = param(140.0)  # mM
    Na_i: Parameter = param(18.0)  # mM
    R: Parameter = param(8.314)  # J/mol/K
    T: Parameter = param(310.0)  # K
    F: Parameter = param(96.4846)  # C/mmol
    # The published jumps
    V_jump: Parameter = param(-40.0)  # mV, of h and j
    V_jump_K: Parameter = param(-100.0)  # mV, of X_i
    jump_width: Parameter | None = param(None)  # mV; None keeps the published jumps

    def rates(self, V: Nodes, state: LuoRudy1991State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i = self.currents(V, state)
        changes = LuoRudy1991State(
            m=_m(V),
            h=_h(V, self.V_jump, self.jump_width),
            j=_j(V, self.V_jump, self.jump_width),
            d=gate(turn(V, 0.095, -0.01, -5.0, -0.072), turn(V, 0.07, -0.017, 44.0, 0.05)),
            f=gate(turn(V, 0.012, -0.008, 28.0, 0.15), turn(V, 0.0065, -0.02, 30.0, -0.2)),
            X=gate(turn(V, 0.0005, 0.083, 50.0, 0.057), turn(V, 0.0013, -0.06, 20.0, -0.04)),
            Ca_i=Slope(self.k_up * (self.Ca_rest - state.Ca_i) - self.k_in * i.CaL),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, LuoRudy1991State]:
        """Return V [mV] and the state of the CellML file."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), START)

    def currents(self, V: Nodes, state: LuoRudy1991State) -> LuoRudy1991Currents:
        """Return the six currents over capacitance [A/F = mV/ms], outward positive."""
        x = state
        RTF = self.R * self.T / self.F  # mV
        K_o, Na_o, P = self.K_o, self.Na_o, self.leak_Na
        E_Na = RTF * jnp.log(Na_o / self.Na_i)
        E_CaL = 7.7 - 13.0287 * log(x.Ca_i)  # mV, of calcium in mM
        E_K = RTF * jnp.log((K_o + P * Na_o) / (self.K_i + P * self.Na_i))
        E_K1 = RTF * jnp.log(K_o / self.K_i)
        root = jnp.sqrt(K_o / 5.4)
        X_i = joined(V, 1.0, _rectified(V), self.V_jump_K, self.jump_width)
        return LuoRudy1991Currents(
            Na=self.g_Na * x.m * x.m * x.m * x.h * x.j * (V - E_Na),
            CaL=self.g_CaL * x.d * x.f * (V - E_CaL),
            K=self.g_K * root * x.X * X_i * (V - E_K),
            K1=self.g_K1 * root * _K1_open(V - E_K1) * (V - E_K1),
            Kp=self.g_Kp * sigmoid((V - 7.488) / 5.98) * (V - E_K1),
            b=self.g_b * (V - self.E_b),
        )


def _rectified(V: Nodes) -> Nodes:
    """2.837 (exp(0.04 (V + 77)) - 1) / ((V + 77) exp(0.04 (V + 35)))."""
    return 2.837 * 0.04 * math.exp(1.68) / x_over_expm1(-0.04 * (V + 77))


def _K1_open(x: Nodes) -> Nodes:
    """Open fraction α / (α + β) of i_K1 at x = V - E_K1 [mV]."""
    alpha = 1.02 * sigmoid(-0.2385 * (x - 59.215))
    beta = 0.49124 * exp(0.08032 * (x + 5.476)) + exp(0.06175 * (x - 594.31))
    return alpha / (alpha + beta * sigmoid(0.5143 * (x + 4.753)))


def _m(V: Nodes) -> Relaxation:
    """i_Na activation; its α is 0.32 (V + 47.13) / (1 - exp(-0.1 (V + 47.13)))."""
    return gate(3.2 * x_over_expm1(-0.1 * (V + 47.13)), 0.08 * exp(-V / 11))


def _h(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na fast inactivation, which does not open from V_jump on."""
    alpha = 0.135 * exp(-(V + 80) / 6.8)
    beta = 3.56 * exp(0.079 * V) + 310000 * exp(0.35 * V)
    above = sigmoid((V + 10.66) / 11.1) / 0.13
    return gate(
        joined(V, alpha, 0.0, V_jump, jump_width), joined(V, beta, above, V_jump, jump_width)
    )


def _j(V: Nodes, V_jump: Parameter, jump_width: Parameter | None) -> Relaxation:
    """i_Na slow inactivation, which does not open from V_jump on."""
    alpha = -127140 * exp(0.2444 * V) - 3.474e-5 * exp(-0.04391 * V)
    alpha = alpha * (V + 37.78) * sigmoid(-0.311 * (V + 79.23))
    beta = 0.1212 * exp(-0.01052 * V) * sigmoid(0.1378 * (V + 40.14))
    above = 0.3 * exp(-2.535e-7 * V) * sigmoid(0.1 * (V + 32))
    return gate(
        joined(V, alpha, 0.0, V_jump, jump_width), joined(V, beta, above, V_jump, jump_width)
    )
