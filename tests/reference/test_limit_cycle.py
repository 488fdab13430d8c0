"""The limit cycle of CiPA's cell against the states that FDA's own code reached."""

import pytest

from heartsim.ionic import Pacing, by_name, flat, settle

pytestmark = [pytest.mark.data, pytest.mark.long]

NAMES = {
    "v": "V", "nai": "Na_i", "nass": "Na_ss", "ki": "K_i", "kss": "K_ss", "cai": "Ca_i",
    "cass": "Ca_ss", "cansr": "Ca_nsr", "cajsr": "Ca_jsr", "CaMKt": "trapped",
}  # fmt: skip


def test_the_limit_cycle_at_2000_ms_is_that_of_the_shared_states(shared_data, x64):
    """From another start, by other steps: all 48 variables within 1 % (measured: 0.9 at most, of
    the share of i_CaL that calcium inactivates), V within 0.02 mV (0.004), sodium and potassium
    within 0.2 % (0.12 and 0.015). Six digits stand in the file, whose 1000 beats still drift.

    It would not be so without the potassium that the stimulus carries: without it potassium falls
    by 2 mM in 1000 beats.
    """
    path = shared_data / "drugs/cipa_training/newordherg_states_CL2000.txt"
    lines = (line.split() for line in path.read_text().splitlines())
    theirs = {NAMES.get(name, name): float(value) for name, value in lines if name != "D"}
    pacing = Pacing(cycle_length=2000.0, stimulus=80.0, duration=0.5)
    found = settle(by_name("ohara_rudy_cipa_2017_endo"), pacing, drift=1e-6)
    assert found.drift < 1e-6
    ours = {"V": found.end[0]} | flat(found.end[1])
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        close = {"V": {"abs": 0.02}, "Na_i": {"rel": 2e-3}, "K_i": {"rel": 2e-3}}
        near = close.get(name, {"rel": 0.01, "abs": 1e-7})
        assert float(ours[name][0]) == pytest.approx(value, **near), name
