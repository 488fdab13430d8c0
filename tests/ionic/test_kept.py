"""Imported models kept on file."""

import json

import jax
import numpy as np
import pytest

from heartsim.ionic import _import as importing
from heartsim.ionic import keep_imports, read_membrane
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
