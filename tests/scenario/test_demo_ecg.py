"""The ECG of the shipped demo, by what a cardiologist looks at first."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from heartsim.ecg import Recording, after_rest, measure, read_ecg
from heartsim.scenario import read_scenario, run_scenario

UPRIGHT = ("I", "II", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "run"
    run_scenario(read_scenario(Path(str(files("heartsim.scenario"))) / "demo.toml"), out)
    return out


@pytest.mark.long
def test_the_demo_looks_like_sinus_rhythm(run):
    """T with the QRS where it is so in health, r in V1 and q in V6 from a septum that activates
    from left to right, no low voltage (0.5 mV in a limb lead, 1 mV in a chest lead from peak to
    peak), QRS and QT of a healthy adult. Bounds of amplitudes: half of what was seen."""
    leads = np.genfromtxt(run / "ecg.csv", delimiter=",", names=True)
    t = leads["time_ms"]
    qrs = {name: leads[name][t < 110] for name in leads.dtype.names}
    wave = {name: leads[name][t > 160] for name in leads.dtype.names}
    T = {name: x[np.abs(x).argmax()] for name, x in wave.items()}
    for name in UPRIGHT:
        assert qrs[name].max() > -qrs[name].min()
        assert T[name] > 0.03
    assert all(T[name] > 0.1 for name in ("V1", "V2", "V3"))
    assert -qrs["aVR"].min() > qrs["aVR"].max()
    assert T["aVR"] < -0.08
    first = qrs["V1"].argmax()
    assert qrs["V1"][first] > 0.05  # mV, r before S
    assert first < qrs["V1"].argmin()
    assert qrs["V6"][: qrs["V6"].argmax()].min() < -0.03  # mV, q before R
    assert max(np.ptp(qrs[name]) for name in ("I", "II", "III")) > 0.5
    assert max(np.ptp(qrs[f"V{k}"]) for k in range(1, 7)) > 1.0
    read = read_ecg(run / "ecg.csv")
    values = measure(after_rest(Recording(read.signal, read.rate, read.leads))).values
    assert 70 < values["qrs_duration_ms"] < 110
    assert 340 < values["qt_ms"] < 440
    assert -30 < values["qrs_axis_deg"] < 90
