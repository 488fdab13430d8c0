"""Imported models whose equations have no value somewhere: file and variable are named."""

import re

import pytest

from heartsim.cli import run_command
from heartsim.ionic import Pacing, by_name, check_import, pace, read_membrane, settle
from heartsim.ionic._reference import reference_of
from tests.cells import write
from tests.ionic.test_easyml import SAME

R = {"mmt": "r = 0.01\n", "model": "r = 0.01;"}
ROOT = {  # has no value above -45 mV, where the first stimulus leads
    "mmt": ("dot(Na) = 1.0 * (", "dot(Na) = 0.001 * sqrt(-45 - membrane.V) + 1.0 * ("),
    "model": ("diff_Na = ", "diff_Na = 0.001 * sqrt(-45 - V) + "),
}
LOST = r"Na not finite from 0\.\d+ ms of beat 1 on, V being -45\.\d+ mV"


def made(tmp_path, ending, *change):
    path = write(tmp_path / f"cell.{ending}")
    text = SAME if ending == "model" else path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    return path


@pytest.mark.parametrize("ending", ["mmt", "model"])
def test_a_state_that_is_lost_is_named_though_the_voltage_goes_on(tmp_path, ending, capsys):
    """By the check of an import, by pacing, and by the way to the limit cycle."""
    path = made(tmp_path, ending, *ROOT[ending])
    with pytest.raises(ValueError, match=rf"cell\.{ending}: {LOST}"):
        check_import(path, read_membrane(path), Pacing(cycle_length=20.0))
    assert (
        run_command(["cell", str(path), "--cycle-ms", "20", "--csv", str(tmp_path / "beat.csv")])
        == 2
    )
    assert re.search(LOST, capsys.readouterr().err)
    assert not (tmp_path / "beat.csv").exists()


def test_a_state_that_is_lost_on_the_way_is_named(tmp_path):
    model = by_name(str(made(tmp_path, "mmt", *ROOT["mmt"])))
    short = Pacing(cycle_length=10.0, beats=3)
    with pytest.raises(ValueError, match=r"cell\.mmt: Na not finite before beat 3"):
        pace(model, short)
    with pytest.raises(ValueError, match=r"cell\.mmt: Na not finite after 10 beats"):
        settle(model, short)


@pytest.mark.parametrize("ending", ["mmt", "model"])
@pytest.mark.parametrize("unused", ["z = 1/0", "z = 1/(r - r)", "z = log(-1) + exp(1000)"])
def test_what_nothing_needs_may_have_no_value(tmp_path, ending, unused):
    end = {"mmt": "\n", "model": ";"}[ending]
    path = made(tmp_path, ending, R[ending], R[ending] + unused + end)
    checked = check_import(path, read_membrane(path), Pacing(cycle_length=20.0))
    assert checked.largest < 0.01


@pytest.mark.parametrize("ending", ["mmt", "model"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("r = 0.01 / 0", "r has no value"),
        ("r = 0.01 * (1e300 ^ 2 - 0 ^ -1)", "r has no value"),
        ("q = 2 - 2{}r = 0.01 / q", "r has no value"),
        ("r = log(-1)", "the change of .* is not finite at the start"),
    ],
)
def test_what_is_needed_and_has_no_value_is_named(tmp_path, ending, given, said):
    end = {"mmt": "\n", "model": ";"}[ending]
    path = made(tmp_path, ending, R[ending], given.format(end) + end)
    with pytest.raises(ValueError, match=rf"cell\.{ending}: {said}"):
        read_membrane(path)


def test_a_place_where_only_the_files_own_equations_have_no_value(tmp_path):
    """0/0 at -47 mV, which the import has mended; the check starts there."""
    path = made(tmp_path, "mmt", "membrane.V = -80", "membrane.V = -47")
    model = read_membrane(path)
    with pytest.raises(ValueError, match=r"cell\.mmt: .* the change of V has no value at -47 mV"):
        check_import(path, model, Pacing(cycle_length=20.0))
    path = made(tmp_path, "model", "V_init = -80.", "V_init = -47.")
    model = read_membrane(path)
    with pytest.raises(ValueError, match=r"cell\.model: .* the change of V has no value at -47 mV"):
        check_import(path, model, Pacing(cycle_length=20.0))


def test_a_variable_that_pythons_own_mathematics_refuses_is_named(tmp_path):
    path = made(tmp_path, "mmt", R["mmt"], "r = 0.01 / (1 + exp(log(gates.h - 0.9)))\n")
    read_membrane(path)  # log(0) is -inf, r = 0.01
    of = reference_of(path)
    with pytest.raises(ValueError, match=r"cell\.mmt: .* r has no value at -80 mV \(.+\)"):
        of.slopes(*of.start)


def test_exponentials_that_overflow_are_no_mistake(tmp_path):
    """1 / (1 + exp(x)) of x = 6,000 is 0, as in C, though Python's own exp refuses."""
    path = made(tmp_path, "mmt", "(membrane.u + 20) / 5", "(membrane.u + 20) / 0.01")
    assert check_import(path, read_membrane(path), Pacing(cycle_length=20.0)).largest < 0.05


def test_a_gate_without_a_start_that_hangs_on_another_is_asked_for(tmp_path):
    path = made(
        tmp_path, "model", "diff_Na = ", "g_inf = k; tau_g = 1; k_inf = g; tau_k = 2;\ndiff_Na = "
    )
    with pytest.raises(ValueError, match=r"cell\.model: g_init is missing; wanted a number"):
        read_membrane(path)
