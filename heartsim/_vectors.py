"""How wide the vectors are that a processor computes with."""

import os
from pathlib import Path

FLAG = "--xla_cpu_prefer_vector_width"


def widen_vectors() -> None:
    """Ask XLA for vectors of 512 bits where this processor is known to gain by them: on AMD's Zen 5
    a step takes 0.6 to 0.8 of the time, on a Zen 4 0.8 to 0.9 (docs/performance.md). Left to itself
    XLA takes 256.

    Call it before JAX computes anything: XLA reads its options once in a process, from XLA_FLAGS of
    the environment, to which this adds one unless it is there already. Processes started from here
    inherit it. Importing heartsim asks for nothing; the command line does.
    """
    told = os.environ.get("XLA_FLAGS", "")
    if FLAG not in told and _gains_by_512_bits():
        os.environ["XLA_FLAGS"] = f"{told} {FLAG}=512".strip()


def _gains_by_512_bits() -> bool:
    """Whether this is an AMD that has them, as /proc/cpuinfo tells. A Zen 4 computes halves one
    after the other, but in half the instructions. Older processors of Intel slow down."""
    info = Path("/proc/cpuinfo")
    told = info.read_text(encoding="utf-8").split() if info.is_file() else []
    return {"AuthenticAMD", "avx512f"} <= set(told)
