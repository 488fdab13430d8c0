"""The sodium-calcium exchanger and the sodium-potassium pump of Fabbri et al. (2017), as shares of
their largest currents.

Sources and checks: see `Fabbri2017`.
"""

from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter
from .._safe import sigmoid

Nodes = Float[Array, " nodes"]


def exchanger(v: Nodes, Na: Nodes, Ca: Nodes, Na_o: Parameter, Ca_o: Parameter) -> Nodes:
    """Net turns of a cycle of four states, outward positive, at v = VF/RT, beside Na and Ca [mM].

    The empty or sodium-laden sites face in (1, 4) or out (2, 3); kab leads from state a to b, xa is
    the weight of state a.
    """
    K1ni, K2ni, K3ni, K1no, K2no, K3no = 395.3, 2.289, 26.44, 1628.0, 561.4, 4.663  # mM
    K_ci, K_cni, K_co = 0.0207, 26.44, 3.663  # mM
    Q_ci, Q_co, Q_n = 0.1369, 0.0, 0.4315  # shares of the field
    k32 = exp(Q_n * v / 2)
    k41 = 1 / k32
    e_ci, e_co = exp(-Q_ci * v), exp(Q_co * v)
    inside = 1 + Ca / K_ci * (1 + e_ci + Na / K_cni) + _bound(Na, K1ni, K2ni, K3ni)
    outside = 1 + Ca_o / K_co * (1 + e_co) + _bound(Na_o, K1no, K2no, K3no)
    k12 = Ca / K_ci * e_ci / inside
    k14 = Na / K1ni * Na / K2ni * (1 + Na / K3ni) * k32 / inside
    k21 = Ca_o / K_co * e_co / outside
    k23 = Na_o / K1no * Na_o / K2no * (1 + Na_o / K3no) * k41 / outside
    k34 = Na_o / (K3no + Na_o)
    k43 = Na / (K3ni + Na)
    x1 = k41 * k34 * (k23 + k21) + k21 * k32 * (k43 + k41)
    x2 = k32 * k43 * (k14 + k12) + k41 * k12 * (k34 + k32)
    x3 = k14 * k43 * (k23 + k21) + k12 * k23 * (k43 + k41)
    x4 = k23 * k34 * (k14 + k12) + k14 * k21 * (k34 + k32)
    return (x2 * k21 - x1 * k12) / (x1 + x2 + x3 + x4)


def pump(above_E_Na: Nodes, Na: Nodes, K_o: Parameter) -> Nodes:
    """Share of the largest current at V - E_Na [mV], beside Na and K_o [mM]."""
    potassium = 1 + (1.4 / K_o) ** 1.2
    sodium = 1 + (14 / Na) ** 1.3
    return sigmoid((above_E_Na + 110) / 20) / (potassium * sodium)


def _bound(Na, K1, K2, K3):
    """Weight of sites with one, two or three sodium ions."""
    return Na / K1 * (1 + Na / K2 * (1 + Na / K3))
