"""What single precision does to a paced cell: float32 beside float64 over ten beats.

Each model from its start, ten beats of 1000 ms by RushLarsenMidpoint at dt 0.02 ms, 40 mV/ms for
1 ms in the voltage alone; the sinus node beats by itself.

    dV       largest |dV| of the last beat farther than 5 ms from an upstroke, mV
    APD90    difference, ms
    Na_i     difference after the last beat, %; - of a model without it

    python benchmarks/precision.py
    python benchmarks/precision.py --models luo_rudy_1991,stewart_2009 --beats 2
"""

import argparse

import equinox as eqx
import jax
from cells import STEPS, errors, run, told

from heartsim import ionic


def last_beat(name: str, beats: int, dt: float, double: bool):
    """V every 0.1 ms of the last of so many beats, and sodium after it."""
    with jax.enable_x64(double):
        model, step, cell, *rest = told(name, STEPS[1], dt)
        beat = eqx.filter_jit(run)
        for _ in range(beats):
            cell, V = beat(model, step, cell, *rest)
        sodium = ionic.flat(cell[1]).get("Na_i")
        return V, None if sodium is None else float(sodium[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", help="names with commas between; all if not given")
    parser.add_argument("--beats", type=int, default=10)
    parser.add_argument("--dt", type=float, default=0.02, help="ms")
    args = parser.parse_args()
    print(f"{'model':28}{'dV_mV':>9}{'APD90_ms':>10}{'Na_i_%':>9}")
    for name in args.models.split(",") if args.models else ionic.MODELS:
        jax.clear_caches()
        (V, Na), (W, exact) = (last_beat(name, args.beats, args.dt, x) for x in (False, True))
        apart, late = errors(V, W, "").values()
        share = "-" if Na is None or exact is None else f"{100 * abs(Na / exact - 1):.2g}"
        print(f"{name:28}{apart!s:>9}{late!s:>10}{share:>9}", flush=True)


if __name__ == "__main__":
    main()
