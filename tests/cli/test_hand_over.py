"""`heartsim hand-over` from the command line: the directory with its report, and bad input."""

import dataclasses
import json

import numpy as np
import pytest

from heartsim.cli import run_command
from heartsim.mesh import slab, write_mesh
from heartsim.scenario import read_scenario

FRONT = """
[heart]
mesh = "wall.vtu"
ionic = "mitchell_schaeffer_2003"
[conduction]
velocity_fibre_m_s = 0.6
velocity_sheet_m_s = 0.4
velocity_normal_m_s = 0.4
[[stimulus]]
at = { point_mm = [1.0, 2.0, 1.5] }
[solver]
model = "eikonal"
dt_ms = 0.1
duration_ms = 90.0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    wall = slab((24.0, 4.0, 3.0), 1.0)
    frames = np.broadcast_to(np.eye(3), (wall.n_cells, 3, 3)).copy()
    write_mesh(dataclasses.replace(wall, frames=frames), tmp_path / "wall.vtu")
    (tmp_path / "front.toml").write_text(FRONT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEARTSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("heartsim.cli._main.make_ready", lambda: None)  # not in this process
    return tmp_path


def test_a_finer_mesh_is_made_and_the_report_compares(folder, capsys):
    """Mean edge 1.2 mm: 0.7 asks for one refinement, whose nodes begin with the old ones."""
    words = ["hand-over", "front.toml", "--out", "out", "--edge-mm", "0.7", "--json"]
    assert run_command(words) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    assert rows["mean_edge_mm"]["value"] < 0.7
    assert rows["hand_over_rmse_ms"]["value"] < 3.0  # as in tests/scenario/test_hand_over.py
    assert read_scenario(folder / "out" / "scenario.toml").heart.refine == 1
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    for words in ("Eikonal and monodomain compared", "Hand over RMSE", "Leads of both models"):
        assert words in page
    assert page.count("data:image/png") >= 4  # both comparisons, the map and the ECG


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--out", "out"], "nowhere does not exist; give a scenario file"),
        ([".", "--out", "out"], "holds no scenario.toml; give the directory of a fit"),
        (["front.toml", "--out", "cache"], "exists and is not overwritten"),
        (["front.toml", "--out", "out", "--edge-mm", "0"], "--edge-mm"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, words, said):
    (folder / "cache").mkdir()
    (folder / "cache" / "file").touch()
    assert run_command(["hand-over", *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not (folder / "out").exists()
