"""The two-variable membrane of Mitchell and Schaeffer (2003)."""

from typing import NamedTuple

from jaxtyping import Array, Float

from .._model import AbstractIonicModel, Parameter, Rates, Relaxation, Variable, param
from .._safe import sigmoid


class MitchellSchaefferState(NamedTuple):
    """All but the voltage."""

    h: Variable  # 1, open fraction of the inward gate


class MitchellSchaeffer(AbstractIonicModel):
    """Two-variable ventricular membrane in u = (V - V_rest) / V_range:

        du/dt = h u² (1 - u) / τ_in - u / τ_out                       (1)
        dh/dt = s (1 - h) / τ_open - (1 - s) h / τ_close              (2)

    Mitchell and Schaeffer (2003), Bull. Math. Biol. 65, 767-793 (page not checked); equations, all
    five constants and a beat checked against finitewave 0.9.3 (its finitewave-model-mitchell-
    schaeffer 0.6.0). Their s jumps from 1 to 0 at u_gate; ours is the sigmoid
    s = 1 / (1 + exp((u - u_gate) / u_width)). Their u has no unit: V_rest and V_range map it to a
    ventricular voltage.
    """

    tau_in: Parameter = param(0.3)  # ms
    tau_out: Parameter = param(6.0)  # ms
    tau_open: Parameter = param(120.0)  # ms
    tau_close: Parameter = param(150.0)  # ms
    u_gate: Parameter = param(0.13)  # 1
    u_width: Parameter = param(0.02)  # 1
    V_rest: Parameter = param(-80.0)  # mV
    V_range: Parameter = param(100.0)  # mV

    def rates(self, V: Float[Array, " nodes"], state: MitchellSchaefferState) -> Rates:
        """Return the ionic current over capacitance [mV/ms], eq. (1), and the change of h, (2)."""
        u = (V - self.V_rest) / self.V_range
        i_ion = self.V_range * (u / self.tau_out - state.h * u * u * (1 - u) / self.tau_in)
        return Rates(i_ion, MitchellSchaefferState(h=self._gate(u)))

    def rest(self) -> tuple[Parameter, MitchellSchaefferState]:
        """Return V_rest [mV] and the gate's limit there: a fixed point of (1) and (2)."""
        V = self.V_rest
        return V, MitchellSchaefferState(h=self._gate((V - self.V_rest) / self.V_range).limit)

    def _gate(self, u: Float[Array, "..."]) -> Relaxation:
        s = sigmoid((self.u_gate - u) / self.u_width)
        rate = s / self.tau_open + (1 - s) / self.tau_close
        return Relaxation(limit=s / self.tau_open / rate, rate=rate)
