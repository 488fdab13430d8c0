"""Calcium inside the cell of Fabbri et al. (2017): its release, compartments and buffers.

`of` is the cell, which holds the numbers; x is its state. Free calcium binds within 20 µs, so the
compartments and their buffers are stepped together, which also loses no calcium. Sources and
checks: see `Fabbri2017`.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import Coupled, Relaxation
from .._safe import sigmoid
from ._markov import markov

Nodes = Float[Array, " nodes"]


def volumes(of):
    """Cytosol, subspace, junctional and network reticulum [µm³]."""
    cell = math.pi * of.R_cell * of.R_cell * of.L_cell
    sub = 2 * math.pi * of.L_sub * (of.R_cell - of.L_sub / 2) * of.L_cell
    return of.part_i * cell - sub, sub, of.part_jsr * cell, of.part_nsr * cell


def release(of, x) -> dict[str, Coupled]:
    """The release channels: subspace calcium opens and inactivates them."""
    ratio = of.EC50_sr / x.calcium["Ca_jsr"]
    kCaSR = of.max_sr - (of.max_sr - of.min_sr) / (1 + ratio * ratio * jnp.sqrt(ratio))
    Ca = x.calcium["Ca_sub"]
    opening = of.k_oCa / kCaSR * Ca * Ca
    inactivation = of.k_iCa * kCaSR * Ca
    closing = jnp.broadcast_to(of.k_om, opening.shape)
    recovery = jnp.broadcast_to(of.k_im, opening.shape)
    return markov(
        {
            ("R", "O"): opening,
            ("O", "R"): closing,
            ("RI", "I"): opening,
            ("I", "RI"): closing,
            ("R", "RI"): inactivation,
            ("RI", "R"): recovery,
            ("O", "I"): inactivation,
            ("I", "O"): recovery,
        }
    )


def magnesium(of, x) -> Relaxation:
    """The share fTMM of troponin's magnesium sites that magnesium takes."""
    rate = jnp.broadcast_to(of.kf_TMM * of.Mg_i + of.kb_TMM, x.fTMM.shape)
    return Relaxation(of.kf_TMM * of.Mg_i * (1 - x.calcium["fTMC"]) / rate, rate)


def pools(of, entry: Nodes, x) -> dict[str, Coupled]:
    """Calcium in the four compartments and its shares of the buffers; `entry` [mM/ms of the
    subspace] comes through the membrane."""
    V_i, V_sub, V_jsr, V_nsr = volumes(of)
    c = x.calcium
    up = of.P_up * (1 - slowed_up(of)) * sigmoid((c["Ca_i"] - of.K_up) / of.slope_up)  # of nsr
    rel, dif, tr = of.k_s * x.release["O"], 1 / of.tau_dif, 1 / of.tau_tr  # 1/ms
    size = {  # calcium of one unit, mM µm³
        "fCMs": V_sub * of.CM_tot,
        "fCMi": V_i * of.CM_tot,
        "fTC": V_i * of.TC_tot,
        "fTMC": V_i * of.TMC_tot,
        "fCQ": V_jsr * of.CQ_tot,
        "Ca_nsr": V_nsr,
        "Ca_jsr": V_jsr,
        "Ca_i": V_i,
        "Ca_sub": V_sub,
    }
    moves = {  # 1/ms
        ("Ca_nsr", "Ca_jsr"): tr * V_jsr / V_nsr,
        ("Ca_jsr", "Ca_nsr"): tr,
        ("Ca_jsr", "Ca_sub"): rel,
        ("Ca_sub", "Ca_jsr"): rel * V_jsr / V_sub,
        ("Ca_sub", "Ca_i"): dif,
        ("Ca_i", "Ca_sub"): dif * V_sub / V_i,
        ("Ca_sub", "fCMs"): of.CM_tot * of.kf_CM * (1 - c["fCMs"]),
        ("fCMs", "Ca_sub"): of.kb_CM,
        ("Ca_i", "fCMi"): of.CM_tot * of.kf_CM * (1 - c["fCMi"]),
        ("fCMi", "Ca_i"): of.kb_CM,
        ("Ca_i", "fTC"): of.TC_tot * of.kf_TC * (1 - c["fTC"]),
        ("fTC", "Ca_i"): of.kb_TC,
        ("Ca_i", "fTMC"): of.TMC_tot * of.kf_TMC * (1 - c["fTMC"] - x.fTMM),
        ("fTMC", "Ca_i"): of.kb_TMC,
        ("Ca_jsr", "fCQ"): of.CQ_tot * of.kf_CQ * (1 - c["fCQ"]),
        ("fCQ", "Ca_jsr"): of.kb_CQ,
    }
    return _exchanging(size, moves, {"Ca_sub": entry, "Ca_i": -up * V_nsr / V_i, "Ca_nsr": up})


def _exchanging(size, moves, drive) -> dict[str, Coupled]:
    """How each pool changes, of the rates by (from, to) and what comes from elsewhere."""
    zero = jnp.zeros_like(drive["Ca_sub"])
    rows: dict[str, dict[str, Nodes]] = {name: {name: zero} for name in size}
    for (source, target), rate in moves.items():
        rows[source][source] -= rate
        rows[target][source] = zero + rate * size[source] / size[target]
    return {name: Coupled(drive.get(name, zero), row) for name, row in rows.items()}


def slowed_up(of):
    """Share by which acetylcholine slows uptake; isoprenaline speeds it by a quarter."""
    return 0.7 * ACh_bound(of) * (1 - of.Iso) - 0.25 * of.Iso


def ACh_bound(of):
    """Share of what acetylcholine can do to i_CaL and calcium uptake."""
    return of.ACh / (of.ACh + 9e-5)
