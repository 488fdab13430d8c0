"""A monodomain run of a sweep whose worker is killed in mid-beat."""

import os
import signal
from pathlib import Path

import pytest
import tomli_w

from heartsim.scenario import _loop, on_dask, run_sweep

VARY = {"key": "conduction.sigma_fibre_mS_mm", "values": [0.3, 0.5]}


class Killed:
    """Does runs, and notes each checkpoint of run 2 with its process, which is killed once it has
    written that of step 200."""

    def __init__(self, one, log: Path):
        self.one, self.log = one, log

    def __call__(self, batch):
        save, load = _loop.save_checkpoint, _loop.load_checkpoint

        def note(what, step):
            with self.log.open("a") as log:
                print(os.getpid(), what, step, file=log)

        def saved(folder, carry, *rest):
            save(folder, carry, *rest)
            note("saved", int(carry.k))
            if int(carry.k) == 200:
                os.kill(os.getpid(), signal.SIGKILL)

        def loaded(path, like):
            carry, record = load(path, like)
            note("loaded", int(carry.k))
            return carry, record

        if batch[0].number == 2:
            _loop.save_checkpoint, _loop.load_checkpoint = saved, loaded
        try:
            return self.one(batch)
        finally:
            _loop.save_checkpoint, _loop.load_checkpoint = save, load


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # distributed's own, as its processes come and go
def test_a_run_whose_worker_is_killed_goes_on_elsewhere_from_its_last_checkpoint(data, folder):
    """No step is done twice, and table and end are those of a sweep that nothing disturbed."""
    (folder / "base.toml").write_text(tomli_w.dumps(data))
    (folder / "sweep.toml").write_text(tomli_w.dumps({"base": "base.toml", "vary": [VARY]}))
    through = on_dask("local", workers=2)

    def losing(one, batches):
        return through(Killed(one, folder / "log"), batches)

    there = run_sweep(folder / "sweep.toml", folder / "there", through=losing)
    log = [line.split() for line in (folder / "log").read_text(encoding="utf-8").splitlines()]
    first, second = log[0][0], log[-1][0]
    assert first != second
    assert log == [
        [first, "saved", "100"],
        [first, "saved", "200"],
        [second, "loaded", "200"],
        *([second, "saved", step] for step in ("300", "400", "500")),
    ]
    assert there == run_sweep(folder / "sweep.toml", folder / "here")
    assert [row["status"] for row in there] == ["done", "done"]
    for run in ("0001", "0002"):
        for name in ("state.npz", "activations.csv", "ecg.csv"):
            one, other = (folder / out / "runs" / run / name for out in ("there", "here"))
            assert one.read_bytes() == other.read_bytes()
