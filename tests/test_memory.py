"""What a set-up frees goes back to the system."""

import subprocess
import sys

import pytest

PROGRAM = """
import contextlib, sys
import numpy as np
from heartsim._memory import freed_goes_back

def resident():
    with open("/proc/self/status") as told:
        return next(int(line.split()[1]) for line in told if line.startswith("VmRSS")) / 1024

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


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_arrays_that_are_freed_between_smaller_ones_do_not_stay():
    """50 arrays of 3.8 MiB, a small one of 0.1 after each: 5 MiB are held, else 190 more stay."""
    stays = [
        float(
            subprocess.run(
                [sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True
            ).stdout
        )
        for word in ("no", "yes")
    ]
    if stays[0] < 100:
        pytest.skip("this C library keeps nothing")
    assert stays[1] < 20
