"""The state of Fabbri et al. (2017), and the published state that a run starts from."""

from typing import NamedTuple

from .._model import Variable


class Fabbri2017State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1, concentrations are in mM."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na inactivation
    dL: Variable  # i_CaL activation
    fL: Variable  # i_CaL inactivation by voltage
    fCa: Variable  # i_CaL inactivation by subspace calcium
    dT: Variable  # i_CaT activation
    fT: Variable  # i_CaT inactivation
    y: Variable  # i_f activation
    r_Kur: Variable  # i_Kur activation
    s_Kur: Variable  # i_Kur inactivation
    q: Variable  # i_to inactivation
    r: Variable  # i_to activation
    paS: Variable  # i_Kr slow activation
    paF: Variable  # i_Kr fast activation
    piy: Variable  # i_Kr inactivation
    n: Variable  # i_Ks activation
    a: Variable  # i_KACh activation
    release: Variable  # shares of release channels: R resting, O open, I and RI inactivated
    Na_i: Variable  # mM
    calcium: Variable  # mM, and shares of buffers taken; by the names below
    fTMM: Variable  # share of troponin's magnesium sites taken by magnesium


START = (
    -47.787168,
    Fabbri2017State(
        m=0.447724,
        h=0.003058,
        dL=0.001921,
        fL=0.846702,
        fCa=0.844449,
        dT=0.268909,
        fT=0.020484,
        y=0.009508,
        r_Kur=0.011845,
        s_Kur=0.845304,
        q=0.430836,
        r=0.014523,
        paS=0.283185,
        paF=0.011068,
        piy=0.709051,
        n=0.1162,
        a=0.00277,
        release={"R": 0.9308, "O": 6.181512e-9, "I": 4.595622e-10, "RI": 0.069199},
        Na_i=5.0,
        calcium={
            "Ca_i": 9.15641e-6,  # mM, cytosol
            "Ca_sub": 6.226104e-5,  # mM, subspace under the membrane
            "Ca_nsr": 0.435148,  # mM, network reticulum
            "Ca_jsr": 0.409551,  # mM, junctional reticulum
            "fTC": 0.017929,  # 1, troponin's calcium sites
            "fTMC": 0.259947,  # 1, troponin's magnesium sites
            "fCMi": 0.217311,  # 1, calmodulin in the cytosol
            "fCMs": 0.158521,  # 1, calmodulin in the subspace
            "fCQ": 0.138975,  # 1, calsequestrin
        },
        fTMM=0.653777,
    ),
)
"""V [mV] and state of `fabbri-2017.mmt`, late in diastole."""
