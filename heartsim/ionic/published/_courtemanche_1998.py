"""The human atrial membrane of Courtemanche, Ramirez and Nattel (1998)."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp, log
from .._model import AbstractIonicModel, Parameter, Rates, Slope, param
from .._safe import sigmoid
from . import _courtemanche_1998_gates as gates
from ._courtemanche_1998_start import START, Courtemanche1998State

Nodes = Float[Array, " nodes"]


class Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    Na: Nodes
    bNa: Nodes
    K1: Nodes
    to: Nodes
    Kur: Nodes
    Kr: Nodes
    Ks: Nodes
    CaL: Nodes
    bCa: Nodes
    pCa: Nodes
    NaK: Nodes
    NaCa: Nodes


class Calcium(NamedTuple):
    """Calcium flux into and out of the reticulum, mM/ms of the compartment named last."""

    rel: Nodes  # to the cytosol, of the release compartment
    tr: Nodes  # from the uptake compartment, of the release compartment
    up: Nodes  # from the cytosol, of the uptake compartment
    leak: Nodes  # to the cytosol, of the uptake compartment


class Courtemanche1998(AbstractIonicModel):
    """Human atrial membrane: 12 currents, 12 gates, calcium release with 3 more, ion balances.

    Courtemanche, Ramirez and Nattel (1998), Am. J. Physiol. Heart Circ. Physiol. 275, H301-H321;
    page not checked. Every number and equation was checked against the CellML file
    `courtemanche_ramirez_nattel_1998.cellml`, its switches as they stand (no i_bK, no shift of
    i_Na, no clamp of ions), and Myokit's `courtemanche-1998.mmt`. These agree but for where they
    start, and at -10 mV alone, where the CellML rounds τ_d in its fifth digit. By the notes of the
    .mmt both have β_ui as in the paper's figure, not with the sign of its equation, and more digits
    than the paper in some constants. We start where the CellML does.

    The defaults are a cell in sinus rhythm; see `courtemanche_1998_af`.
    The rates of h and j jump at V_jump = -40 mV as published, by 25 and 0.3 %, and their limits
    from 0.0009 to 0; with `jump_width` [mV] given, a sigmoid of that width leads over.
    The potassium carried by the stimulus is counted where single cells are paced,
    not by `rates`: see `potassium_per_mV`.
    """

    # Conductances per capacitance, mS/µF = 1/ms, and other largest currents
    g_Na: Parameter = param(7.8)  # mS/µF
    g_K1: Parameter = param(0.09)  # mS/µF
    g_to: Parameter = param(0.1652)  # mS/µF
    g_Kur: Parameter = param(0.005)  # mS/µF, at negative V; 11 times as much at positive V
    g_Kr: Parameter = param(0.029411765)  # mS/µF
    g_Ks: Parameter = param(0.12941176)  # mS/µF
    g_CaL: Parameter = param(0.12375)  # mS/µF
    g_bNa: Parameter = param(0.0006744375)  # mS/µF
    g_bCa: Parameter = param(0.001131)  # mS/µF
    g_pCa: Parameter = param(0.275)  # A/F
    P_NaK: Parameter = param(0.59933874)  # A/F
    K_NaCa: Parameter = param(1600.0)  # A/F
    # Pump, exchanger, reversal potential, temperature
    K_mK: Parameter = param(1.5)  # mM
    K_mNa: Parameter = param(10.0)  # mM
    K_mNai: Parameter = param(87.5)  # mM
    K_mCa: Parameter = param(1.38)  # mM
    k_sat: Parameter = param(0.1)  # 1
    gamma: Parameter = param(0.35)  # 1
    K_pCa: Parameter = param(0.0005)  # mM
    E_CaL: Parameter = param(65.0)  # mV
    K_Q10: Parameter = param(3.0)  # 1, temperature factor on the rates of i_to and i_Kur
    # Calcium handling
    I_up_max: Parameter = param(0.005)  # mM/ms
    K_up: Parameter = param(0.00092)  # mM
    Ca_up_max: Parameter = param(15.0)  # mM
    K_rel: Parameter = param(30.0)  # 1/ms
    tau_tr: Parameter = param(180.0)  # ms
    Buf_cmdn: Parameter = param(0.05)  # mM, calmodulin
    Buf_trpn: Parameter = param(0.07)  # mM, troponin
    Buf_csqn: Parameter = param(10.0)  # mM, calsequestrin
    K_cmdn: Parameter = param(0.00238)  # mM
    K_trpn: Parameter = param(0.0005)  # mM
    K_csqn: Parameter = param(0.8)  # mM
    # Concentrations outside, volumes, physics
    K_o: Parameter = param(5.4)  # mM
    Na_o: Parameter = param(140.0)  # mM
    Ca_o: Parameter = param(1.8)  # mM
    V_c: Parameter = param(13668.0)  # µm³, cytosol: 68 % of a cell of 20100 µm³
    V_up: Parameter = param(1109.52)  # µm³, uptake compartment: 5.52 %
    V_rel: Parameter = param(96.48)  # µm³, release compartment: 0.48 %
    C_cell: Parameter = param(100.0)  # pF, capacitance of the cell
    R: Parameter = param(8.3143)  # J/mol/K
    T: Parameter = param(310.0)  # K
    F: Parameter = param(96.4867)  # C/mmol
    # The published jump
    V_jump: Parameter = param(-40.0)  # mV
    jump_width: Parameter | None = param(None)  # mV; None keeps the published jump

    def rates(self, V: Nodes, state: Courtemanche1998State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i, flux = self.currents(V, state), self._calcium(state)
        F_n = self._release_signal(i, flux)
        changes = Courtemanche1998State(
            m=gates.m(V),
            h=gates.h(V, self.V_jump, self.jump_width),
            j=gates.j(V, self.V_jump, self.jump_width),
            oa=gates.oa(V, self.K_Q10),
            oi=gates.oi(V, self.K_Q10),
            ua=gates.ua(V, self.K_Q10),
            ui=gates.ui(V, self.K_Q10),
            xr=gates.xr(V),
            xs=gates.xs(V),
            d=gates.d(V),
            f=gates.f(V),
            f_Ca=gates.f_Ca(state.Ca_i),
            u=gates.u(F_n),
            v=gates.v(F_n),
            w=gates.w(V),
            **self._ions(i, flux, state),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, Courtemanche1998State]:
        """Return the published initial V [mV] and state, which drift slowly."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), START)

    @property
    def potassium_per_mV(self) -> Parameter:
        """See AbstractIonicModel."""
        return self.C_cell / (self.V_c * self.F)

    def currents(self, V: Nodes, state: Courtemanche1998State) -> Currents:
        """Return the twelve currents over capacitance [A/F = mV/ms], outward positive."""
        x = state
        RTF = self.R * self.T / self.F  # mV
        E_Na = RTF * log(self.Na_o / x.Na_i)
        E_K = RTF * log(self.K_o / x.K_i)
        E_Ca = 0.5 * RTF * log(self.Ca_o / x.Ca_i)
        g_Kur = self.g_Kur * (1 + 10 * sigmoid((V - 15) / 13))
        return Currents(
            Na=self.g_Na * x.m * x.m * x.m * x.h * x.j * (V - E_Na),
            bNa=self.g_bNa * (V - E_Na),
            K1=self.g_K1 * (V - E_K) * sigmoid(-0.07 * (V + 80)),
            to=self.g_to * x.oa * x.oa * x.oa * x.oi * (V - E_K),
            Kur=g_Kur * x.ua * x.ua * x.ua * x.ui * (V - E_K),
            Kr=self.g_Kr * x.xr * (V - E_K) * sigmoid(-(V + 15) / 22.4),
            Ks=self.g_Ks * x.xs * x.xs * (V - E_K),
            CaL=self.g_CaL * x.d * x.f * x.f_Ca * (V - self.E_CaL),
            bCa=self.g_bCa * (V - E_Ca),
            pCa=self.g_pCa * x.Ca_i / (x.Ca_i + self.K_pCa),
            NaK=self._i_NaK(V / RTF, x),
            NaCa=self._i_NaCa(V / RTF, x),
        )

    def _i_NaK(self, v, x):
        """Sodium-potassium pump, v = V F/RT."""
        most = self.P_NaK * self.K_o / (self.K_o + self.K_mK)
        sigma = (exp(self.Na_o / 67.3) - 1) / 7
        slowed = 1 + 0.1245 * exp(-0.1 * v) + 0.0365 * sigma * exp(-v)
        lack = self.K_mNa / x.Na_i
        return most / (slowed * (1 + lack * jnp.sqrt(lack)))

    def _i_NaCa(self, v, x):
        """Sodium-calcium exchanger, v = V F/RT."""
        inward = exp(self.gamma * v)
        outward = inward * exp(-v)
        Na_i3 = x.Na_i * x.Na_i * x.Na_i
        Na_o3 = self.Na_o * self.Na_o * self.Na_o
        K_mNai3 = self.K_mNai * self.K_mNai * self.K_mNai
        most = self.K_NaCa / ((K_mNai3 + Na_o3) * (self.K_mCa + self.Ca_o))
        net = inward * Na_i3 * self.Ca_o - outward * Na_o3 * x.Ca_i
        return most * net / (1 + self.k_sat * outward)

    def _calcium(self, x: Courtemanche1998State) -> Calcium:
        """The fluxes of the sarcoplasmic reticulum."""
        return Calcium(
            rel=self.K_rel * x.u * x.u * x.v * x.w * (x.Ca_rel - x.Ca_i),
            tr=(x.Ca_up - x.Ca_rel) / self.tau_tr,
            up=self.I_up_max * x.Ca_i / (x.Ca_i + self.K_up),
            leak=self.I_up_max * x.Ca_up / self.Ca_up_max,
        )

    def _release_signal(self, i: Currents, flux: Calcium) -> Nodes:
        """Calcium flux that the gates of release see [amol/ms, which is 1e-12 µmol/ms]."""
        through_membrane = 0.5 * i.CaL - 0.2 * i.NaCa
        return self.V_rel * flux.rel - self.C_cell / (2 * self.F) * through_membrane

    def _ions(self, i: Currents, flux: Calcium, x: Courtemanche1998State) -> dict[str, Slope]:
        """The balance of each ion; instantaneous buffers in cytosol and release compartment."""
        per_A = self.C_cell / (self.V_c * self.F)  # mM/ms in the cytosol for 1 A/F, charge 1
        dCa_i = per_A / 2 * (2 * i.NaCa - i.CaL - i.bCa - i.pCa)
        dCa_i = dCa_i + (flux.rel * self.V_rel + (flux.leak - flux.up) * self.V_up) / self.V_c
        in_cytosol = _bound(x.Ca_i, self.Buf_trpn, self.K_trpn)
        in_cytosol = in_cytosol + _bound(x.Ca_i, self.Buf_cmdn, self.K_cmdn)
        in_release = _bound(x.Ca_rel, self.Buf_csqn, self.K_csqn)
        return {
            "Na_i": Slope(-per_A * (i.Na + i.bNa + 3 * i.NaK + 3 * i.NaCa)),
            "K_i": Slope(-per_A * (i.K1 + i.to + i.Kur + i.Kr + i.Ks - 2 * i.NaK)),
            "Ca_i": Slope(dCa_i / (1 + in_cytosol)),
            "Ca_up": Slope(flux.up - flux.leak - flux.tr * self.V_rel / self.V_up),
            "Ca_rel": Slope((flux.tr - flux.rel) / (1 + in_release)),
        }


def courtemanche_1998() -> Courtemanche1998:
    """Return the cell in sinus rhythm."""
    return Courtemanche1998()


def courtemanche_1998_af() -> Courtemanche1998:
    """Return the cell remodelled by chronic atrial fibrillation: g_to and g_Kur halved, g_CaL less
    by 70 %, hence a short action potential. It starts where the other does.

    Courtemanche, Ramirez and Nattel (1999), Cardiovasc. Res. 42, 477-489; the paper was not read,
    its page not checked. The three factors, and that there are no others, were checked against the
    variant "AF" of Nektar++ (`CourtemancheRamirezNattel98.cpp`: g_to 0.0826, i_Kur times 0.5, g_CaL
    0.037125 nS/pF), which does not say where it has them from.
    """
    own: dict[str, Any] = {"g_to": 0.0826, "g_Kur": 0.0025, "g_CaL": 0.037125}  # mS/µF
    return Courtemanche1998(**own)


def _bound(Ca: Nodes, Buf: Parameter, K: Parameter) -> Nodes:
    """How much calcium an instantaneous buffer takes up per free one."""
    return Buf * K / ((Ca + K) * (Ca + K))
