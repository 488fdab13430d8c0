"""The human Purkinje membrane of Stewart et al. (2009)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter, Rates, Relaxation, Slope, Variable, param
from .._safe import sigmoid
from . import _ten_tusscher_2006_gates as gates
from . import _ten_tusscher_family as shared

Nodes = Float[Array, " nodes"]


class Stewart2009State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1, concentrations are in mM."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na fast inactivation
    j: Variable  # i_Na slow inactivation
    xr1: Variable  # i_Kr activation
    xr2: Variable  # i_Kr inactivation
    xs: Variable  # i_Ks activation
    r: Variable  # i_to activation
    s: Variable  # i_to inactivation
    y: Variable  # i_f activation
    d: Variable  # i_CaL activation
    f: Variable  # i_CaL slow voltage inactivation
    f2: Variable  # i_CaL fast voltage inactivation
    fCass: Variable  # i_CaL inactivation by subspace calcium
    R_prime: Variable  # share of release channels that can open
    Ca_i: Variable  # mM, cytosol
    Ca_ss: Variable  # mM, dyadic subspace
    Ca_sr: Variable  # mM, sarcoplasmic reticulum
    Na_i: Variable  # mM
    K_i: Variable  # mM


class Stewart2009Currents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    Na: Nodes
    bNa: Nodes
    f_Na: Nodes  # i_f carried by sodium
    f_K: Nodes  # i_f carried by potassium
    K1: Nodes
    to: Nodes
    sus: Nodes
    Kr: Nodes
    Ks: Nodes
    pK: Nodes
    CaL: Nodes
    bCa: Nodes
    pCa: Nodes
    NaK: Nodes
    NaCa: Nodes


START = (
    -71.2864384994752527,  # mV
    Stewart2009State(
        m=0.0283293473203283658,
        h=0.251110676365191021,
        j=0.26568042280998555,
        xr1=0.0134628009070351228,
        xr2=0.332697379577155727,
        xs=0.00840127007165385360,
        r=0.000884290083740064937,
        s=0.968749754333663282,
        y=0.0384052487230444398,
        d=0.000216290842830038621,
        f=0.968969771502977917,
        f2=0.996328488888527430,
        fCass=0.999935288766206076,
        R_prime=0.984086493577585375,
        Ca_i=0.000102363913704157998,
        Ca_ss=0.000381250245527617196,
        Ca_sr=3.14149868138687083,
        Na_i=8.80505373054986329,
        K_i=136.773426842998674,
    ),
)
"""V [mV] and state of `stewart-2009.mmt`: in diastole, 0.3 s before a beat."""


class Stewart2009(shared.WithSubspace):
    """Human Purkinje membrane, which beats by itself every 1.2 s: 14 currents, calcium release, ion
    balances. It is ten Tusscher and Panfilov (2006) with i_K1, i_to and the conductances of
    i_Na, i_Kr and i_Ks changed, and with a pacemaker current i_f and a sustained current i_sus.

    Stewart, Aslanidi, Noble, Noble, Boyett and Zhang (2009), Phil. Trans. R. Soc. A 367, 2225-2255
    (page not checked). Every number and equation was checked against Myokit's `stewart-2009.mmt`
    and the CellML file `stewart_zhang_model_2008_ss` (Chaste). Their equations agree; the CellML
    file starts at another moment of the same cycle, 0.1 s before a beat: the .mmt's start is taken.

    τ_h and τ_j jump at V_jump = -40 mV, and `jump_width` [mV] leads over; see `TenTusscher2006`.
    """

    # Conductances per capacitance, mS/µF = 1/ms, and other largest currents
    g_Na: Parameter = param(130.5744)  # mS/µF
    g_K1: Parameter = param(0.065)  # mS/µF
    g_to: Parameter = param(0.08184)  # mS/µF
    g_sus: Parameter = param(0.0227)  # mS/µF
    g_f: Parameter = param(0.038)  # mS/µF, the sum of g_f_Na = 0.0145654 and g_f_K = 0.0234346
    share_f_K: Parameter = param(0.6167)  # 1, potassium's share of g_f: 0.0234346 / 0.038
    g_Kr: Parameter = param(0.0918)  # mS/µF
    g_Ks: Parameter = param(0.2352)  # mS/µF

    def rates(self, V: Nodes, state: Stewart2009State) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""
        i = self.currents(V, state)
        per_A = self.C_cell / (self.V_c * self.F)  # mM/ms in the cytosol for 1 A/F, charge 1
        changes = Stewart2009State(
            m=gates.m(V),
            h=gates.h(V, self.V_jump, self.jump_width),
            j=gates.j(V, self.V_jump, self.jump_width),
            xr1=gates.xr1(V),
            xr2=gates.xr2(V),
            xs=gates.xs(V),
            r=_r(V),
            s=_s(V),
            y=_y(V),
            d=gates.d(V),
            f=gates.f(V),
            f2=gates.f2(V),
            fCass=gates.fCass(state.Ca_ss),
            Na_i=Slope(-per_A * (i.Na + i.bNa + i.f_Na + 3 * i.NaK + 3 * i.NaCa)),
            K_i=Slope(-per_A * (i.K1 + i.to + i.sus + i.f_K + i.Kr + i.Ks + i.pK - 2 * i.NaK)),
            **shared.calcium(i, state, self),
        )
        return Rates(sum(i[1:], start=i[0]), changes)

    def rest(self) -> tuple[Parameter, Stewart2009State]:
        """Return V [mV] and state of the file, in diastole: the cell has no rest."""
        return jax.tree.map(lambda x: jnp.asarray(x, self.g_Na.dtype), START)

    def currents(self, V: Nodes, state: Stewart2009State) -> Stewart2009Currents:
        """Return the currents over capacitance [A/F = mV/ms], outward positive."""
        x = state
        E = shared.reversal(x, self)
        g_f_K = self.g_f * self.share_f_K
        g_f_Na = self.g_f - g_f_K
        root = jnp.sqrt(self.K_o / 5.4)  # 5.4 mM, the potassium at which g_Kr was measured
        return Stewart2009Currents(
            Na=self.g_Na * x.m * x.m * x.m * x.h * x.j * (V - E.Na),
            bNa=self.g_bNa * (V - E.Na),
            f_Na=g_f_Na * x.y * (V - E.Na),
            f_K=g_f_K * x.y * (V - E.K),
            K1=self.g_K1 * sigmoid(-0.1 * (V + 75.44)) * (V - 8 - E.K),
            to=self.g_to * x.r * x.s * (V - E.K),
            sus=self.g_sus * sigmoid((V - 5) / 17) * (V - E.K),
            Kr=self.g_Kr * root * x.xr1 * x.xr2 * (V - E.K),
            Ks=self.g_Ks * x.xs * x.xs * (V - E.Ks),
            pK=self.g_pK * sigmoid((V - 25) / 5.98) * (V - E.K),
            CaL=shared.i_CaL(V, x, self),
            bCa=self.g_bCa * (V - E.Ca),
            pCa=self.g_pCa * x.Ca_i / (x.Ca_i + self.K_pCa),
            NaK=shared.i_NaK(V, x, self),
            NaCa=shared.i_NaCa(V, x, self),
        )


def _r(V: Nodes) -> Relaxation:
    """i_to activation."""
    tau = 10.45 * exp(-(V + 40) * (V + 40) / 1800) + 7.3
    return Relaxation(sigmoid((V - 20) / 13), 1 / tau)


def _s(V: Nodes) -> Relaxation:
    """i_to inactivation."""
    tau = 85 * exp(-(V + 25) * (V + 25) / 320) + 5 * sigmoid((40 - V) / 5) + 42
    return Relaxation(sigmoid(-(V + 27) / 13), 1 / tau)


def _y(V: Nodes) -> Relaxation:
    """i_f activation, by hyperpolarisation."""
    rate = (exp(-2.9 - 0.04 * V) + exp(3.6 + 0.11 * V)) / 4000
    return Relaxation(sigmoid(-(V + 80.6) / 6.8), rate)
