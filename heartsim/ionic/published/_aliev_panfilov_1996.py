"""The two-variable membrane of Aliev and Panfilov (1996)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import AbstractIonicModel, Parameter, Rates, Relaxation, Variable, param

Nodes = Float[Array, " nodes"]


class AlievPanfilov1996State(NamedTuple):
    """All but the voltage."""

    v: Variable  # 1, recovery: conductance of the repolarising current


class AlievPanfilov1996(AbstractIonicModel):
    """Two-variable canine ventricular membrane in u = (V - V_rest) / V_range and t' = t / t_unit:

        du/dt' = -k u (u - a) (u - 1) - u v                                 (1)
        dv/dt' = (ε₀ + μ₁ v / (u + μ₂)) (-v - k u (u - a - 1))              (2)

    Aliev and Panfilov (1996), Chaos, Solitons & Fractals 7, 293-301 (page not checked). The
    equations were checked against finitewave-model-aliev-panfilov 0.6.0 (`ops.py`) and pigreads
    1.0.0 (`aliev1996simple`), both on PyPI; k, a, ε₀, μ₁ and μ₂ against pigreads and svFSI
    (`PARAMS_AP.f`), 100 mV, -80 mV and 12.9 ms against svFSI. Where these differ: finitewave has
    a = 0.1, ε₀ = 0.01 for 0.15, 0.002, and svFSI a threshold of its own, 0.01, in (1) alone, after
    Göktepe and Kuhl (2009).

    Nothing jumps, but (2) has a pole at u = -μ₂, -110 mV, which a strong hyperpolarising pulse can
    reach. Below u = -μ₂/2, -95 mV, the tangent of 1 / (u + μ₂) takes its place: our departure.
    """

    k: Parameter = param(8.0)  # 1, strength of excitation
    a: Parameter = param(0.15)  # 1, threshold
    eps_0: Parameter = param(0.002)  # 1, slowest recovery
    mu_1: Parameter = param(0.2)  # 1, recovery quickens with v ...
    mu_2: Parameter = param(0.3)  # 1, ... and slows with u
    V_rest: Parameter = param(-80.0)  # mV
    V_range: Parameter = param(100.0)  # mV
    t_unit: Parameter = param(12.9)  # ms

    def rates(self, V: Nodes, state: AlievPanfilov1996State) -> Rates:
        """Return the ionic current over capacitance [mV/ms], eq. (1), and the change of v, (2)."""
        u, v = (V - self.V_rest) / self.V_range, state.v
        i_ion = self.V_range / self.t_unit * (self.k * u * (u - self.a) * (u - 1) + u * v)
        limit = -self.k * u * (u - self.a - 1)
        eps = self.eps_0 + self.mu_1 * v * self._inverse(u)
        return Rates(i_ion, AlievPanfilov1996State(v=Relaxation(limit, eps / self.t_unit)))

    def rest(self) -> tuple[Parameter, AlievPanfilov1996State]:
        """Return V_rest [mV] and v = 0: a fixed point of (1) and (2)."""
        return self.V_rest, AlievPanfilov1996State(v=jnp.zeros_like(self.V_rest))

    def _inverse(self, u: Nodes) -> Nodes:
        """1 / (u + μ₂), and its tangent below u = -μ₂/2."""
        half = self.mu_2 / 2
        held = jnp.maximum(u + self.mu_2, half)
        return 1 / held + (held - u - self.mu_2) / (half * half)
