"""`heartsim fit` from the command line: bad input, and what is printed and drawn.

The search itself is tested in tests/fit; here it is one step of one start.
"""

import json

import pytest

from heartsim.cli import run_command
from heartsim.mesh import lv_ellipsoid, write_mesh

FIT = """
[heart]
mesh = "heart.vtu"
[ecg]
qrs_window_ms = [0.0, 158.0]
noise_mV = 0.003
[free]
sources = 1
[search]
candidates = 4
sites = 2
starts = 1
steps = 1
[truth]
velocity_fibre_m_s = 0.6
velocity_transverse_m_s = 0.4
source = [{ node_set = "root_lv_septal", onset_ms = 5.0 }]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_mesh(lv_ellipsoid(edge=6.7), tmp_path / "heart.vtu")
    (tmp_path / "fit.toml").write_text(FIT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEARTSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("heartsim.cli._main.make_ready", lambda: None)  # not in this process
    return tmp_path


@pytest.mark.long  # compiles for half a minute; a fit on file is in tests/scenario/test_fit_file.py
def test_a_miss_is_said_and_is_no_error(folder, capsys):
    assert run_command(["fit", "fit.toml", "--out", "out", "--seed", "3", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    assert rows["fitted"]["value"] is False
    assert rows["verdict"]["value"].startswith("not fitted: ")
    assert json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["seed"] == 3
    for name in ("activation.png", "fit.png"):
        assert (folder / "out" / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sources =", "source =", "fit.toml: [free] source is not a key; did you mean sources?"),
        ("noise_mV = 0.003", "", "fit.toml: [ecg]: give either noise_mV or baseline_ms"),
        ("root_lv_septal", "root_rv_free", "node set 'root_rv_free' does not exist"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, old, new, said):
    (folder / "fit.toml").write_text(FIT.replace(old, new))
    assert run_command(["fit", "fit.toml", "--out", "out"]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not (folder / "out").exists()
