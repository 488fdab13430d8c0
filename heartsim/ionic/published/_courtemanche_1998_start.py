"""The state of Courtemanche, Ramirez and Nattel (1998), and the one that a run starts from."""

from typing import NamedTuple

from .._model import Variable


class Courtemanche1998State(NamedTuple):
    """All but the voltage. Gates are numbers from 0 to 1, concentrations are in mM."""

    m: Variable  # i_Na activation
    h: Variable  # i_Na fast inactivation
    j: Variable  # i_Na slow inactivation
    oa: Variable  # i_to activation
    oi: Variable  # i_to inactivation
    ua: Variable  # i_Kur activation
    ui: Variable  # i_Kur inactivation
    xr: Variable  # i_Kr activation
    xs: Variable  # i_Ks activation
    d: Variable  # i_CaL activation
    f: Variable  # i_CaL inactivation by voltage
    f_Ca: Variable  # i_CaL inactivation by calcium
    u: Variable  # release activation by calcium flux
    v: Variable  # release inactivation by calcium flux
    w: Variable  # release inactivation by voltage
    Na_i: Variable  # mM
    K_i: Variable  # mM
    Ca_i: Variable  # mM, cytosol
    Ca_up: Variable  # mM, uptake compartment of the sarcoplasmic reticulum (network)
    Ca_rel: Variable  # mM, its release compartment (junctional)


START = (
    -81.18,
    Courtemanche1998State(
        m=0.002908,
        h=0.9649,
        j=0.9775,
        oa=0.03043,
        oi=0.9992,
        ua=0.004966,
        ui=0.9986,
        xr=3.296e-5,
        xs=0.01869,
        d=0.0001367,
        f=0.9996,
        f_Ca=0.7755,
        u=2.35e-112,  # 0 in float32
        v=1.0,
        w=0.9992,
        Na_i=11.17,
        K_i=139.0,
        Ca_i=0.0001013,
        Ca_up=1.488,
        Ca_rel=1.488,
    ),
)
"""V [mV] and state of `courtemanche_ramirez_nattel_1998.cellml`, a cell at rest; the .mmt has a
cell paced at 1 Hz instead."""
