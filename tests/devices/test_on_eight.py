"""Eight devices are simulated in a process of their own, as JAX counts them but once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "file",
    ["devices/on_eight.py", pytest.param("scenario/on_eight.py", marks=pytest.mark.long)],
)
def test_on_eight_devices(file):
    words = [sys.executable, "-m", "pytest", "-q", "--durations=0", str(TESTS / file)]
    eight = os.environ | {"JAX_NUM_CPU_DEVICES": "8"}
    done = subprocess.run(words, env=eight, cwd=TESTS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* passed", done.stdout)
    assert "skipped" not in done.stdout
