"""Mitchell and Schaeffer's cell by its equations typed anew, integrated by SciPy."""

import functools

import numpy as np
from scipy.integrate import solve_ivp

from heartsim.ionic import by_name

SIMPLE = "mitchell_schaeffer_2003"


def simple_slope(_, y, i_stim, p):
    """Equations (1) and (2) of Mitchell and Schaeffer (2003), the gate a sigmoid."""
    u, h = (y[0] - p["V_rest"]) / p["V_range"], y[1]
    s = 1 / (1 + np.exp((u - p["u_gate"]) / p["u_width"]))
    i_ion = p["V_range"] * (u / p["tau_out"] - h * u * u * (1 - u) / p["tau_in"])
    return [i_stim - i_ion, s * (1 - h) / p["tau_open"] - (1 - s) * h / p["tau_close"]]


@functools.cache
def integrated(cycle, beats, **factors):
    """Voltage of each beat every 0.05 ms, and V and h after the last, by LSODA from rest."""
    p = {k: float(x) * factors.get(k, 1.0) for k, x in by_name(SIMPLE).named().items()}
    y, how = [p["V_rest"], 1.0], {"method": "LSODA", "rtol": 1e-9, "atol": 1e-10, "max_step": 1.0}
    t, V = 0.05 * np.arange(round(cycle / 0.05) + 1), []
    for _ in range(beats):
        on = solve_ivp(simple_slope, (0.0, 1.0), y, args=(40.0, p), t_eval=t[:21], **how)
        y = on.y[:, -1]
        off = solve_ivp(simple_slope, (1.0, t[-1]), y, args=(0.0, p), t_eval=t[20:], **how)
        y = off.y[:, -1]
        V.append(np.append(on.y[0, :-1], off.y[0]))
    return V, y
