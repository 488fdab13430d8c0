"""The human ventricular membrane of ten Tusscher, Noble, Noble and Panfilov (2004)."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp, log
from .._model import Parameter, Rates, Relaxation, Slope, Variable, param
from .._safe import sigmoid, x_over_expm1
from . import _ten_tusscher_2006_gates as gates
from . import _ten_tusscher_family as shared
from ._ten_tusscher_2006 import Currents

Nodes = Float[Array, " nodes"]


class TenTusscher2004State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1, concentrations are in mM."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na fast inactivation
    j: Variable  # i_Na slow inactivation
    xr1: Variable  # i_Kr activation
    xr2: Variable  # i_Kr inactivation
    xs: Variable  # i_Ks activation
    r: Variable  # i_to activation
    s: Variable  # i_to inactivation
    d: Variable  # i_CaL activation
    f: Variable  # i_CaL voltage inactivation
    f_Ca: Variable  # i_CaL inactivation by calcium
    g: Variable  # calcium release inactivation
    Ca_i: Variable  # mM, cytosol
    Ca_sr: Variable  # mM, sarcoplasmic reticulum
    Na_i: Variable  # mM
    K_i: Variable  # mM


START = (
    -86.2,  # mV
    TenTusscher2004State(
        m=0.0,
        h=0.75,
        j=0.75,
        xr1=0.0,
        xr2=1.0,
        xs=0.0,
        r=0.0,
        s=1.0,
        d=0.0,
        f=1.0,
        f_Ca=1.0,
        g=1.0,
        Ca_i=0.0002,
        Ca_sr=0.2,
        Na_i=11.6,
        K_i=138.3,
    ),
)
"""V [mV] and state of `tentusscher-2004.mmt`, of all three cells."""


class TenTusscher2004(shared.TenTusscherFamily):
    """Human ventricular membrane: 12 currents, 12 gates, calcium release without a subspace, ion
    balances.

    ten Tusscher, Noble, Noble and Panfilov (2004), Am. J. Physiol. Heart Circ. Physiol. 286,
    H1573-H1589 (page not checked). Every number and equation was checked against Myokit's
    `tentusscher-2004.mmt`; what is the same in 2006 is taken from there.

    The defaults are the epicardial cell; see `ten_tusscher_2004_epi`, `_mid` and `_endo`.
    τ_h and τ_j jump at V_jump = -40 mV, and `jump_width` [mV] leads over; see `TenTusscher2006`.
    The gates f_Ca and g may not rise while V > V_hold: they stop, a jump that `jump_width` leaves.
    The potassium carried by the stimulus is counted where single cells are paced,
    not by `rates`: see `potassium_per_mV`.
    """

    # Conductances per capacitance, mS/µF = 1/ms, and other largest currents
    g_Na: Parameter = param(14.838)  # mS/µF
    g_K1: Parameter = param(5.405)  # mS/µF
    g_to: Parameter = param(0.294)  # mS/µF; endo 0.073
    g_Kr: Parameter = param(0.096)  # mS/µF
    g_Ks: Parameter = param(0.245)  # mS/µF; mid 0.062
    g_CaL: Parameter = param(0.175)  # L/F/s
    g_pCa: Parameter = param(0.825)  # A/F
    P_NaK: Parameter = param(1.362)  # A/F
    # i_to inactivation: the endocardial s gate has other limits and times
    s_half: Parameter = param(-20.0)  # mV; endo -28
    tau_s_peak: Parameter = param(85.0)  # ms; endo 1000
    tau_s_centre: Parameter = param(-45.0)  # mV; endo -67
    tau_s_spread: Parameter = param(320.0)  # mV²; endo 1000
    tau_s_step: Parameter = param(5.0)  # ms; endo 0
    tau_s_floor: Parameter = param(3.0)  # ms; endo 8
    # Calcium handling; fluxes in mM/ms of the cytosol
    V_max_up: Parameter = param(0.000425)  # mM/ms
    a_rel: Parameter = param(0.016464)  # mM/ms
    b_rel: Parameter = param(0.25)  # mM
    c_rel: Parameter = param(0.008232)  # mM/ms
    V_leak: Parameter = param(0.00008)  # 1/ms
    tau_f_Ca: Parameter = param(2.0)  # ms
    tau_g: Parameter = param(2.0)  # ms
    Buf_c: Parameter = param(0.15)  # mM
    # Physics
    R: Parameter = param(8.314)  # J/mol/K
    F: Parameter = param(96.485)  # C/mmol
    V_hold: Parameter = param(-60.0)  # mV, above which f_Ca and g may not rise

    def rates(self, V: Nodes, state: TenTusscher2004State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        x, i = state, self.currents(V, state)
        held = self.V_hold < V
        changes = TenTusscher2004State(
            m=gates.m(V),
            h=gates.h(V, self.V_jump, self.jump_width),
            j=gates.j(V, self.V_jump, self.jump_width),
            xr1=gates.xr1(V),
            xr2=gates.xr2(V),
            xs=_xs(V),
            r=gates.r(V),
            s=gates.s(V, self),
            d=_d(V),
            f=_f(V),
            f_Ca=_one_sided(x.f_Ca, _f_Ca_limit(x.Ca_i), self.tau_f_Ca, held),
            g=_one_sided(x.g, _g_limit(x.Ca_i), self.tau_g, held),
            **self._ions(i, x),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, TenTusscher2004State]:
        """Return V [mV] and state of the file, round numbers that drift for many beats."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), START)

    def currents(self, V: Nodes, state: TenTusscher2004State) -> Currents:
        """Return the twelve currents over capacitance [A/F = mV/ms], outward positive."""
        x = state
        E = shared.reversal(x, self)
        root = jnp.sqrt(self.K_o / 5.4)  # 5.4 mM, where g_K1 and g_Kr were measured
        return Currents(
            Na=self.g_Na * x.m * x.m * x.m * x.h * x.j * (V - E.Na),
            bNa=self.g_bNa * (V - E.Na),
            K1=self.g_K1 * root * shared.K1_open(V - E.K) * (V - E.K),
            to=self.g_to * x.r * x.s * (V - E.K),
            Kr=self.g_Kr * root * x.xr1 * x.xr2 * (V - E.K),
            Ks=self.g_Ks * x.xs * x.xs * (V - E.Ks),
            pK=self.g_pK * sigmoid((V - 25) / 5.98) * (V - E.K),
            CaL=self._i_CaL(V, x),
            bCa=self.g_bCa * (V - E.Ca),
            pCa=self.g_pCa * x.Ca_i / (x.Ca_i + self.K_pCa),
            NaK=shared.i_NaK(V, x, self),
            NaCa=shared.i_NaCa(V, x, self),
        )

    def _i_CaL(self, V, x):
        """4 g V F²/RT (Ca_i eᶻ - 0.341 Ca_o) / (eᶻ - 1) with z = 2 V F/RT."""
        z = 2 * V * self.F / (self.R * self.T)
        b = x_over_expm1(z)  # and z eᶻ / (eᶻ - 1) = z + b
        open_ = x.d * x.f * x.f_Ca
        return 2 * self.F * self.g_CaL * open_ * (x.Ca_i * (z + b) - 0.341 * self.Ca_o * b)

    def _ions(self, i: Currents, x: TenTusscher2004State) -> dict[str, Slope]:
        """Calcium release and the balance of each ion."""
        Ca_i2, Ca_sr2 = x.Ca_i * x.Ca_i, x.Ca_sr * x.Ca_sr
        filled = Ca_sr2 / (self.b_rel * self.b_rel + Ca_sr2)
        i_rel = (self.a_rel * filled + self.c_rel) * x.d * x.g
        i_up = self.V_max_up * Ca_i2 / (Ca_i2 + self.K_up * self.K_up)
        i_leak = self.V_leak * (x.Ca_sr - x.Ca_i)
        per_A = self.C_cell / (self.V_c * self.F)  # mM/ms in the cytosol for 1 A/F, charge 1
        out = i_rel + i_leak - i_up  # of the reticulum
        dCa_i = out - per_A / 2 * (i.CaL + i.bCa + i.pCa - 2 * i.NaCa)
        dCa_sr = -out * self.V_c / self.V_sr
        return {
            "Ca_i": Slope(dCa_i * shared.free(x.Ca_i, self.Buf_c, self.K_buf_c)),
            "Ca_sr": Slope(dCa_sr * shared.free(x.Ca_sr, self.Buf_sr, self.K_buf_sr)),
            "Na_i": Slope(-per_A * (i.Na + i.bNa + 3 * i.NaK + 3 * i.NaCa)),
            "K_i": Slope(-per_A * (i.K1 + i.to + i.Kr + i.Ks + i.pK - 2 * i.NaK)),
        }


def ten_tusscher_2004_epi() -> TenTusscher2004:
    """Return the epicardial cell."""
    return TenTusscher2004()


def ten_tusscher_2004_mid() -> TenTusscher2004:
    """Return the mid-wall (M) cell: a quarter of g_Ks, hence a longer action potential."""
    own: dict[str, Any] = {"g_Ks": 0.062}  # mS/µF
    return TenTusscher2004(**own)


def ten_tusscher_2004_endo() -> TenTusscher2004:
    """Return the endocardial cell: little i_to, and a slower s gate with another limit."""
    own: dict[str, Any] = {
        "g_to": 0.073,  # mS/µF
        "s_half": -28.0,  # mV
        "tau_s_peak": 1000.0,  # ms
        "tau_s_centre": -67.0,  # mV
        "tau_s_spread": 1000.0,  # mV²
        "tau_s_step": 0.0,  # ms
        "tau_s_floor": 8.0,  # ms
    }
    return TenTusscher2004(**own)


def _xs(V: Nodes) -> Relaxation:
    """i_Ks activation: as in 2006, but faster."""
    tau = 1100 / jnp.sqrt(1 + exp((-10 - V) / 6)) * sigmoid((60 - V) / 20)
    return gates.xs(V)._replace(rate=1 / tau)


def _d(V: Nodes) -> Relaxation:
    """i_CaL activation: as fast as in 2006, at other voltages."""
    return gates.d(V)._replace(limit=sigmoid((V + 5) / 7.5))


def _f(V: Nodes) -> Relaxation:
    """i_CaL voltage inactivation: with the limit of 2006."""
    tau = 1125 * exp(-(V + 27) * (V + 27) / 240) + 165 * sigmoid((V - 25) / 10) + 80
    return gates.f(V)._replace(rate=1 / tau)


def _f_Ca_limit(Ca_i: Nodes) -> Nodes:
    """Share of i_CaL that calcium [mM] leaves."""
    alpha = _left(Ca_i, 0.000325, 8.0)
    beta = 0.1 * sigmoid((0.0005 - Ca_i) / 0.0001)
    gamma = 0.2 * sigmoid((0.00075 - Ca_i) / 0.0008)
    return (alpha + beta + gamma + 0.23) / 1.46


def _g_limit(Ca_i: Nodes) -> Nodes:
    """Share of the release that calcium [mM] leaves; steeper above one half."""
    return _left(Ca_i, 0.00035, jnp.where(Ca_i < 0.00035, 6.0, 16.0))


def _left(Ca: Nodes, K: float, n) -> Nodes:
    """1 / (1 + (Ca/K)ⁿ), without the power, which would overflow."""
    return sigmoid(n * (math.log(K) - log(Ca)))


def _one_sided(x: Nodes, limit: Nodes, tau: Parameter, held) -> Relaxation:
    """A gate that stops where it would rise while `held`."""
    return Relaxation(limit, jnp.where(held & (limit > x), 0.0, 1 / tau))
