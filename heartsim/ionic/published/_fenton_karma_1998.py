"""The three-variable membrane of Fenton and Karma (1998)."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import AbstractIonicModel, Parameter, Rates, Relaxation, Variable, param
from .._safe import sigmoid

Nodes = Float[Array, " nodes"]


class FentonKarma1998State(NamedTuple):
    """All but the voltage."""

    v: Variable  # 1, open share of the fast inward current
    w: Variable  # 1, open share of the slow inward current


class FentonKarmaCurrents(NamedTuple):
    """Current over capacitance, A/F = mV/ms, outward positive."""

    fi: Nodes  # fast inward, as that of sodium
    so: Nodes  # slow outward, as those of potassium
    si: Nodes  # slow inward, as that of calcium


class FentonKarma1998(AbstractIonicModel):
    """Three-variable ventricular membrane in u = (V - V_rest) / V_range, with p = Θ(u - u_c) and
    q = Θ(u - u_v):

        du/dt = -J_fi - J_so - J_si                                         (1)
        J_fi = -v p (1 - u) (u - u_c) g_fi                                  (2)
        J_so = u (1 - p) / τ_0 + p / τ_r                                    (3)
        J_si = -w (1 + tanh(k (u - u_csi))) / 2τ_si                         (4)
        dv/dt = (1 - p) (1 - v) / τ_v⁻ - p v / τ_v⁺                         (5)
        dw/dt = (1 - p) (1 - w) / τ_w⁻ - p w / τ_w⁺                         (6)
        τ_v⁻ = q τ_v1⁻ + (1 - q) τ_v2⁻                                      (7)

    Fenton and Karma (1998), Chaos 8, 20-47 (page not checked). The defaults are their fit to Beeler
    and Reuter (1977); see `fenton_karma_1998_br`, `_mbr`, `_mlr1` and `_gp`. Equations, V_rest and
    V_range were checked against cbcbeat 2023.2.0 (`fenton_karma_1998_*_altered`) and pigreads 0.5.1
    (`fenton1998vortex`), both on PyPI and made from the CellML files; so were the numbers, and
    against Beatbox (`src/fk.c`, `fk.h`: "Table I on p.30"). Where these differ:

    - Table I, as Beatbox and pigreads 1.0.0 have it, is rounded: τ_r 33 and τ_si 30 ms for BR, τ_si
      45 ms for MBR and 22 ms for GP. Taken are 33.33, 29, 44.84 and 22.22 ms of the others: from
      rest the action potential of BR then lasts 267 ms (158 ms with those of Table I), that of
      the Beeler-Reuter model 286 ms.
    - k is 10 in all but Beatbox, which has 1.

    Θ jumps as published; with `jump_width` [mV] given, a sigmoid takes its place (see `past`).
    """

    g_fi: Parameter = param(4.0)  # mS/µF, conductance of the fast inward current: 1 / τ_d
    tau_r: Parameter = param(33.33)  # ms, outward above u_c
    tau_si: Parameter = param(29.0)  # ms, slow inward
    tau_0: Parameter = param(12.5)  # ms, outward below u_c
    tau_v_plus: Parameter = param(3.33)  # ms, v closes
    tau_v1_minus: Parameter = param(1250.0)  # ms, v opens between u_v and u_c
    tau_v2_minus: Parameter = param(19.6)  # ms, v opens below u_v
    tau_w_plus: Parameter = param(870.0)  # ms, w closes
    tau_w_minus: Parameter = param(41.0)  # ms, w opens
    u_c: Parameter = param(0.13)  # 1, threshold
    u_v: Parameter = param(0.04)  # 1, where v changes its time
    u_csi: Parameter = param(0.85)  # 1, half activation of J_si
    k: Parameter = param(10.0)  # 1, steepness of that
    V_rest: Parameter = param(-85.0)  # mV, their V_0
    V_range: Parameter = param(100.0)  # mV, their V_fi - V_0
    jump_width: Parameter | None = param(None)  # mV; None keeps the published jumps

    def rates(self, V: Nodes, state: FentonKarma1998State) -> Rates:
        """Return the ionic current over capacitance [mV/ms], (1), and the gates' changes, (5-7)."""
        u = (V - self.V_rest) / self.V_range
        p, q = self._past(u, self.u_c), self._past(u, self.u_v)
        tau_v_minus = q * self.tau_v1_minus + (1 - q) * self.tau_v2_minus
        changes = FentonKarma1998State(
            v=gate(p, jnp.ones_like(p), tau_v_minus, self.tau_v_plus),
            w=gate(p, jnp.ones_like(p), self.tau_w_minus, self.tau_w_plus),
        )
        i = self.currents(V, state)
        return Rates(i.fi + i.so + i.si, changes)

    def rest(self) -> tuple[Parameter, FentonKarma1998State]:
        """Return V_rest [mV] and open gates: a fixed point but for J_si, which is 4e-8 / τ_si."""
        one = jnp.ones_like(self.V_rest)
        return self.V_rest, FentonKarma1998State(v=one, w=one)

    def currents(self, V: Nodes, state: FentonKarma1998State) -> FentonKarmaCurrents:
        """Return the three currents over capacitance [A/F = mV/ms], outward positive, (2-4)."""
        u = (V - self.V_rest) / self.V_range
        p = self._past(u, self.u_c)
        J_fi = -state.v * p * (1 - u) * (u - self.u_c) * self.g_fi
        J_so = u * (1 - p) / self.tau_0 + p / self.tau_r
        J_si = -state.w * half_tanh(self.k * (u - self.u_csi)) / self.tau_si
        return FentonKarmaCurrents(*(self.V_range * J for J in (J_fi, J_so, J_si)))

    def _past(self, u, threshold):
        return past(u, threshold, self.V_range, self.jump_width)


def fenton_karma_1998_br() -> FentonKarma1998:
    """Return the fit to Beeler and Reuter (1977); numbers of cbcbeat and pigreads 0.5.1."""
    return FentonKarma1998()


def fenton_karma_1998_mbr() -> FentonKarma1998:
    """Return the fit to a modified Beeler-Reuter model; numbers of pigreads 0.5.1."""
    own: dict[str, Any] = {
        "tau_r": 50.0,  # ms
        "tau_si": 44.84,  # ms
        "tau_0": 8.3,  # ms
        "tau_v1_minus": 1000.0,  # ms
        "tau_v2_minus": 19.2,  # ms
        "tau_w_plus": 667.0,  # ms
        "tau_w_minus": 11.0,  # ms
        "u_v": 0.055,  # 1
    }
    return FentonKarma1998(**own)


def fenton_karma_1998_mlr1() -> FentonKarma1998:
    """Return the fit to a modified Luo-Rudy model of 1991; numbers of cbcbeat, pigreads 0.5.1 and
    Beatbox. Its v opens in one time, so that u_v is of no account."""
    own: dict[str, Any] = {
        "g_fi": 5.8,  # mS/µF
        "tau_r": 130.0,  # ms
        "tau_si": 127.0,  # ms
        "tau_v_plus": 10.0,  # ms
        "tau_v1_minus": 18.2,  # ms
        "tau_v2_minus": 18.2,  # ms
        "tau_w_plus": 1020.0,  # ms
        "tau_w_minus": 80.0,  # ms
        "u_v": 0.0,  # 1
    }
    return FentonKarma1998(**own)


def fenton_karma_1998_gp() -> FentonKarma1998:
    """Return the fit to Girouard et al.'s guinea pig; numbers of pigreads 0.5.1."""
    own: dict[str, Any] = {
        "g_fi": 8.7,  # mS/µF
        "tau_r": 25.0,  # ms
        "tau_si": 22.22,  # ms
        "tau_v_plus": 10.0,  # ms
        "tau_v1_minus": 333.0,  # ms
        "tau_v2_minus": 40.0,  # ms
        "tau_w_plus": 1000.0,  # ms
        "tau_w_minus": 65.0,  # ms
        "u_v": 0.025,  # 1
    }
    return FentonKarma1998(**own)


def past(u: Nodes, threshold: Parameter, V_range: Parameter, jump_width: Parameter | None) -> Nodes:
    """Θ(u - threshold): 0 below, 1 from there on; or the sigmoid of `jump_width` [mV].

    The sigmoid is narrower at a threshold close to rest, u = 0: it has at most a tenth of the way
    there, or rest itself, half past the threshold, would have other gates.
    """
    if jump_width is None:
        return (u >= threshold).astype(u.dtype)
    reach = jnp.maximum(threshold, 1e-3) / 10  # 1; 1e-3 serves a threshold at rest, as MLR-I's u_v
    return sigmoid((u - threshold) * jnp.maximum(V_range / jump_width, 1 / reach))


def gate(p: Nodes, limit: Nodes, tau_minus: Parameter, tau_plus: Parameter) -> Relaxation:
    """dx/dt = (1 - p) (limit - x) / τ⁻ - p x / τ⁺."""
    opening = (1 - p) / tau_minus
    rate = opening + p / tau_plus
    return Relaxation(limit * opening / rate, rate)


def half_tanh(x: Nodes) -> Nodes:
    """(1 + tanh x) / 2."""
    return sigmoid(2 * x)
