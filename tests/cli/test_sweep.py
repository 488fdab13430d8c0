"""`heartsim sweep` on a scheduler that somebody started."""

import json

import pytest

from heartsim.cli import run_command

SWEEP = """
base = "wall.toml"
[[vary]]
key = "stimulus.1.start_ms"
values = [0.0, 5.0]
"""


@pytest.mark.filterwarnings("ignore")  # distributed's own, as its processes come and go
def test_a_sweep_on_a_scheduler_by_address_writes_the_table_of_one_here(folder, capsys):
    """Its worker is the one process that makes itself ready, and so keeps programs in the cache."""
    distributed = pytest.importorskip("distributed")
    (folder / "sweep.toml").write_text(SWEEP)
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


def test_where_no_scheduler_is_the_command_says_so(folder, refused):
    pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    (folder / "sweep.toml").write_text(SWEEP)
    with dask.config.set({"distributed.comm.timeouts.connect": "500ms"}):
        said = refused("sweep", "sweep.toml", "--scheduler", "tcp://127.0.0.1:1", "--out", "out")
    assert said.startswith("heartsim: --scheduler tcp://127.0.0.1:1: no Dask scheduler answers")
