"""The human ventricular membrane of CiPA (2017): O'Hara and Rudy with hERG that a drug binds."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Coupled, Parameter, param
from .._safe import sigmoid
from ._markov import markov
from ._ohara_rudy_2011 import OHaraRudy2011
from ._ohara_rudy_2011_state import CIPA, OHaraRudy2011State

Nodes = Float[Array, " nodes"]

HERG = {  # 1/ms at 20 °C and 0 mV, 1/mV, and the factor of 10 °C more
    ("C1", "C2"): (0.0264, 4.631e-5, 4.843),
    ("C2", "C1"): (4.986e-6, -0.004226, 4.23),
    ("C2", "O"): (0.005509, 7.771e-9, 4.22),
    ("O", "C2"): (0.001416, -0.02877, 1.459),
    ("IC1", "IC2"): (0.0007868, 1.535e-8, 4.942),
    ("IC2", "IC1"): (5.455e-6, -0.1688, 4.156),
    ("IC2", "IO"): (0.001214, 0.008516, 4.962),
    ("IO", "IC2"): (1.854e-5, -0.04641, 3.769),
    ("C1", "IC1"): (0.4492, 0.008595, 5.0),
    ("IC1", "C1"): (0.01241, 0.1725, 5.568),
    ("C2", "IC2"): (0.3181, 3.613e-8, 4.663),
    ("IC2", "C2"): (0.3226, -0.0006575, 5.0),
    ("O", "IO"): (0.149, 0.004668, 2.412),
    ("IO", "O"): (0.008978, -0.02215, 5.682),
}
"""Rates of hERG between closed, open and inactivated states."""
WARMER = 1.7  # times 10 °C, from 20 to 37 °C


class OHaraRudyCiPA2017(OHaraRudy2011):
    """Human ventricular membrane of the CiPA initiative: i_Kr by nine states of hERG, three of them
    with a drug bound, and rescaled i_NaL, i_CaL, i_Kr, i_Ks and i_K1.

    Li et al. (2017), Circ. Arrhythm. Electrophysiol. 10, e004628 (hERG and binding); Dutta et al.
    (2017), Front. Physiol. 8, 616 (conductances); pages not checked: every number and equation was
    checked against `ohara_rudy_cipa_v1_2017.cellml` (CellML repository), which has the pump as
    published, and Myokit's `ohara-cipa-v1-2017.mmt`, which has it corrected.

    The drug binds the open and the inactivated state at Kmax Ku Dⁿ / (Dⁿ + halfmax) and leaves
    at Ku; bound channels close at Kt, where they trap it.
    """

    g_NaL: Parameter = param(0.0075 * 2.661)  # mS/µF
    g_CaL: Parameter = param(1e-4 * 1.007)  # L/F/ms
    g_Kr: Parameter = param(0.0465854545454545618)  # mS/µF
    g_Ks: Parameter = param(0.0034 * 1.87)  # mS/µF
    g_K1: Parameter = param(0.1908 * 1.698)  # mS/µF
    # The drug at hERG
    drug: Parameter = param(0.0)  # nM, free
    bind_most: Parameter = param(0.0)  # 1, Kmax
    unbind: Parameter = param(0.0)  # 1/ms, Ku
    bind_hill: Parameter = param(1.0)  # 1, n
    bind_half: Parameter = param(1.0)  # nMⁿ, halfmax
    trap_half: Parameter = param(1.0)  # mV, Vhalf
    trap: Parameter = param(3.5e-5)  # 1/ms, Kt; newordherg_pars.txt of FDA's CiPA

    def start(self) -> tuple[float, OHaraRudy2011State]:
        """See OHaraRudy2011."""
        return CIPA

    def rapid(self, V: Nodes) -> dict[str, Coupled]:
        """How the states of hERG change."""
        k = {pair: a * q**WARMER * exp(b * V) for pair, (a, b, q) in HERG.items()}
        same = jnp.ones_like(V)
        present = self.drug > 0
        dose = jnp.where(present, self.drug, 1.0) ** self.bind_hill
        dose = jnp.where(present, dose, 0.0)
        binding = self.bind_most * self.unbind * dose / (dose + self.bind_half) * same
        opening = self.trap * sigmoid((V - self.trap_half) / 6.789)
        leaving = self.unbind * k["O", "IO"] / k["IO", "O"]
        return markov(
            k
            | {
                ("O", "Obound"): binding,
                ("Obound", "O"): self.unbind * same,
                ("IO", "IObound"): binding,
                ("IObound", "IO"): leaving,
                ("Cbound", "Obound"): opening,
                ("Obound", "Cbound"): self.trap * same,
                ("Cbound", "IObound"): opening,
                ("IObound", "Cbound"): self.trap * same,
            }
        )

    def rapid_open(self, V: Nodes, of: dict[str, Nodes]) -> Nodes:
        """Open share of hERG."""
        return of["O"]
