"""The state of ToR-ORd-dynCl (2020), and where a run of it starts."""

from typing import NamedTuple

from .._model import Variable


class ToRORd2020State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1; p: phosphorylated by CaMK."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na inactivation
    j: Variable  # i_Na recovery
    hp: Variable  # i_Na inactivation, p
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
    nca_i: Variable  # 1, share of i_CaL channels inactivated by cytosolic calcium
    nca_ss: Variable  # 1, the same by subspace calcium
    Kr: dict[str, Variable]  # states of i_Kr: closed 3, 2, 1, open, inactivated
    xs1: Variable  # i_Ks activation
    xs2: Variable  # i_Ks deactivation
    Jrelnp: Variable  # mM/ms, calcium release
    Jrelp: Variable  # mM/ms, calcium release, p
    trapped: Variable  # 1, share of CaMK trapped by calmodulin
    Na_i: Variable  # mM, cytosol
    Na_ss: Variable  # mM, subspace
    K_i: Variable  # mM
    K_ss: Variable  # mM
    Cl_i: Variable  # mM
    Cl_ss: Variable  # mM
    Ca_i: Variable  # mM
    Ca_ss: Variable  # mM
    Ca_nsr: Variable  # mM, network of the reticulum
    Ca_jsr: Variable  # mM, junction of the reticulum


START = (
    -89.74808,
    ToRORd2020State(
        m=0.0006517154,
        h=0.8473267,
        j=0.8471657,
        hp=0.7018454,
        jp=0.8469014,
        mL=0.0001351203,
        hL=0.5566017,
        hLp=0.3115491,
        a=0.0008899259,
        iF=0.9996716,
        iS=0.5988908,
        ap=0.0004534165,
        iFp=0.9996716,
        iSp=0.6620692,
        d=1.588841e-31,
        ff=1.0,
        fs=0.9401791,
        fcaf=1.0,
        fcas=0.9999014,
        jca=0.9999846,
        ffp=1.0,
        fcafp=1.0,
        nca_i=0.0008326009,
        nca_ss=0.0004899378,
        Kr={
            "C3": 0.9982511,
            "C2": 0.000793602,
            "C1": 0.0006532143,
            "O": 0.0002922449,
            "I": 9.804083e-6,
        },
        xs1=0.243959,
        xs2=0.0001586167,
        Jrelnp=1.808248e-22,
        Jrelp=4.358608e-21,
        trapped=0.01095026,
        Na_i=12.39736,
        Na_ss=12.3977,
        K_i=147.7115,
        K_ss=147.7114,
        Cl_i=29.20698,
        Cl_ss=29.20696,
        Ca_i=7.453481e-5,
        Ca_ss=6.497341e-5,
        Ca_nsr=1.528001,
        Ca_jsr=1.525693,
    ),
)
"""V [mV] and state of `ToRORd_dynCl_endo.cellml` and `tomek-2020.mmt`, but for two slips: the first
has the values of C1 and C3 the other way round, the second 1.351203-4 for mL = 1.351203e-4."""
