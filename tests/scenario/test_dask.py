"""What becomes of a task that kills whatever process does it."""

import os
import time

import pytest

from heartsim.scenario import on_dask
from heartsim.scenario._dask import Lost


def deadly(task):
    """The task 2 ends its process."""
    if task == 2:
        time.sleep(0.5)
        os._exit(1)
    return 10 * task


@pytest.mark.filterwarnings("ignore")  # distributed's own, as its processes come and go
def test_a_task_that_kills_its_workers_is_lost_and_one_that_waits_behind_it_is_done():
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        found = list(on_dask("local", workers=1)(deadly, [2, 3]))
    assert len(found) == 2
    assert 30 in found
    assert Lost(2, "its worker was lost 1 times while it ran alone") in found
