"""The human ventricular membrane of ten Tusscher and Panfilov (2006)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter, Rates, Slope, param
from . import _ten_tusscher_2006_gates as gates
from . import _ten_tusscher_family as shared
from ._ten_tusscher_2006_start import ENDO, EPI, MID, TenTusscher2006State

Nodes = Float[Array, " nodes"]


class Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    Na: Nodes
    bNa: Nodes
    K1: Nodes
    to: Nodes
    Kr: Nodes
    Ks: Nodes
    pK: Nodes
    CaL: Nodes
    bCa: Nodes
    pCa: Nodes
    NaK: Nodes
    NaCa: Nodes


class TenTusscher2006(shared.WithSubspace):
    """Human ventricular membrane: 12 currents, 12 gates, calcium release, ion balances.

    ten Tusscher and Panfilov (2006), Am. J. Physiol. Heart Circ. Physiol. 291, H1088-H1100;
    formulations unchanged since ten Tusscher et al. (2004), same journal, 286, H1573-H1589.
    The pages were not checked: every number and equation was checked against the CellML files
    `ten_tusscher_model_2006_{epi,M,endo}` (Chaste and CellML repository) and Myokit's
    `tentusscher-2006.mmt`, which agree but for R and F (Myokit: 8.314 J/mol/K, 96.485 C/mmol).

    The defaults are the epicardial cell; see `ten_tusscher_2006_epi`, `_mid` and `_endo`.
    τ_h and τ_j jump at V_jump = -40 mV as published, by about 1 and 2 %; with `jump_width` [mV]
    given, a sigmoid of that width leads from one branch to the other (see `smoothed`).
    The potassium carried by the stimulus is counted where single cells are paced,
    not by `rates`: see `potassium_per_mV`.
    """

    # Conductances per capacitance, mS/µF = 1/ms, and other largest currents
    g_Na: Parameter = param(14.838)  # mS/µF
    g_K1: Parameter = param(5.405)  # mS/µF
    g_to: Parameter = param(0.294)  # mS/µF; endo 0.073
    g_Kr: Parameter = param(0.153)  # mS/µF
    g_Ks: Parameter = param(0.392)  # mS/µF; mid 0.098
    # i_to inactivation: the endocardial s gate has other limits and times
    s_half: Parameter = param(-20.0)  # mV; endo -28
    tau_s_peak: Parameter = param(85.0)  # ms; endo 1000
    tau_s_centre: Parameter = param(-45.0)  # mV; endo -67
    tau_s_spread: Parameter = param(320.0)  # mV²; endo 1000
    tau_s_step: Parameter = param(5.0)  # ms; endo 0
    tau_s_floor: Parameter = param(3.0)  # ms; endo 8
    start: tuple[float, TenTusscher2006State] = eqx.field(static=True, default=EPI)

    def rates(self, V: Nodes, state: TenTusscher2006State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i = self.currents(V, state)
        per_A = self.C_cell / (self.V_c * self.F)  # mM/ms in the cytosol for 1 A/F, charge 1
        changes = TenTusscher2006State(
            m=gates.m(V),
            h=gates.h(V, self.V_jump, self.jump_width),
            j=gates.j(V, self.V_jump, self.jump_width),
            xr1=gates.xr1(V),
            xr2=gates.xr2(V),
            xs=gates.xs(V),
            r=gates.r(V),
            s=gates.s(V, self),
            d=gates.d(V),
            f=gates.f(V),
            f2=gates.f2(V),
            fCass=gates.fCass(state.Ca_ss),
            Na_i=Slope(-per_A * (i.Na + i.bNa + 3 * i.NaK + 3 * i.NaCa)),
            K_i=Slope(-per_A * (i.K1 + i.to + i.Kr + i.Ks + i.pK - 2 * i.NaK)),
            **shared.calcium(i, state, self),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, TenTusscher2006State]:
        """Return the published initial V [mV] and state, which drift slowly; see cell-models.md."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), self.start)

    def currents(self, V: Nodes, state: TenTusscher2006State) -> Currents:
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
            pK=self.g_pK * (V - E.K) / (1 + exp((25 - V) / 5.98)),
            CaL=shared.i_CaL(V, x, self),
            bCa=self.g_bCa * (V - E.Ca),
            pCa=self.g_pCa * x.Ca_i / (x.Ca_i + self.K_pCa),
            NaK=shared.i_NaK(V, x, self),
            NaCa=shared.i_NaCa(V, x, self),
        )


def ten_tusscher_2006_epi() -> TenTusscher2006:
    """Return the epicardial cell."""
    return TenTusscher2006()


def ten_tusscher_2006_mid() -> TenTusscher2006:
    """Return the mid-wall (M) cell: a quarter of g_Ks, hence a longer action potential."""
    own: dict[str, Any] = {"g_Ks": 0.098}  # mS/µF; ten_tusscher_model_2006_M.cellml
    return TenTusscher2006(**own, start=MID)


def ten_tusscher_2006_endo() -> TenTusscher2006:
    """Return the endocardial cell: little i_to, and a slower s gate with another limit."""
    own: dict[str, Any] = {  # ten_tusscher_model_2006_endo.cellml
        "g_to": 0.073,  # mS/µF
        "s_half": -28.0,  # mV
        "tau_s_peak": 1000.0,  # ms
        "tau_s_centre": -67.0,  # mV
        "tau_s_spread": 1000.0,  # mV²
        "tau_s_step": 0.0,  # ms
        "tau_s_floor": 8.0,  # ms
    }
    return TenTusscher2006(**own, start=ENDO)
