"""The mammalian ventricular membrane of Beeler and Reuter (1977)."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp, log
from .._model import AbstractIonicModel, Parameter, Rates, Relaxation, Slope, Variable, param
from .._safe import sigmoid, x_over_expm1
from ._beeler_reuter_1977_gates import gate, turn

Nodes = Float[Array, " nodes"]


class BeelerReuter1977State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na fast inactivation
    j: Variable  # i_Na slow inactivation
    d: Variable  # i_CaL activation
    f: Variable  # i_CaL inactivation
    x1: Variable  # i_x1 activation
    Ca_i: Variable  # mM, cytosol


class BeelerReuter1977Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    Na: Nodes  # fast sodium
    bNa: Nodes  # steady sodium leak
    CaL: Nodes  # slow inward, carried by calcium
    x1: Nodes  # outward, time-dependent
    K1: Nodes  # outward, time-independent


START = (
    -84.624,
    BeelerReuter1977State(m=0.011, h=0.988, j=0.975, d=0.003, f=0.994, x1=0.0001, Ca_i=0.0001),
)
"""V [mV] and state of `beeler_reuter_model_1977.cellml`."""


class BeelerReuter1977(AbstractIonicModel):
    """Mammalian ventricular membrane: 4 currents (and a sodium leak), 6 gates, calcium inside.

    Beeler and Reuter (1977), J. Physiol. 268, 177-210 (page not checked). Every equation was
    checked against `beeler_reuter_model_1977.cellml` (Chaste and CellML repository) and Myokit's
    `beeler-1977.mmt`. Where these differ:

    - Six constants of the gates are rounded inverses in the CellML file, such as exp((V + 50)/12.1)
      for exp(0.083 (V + 50)). Here they are as in the Myokit file, and as Luo and Rudy (1991) took
      them over; they are the six fields C2_ and C6_.
    - x1 closes by exp(-0.06 (V + 20)) / (exp(-0.04 (V + 20)) + 1) in the CellML file, which is
      taken; the Myokit file has V + 333 below the line, which closes x1 14 times faster at rest.
    - The start is that of the CellML file.

    Per area, the CellML file has A/m² and 0.01 µF/mm² and the Myokit file µA/cm² and 1 µF/cm²; the
    latter, the paper's, are A/F in number. Calcium is in mM here, in M in the Myokit file.
    """

    # Conductances per capacitance, and other largest currents
    g_Na: Parameter = param(4.0)  # mS/µF
    g_bNa: Parameter = param(0.003)  # mS/µF; their g_NaC
    g_CaL: Parameter = param(0.09)  # mS/µF; their g_s
    g_x1: Parameter = param(0.8)  # A/F; the delayed rectifier, G_Kr in the CellML file
    g_K1: Parameter = param(0.35)  # A/F
    E_Na: Parameter = param(50.0)  # mV
    # Steepness of gates: exponents above (C2) and below (C6) the line of a rate
    C2_alpha_x1: Parameter = param(0.083)  # 1/mV; CellML 1/12.1
    C6_alpha_x1: Parameter = param(0.057)  # 1/mV; CellML 1/17.5
    C2_beta_x1: Parameter = param(-0.06)  # 1/mV; CellML -1/16.67
    C6_alpha_d: Parameter = param(-0.072)  # 1/mV; CellML -1/13.89
    C2_beta_d: Parameter = param(-0.017)  # 1/mV; CellML -1/59
    C6_alpha_f: Parameter = param(0.15)  # 1/mV; CellML 1/6.67
    # Calcium inside
    k_in: Parameter = param(1e-4)  # mM/ms for 1 A/F of i_CaL
    k_up: Parameter = param(0.07)  # 1/ms
    Ca_rest: Parameter = param(1e-4)  # mM, where the uptake ends

    def rates(self, V: Nodes, state: BeelerReuter1977State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i = self.currents(V, state)
        changes = BeelerReuter1977State(
            m=_m(V),
            h=_h(V),
            j=_j(V),
            d=gate(
                turn(V, 0.095, -0.01, -5.0, self.C6_alpha_d),
                turn(V, 0.07, self.C2_beta_d, 44.0, 0.05),
            ),
            f=gate(
                turn(V, 0.012, -0.008, 28.0, self.C6_alpha_f),
                turn(V, 0.0065, -0.02, 30.0, -0.2),
            ),
            x1=gate(
                turn(V, 0.0005, self.C2_alpha_x1, 50.0, self.C6_alpha_x1),
                turn(V, 0.0013, self.C2_beta_x1, 20.0, -0.04),
            ),
            Ca_i=Slope(self.k_up * (self.Ca_rest - state.Ca_i) - self.k_in * i.CaL),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, BeelerReuter1977State]:
        """Return V [mV] and the state of the CellML file, which are near rest."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), START)

    def currents(self, V: Nodes, state: BeelerReuter1977State) -> BeelerReuter1977Currents:
        """Return the currents over capacitance [A/F = mV/ms], outward positive."""
        x = state
        E_Ca = -82.3 - 13.0287 * log(1e-3 * x.Ca_i)  # mV, of calcium in M
        return BeelerReuter1977Currents(
            Na=self.g_Na * x.m * x.m * x.m * x.h * x.j * (V - self.E_Na),
            bNa=self.g_bNa * (V - self.E_Na),
            CaL=self.g_CaL * x.d * x.f * (V - E_Ca),
            x1=self.g_x1 * x.x1 * (math.exp(1.68) - exp(-0.04 * (V + 35))),
            K1=self.g_K1 * _K1(V),
        )


def _K1(V: Nodes) -> Nodes:
    """4 (exp(0.04 (V + 85)) - 1) / (e² + e) + 0.2 (V + 23) / (1 - exp(-0.04 (V + 23))) with
    e = exp(0.04 (V + 53))."""
    e = exp(0.04 * (V + 53))
    return 4 * (math.exp(1.28) * e - 1) / (e * (e + 1)) + 5 * x_over_expm1(-0.04 * (V + 23))


def _m(V: Nodes) -> Relaxation:
    """i_Na activation; its α is (V + 47) / (1 - exp(-0.1 (V + 47)))."""
    return gate(10 * x_over_expm1(-0.1 * (V + 47)), 40 * exp(-0.056 * (V + 72)))


def _h(V: Nodes) -> Relaxation:
    """i_Na fast inactivation."""
    return gate(0.126 * exp(-0.25 * (V + 77)), 1.7 * sigmoid(0.082 * (V + 22.5)))


def _j(V: Nodes) -> Relaxation:
    """i_Na slow inactivation."""
    return gate(turn(V, 0.055, -0.25, 78.0, -0.2), 0.3 * sigmoid(0.1 * (V + 32)))
