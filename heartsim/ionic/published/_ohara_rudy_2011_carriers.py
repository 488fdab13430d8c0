"""The sodium-calcium exchanger and the sodium-potassium pump of O'Hara and Rudy (2011).

Sources and checks: see `OHaraRudy2011`. Rates are in 1/s, so that a density in C/F gives A/F.
"""

from jaxtyping import Array, Float

from .._exp_log import exp
from .._model import Parameter

Nodes = Float[Array, " nodes"]


def exchanger(v: Nodes, Na: Nodes, Ca: Nodes, Na_o: Parameter, Ca_o: Parameter) -> Nodes:
    """Charge that one exchanger carries [1/s], at v = VF/RT, beside Na and Ca [mM]: three sodium in
    for one calcium out, by a cycle of four states."""
    K1, K2, K3, asymmetry = 15.0, 5.0, 88.12, 12.5  # mM, and 1
    w, w_both, on, off = 6e4, 5e3, 1.5e6, 5e3  # 1/s; 1/mM/s; 1/s
    e_Na, e_Ca = exp(0.5224 * v), exp(0.167 * v)
    h1 = 1 + Na / K3 * (1 + e_Na)
    h2 = Na * e_Na / (K3 * h1)
    h4 = 1 + Na / K1 * (1 + Na / K2)
    h7 = 1 + Na_o / K3 * (1 + 1 / e_Na)
    h8 = Na_o / (K3 * e_Na * h7)
    h10 = asymmetry + 1 + Na_o / K1 * (1 + Na_o / K2)
    k1 = Ca_o * on / h10
    k3pp, k4pp = h8 * w_both, h2 * w_both
    k3, k4 = w / h7 + k3pp, w / (h1 * e_Ca) + k4pp
    k6 = Ca * on / h4
    k7 = Na * Na / (h4 * K1 * K2) * h2 * w
    k8 = h8 * Na_o * Na_o / (h10 * K1 * K2) * w
    x1 = off * k4 * (k7 + k6) + off * k7 * (off + k3)
    x2 = k1 * k7 * (k4 + off) + k4 * k6 * (k1 + k8)
    x3 = k1 * k3 * (k7 + k6) + k8 * k6 * (off + k3)
    x4 = off * k8 * (k4 + off) + k3 * off * (k1 + k8)
    sodium = 3 * (x4 * k7 - x1 * k8) + x3 * k4pp - x2 * k3pp
    calcium = x2 * off - x1 * k1
    allosteric = 1 / (1 + (150e-6 / Ca) * (150e-6 / Ca))  # K_mCaAct, mM
    return allosteric * (sodium + 2 * calcium) / (x1 + x2 + x3 + x4)


def pump(v: Nodes, Na: Nodes, K: Nodes, Na_o: Parameter, K_o: Parameter, corrected: bool) -> Nodes:
    """Charge that one pump carries [1/s], at v = VF/RT: three sodium out for two potassium in.

    As published, or `corrected` as in Myokit's files: protons 1e-4 mM (pH 7) for 1e-7, and β1
    for β2 in one term of the first state's share.
    """
    delta = -0.155
    Na_in = Na / (9.073 * exp(delta * v / 3))  # mM
    Na_out = Na_o / (27.78 * exp((1 - delta) * v / 3))
    K_in, K_out = K / 0.5, K_o / 0.3582
    protons, ATP = (1e-4 if corrected else 1e-7), 9.8 / 1.698e-7  # mM; MgATP over its K
    phosphate = 4.2 / (1 + protons / 1.698e-7 + Na / 224 + K / 292)  # mM
    inside = _cubed(1 + Na_in) + (1 + K_in) * (1 + K_in) - 1
    outside = _cubed(1 + Na_out) + (1 + K_out) * (1 + K_out) - 1
    a1, a2 = 949.5 * _cubed(Na_in) / inside, 687.2
    a3, a4 = 1899 * K_out * K_out / outside, 639 * ATP / (1 + ATP)
    b1, b2 = 182.4 * 0.05, 39.4 * _cubed(Na_out) / outside
    b3, b4 = 79300 * phosphate * protons / (1 + ATP), 40 * K_in * K_in / inside
    x1 = a4 * a1 * a2 + (b1 if corrected else b2) * b4 * b3 + a2 * b4 * b3 + b3 * a1 * a2
    x2 = b2 * b1 * b4 + a1 * a2 * a3 + a3 * b1 * b4 + a2 * a3 * b4
    x3 = a2 * a3 * a4 + b3 * b2 * b1 + b2 * b1 * a4 + a3 * a4 * b1
    x4 = b4 * b3 * b2 + a3 * a4 * a1 + b2 * a4 * a1 + b3 * b2 * a1
    return (3 * (x1 * a3 - x2 * b3) + 2 * (x4 * b1 - x3 * a1)) / (x1 + x2 + x3 + x4)


def _cubed(x: Nodes) -> Nodes:
    return x * x * x
