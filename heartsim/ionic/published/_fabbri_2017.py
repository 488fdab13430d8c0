"""The human sinus node membrane of Fabbri, Fantini, Wilders and Severi (2017)."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp, log
from .._model import AbstractIonicModel, Parameter, Rates, Slope, param
from .._safe import x_over_expm1
from . import _fabbri_2017_calcium as calcium
from . import _fabbri_2017_gates as gates
from ._fabbri_2017_carriers import exchanger, pump
from ._fabbri_2017_start import START, Fabbri2017State

Nodes = Float[Array, " nodes"]


class Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    f: Nodes
    Kr: Nodes
    Ks: Nodes
    to: Nodes
    NaK: Nodes
    NaCa: Nodes
    Na: Nodes
    NaL: Nodes
    CaL: Nodes
    CaT: Nodes
    KACh: Nodes
    Kur: Nodes


class Fabbri2017(AbstractIonicModel):
    """Human sinus node cell, which beats by itself: 12 currents (i_NaL and i_KACh are 0 until asked
    for), 17 gates, calcium release by four states, calcium in four compartments and six buffers.

    Fabbri, Fantini, Wilders and Severi (2017), J. Physiol. 595, 2365-2396 (page not checked); from
    the rabbit cell of Severi et al. (2012), J. Physiol. 590, 4483-4499 (page not checked). Every
    number and equation was checked against Myokit's `fabbri-2017.mmt`.

    As there: K_i is constant, Na_i too unless `clamp_Na` is 0, and the ion balances count i_CaL
    without the share that acetylcholine blocks or isoprenaline adds.
    `ACh` acts on i_f, i_CaL, i_KACh and calcium uptake, i_f and i_KACh jumping as it leaves 0.
    `Iso` is 0 or 1 in the source, 1 for 1 µM of isoprenaline; between them ours is linear.
    The limit of the gate y jumps at V_jump = -80 mV as published, by 2.5 %; with `jump_width` [mV]
    given, a sigmoid of that width leads from one branch to the other.
    The published τ_y falls through 0 at 98 mV; ours does not fall below 1 ms (from 94 mV on).
    """

    # Conductances of the whole cell and other largest currents
    g_Na: Parameter = param(0.0223)  # µS
    g_NaL: Parameter = param(0.0)  # µS
    g_CaL: Parameter = param(0.4578)  # nA/mM
    g_CaT: Parameter = param(0.04132)  # nA/mM
    g_to: Parameter = param(0.0035)  # µS
    g_Kr: Parameter = param(0.00424)  # µS
    g_Ks: Parameter = param(0.00065)  # µS
    g_Kur: Parameter = param(0.0001539)  # µS
    g_KACh: Parameter = param(0.00345)  # µS
    g_f: Parameter = param(0.00427)  # µS
    P_NaK: Parameter = param(0.08105)  # nA
    K_NaCa: Parameter = param(3.343)  # nA
    # Autonomic transmitters
    ACh: Parameter = param(0.0)  # mM, acetylcholine
    Iso: Parameter = param(0.0)  # 1, isoprenaline: 1 is the effect of 1 µM
    # Selectivity
    f_Na_to_K: Parameter = param(0.5927)  # 1, conductance of i_f for sodium over potassium
    P_KNa: Parameter = param(0.12)  # 1, of i_Ks for sodium, of i_Na for potassium
    CaL_K: Parameter = param(0.000365)  # 1, permeability of i_CaL for potassium over calcium
    CaL_Na: Parameter = param(1.85e-5)  # 1, for sodium over calcium
    # Calcium release, uptake and diffusion
    k_s: Parameter = param(1.480410851e5)  # 1/ms
    k_om: Parameter = param(0.66)  # 1/ms
    k_im: Parameter = param(0.005)  # 1/ms
    k_oCa: Parameter = param(10.0)  # 1/mM²/ms
    k_iCa: Parameter = param(0.5)  # 1/mM/ms
    EC50_sr: Parameter = param(0.45)  # mM
    max_sr: Parameter = param(15.0)  # 1
    min_sr: Parameter = param(1.0)  # 1
    P_up: Parameter = param(0.005)  # mM/ms
    K_up: Parameter = param(2.86113e-4)  # mM
    slope_up: Parameter = param(5e-5)  # mM
    tau_dif: Parameter = param(0.05469)  # ms, subspace to cytosol
    tau_tr: Parameter = param(40.0)  # ms, network to junctional reticulum
    # Buffers: calmodulin, calsequestrin, troponin's calcium and magnesium sites
    CM_tot: Parameter = param(0.045)  # mM
    CQ_tot: Parameter = param(10.0)  # mM
    TC_tot: Parameter = param(0.031)  # mM
    TMC_tot: Parameter = param(0.062)  # mM
    Mg_i: Parameter = param(2.5)  # mM
    kf_CM: Parameter = param(1642.0)  # 1/mM/ms
    kf_CQ: Parameter = param(0.1754)  # 1/mM/ms
    kf_TC: Parameter = param(88.8)  # 1/mM/ms
    kf_TMC: Parameter = param(227.7)  # 1/mM/ms
    kf_TMM: Parameter = param(2.277)  # 1/mM/ms
    kb_CM: Parameter = param(0.542)  # 1/ms
    kb_CQ: Parameter = param(0.445)  # 1/ms
    kb_TC: Parameter = param(0.446)  # 1/ms
    kb_TMC: Parameter = param(0.00751)  # 1/ms
    kb_TMM: Parameter = param(0.751)  # 1/ms
    # Concentrations, size, physics
    K_o: Parameter = param(5.4)  # mM
    Na_o: Parameter = param(140.0)  # mM
    Ca_o: Parameter = param(1.8)  # mM
    K_i: Parameter = param(140.0)  # mM
    clamp_Na: Parameter = param(1.0)  # 1 holds Na_i where it starts, 0 lets it go
    C_cell: Parameter = param(57.0)  # pF
    L_cell: Parameter = param(67.0)  # µm, length
    R_cell: Parameter = param(3.9)  # µm, radius
    L_sub: Parameter = param(0.02)  # µm, depth of the subspace under the membrane
    part_i: Parameter = param(0.46)  # 1, cytosol and subspace of the cell
    part_jsr: Parameter = param(0.0012)  # 1
    part_nsr: Parameter = param(0.0116)  # 1
    R: Parameter = param(8.314472)  # J/mol/K
    T: Parameter = param(310.0)  # K
    F: Parameter = param(96.4853415)  # C/mmol
    # The published jump
    V_jump: Parameter = param(-80.0)  # mV
    jump_width: Parameter | None = param(None)  # mV; None keeps the published jump

    def rates(self, V: Nodes, state: Fabbri2017State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i = self.currents(V, state)
        changes = Fabbri2017State(
            m=gates.m(V),
            h=gates.h(V),
            dL=gates.dL(V, self.Iso),
            fL=gates.fL(V),
            fCa=gates.fCa(state.calcium["Ca_sub"]),
            dT=gates.dT(V),
            fT=gates.fT(V),
            y=gates.y(V - self._f_shift(), self.V_jump, self.jump_width),
            r_Kur=gates.r_Kur(V),
            s_Kur=gates.s_Kur(V),
            q=gates.q(V),
            r=gates.r(V),
            paS=gates.paS(V),
            paF=gates.paF(V),
            piy=gates.piy(V),
            n=gates.n(V + 14 * self.Iso),
            a=gates.a(V, self.ACh),
            release=calcium.release(self, state),
            fTMM=calcium.magnesium(self, state),
            **self._ions(V, i, state),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, Fabbri2017State]:
        """Return the published initial V [mV] and state, late in diastole: the cell has no rest."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), START)

    def currents(self, V: Nodes, state: Fabbri2017State) -> Currents:
        """Return the twelve currents over capacitance [A/F = mV/ms], outward positive."""
        x, A_F = state, 1000 / self.C_cell  # A/F of 1 nA
        RTF, Ca = self._RTF(), x.calcium["Ca_sub"]
        K_o, Na_o, K_i, P = self.K_o, self.Na_o, self.K_i, self.P_KNa
        E_K = RTF * jnp.log(K_o / K_i)
        E_Ks = RTF * log((K_o + P * Na_o) / (K_i + P * x.Na_i))
        E_mh = RTF * log((Na_o + P * K_o) / (x.Na_i + P * K_i))
        above_E_Na = V - RTF * log(Na_o / x.Na_i)
        m3 = x.m * x.m * x.m
        through_CaL = sum(self._through_CaL(V / RTF, x))
        modulated = (1 - 0.31 * calcium.ACh_bound(self)) * (1 + 0.23 * self.Iso)
        f_K = self.g_f / (1 + self.f_Na_to_K) * x.y * (V - E_K)
        KACh = self.g_KACh * x.a * (V - E_K) * (1 + exp((V + 20) / 20))
        return Currents(
            f=A_F * f_K + self._f_Na(above_E_Na, x),
            Kr=A_F * self.g_Kr * (0.9 * x.paF + 0.1 * x.paS) * x.piy * (V - E_K),
            Ks=A_F * self.g_Ks * (1 + 0.2 * self.Iso) * x.n * x.n * (V - E_Ks),
            to=A_F * self.g_to * x.q * x.r * (V - E_K),
            NaK=A_F * self.P_NaK * (1 + 0.2 * self.Iso) * pump(above_E_Na, x.Na_i, K_o),
            NaCa=A_F * self.K_NaCa * exchanger(V / RTF, x.Na_i, Ca, Na_o, self.Ca_o),
            Na=A_F * self.g_Na * m3 * x.h * (V - E_mh),
            NaL=A_F * self.g_NaL * m3 * (V - E_mh),
            CaL=through_CaL * modulated,
            CaT=A_F * self.g_CaT * x.dT * x.fT * _driven(2 * V / RTF, Ca, self.Ca_o),
            KACh=A_F * jnp.where(self.ACh > 0, KACh, 0.0),
            Kur=A_F * self.g_Kur * x.r_Kur * x.s_Kur * (V - E_K),
        )

    def _through_CaL(self, v, x):
        """Calcium, potassium and sodium through unmodulated i_CaL [A/F], v = V F/RT."""
        most = 1000 / self.C_cell * self.g_CaL * x.dL * x.fL * x.fCa
        return (
            most * _driven(2 * v, x.calcium["Ca_sub"], self.Ca_o),
            most * self.CaL_K * _driven(v, self.K_i, self.K_o),
            most * self.CaL_Na * _driven(v, x.Na_i, self.Na_o),
        )

    def _f_Na(self, above_E_Na, x):
        """Sodium through i_f [A/F]."""
        share = self.f_Na_to_K / (1 + self.f_Na_to_K)
        return 1000 / self.C_cell * share * self.g_f * x.y * above_E_Na

    def _f_shift(self):
        """Shift of i_f along the voltage by acetylcholine and isoprenaline [mV]."""
        bound = jnp.where(self.ACh > 0, self.ACh, 1.0) ** 0.618  # its slope at 0 is infinite
        by_ACh = -1 - 9.898 * bound / (bound + 1.22423e-3)
        return jnp.where(self.ACh > 0, by_ACh, 0.0) + 7.5 * self.Iso

    def _ions(self, V, i: Currents, x) -> dict[str, Any]:
        """Balance of calcium and sodium."""
        V_i, V_sub, _, _ = calcium.volumes(self)
        A_F_sub = self.C_cell / (2 * V_sub * self.F)  # mM/ms in the subspace for 1 A/F, charge 2
        A_F = self.C_cell / ((V_i + V_sub) * self.F)  # mM/ms in all for 1 A/F, charge 1
        RTF = self._RTF()
        CaL_Ca, _, CaL_Na = self._through_CaL(V / RTF, x)
        f_Na = self._f_Na(V - RTF * log(self.Na_o / x.Na_i), x)
        sodium = i.Na + i.NaL + f_Na + CaL_Na + 3 * i.NaK + 3 * i.NaCa
        return {
            "Na_i": Slope((self.clamp_Na - 1) * A_F * sodium),
            "calcium": calcium.pools(self, -A_F_sub * (CaL_Ca + i.CaT - 2 * i.NaCa), x),
        }

    def _RTF(self):
        """RT/F [mV]."""
        return self.R * self.T / self.F


def _driven(z: Nodes, inside: Nodes | Parameter, outside: Parameter) -> Nodes:
    """Driving difference [mM] of an ion at z = (its charge) V F/RT: (inside - outside e⁻ᶻ) z /
    (1 - e⁻ᶻ)."""
    b = x_over_expm1(z)  # and z / (1 - e⁻ᶻ) = z + b
    return inside * (z + b) - outside * b
