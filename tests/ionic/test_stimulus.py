"""What of a cell model's file is taken to be its stimulus."""

import jax
import numpy as np
import pytest

from heartsim.ionic import parameters, read_membrane
from tests.cells import MODEL, write

HELPED = """[drive]
past = floor(engine.time / 500) * 500
on = engine.time - past
applied = if(on > 10 and on < 11, size, 0)
size = 40
"""


def timed(path, drive=HELPED, term="drive.applied", change=("", "")):
    """The made-up model under a current of its own clock, in place of what is bound to pace."""
    text = MODEL.replace("pace = 0 bind pace\n", "").replace("engine.pace * 40", term)
    return write(path, text=text.replace(*change) + drive)


def test_it_is_found_through_its_helpers(tmp_path):
    """By where time comes in, whatever it is called; the same membrane as with what is bound to
    pace, and no parameters of the clock."""
    own = read_membrane(timed(tmp_path / "cell.mmt"))
    bound = read_membrane(write(tmp_path / "bound.mmt"))
    assert own.program.paced
    rates = [jax.jit(lambda m=m: m.rates(*m.initial(1)))() for m in (own, bound)]
    for one, other in zip(*map(jax.tree.leaves, rates), strict=True):
        np.testing.assert_array_equal(one, other)
    assert parameters(own).keys() == parameters(bound).keys()


def test_balances_may_have_a_part_of_it(tmp_path):
    """Sodium takes 0.01 of what the voltage takes, at first hand or by a helper."""
    change = ("dot(Na) = {speed} * (", "dot(Na) = {speed} * (0.01 * drive.applied + ")
    model = read_membrane(timed(tmp_path / "cell.mmt", change=change))
    assert dict(model.program.carried) == {"Na": pytest.approx(0.01)}
    per = HELPED + "flux = 0.01 * applied\n"  # of two ends, one is reached by the other alone
    change = ("dot(Na) = {speed} * (", "dot(Na) = {speed} * (drive.flux + ")
    model = read_membrane(timed(tmp_path / "other.mmt", per, change=change))
    assert dict(model.program.carried) == {"Na": pytest.approx(0.01)}


@pytest.mark.parametrize("note", ["oxmeta: membrane_stimulus_current", "label stimulus_current"])
def test_what_is_annotated_goes_before_what_is_found(tmp_path, note):
    """A stimulus that asks for the voltage is none by where it comes in."""
    drive = "[drive]\napplied = if(engine.time < 1, -membrane.V / 2, 0)\n"
    with pytest.raises(ValueError, match=r"drive\.applied depends on time"):
        read_membrane(timed(tmp_path / "cell.mmt", drive))
    model = read_membrane(timed(tmp_path / "noted.mmt", f"{drive}    {note}\n"))
    assert model.program.paced


def test_two_candidates_are_asked_about(tmp_path):
    """Named both, the file is read; named one, the other is still a model of time."""
    drive = HELPED + "more = 3 * sin(engine.time)\n"
    path = timed(tmp_path / "cell.mmt", drive, "(drive.applied + drive.more)")
    with pytest.raises(
        ValueError, match=r"stimulus is not clear: drive\.applied, drive\.more\. Name"
    ):
        read_membrane(path)
    assert read_membrane(path, stimulus="drive.applied, more").program.paced
    with pytest.raises(ValueError, match=r"drive\.more depends on time; wanted"):
        read_membrane(path, stimulus="applied")
    with pytest.raises(ValueError, match=r"no one stimulus 'past'; .* drive\.applied, drive\.more"):
        read_membrane(path, stimulus="past")


@pytest.mark.parametrize(
    ("drive", "term", "change", "said"),
    [
        ("applied = 40", "sin(engine.time)", ("", ""), r"membrane\.V depends"),  # no name
        (
            "distance = sin(engine.time)",  # "ist" is in it
            "0",
            ("dot(h) = {speed} * (", "dot(h) = {speed} * (0.1 * drive.distance + "),
            r"drive\.distance depends",
        ),
        (
            "held = 10 * sin(engine.time)\n    in [mV]",  # a clamp
            "(drive.held - membrane.u)",
            ("", ""),
            r"drive\.held depends",
        ),
        (
            "warm = 1 + 0.1 * sin(engine.time)",
            "0",
            ("dot(V) = ", "dot(V) = drive.warm * "),
            r"drive\.warm depends",
        ),
    ],
)
def test_what_cannot_be_set_apart_is_refused(tmp_path, drive, term, change, said):
    with pytest.raises(ValueError, match=said + r" on time; wanted equations in which nothing but"):
        read_membrane(timed(tmp_path / "cell.mmt", f"[drive]\n{drive}\n", term, change))
