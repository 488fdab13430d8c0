"""The human ventricular membrane of O'Hara, Virág, Varró and Rudy (2011)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import log
from .._model import AbstractIonicModel, Parameter, Rates, Relaxation, Slope, param
from .._safe import sigmoid
from . import _ohara_rudy_2011_gates as gates
from ._ohara_rudy_2011_carriers import exchanger, pump
from ._ohara_rudy_2011_parts import (
    AREA,
    CALSEQUESTRIN,
    CYTOSOL,
    JSR,
    NSR,
    SARCOLEMMA,
    SUBSPACE,
    TROPONIN,
    calcium_open,
    free,
    ghk,
    phosphorylated,
    release,
    transient_open,
    trapping,
    uptake,
)
from ._ohara_rudy_2011_state import START, OHaraRudy2011State

Nodes = Float[Array, " nodes"]


class Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    Na: Nodes
    NaL: Nodes
    to: Nodes
    CaL: Nodes  # what calcium carries
    CaNa: Nodes  # what sodium carries through the same channel
    CaK: Nodes  # what potassium does
    Kr: Nodes
    Ks: Nodes
    K1: Nodes
    NaCa: Nodes
    NaCa_ss: Nodes
    NaK: Nodes
    Kb: Nodes
    bNa: Nodes
    bCa: Nodes
    pCa: Nodes


class OHaraRudy2011(AbstractIonicModel):
    """Human ventricular membrane: 16 currents, calcium release, CaMK, subspace.

    O'Hara, Virág, Varró and Rudy (2011), PLoS Comput. Biol. 7, e1002061 (page not checked): every
    number and equation was checked against Myokit's `ohara-2011.mmt`, and, but for i_Kr and four
    conductances, against `ohara_rudy_cipa_v1_2017.cellml`. They differ in the pump, which Myokit
    corrects (see `pump`); ours is as published unless `corrected_pump`.

    The defaults are the endocardial cell; see `ohara_rudy_2011_epi` and `_mid`. The potassium
    carried by the stimulus is counted where single cells are paced,
    not by `rates`: see `potassium_per_mV`.
    """

    # Conductances per capacitance, and other largest currents
    g_Na: Parameter = param(75.0)  # mS/µF
    g_NaL: Parameter = param(0.0075)  # mS/µF; epi times 0.6
    g_to: Parameter = param(0.02)  # mS/µF; epi and mid times 4
    g_CaL: Parameter = param(1e-4)  # L/F/ms; epi times 1.2, mid 2.5
    g_Kr: Parameter = param(0.046)  # mS/µF; epi times 1.3, mid 0.8
    g_Ks: Parameter = param(0.0034)  # mS/µF; epi times 1.4
    g_K1: Parameter = param(0.1908)  # mS/µF; epi times 1.2, mid 1.3
    g_NaCa: Parameter = param(0.0008)  # C/F; epi times 1.1, mid 1.4
    g_NaK: Parameter = param(30.0)  # C/F; epi times 0.9, mid 0.7
    g_Kb: Parameter = param(0.003)  # mS/µF; epi times 0.6
    g_bNa: Parameter = param(3.75e-10)  # L/F/ms
    g_bCa: Parameter = param(2.5e-8)  # L/F/ms
    g_pCa: Parameter = param(0.0005)  # A/F
    to_epi: Parameter = param(0.0)  # 1; epi 0.95
    # Calcium handling
    V_up: Parameter = param(0.004375)  # mM/ms; epi times 1.3
    V_leak: Parameter = param(0.0039375)  # mM/ms
    V_rel: Parameter = param(1.0)  # 1; mid 1.7
    Buf_cmdn: Parameter = param(0.05)  # mM; epi times 1.3
    # Concentrations outside, physics
    Na_o: Parameter = param(140.0)  # mM
    K_o: Parameter = param(5.4)  # mM
    Ca_o: Parameter = param(1.8)  # mM
    R: Parameter = param(8.314)  # J/mol/K
    T: Parameter = param(310.0)  # K
    F: Parameter = param(96.485)  # C/mmol
    corrected_pump: bool = eqx.field(static=True, default=False)

    def rates(self, V: Nodes, state: OHaraRudy2011State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i = self.currents(V, state)
        d_limit = sigmoid((V + 3.94) / 4.23)
        changes = OHaraRudy2011State(
            **gates.sodium(V),
            **gates.late_sodium(V, gates.m_rate(V)),
            **gates.transient_outward(V, self.to_epi),
            **gates.calcium(V, d_limit, gates.f_limit(V), tau_j=75.0),
            nca=gates.inactivated(state.jca, state.Ca_ss, k2n=1000.0),
            Kr=self.rapid(V),
            **gates.slow_potassium(V),
            xk1=gates.xk1(V, self.K_o),
            **self._ions(i, state),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, OHaraRudy2011State]:
        """Return V [mV] and the state that the file starts from; see `_ohara_rudy_2011_state`."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), self.start())

    def start(self) -> tuple[float, OHaraRudy2011State]:
        """Return the same as numbers."""
        return START

    def rapid(self, V: Nodes) -> dict[str, Any]:
        """How the gates of i_Kr change."""
        return gates.rapid_potassium(V)

    def rapid_open(self, V: Nodes, of: dict[str, Nodes]) -> Nodes:
        """Open share of i_Kr."""
        fast = sigmoid(-(V + 54.81) / 38.21)
        x = fast * of["xrf"] + (1 - fast) * of["xrs"]
        return x * sigmoid(-(V + 55) / 75) * sigmoid(-(V - 10) / 30)

    @property
    def potassium_per_mV(self) -> Parameter:
        """See AbstractIonicModel."""
        return AREA / (self.F * CYTOSOL)

    def currents(self, V: Nodes, state: OHaraRudy2011State) -> Currents:
        """Return the currents over capacitance [A/F = mV/ms], outward positive."""
        x, RTF = state, self.R * self.T / self.F
        v, Na_o, K_o = V / RTF, self.Na_o, self.K_o
        E_Na, E_K = RTF * log(Na_o / x.Na_i), RTF * log(K_o / x.K_i)
        E_Ks = RTF * log((K_o + 0.01833 * Na_o) / (x.K_i + 0.01833 * x.Na_i))
        CaL, CaNa, CaK = self._i_CaL(V, x, v)
        p = phosphorylated(x)
        h, hp = 0.99 * x.hf + 0.01 * x.hs, 0.99 * x.hf + 0.01 * x.hsp
        opened = x.m * x.m * x.m * ((1 - p) * h * x.j + p * hp * x.jp)
        bNa = ghk(v, x.Na_i, Na_o)
        bCa = ghk(2 * v, x.Ca_i, 0.341 * self.Ca_o)
        KsCa = 1 + 0.6 / (1 + (3.8e-5 / x.Ca_i) ** 1.4)
        K1_open = sigmoid(-(V + 105.8 - 2.6 * K_o) / 9.493) * x.xk1
        return Currents(
            Na=self.g_Na * opened * (V - E_Na),
            NaL=self.g_NaL * x.mL * ((1 - p) * x.hL + p * x.hLp) * (V - E_Na),
            to=self.g_to * transient_open(V, x) * (V - E_K),
            CaL=CaL,
            CaNa=CaNa,
            CaK=CaK,
            Kr=self.g_Kr * jnp.sqrt(K_o / 5.4) * self.rapid_open(V, x.Kr) * (V - E_K),
            Ks=self.g_Ks * KsCa * x.xs1 * x.xs2 * (V - E_Ks),
            K1=self.g_K1 * jnp.sqrt(K_o) * K1_open * (V - E_K),
            NaCa=0.8 * self.g_NaCa * exchanger(v, x.Na_i, x.Ca_i, Na_o, self.Ca_o),
            NaCa_ss=0.2 * self.g_NaCa * exchanger(v, x.Na_ss, x.Ca_ss, Na_o, self.Ca_o),
            NaK=self.g_NaK * pump(v, x.Na_i, x.K_i, Na_o, K_o, self.corrected_pump),
            Kb=self.g_Kb * sigmoid((V - 14.48) / 18.34) * (V - E_K),
            bNa=self.g_bNa * self.F * 1000 * bNa,
            bCa=self.g_bCa * self.F * 1000 * 2 * bCa,
            pCa=self.g_pCa * x.Ca_i / (0.0005 + x.Ca_i),
        )

    def _i_CaL(self, V, x, v):
        """What calcium, sodium and potassium carry, by Goldman, Hodgkin and Katz."""
        most = calcium_open(V, x, x.nca) * self.g_CaL * self.F * 1000
        return (
            2 * most * ghk(2 * v, x.Ca_ss, 0.341 * self.Ca_o),
            0.00125 * most * ghk(v, 0.75 * x.Na_ss, 0.75 * self.Na_o),
            3.574e-4 * most * ghk(v, 0.75 * x.K_ss, 0.75 * self.K_o),
        )

    def _ions(self, i: Currents, x: OHaraRudy2011State) -> dict[str, Relaxation | Slope]:
        """Calcium release and the balance of each ion; fluxes in mM/ms of their own volume."""
        per_A, per_A_ss = AREA / (self.F * CYTOSOL), AREA / (self.F * SUBSPACE)
        p = phosphorylated(x)
        J_rel = (1 - p) * x.Jrelnp + p * x.Jrelp
        J_up = uptake(x, p, self.V_up, self.V_leak)
        J_tr = (x.Ca_nsr - x.Ca_jsr) / 100
        J_Na, J_K, J_Ca = (x.Na_ss - x.Na_i) / 2, (x.K_ss - x.K_i) / 2, (x.Ca_ss - x.Ca_i) / 0.2
        i_Na = i.Na + i.NaL + i.bNa + 3 * i.NaCa + 3 * i.NaK
        i_K = i.to + i.Kr + i.Ks + i.K1 + i.Kb - 2 * i.NaK
        dCa_i = -per_A / 2 * (i.pCa + i.bCa - 2 * i.NaCa) + (J_Ca * SUBSPACE - J_up * NSR) / CYTOSOL
        dCa_ss = -per_A_ss / 2 * (i.CaL - 2 * i.NaCa_ss) + J_rel * JSR / SUBSPACE - J_Ca
        return {
            **release(-i.CaL, x.Ca_jsr, self.V_rel, half=1.5),
            "trapped": trapping(x),
            "Na_i": Slope(-per_A * i_Na + J_Na * SUBSPACE / CYTOSOL),
            "Na_ss": Slope(-per_A_ss * (i.CaNa + 3 * i.NaCa_ss) - J_Na),
            "K_i": Slope(-per_A * i_K + J_K * SUBSPACE / CYTOSOL),
            "K_ss": Slope(-per_A_ss * i.CaK - J_K),
            "Ca_i": Slope(dCa_i * free(x.Ca_i, (self.Buf_cmdn, 0.00238), TROPONIN)),
            "Ca_ss": Slope(dCa_ss * free(x.Ca_ss, *SARCOLEMMA)),
            "Ca_nsr": Slope(J_up - J_tr * JSR / NSR),
            "Ca_jsr": Slope((J_tr - J_rel) * free(x.Ca_jsr, CALSEQUESTRIN)),
        }
