"""A user's working folder with a wall and a scenario on it, and what a refusal looks like."""

from pathlib import Path

import pytest

from heartsim.cli import run_command
from heartsim.mesh import slab, write_mesh

SCENARIO = """
[heart]
mesh = "wall.vtu"
ionic = "mitchell_schaeffer_2003"
[conduction]
sigma_fibre_mS_mm = 0.2
sigma_sheet_mS_mm = 0.2
sigma_normal_mS_mm = 0.2
[[stimulus]]
at = { point_mm = [0.0, 0.0, 0.0], radius_mm = 2.5 }
[solver]
dt_ms = 0.1
duration_ms = 60.0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The working folder of a user, with a mesh, a scenario and a cache of its own."""
    write_mesh(slab((24.0, 4.0, 3.0), 1.0), tmp_path / "wall.vtu")
    (tmp_path / "wall.toml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEARTSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("heartsim.cli._main.make_ready", lambda: None)  # not in this process
    return tmp_path


@pytest.fixture
def refused(capsys):
    """The one line on stderr of a command that ends with exit code 2."""

    def line(*words) -> str:
        assert run_command([str(word) for word in words]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("heartsim: ")
        assert said.err.count("\n") == 1
        return said.err

    return line
