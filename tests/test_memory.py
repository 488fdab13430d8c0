"""What a set-up frees goes back to the system."""

import os
import subprocess
import sys

import pytest

HEAD = """
import contextlib, sys
import numpy as np
from heartsim._memory import freed_goes_back, pages_go_back

def resident():
    with open("/proc/self/status") as told:
        return next(int(line.split()[1]) for line in told if line.startswith("VmRSS")) / 1024

"""
ARRAYS = """
np.ones(4_000_000)  # 31 MiB: glibc now keeps what is smaller
before = resident()
with freed_goes_back() if sys.argv[1] == "yes" else contextlib.nullcontext():
    large, small = [], []
    for _ in range(50):
        large.append(np.ones(500_000))
        small.append(np.ones(12_500))
    del large
print(resident() - before)
"""
PIECES = """
before = resident()
with pages_go_back() if sys.argv[1] == "yes" else contextlib.nullcontext():
    pieces = [np.ones(1_000) for _ in range(20_000)]
    held = pieces[::100]
    pieces.append(pieces)  # only a collection frees it, as what JAX traced
    del pieces
print(resident() - before)
"""


def stay(program: str) -> list[float]:
    """How many MiB a process grows by, without and with."""
    call = [sys.executable, "-c", HEAD + program]
    # a Dask worker leaves MALLOC_TRIM_THRESHOLD_ behind, with which glibc keeps nothing
    env = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    runs = [
        subprocess.run([*call, word], capture_output=True, check=True, env=env)
        for word in ("no", "yes")
    ]
    without, with_it = (float(run.stdout) for run in runs)
    if without < 100:
        pytest.skip("this C library keeps nothing")
    return [without, with_it]


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")


def test_arrays_that_are_freed_between_smaller_ones_do_not_stay():
    """50 arrays of 3.8 MiB, a small one of 0.1 after each: 5 MiB are held, else 190 more stay."""
    assert stay(ARRAYS)[1] < 20


def test_pages_of_pieces_that_are_freed_do_not_stay():
    """20 000 pieces of 8 kB, of which every hundredth is held: 1.6 MB, and a page beside each."""
    assert stay(PIECES)[1] < 20
