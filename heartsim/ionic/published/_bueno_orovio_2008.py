"""The minimal human ventricular membrane of Bueno-Orovio, Cherry and Fenton (2008)."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import AbstractIonicModel, Parameter, Rates, Relaxation, Variable, param
from ._fenton_karma_1998 import FentonKarmaCurrents, gate, half_tanh, past

Nodes = Float[Array, " nodes"]


class BuenoOrovio2008State(NamedTuple):
    """All but the voltage."""

    v: Variable  # 1, open share of the fast inward current
    w: Variable  # 1, open share of the slow inward current
    s: Variable  # 1, activation of the slow inward current


class BuenoOrovio2008(AbstractIonicModel):
    """Four-variable human ventricular membrane in u = (V - V_rest) / V_range, with the steps
    H_x = Θ(u - θ_x) and T(x) = (1 + tanh x) / 2:

        du/dt = -J_fi - J_so - J_si                                         (1)
        J_fi = -v H_v (u - θ_v) (u_u - u) / τ_fi                            (2)
        J_so = (u - u_o) (1 - H_w) / τ_o + H_w / τ_so                       (3)
        J_si = -H_w w s / τ_si                                              (4)
        dv/dt = (1 - H_v) (v∞ - v) / τ_v⁻ - H_v v / τ_v⁺                    (5)
        dw/dt = (1 - H_w) (w∞ - w) / τ_w⁻ - H_w w / τ_w⁺                    (6)
        ds/dt = (T(k_s (u - u_s)) - s) / τ_s                                (7)
        τ_v⁻ = (1 - H_v⁻) τ_v1⁻ + H_v⁻ τ_v2⁻, v∞ = 1 - H_v⁻                 (8)
        τ_w⁻ = τ_w1⁻ + (τ_w2⁻ - τ_w1⁻) T(k_w⁻ (u - u_w⁻))                   (9)
        w∞ = (1 - H_o) (1 - u / τ_w∞) + H_o w∞*                            (10)
        τ_so = τ_so1 + (τ_so2 - τ_so1) T(k_so (u - u_so))                  (11)
        τ_s = (1 - H_w) τ_s1 + H_w τ_s2, τ_o = (1 - H_o) τ_o1 + H_o τ_o2   (12)

    Bueno-Orovio, Cherry and Fenton (2008), J. Theor. Biol. 253, 544-560 (page not checked). The
    defaults are the epicardial cell; see `bueno_orovio_2008_epi`, `_endo`, `_mid`, `_pb` and
    `_tnnp`. Equations and numbers were checked against pigreads 1.0.0 (PyPI; `bueno2008minimal`),
    the epicardial ones against finitewave-model-bueno-orovio 0.6.0 (`ops.py`) too, V_rest and
    V_range against svFSI (`PARAMS_BO.f`). Where these and others differ:

    - `bueno_2007_{epi,endo}.cellml` are of Bueno-Orovio's thesis (2007): w closes from θ_o on, not
      from θ_w, and the endocardial cell has θ_v⁻ 0.024 and τ_fi 0.104 ms for 0.2 and 0.1 ms. All
      else agrees.
    - svFSI has τ_s2 = 2 ms in the mid-wall for the 4 ms of pigreads.

    Θ jumps as published; with `jump_width` [mV] given, a sigmoid takes its place (see `past`).
    """

    # Currents
    u_o: Parameter = param(0.0)  # 1, rest
    u_u: Parameter = param(1.55)  # 1, reversal of J_fi
    tau_fi: Parameter = param(0.11)  # ms, fast inward
    tau_o1: Parameter = param(400.0)  # ms, outward below θ_o
    tau_o2: Parameter = param(6.0)  # ms, outward between θ_o and θ_w
    tau_so1: Parameter = param(30.0181)  # ms, outward above θ_w, at low u
    tau_so2: Parameter = param(0.9957)  # ms, and at high u
    k_so: Parameter = param(2.0458)  # 1
    u_so: Parameter = param(0.65)  # 1
    tau_si: Parameter = param(1.8875)  # ms, slow inward
    # Thresholds
    theta_v: Parameter = param(0.3)  # 1
    theta_w: Parameter = param(0.13)  # 1
    theta_v_minus: Parameter = param(0.006)  # 1
    theta_o: Parameter = param(0.006)  # 1
    # Gates
    tau_v_plus: Parameter = param(1.4506)  # ms, v closes
    tau_v1_minus: Parameter = param(60.0)  # ms, v opens below θ_v⁻
    tau_v2_minus: Parameter = param(1150.0)  # ms, and closes between θ_v⁻ and θ_v
    tau_w_plus: Parameter = param(200.0)  # ms, w closes
    tau_w1_minus: Parameter = param(60.0)  # ms, w opens, below u_w⁻
    tau_w2_minus: Parameter = param(15.0)  # ms, and above
    k_w_minus: Parameter = param(65.0)  # 1
    u_w_minus: Parameter = param(0.03)  # 1
    tau_w_inf: Parameter = param(0.07)  # 1, fall of w∞ below θ_o
    w_inf_star: Parameter = param(0.94)  # 1, w∞ above θ_o
    tau_s1: Parameter = param(2.7342)  # ms, s below θ_w
    tau_s2: Parameter = param(16.0)  # ms, s above θ_w
    k_s: Parameter = param(2.0994)  # 1
    u_s: Parameter = param(0.9087)  # 1
    # The map to mV
    V_rest: Parameter = param(-84.0)  # mV
    V_range: Parameter = param(85.7)  # mV
    jump_width: Parameter | None = param(None)  # mV; None keeps the published jumps

    def rates(self, V: Nodes, state: BuenoOrovio2008State) -> Rates:
        """Return the ionic current over capacitance [mV/ms], (1), and the changes, (5) to (12)."""
        u = (V - self.V_rest) / self.V_range
        H_v, H_w = self._past(u, self.theta_v), self._past(u, self.theta_w)
        H_v_minus, H_o = self._past(u, self.theta_v_minus), self._past(u, self.theta_o)
        w_share = half_tanh(self.k_w_minus * (u - self.u_w_minus))
        w_inf = (1 - H_o) * (1 - u / self.tau_w_inf) + H_o * self.w_inf_star
        tau_v_minus = _between(H_v_minus, self.tau_v1_minus, self.tau_v2_minus)
        tau_w_minus = _between(w_share, self.tau_w1_minus, self.tau_w2_minus)
        tau_s = _between(H_w, self.tau_s1, self.tau_s2)
        changes = BuenoOrovio2008State(
            v=gate(H_v, 1 - H_v_minus, tau_v_minus, self.tau_v_plus),
            w=gate(H_w, w_inf, tau_w_minus, self.tau_w_plus),
            s=Relaxation(half_tanh(self.k_s * (u - self.u_s)), 1 / tau_s),
        )
        i = self.currents(V, state)
        return Rates(i.fi + i.so + i.si, changes)

    def rest(self) -> tuple[Parameter, BuenoOrovio2008State]:
        """Return V [mV] at u_o, open gates and s = 0, as published. V, v and w stay; s goes to its
        limit of 0.02."""
        V = self.V_rest + self.V_range * self.u_o
        one = jnp.ones_like(V)
        return V, BuenoOrovio2008State(v=one, w=one, s=jnp.zeros_like(V))

    def currents(self, V: Nodes, state: BuenoOrovio2008State) -> FentonKarmaCurrents:
        """Return the three currents over capacitance [A/F = mV/ms], outward positive, (2-4)."""
        u = (V - self.V_rest) / self.V_range
        H_v, H_w = self._past(u, self.theta_v), self._past(u, self.theta_w)
        tau_o = _between(self._past(u, self.theta_o), self.tau_o1, self.tau_o2)
        tau_so = _between(half_tanh(self.k_so * (u - self.u_so)), self.tau_so1, self.tau_so2)
        J_fi = -state.v * H_v * (u - self.theta_v) * (self.u_u - u) / self.tau_fi
        J_so = (u - self.u_o) * (1 - H_w) / tau_o + H_w / tau_so
        J_si = -H_w * state.w * state.s / self.tau_si
        return FentonKarmaCurrents(*(self.V_range * J for J in (J_fi, J_so, J_si)))

    def _past(self, u, threshold):
        return past(u, threshold, self.V_range, self.jump_width)


def bueno_orovio_2008_epi() -> BuenoOrovio2008:
    """Return the epicardial cell; numbers of pigreads' EPI, finitewave and svFSI."""
    return BuenoOrovio2008()


def bueno_orovio_2008_endo() -> BuenoOrovio2008:
    """Return the endocardial cell; numbers of pigreads' ENDO and svFSI."""
    own: dict[str, Any] = {
        "u_u": 1.56, "tau_fi": 0.1, "tau_o1": 470.0, "tau_so1": 40.0, "tau_so2": 1.2, "k_so": 2.0,
        "tau_si": 2.9013, "theta_v_minus": 0.2, "tau_v1_minus": 75.0, "tau_v2_minus": 10.0,
        "tau_w_plus": 280.0, "tau_w1_minus": 6.0, "tau_w2_minus": 140.0, "k_w_minus": 200.0,
        "u_w_minus": 0.016, "tau_w_inf": 0.0273, "w_inf_star": 0.78, "tau_s2": 2.0,
    }  # fmt: skip
    return BuenoOrovio2008(**own)


def bueno_orovio_2008_mid() -> BuenoOrovio2008:
    """Return the mid-wall (M) cell; numbers of pigreads' Midwall and, but for τ_s2, svFSI."""
    own: dict[str, Any] = {
        "u_u": 1.61, "tau_fi": 0.078, "tau_o1": 410.0, "tau_o2": 7.0, "tau_so1": 91.0,
        "tau_so2": 0.8, "k_so": 2.1, "u_so": 0.6, "tau_si": 3.3849, "theta_v_minus": 0.1,
        "theta_o": 0.005, "tau_v1_minus": 80.0, "tau_v2_minus": 1.4506, "tau_w_plus": 280.0,
        "tau_w1_minus": 70.0, "tau_w2_minus": 8.0, "k_w_minus": 200.0, "u_w_minus": 0.016,
        "tau_w_inf": 0.01, "w_inf_star": 0.5, "tau_s2": 4.0,
    }  # fmt: skip
    return BuenoOrovio2008(**own)


def bueno_orovio_2008_pb() -> BuenoOrovio2008:
    """Return the fit to Priebe and Beuckelmann (1998); numbers of pigreads' PB."""
    own: dict[str, Any] = {
        "u_u": 1.45, "tau_fi": 0.105, "theta_v": 0.35, "theta_v_minus": 0.175,
        "tau_v1_minus": 10.0, "tau_w_plus": 326.0, "tau_w1_minus": 140.0, "tau_w2_minus": 6.25,
        "u_w_minus": 0.015, "tau_w_inf": 0.175, "w_inf_star": 0.9,
    }  # fmt: skip
    return BuenoOrovio2008(**own)


def bueno_orovio_2008_tnnp() -> BuenoOrovio2008:
    """Return the fit to ten Tusscher et al. (2004); numbers of pigreads' TNNP."""
    own: dict[str, Any] = {
        "u_u": 1.58, "tau_o1": 6.0, "tau_so1": 43.0, "tau_so2": 0.2, "k_so": 2.0,
        "tau_si": 2.8723, "theta_w": 0.015, "theta_v_minus": 0.015, "tau_w_plus": 280.0,
        "tau_w1_minus": 70.0, "tau_w2_minus": 20.0, "tau_s2": 3.0,
    }  # fmt: skip
    return BuenoOrovio2008(**own)


def _between(share: Nodes, below: Parameter, above: Parameter) -> Nodes:
    """`below` at share 0, `above` at share 1."""
    return (1 - share) * below + share * above
