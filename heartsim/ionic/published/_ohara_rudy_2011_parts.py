"""Parts of O'Hara and Rudy (2011) that later models of its line keep: volumes, buffers, CaMK,
calcium release and uptake, and what is open of i_to and i_CaL. Sources: see `OHaraRudy2011`."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import Parameter, Relaxation, Slope
from .._safe import sigmoid, x_over_expm1

Nodes = Float[Array, " nodes"]

PI, LENGTH, RADIUS = 3.14, 0.01, 0.0011  # 1 (as the files have it), cm, cm
CELL = 1000 * PI * RADIUS * RADIUS * LENGTH  # µL
CYTOSOL, SUBSPACE, NSR, JSR = 0.68 * CELL, 0.02 * CELL, 0.0552 * CELL, 0.0048 * CELL  # µL
AREA = 2 * (2 * PI * RADIUS * RADIUS + 2 * PI * RADIUS * LENGTH) / 1000  # µF of 1 µF/cm², over 1000

TROPONIN = (0.07, 0.0005)  # mM, of sites and of half saturation
SARCOLEMMA = ((0.047, 0.00087), (1.124, 0.0087))
CALSEQUESTRIN = (10.0, 0.8)


def ghk(z: Nodes, inside: Nodes, outside: Nodes | Parameter) -> Nodes:
    """z (inside eᶻ - outside) / (eᶻ - 1), at z valence times VF/RT."""
    b = x_over_expm1(z)  # and z eᶻ / (eᶻ - 1) = z + b
    return inside * (z + b) - outside * b


def bound(x: Any) -> Nodes:
    """Share of CaMK that calmodulin binds."""
    return 0.05 * (1 - x.trapped) / (1 + 0.0015 / x.Ca_ss)


def trapping(x: Any) -> Slope:
    """Of CaMK."""
    active = bound(x)
    return Slope(0.05 * active * (active + x.trapped) - 0.00068 * x.trapped)


def phosphorylated(x: Any) -> Nodes:
    """Share of channels that CaMK has phosphorylated."""
    active = bound(x) + x.trapped
    return active / (active + 0.15)


def transient_open(V: Nodes, x: Any) -> Nodes:
    """Open share of i_to."""
    p, fast = phosphorylated(x), sigmoid(-(V - 213.6) / 151.2)
    i, ip = fast * x.iF + (1 - fast) * x.iS, fast * x.iFp + (1 - fast) * x.iSp
    return (1 - p) * x.a * i + p * x.ap * ip


def calcium_open(V: Nodes, x: Any, nca: Nodes) -> Nodes:
    """Open share of i_CaL, of whose channels calcium has inactivated the share nca."""
    p, fast = phosphorylated(x), 0.3 + 0.6 * sigmoid(-(V - 10) / 10)
    f, fp = 0.6 * x.ff + 0.4 * x.fs, 0.6 * x.ffp + 0.4 * x.fs
    fca, fcap = fast * x.fcaf + (1 - fast) * x.fcas, fast * x.fcafp + (1 - fast) * x.fcas
    plain = f * (1 - nca) + x.jca * fca * nca
    return x.d * ((1 - p) * plain + 1.1 * p * (fp * (1 - nca) + x.jca * fcap * nca))


def release(inward: Nodes, Ca_jsr: Nodes, scale: Parameter, half: float) -> dict[str, Relaxation]:
    """Calcium release [mM/ms], which follows the calcium current inward [A/F]."""
    ratio = half / Ca_jsr
    four = ratio * ratio * ratio * ratio
    driven = scale * inward / (1 + four * four)
    slowness = jnp.maximum(1 / (1 + 0.0123 / Ca_jsr), 0.001 / 4.75)
    return {
        "Jrelnp": Relaxation(0.5 * 4.75 * driven, 1 / (4.75 * slowness)),
        "Jrelp": Relaxation(0.5 * 5.9375 * driven, 1 / (5.9375 * slowness)),
    }


def uptake(x: Any, p: Nodes, V_up: Parameter, V_leak: Parameter) -> Nodes:
    """Of calcium by the reticulum, without its leak [mM/ms]."""
    plain = V_up * x.Ca_i / (x.Ca_i + 0.00092)
    strong = 2.75 * V_up * x.Ca_i / (x.Ca_i + 0.00075)
    return (1 - p) * plain + p * strong - V_leak * x.Ca_nsr / 15


def free(Ca: Nodes, *buffers: tuple[Parameter | float, float]) -> Nodes:
    """Share of a calcium flux that stays free beside buffers, by mM of sites and of their half."""
    held = [sites * K / ((K + Ca) * (K + Ca)) for sites, K in buffers]
    return 1 / (1 + sum(held[1:], start=held[0]))
