"""`heartsim sweep` on a scheduler that somebody started."""

import json

import pytest

from heartsim.cli import run_command
from heartsim.mesh import slab, write_mesh

FILES = {
    "base.toml": """
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
duration_ms = 20.0
""",
    "sweep.toml": """
base = "base.toml"
[[vary]]
key = "stimulus.1.start_ms"
values = [0.0, 5.0]
""",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder of a user, with a mesh, a sweep and a cache of its own."""
    write_mesh(slab((24.0, 4.0, 3.0), 1.0), tmp_path / "wall.vtu")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEARTSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("heartsim.cli._main.make_ready", lambda: None)  # not in this process
    return tmp_path


@pytest.mark.filterwarnings("ignore")  # distributed's own, as its processes come and go
def test_a_sweep_on_a_scheduler_by_address_writes_the_table_of_one_here(folder, capsys):
    """Its worker is the one process that makes itself ready, and so keeps programs in the cache."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster:
        assert cluster.scheduler_address.startswith("tcp://")
        words = ["sweep", "sweep.toml", "--scheduler", cluster.scheduler_address]
        assert run_command([*words, "--out", "there"]) == 0
    assert "there/table.csv" in capsys.readouterr().out
    assert any(path.is_file() for path in (folder / "cache").rglob("*"))
    assert run_command(["sweep", "sweep.toml", "--out", "here", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["run"], row["status"]) for row in rows] == [(1, "done"), (2, "done")]
    for name in ("table.csv", "runs/0002/activations.csv"):
        one, other = (folder / out / name for out in ("there", "here"))
        assert one.read_bytes() == other.read_bytes()


def test_where_no_scheduler_is_the_command_says_so(folder, capsys):
    pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.comm.timeouts.connect": "500ms"}):
        words = ["sweep", "sweep.toml", "--scheduler", "tcp://127.0.0.1:1", "--out", "out"]
        assert run_command(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("heartsim: --scheduler tcp://127.0.0.1:1: no Dask scheduler answers")
    assert said.err.count("\n") == 1
