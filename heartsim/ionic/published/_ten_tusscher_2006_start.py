"""The state of ten Tusscher and Panfilov (2006), and the published state that a run starts from."""

from typing import NamedTuple

from .._model import Variable


class TenTusscher2006State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1, concentrations are in mM."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na fast inactivation
    j: Variable  # i_Na slow inactivation
    xr1: Variable  # i_Kr activation
    xr2: Variable  # i_Kr inactivation
    xs: Variable  # i_Ks activation
    r: Variable  # i_to activation
    s: Variable  # i_to inactivation
    d: Variable  # i_CaL activation
    f: Variable  # i_CaL slow voltage inactivation
    f2: Variable  # i_CaL fast voltage inactivation
    fCass: Variable  # i_CaL inactivation by subspace calcium
    R_prime: Variable  # share of release channels that can open
    Ca_i: Variable  # mM, cytosol
    Ca_ss: Variable  # mM, dyadic subspace
    Ca_sr: Variable  # mM, sarcoplasmic reticulum
    Na_i: Variable  # mM
    K_i: Variable  # mM


EPI = (
    -85.23,
    TenTusscher2006State(
        m=0.00172,
        h=0.7444,
        j=0.7045,
        xr1=0.00621,
        xr2=0.4712,
        xs=0.0095,
        r=2.42e-8,
        s=0.999998,
        d=3.373e-5,
        f=0.7888,
        f2=0.9755,
        fCass=0.9953,
        R_prime=0.9073,
        Ca_i=0.000126,
        Ca_ss=0.00036,
        Ca_sr=3.64,
        Na_i=8.604,
        K_i=136.89,
    ),
)
"""Epicardial: V [mV] and state of `ten_tusscher_model_2006_epi.cellml`; the .mmt has the same."""

MID = (
    -85.423,
    TenTusscher2006State(
        m=0.00165,
        h=0.749,
        j=0.6788,
        xr1=0.0165,
        xr2=0.473,
        xs=0.0174,
        r=2.347e-8,
        s=0.999998,
        d=3.288e-5,
        f=0.7026,
        f2=0.9526,
        fCass=0.9942,
        R_prime=0.8978,
        Ca_i=0.000153,
        Ca_ss=0.00042,
        Ca_sr=4.272,
        Na_i=10.132,
        K_i=138.52,
    ),
)
"""Mid-wall: V [mV] and state of `ten_tusscher_model_2006_M.cellml`."""

ENDO = (
    -86.709,
    TenTusscher2006State(
        m=0.00155,
        h=0.7573,
        j=0.7225,
        xr1=0.00448,
        xr2=0.476,
        xs=0.0087,
        r=2.235e-8,
        s=0.3212,
        d=3.164e-5,
        f=0.8009,
        f2=0.9778,
        fCass=0.9953,
        R_prime=0.9068,
        Ca_i=0.00013,
        Ca_ss=0.00036,
        Ca_sr=3.715,
        Na_i=10.355,
        K_i=138.4,
    ),
)
"""Endocardial: V [mV] and state of `ten_tusscher_model_2006_endo.cellml`."""
