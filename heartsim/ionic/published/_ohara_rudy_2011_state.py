"""The state of O'Hara and Rudy (2011), and where a run of it starts."""

from typing import NamedTuple

from .._model import Variable


class OHaraRudy2011State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1; p: phosphorylated by CaMK."""

    m: Variable  # i_Na activation
    hf: Variable  # i_Na fast inactivation
    hs: Variable  # i_Na slow inactivation
    j: Variable  # i_Na recovery
    hsp: Variable  # i_Na slow inactivation, p
    jp: Variable  # i_Na recovery, p
    mL: Variable  # i_NaL activation
    hL: Variable  # i_NaL inactivation
    hLp: Variable  # i_NaL inactivation, p
    a: Variable  # i_to activation
    iF: Variable  # i_to fast inactivation
    iS: Variable  # i_to slow inactivation
    ap: Variable  # i_to activation, p
    iFp: Variable  # i_to fast inactivation, p
    iSp: Variable  # i_to slow inactivation, p
    d: Variable  # i_CaL activation
    ff: Variable  # i_CaL fast voltage inactivation
    fs: Variable  # i_CaL slow voltage inactivation
    fcaf: Variable  # i_CaL fast calcium inactivation
    fcas: Variable  # i_CaL slow calcium inactivation
    jca: Variable  # i_CaL recovery from calcium inactivation
    ffp: Variable  # i_CaL fast voltage inactivation, p
    fcafp: Variable  # i_CaL fast calcium inactivation, p
    nca: Variable  # 1, share of i_CaL channels inactivated by calcium
    Kr: dict[str, Variable]  # of i_Kr: two gates, or the states of hERG
    xs1: Variable  # i_Ks activation
    xs2: Variable  # i_Ks deactivation
    xk1: Variable  # i_K1 inactivation
    Jrelnp: Variable  # mM/ms, calcium release
    Jrelp: Variable  # mM/ms, calcium release, p
    trapped: Variable  # 1, share of CaMK trapped by calmodulin
    Na_i: Variable  # mM, cytosol
    Na_ss: Variable  # mM, subspace
    K_i: Variable  # mM
    K_ss: Variable  # mM
    Ca_i: Variable  # mM
    Ca_ss: Variable  # mM
    Ca_nsr: Variable  # mM, network of the reticulum
    Ca_jsr: Variable  # mM, junction of the reticulum


START = (
    -87.0,
    OHaraRudy2011State(
        **dict.fromkeys(("m", "mL", "a", "ap", "xs1", "xs2", "Jrelnp", "Jrelp", "trapped"), 0.0),
        **dict.fromkeys(("hf", "hs", "j", "hsp", "jp", "hL", "hLp", "iF", "iS", "iFp"), 1.0),
        **dict.fromkeys(("iSp", "ff", "fs", "fcaf", "fcas", "jca", "ffp", "fcafp", "xk1"), 1.0),
        d=0.2,
        nca=0.2,
        Kr={"xrf": 0.0, "xrs": 0.0},
        Na_i=7.0,
        Na_ss=7.0,
        K_i=145.0,
        K_ss=145.0,
        Ca_i=1e-4,
        Ca_ss=1e-4,
        Ca_nsr=1.2,
        Ca_jsr=1.2,
    ),
)
"""V [mV] and state of `ohara-2011.mmt`: round numbers, not those of a paced cell."""

CIPA = (
    -88.00190465,
    OHaraRudy2011State(
        m=0.007344121102,
        hf=0.6981071913,
        hs=0.6980895801,
        j=0.6979908432,
        hsp=0.4549485525,
        jp=0.6979245865,
        mL=0.0001882617273,
        hL=0.5008548855,
        hLp=0.2693065357,
        a=0.001001097687,
        iF=0.9995541745,
        iS=0.5865061736,
        ap=0.0005100862934,
        iFp=0.9995541823,
        iSp=0.6393399482,
        d=2.34e-9,
        ff=0.9999999909,
        fs=0.9102412777,
        fcaf=0.9999999909,
        fcas=0.9998046777,
        jca=0.9999738312,
        ffp=0.9999999909,
        fcafp=0.9999999909,
        nca=0.002749414044,
        Kr={
            "C1": 1.80145e-8,
            "C2": 8.26619e-5,
            "O": 0.00015551,
            "IC1": 0.999637,
            "IC2": 6.83208e-5,
            "IO": 5.67623e-5,
            "Obound": 0.0,
            "IObound": 0.0,
            "Cbound": 0.0,
        },
        xs1=0.2707758025,
        xs2=0.0001928503426,
        xk1=0.9967597594,
        Jrelnp=2.5e-7,
        Jrelp=3.12e-7,
        trapped=0.0125840447,
        Na_i=7.268004498,
        Na_ss=7.268089977,
        K_i=144.6555918,
        K_ss=144.6555651,
        Ca_i=8.6e-5,
        Ca_ss=8.49e-5,
        Ca_nsr=1.619574538,
        Ca_jsr=1.571234014,
    ),
)
"""V [mV] and state of `ohara_rudy_cipa_v1_2017.cellml`; the .mmt has the same."""
