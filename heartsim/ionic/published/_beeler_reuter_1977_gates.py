"""How Beeler and Reuter (1977) write a gate; Luo and Rudy (1991) kept three of theirs."""

from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter, Relaxation
from .._safe import sigmoid

Nodes = Float[Array, " nodes"]


def turn(V: Nodes, C1: float, C2: Parameter | float, C3: float, C6: Parameter | float) -> Nodes:
    """C1 exp(C2 (V + C3)) / (exp(C6 (V + C3)) + 1) in 1/ms, a row of their table of rates: C1 in
    1/ms, C2 and C6 in 1/mV, C3 in mV."""
    x = V + C3
    return C1 * exp(C2 * x) * sigmoid(-(C6 * x))


def gate(opening: Nodes, closing: Nodes) -> Relaxation:
    """Of the rates α and β [1/ms] of dx/dt = α (1 - x) - β x."""
    rate = opening + closing
    return Relaxation(opening / rate, rate)
