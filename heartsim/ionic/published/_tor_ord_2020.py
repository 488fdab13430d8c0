"""The human ventricular membrane ToR-ORd-dynCl of Tomek, Bueno-Orovio and Rodriguez (2020)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp, log
from .._model import AbstractIonicModel, Coupled, Parameter, Rates, Relaxation, Slope, param
from .._safe import sigmoid
from . import _ohara_rudy_2011_gates as gates
from . import _ohara_rudy_2011_parts as parts
from . import _ten_tusscher_2006_gates as fast
from ._markov import markov
from ._ohara_rudy_2011_carriers import exchanger, pump
from ._ohara_rudy_2011_parts import AREA, CYTOSOL, JSR, NSR, SUBSPACE, ghk
from ._tor_ord_2020_state import START, ToRORd2020State

Nodes = Float[Array, " nodes"]


class Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive; i: of the cytosol, ss: of the
    subspace."""

    Na: Nodes
    NaL: Nodes
    to: Nodes
    CaL_i: Nodes  # what calcium carries
    CaL_ss: Nodes
    CaNa_i: Nodes  # what sodium carries through the same channel
    CaNa_ss: Nodes
    CaK_i: Nodes  # what potassium does
    CaK_ss: Nodes
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
    ClCa: Nodes
    bCl: Nodes


class ToRORdDynCl2020(AbstractIonicModel):
    """Human ventricular membrane: 21 currents, calcium release, CaMK, subspace, chloride.

    Tomek, Bueno-Orovio and Rodriguez (2020), bioRxiv 2020.06.01.127043; without dynamic chloride
    Tomek et al. (2019), eLife 8, e48890; in the line of O'Hara and Rudy (2011). Pages not checked:
    every number and equation was checked against `ToRORd_dynCl_endo.cellml` (Chaste) and, of all
    three cells, Myokit's `tomek-2020.mmt`, which corrects the pump (see `pump`); ours is as
    published unless `corrected_pump`. Their K_ATP current, which is 0, is left out.

    The defaults are the endocardial cell; see `tor_ord_dyncl_2020_epi` and `_mid`. The potassium
    carried by the stimulus is counted where single cells are paced,
    not by `rates`: see `potassium_per_mV`. The rates of
    h and j jump at V_jump as in ten Tusscher and Panfilov (2006).
    """

    # Conductances per capacitance, and other largest currents
    g_Na: Parameter = param(11.7802)  # mS/µF
    g_NaL: Parameter = param(0.0279)  # mS/µF; epi times 0.6
    g_to: Parameter = param(0.16)  # mS/µF; epi and mid times 2
    g_CaL: Parameter = param(8.3757e-5)  # L/F/ms; epi times 1.2, mid 2
    g_Kr: Parameter = param(0.0321)  # mS/µF; epi times 1.3, mid 0.8
    g_Ks: Parameter = param(0.0011)  # mS/µF; epi times 1.4
    g_K1: Parameter = param(0.6992)  # mS/µF; epi times 1.2, mid 1.3
    g_NaCa: Parameter = param(0.0034)  # C/F; epi times 1.1, mid 1.4
    g_NaK: Parameter = param(15.4509)  # C/F; epi times 0.9, mid 0.7
    g_Kb: Parameter = param(0.0189)  # mS/µF; epi times 0.6
    g_bNa: Parameter = param(1.9239e-9)  # L/F/ms
    g_bCa: Parameter = param(5.9194e-8)  # L/F/ms
    g_pCa: Parameter = param(0.0005)  # A/F
    g_ClCa: Parameter = param(0.2843)  # mS/µF
    g_bCl: Parameter = param(0.00198)  # mS/µF
    to_epi: Parameter = param(0.0)  # 1; epi 0.95
    # Calcium handling
    V_up: Parameter = param(0.005425)  # mM/ms; epi times 1.3
    V_leak: Parameter = param(0.0048825)  # mM/ms
    V_rel: Parameter = param(1.0)  # 1; mid 1.7
    Buf_cmdn: Parameter = param(0.05)  # mM; epi times 1.3
    # Concentrations outside, physics
    Na_o: Parameter = param(140.0)  # mM
    K_o: Parameter = param(5.0)  # mM
    Ca_o: Parameter = param(1.8)  # mM
    Cl_o: Parameter = param(150.0)  # mM
    R: Parameter = param(8.314)  # J/mol/K
    T: Parameter = param(310.0)  # K
    F: Parameter = param(96.485)  # C/mmol
    # The published jump
    V_jump: Parameter = param(-40.0)  # mV
    jump_width: Parameter | None = param(None)  # mV; None keeps the published jump
    corrected_pump: bool = eqx.field(static=True, default=False)

    def rates(self, V: Nodes, state: ToRORd2020State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i = self.currents(V, state)
        m = _m(V)
        calcium = gates.calcium(V, _d_limit(V), sigmoid(-(V + 18.08) / 2.7916), tau_j=72.5)
        changes = ToRORd2020State(
            **self._sodium(V, m),
            **gates.late_sodium(V, m.rate),
            **gates.transient_outward(V, self.to_epi),
            **calcium,
            nca_i=gates.inactivated(state.jca, state.Ca_i, k2n=500.0),
            nca_ss=gates.inactivated(state.jca, state.Ca_ss, k2n=500.0),
            Kr=_rapid(V * self.F / (self.R * self.T)),
            **gates.slow_potassium(V),
            **self._ions(i, state),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, ToRORd2020State]:
        """Return V [mV] and the state that the files start from: the endocardial cell's, paced."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), START)

    @property
    def potassium_per_mV(self) -> Parameter:
        """See AbstractIonicModel."""
        return AREA / (self.F * CYTOSOL)

    def currents(self, V: Nodes, state: ToRORd2020State) -> Currents:
        """Return the currents over capacitance [A/F = mV/ms], outward positive."""
        x, RTF = state, self.R * self.T / self.F
        v, Na_o, K_o = V / RTF, self.Na_o, self.K_o
        E_Na, E_K = RTF * log(Na_o / x.Na_i), RTF * log(K_o / x.K_i)
        E_Ks = RTF * log((K_o + 0.01833 * Na_o) / (x.K_i + 0.01833 * x.Na_i))
        E_Cl, E_Cl_ss = RTF * log(x.Cl_i / self.Cl_o), RTF * log(x.Cl_ss / self.Cl_o)
        p, root = parts.phosphorylated(x), jnp.sqrt(K_o / 5.0)
        opened = x.m * x.m * x.m * ((1 - p) * x.h * x.j + p * x.hp * x.jp)
        KsCa = 1 + 0.6 / (1 + (3.8e-5 / x.Ca_i) ** 1.4)
        inside = Ions(x.Na_i, x.K_i, x.Cl_i, x.Ca_i).active(self.T)
        outside = Ions(Na_o, K_o, self.Cl_o, self.Ca_o).active(self.T)
        subspace = Ions(x.Na_ss, x.K_ss, x.Cl_ss, x.Ca_ss).active(self.T)
        most = self.g_CaL * self.F * 1000
        cytosol = self._i_CaL(0.2 * most * parts.calcium_open(V, x, x.nca_i), v, inside, outside)
        near = self._i_CaL(0.8 * most * parts.calcium_open(V, x, x.nca_ss), v, subspace, outside)
        return Currents(
            Na=self.g_Na * opened * (V - E_Na),
            NaL=self.g_NaL * x.mL * ((1 - p) * x.hL + p * x.hLp) * (V - E_Na),
            to=self.g_to * parts.transient_open(V, x) * (V - E_K),
            **{f"{name}_i": i for name, i in cytosol.items()},
            **{f"{name}_ss": i for name, i in near.items()},
            Kr=self.g_Kr * root * x.Kr["O"] * (V - E_K),
            Ks=self.g_Ks * KsCa * x.xs1 * x.xs2 * (V - E_Ks),
            K1=self.g_K1 * root * _K1_open(V - E_K) * (V - E_K),
            NaCa=0.65 * self.g_NaCa * exchanger(v, x.Na_i, x.Ca_i, Na_o, self.Ca_o),
            NaCa_ss=0.35 * self.g_NaCa * exchanger(v, x.Na_ss, x.Ca_ss, Na_o, self.Ca_o),
            NaK=self.g_NaK * pump(v, x.Na_i, x.K_i, Na_o, K_o, self.corrected_pump),
            Kb=self.g_Kb * sigmoid((V - 10.8968) / 23.9871) * (V - E_K),
            bNa=self.g_bNa * self.F * 1000 * ghk(v, x.Na_i, Na_o),
            bCa=self.g_bCa * self.F * 1000 * 2 * ghk(2 * v, inside.Ca, outside.Ca),
            pCa=self.g_pCa * x.Ca_i / (0.0005 + x.Ca_i),
            ClCa=self.g_ClCa / (1 + 0.1 / x.Ca_ss) * (V - E_Cl_ss),
            bCl=self.g_bCl * (V - E_Cl),
        )

    def _i_CaL(self, most, v, inside, outside):
        """What calcium, sodium and potassium carry, by Goldman, Hodgkin and Katz."""
        return {
            "CaL": 2 * most * ghk(2 * v, inside.Ca, outside.Ca),
            "CaNa": 0.00125 * most * ghk(v, inside.Na, outside.Na),
            "CaK": 3.574e-4 * most * ghk(v, inside.K, outside.K),
        }

    def _sodium(self, V, m):
        """The gates of i_Na."""
        h = fast.h(V, self.V_jump, self.jump_width)
        j = fast.j(V, self.V_jump, self.jump_width)
        closed = sigmoid(-(V + 77.55) / 7.43)
        hp, jp = Relaxation(closed * closed, h.rate), Relaxation(h.limit, j.rate / 1.46)
        return {"m": m, "h": h, "j": j, "hp": hp, "jp": jp}

    def _ions(self, i: Currents, x: ToRORd2020State) -> dict[str, Relaxation | Slope]:
        """Calcium release and the balance of each ion; fluxes in mM/ms of their own volume."""
        per_A, per_A_ss = AREA / (self.F * CYTOSOL), AREA / (self.F * SUBSPACE)
        p, share = parts.phosphorylated(x), SUBSPACE / CYTOSOL
        J_rel = 1.5378 * ((1 - p) * x.Jrelnp + p * x.Jrelp)
        J_up = parts.uptake(x, p, self.V_up, self.V_leak)
        J_tr = (x.Ca_nsr - x.Ca_jsr) / 60
        J_Na, J_K, J_Cl = (x.Na_ss - x.Na_i) / 2, (x.K_ss - x.K_i) / 2, (x.Cl_ss - x.Cl_i) / 2
        J_Ca = (x.Ca_ss - x.Ca_i) / 0.2
        i_Na = i.Na + i.NaL + i.bNa + i.CaNa_i + 3 * i.NaCa + 3 * i.NaK
        i_K = i.to + i.Kr + i.Ks + i.K1 + i.Kb + i.CaK_i - 2 * i.NaK
        i_Ca = i.CaL_i + i.pCa + i.bCa - 2 * i.NaCa
        dCa_i = -per_A / 2 * i_Ca - J_up * NSR / CYTOSOL + J_Ca * share
        dCa_ss = -per_A_ss / 2 * (i.CaL_ss - 2 * i.NaCa_ss) + J_rel * JSR / SUBSPACE - J_Ca
        cytosol = ((self.Buf_cmdn, 0.00238), parts.TROPONIN)
        return {
            **parts.release(-i.CaL_ss, x.Ca_jsr, self.V_rel, half=1.7),
            "trapped": parts.trapping(x),
            "Na_i": Slope(-per_A * i_Na + J_Na * share),
            "Na_ss": Slope(-per_A_ss * (i.CaNa_ss + 3 * i.NaCa_ss) - J_Na),
            "K_i": Slope(-per_A * i_K + J_K * share),
            "K_ss": Slope(-per_A_ss * i.CaK_ss - J_K),
            "Cl_i": Slope(per_A * i.bCl + J_Cl * share),
            "Cl_ss": Slope(per_A_ss * i.ClCa - J_Cl),
            "Ca_i": Slope(dCa_i * parts.free(x.Ca_i, *cytosol)),
            "Ca_ss": Slope(dCa_ss * parts.free(x.Ca_ss, *parts.SARCOLEMMA)),
            "Ca_nsr": Slope(J_up - J_tr * JSR / NSR),
            "Ca_jsr": Slope((J_tr - J_rel) * parts.free(x.Ca_jsr, parts.CALSEQUESTRIN)),
        }


class Ions(NamedTuple):
    """Concentrations in one place, mM."""

    Na: Nodes | Parameter
    K: Nodes | Parameter
    Cl: Nodes | Parameter
    Ca: Nodes | Parameter

    def active(self, T: Parameter) -> "Ions":
        """Times their activity coefficients, by Davies at temperature T [K]."""
        strength = 0.5 * (self.Na + self.K + self.Cl + 4 * self.Ca) / 1000
        root = jnp.sqrt(strength)
        one = exp(-1.82e6 * (74 * T) ** -1.5 * (root / (1 + root) - 0.3 * strength))
        four = one * one * one * one  # of valence 2
        return Ions(self.Na * one, self.K * one, self.Cl, self.Ca * four)


def _m(V: Nodes) -> Relaxation:
    """i_Na activation."""
    low, high = (V + 45.79) / 15.54, (V - 4.823) / 51.12
    tau = 0.1292 * exp(-low * low) + 0.06487 * exp(-high * high)
    open_ = sigmoid((V + 56.86) / 9.03)
    return Relaxation(open_ * open_, 1 / tau)


def _d_limit(V: Nodes) -> Nodes:
    """Of i_CaL activation."""
    return jnp.where(V < 31.4978, 1.0763 * exp(-1.007 * exp(-0.0829 * V)), 1.0)


def _rapid(v: Nodes) -> dict[str, Coupled]:
    """How the states of i_Kr change, at v = VF/RT; microscopically reversible."""
    open_, close = 0.0578 * exp(0.971 * v), 0.000349 * exp(-1.062 * v)
    shut, recover = 0.2533 * exp(0.5953 * v), 0.06525 * exp(-0.8209 * v)
    skip = 5.2e-5 * exp(1.525 * v)
    return markov(
        {
            ("C3", "C2"): 0.1161 * exp(0.299 * v),
            ("C2", "C3"): 0.2442 * exp(-1.604 * v),
            ("C2", "C1"): jnp.full_like(v, 0.154375),
            ("C1", "C2"): jnp.full_like(v, 0.1911),
            ("C1", "O"): open_,
            ("O", "C1"): close,
            ("O", "I"): shut,
            ("I", "O"): recover,
            ("C1", "I"): skip,
            ("I", "C1"): close * recover * skip / (open_ * shut),
        }
    )


def _K1_open(x: Nodes) -> Nodes:
    """Open fraction α / (α + β) of i_K1 at x = V - E_K [mV]."""
    alpha = 4.094 * sigmoid(-0.1217 * (x - 49.934))
    beta = 15.72 * exp(0.0674 * (x - 3.257)) + exp(0.0618 * (x - 594.31))
    beta = beta * sigmoid(0.1629 * (x + 14.207))
    return alpha / (alpha + beta)
