"""Imported models kept on file."""

import json
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from heartsim.ionic import _first_use as first_use
from heartsim.ionic import _import as importing
from heartsim.ionic import by_name, keep_check, keep_imports, read_membrane
from tests.cells import write


@pytest.fixture
def folder(tmp_path):
    """A folder of kept imports, and the process forgets those that it has read."""
    importing._program.cache_clear()
    keep_imports(tmp_path / "kept")
    yield tmp_path / "kept"
    keep_imports(None)
    importing._program.cache_clear()


def test_a_kept_import_is_the_same_membrane(folder, tmp_path, monkeypatch):
    """Equal to the last bit, without the file being worked out again."""
    path = write(tmp_path / "cell.mmt")
    first = read_membrane(path)
    assert len(list(folder.iterdir())) == 1
    importing._program.cache_clear()
    monkeypatch.setattr(importing, "describe", lambda *_: pytest.fail("worked out again"))
    second = read_membrane(path)
    assert second.program == first.program
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_a_file_that_has_changed_is_read_anew(folder, tmp_path):
    path = write(tmp_path / "cell.mmt")
    assert float(read_membrane(path).constants["g_h"]) == pytest.approx(0.02)
    path.write_text(path.read_text().replace("g_h = 0.02", "g_h = 0.03"))
    importing._program.cache_clear()
    assert float(read_membrane(path).constants["g_h"]) == pytest.approx(0.03)
    assert len(list(folder.iterdir())) == 2


def test_what_is_kept_can_be_read_without_running_it(folder, tmp_path):
    """JSON: a cache that others can write to cannot run code."""
    read_membrane(write(tmp_path / "cell.mmt"))
    content = json.loads(next(folder.iterdir()).read_text())
    assert content["voltage"] == "V"


@pytest.fixture
def told(folder, monkeypatch):
    """What is told of imports, as pairs of sentence and whether it warns."""
    found: list[tuple[str, bool]] = []
    keep_imports(folder, lambda *of: found.append(of))
    monkeypatch.setattr(first_use, "_ASKED", set())
    return found


def used(path, monkeypatch, off):
    """A file used by name in a new process, where a check finds it off by so many mV."""

    def check(*_, **__):
        if isinstance(off, float):
            return SimpleNamespace(largest=off)
        raise off or AssertionError("checked again")

    monkeypatch.setattr(first_use, "_ASKED", set())
    monkeypatch.setattr(first_use, "check_import", check)
    by_name(str(path))
    by_name(str(path))  # in one process there is one answer


def test_a_model_is_checked_when_it_is_first_used(folder, told, tmp_path, monkeypatch):
    """Told once, of each content of the file; the record lies beside the import."""
    path = write(tmp_path / "cell.mmt")
    used(path, monkeypatch, 0.004)
    assert told == [("cell.mmt: a beat is within 0.004 mV of the file's own equations, away from "
                     "upstrokes", False)]  # fmt: skip
    assert len(list(folder.glob("cell-*.beat.json"))) == 1
    used(path, monkeypatch, None)
    assert len(told) == 1
    path.write_text(path.read_text().replace("g_h = 0.02", "g_h = 0.03"))
    used(path, monkeypatch, 0.005)
    assert len(told) == 2


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (3.21, "cell.mmt: a beat is 3.2 mV off the file's own equations, more than 1 mV; heartsim"),
        (np.nan, "cell.mmt: a beat is nan mV off"),
        (ZeroDivisionError("float division"), "could not be held against the file's own equations"),
    ],
)
def test_a_model_that_misses_is_warned_of_in_each_process(told, tmp_path, monkeypatch, off, said):
    path = write(tmp_path / "cell.mmt")
    for times, found in enumerate([off, None], start=1):
        used(path, monkeypatch, found)
        assert len(told) == times
        assert said in told[-1][0]
        assert told[-1][1]


def test_a_check_that_was_asked_for_counts(told, tmp_path, monkeypatch):
    """What `cell --import` found is on record; where nobody is to be told nothing is checked."""
    path = write(tmp_path / "cell.mmt")
    keep_check(path, 0.004)
    used(path, monkeypatch, None)
    assert not told
    keep_imports(tmp_path / "quiet")
    used(path, monkeypatch, None)
