"""The benchmark slab at several sizes on whatever device JAX finds: for a machine with a GPU.

Prints nanoseconds per node and step, split as in speed.py, compile seconds and the device. Wall
time is what counts on a GPU; CPU time there is the host's.

    python benchmarks/gpu.py                                  # up to 3.5 million nodes
    python benchmarks/gpu.py --dx 0.5 --mass lumped --json
"""

import argparse
import json
import sys

import jax
from niederer import MASS, ORDERS, slab
from speed import machine, measure

EDGES = (0.5, 0.2, 0.1, 0.05)  # mm: 4 352, 58 176, 442 240 and 3.4 million nodes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dx", type=float, nargs="+", default=EDGES, help="edge lengths, mm")
    parser.add_argument("--dt", type=float, default=0.05, help="time step, ms")
    parser.add_argument("--mass", choices=MASS, nargs="+", default=["consistent", "blended"])
    parser.add_argument("--order", type=int, choices=ORDERS, nargs="+", default=list(ORDERS))
    parser.add_argument("--rtol", type=float, default=1e-3, help="of the linear solve")
    parser.add_argument("--after", type=float, default=10.0, help="measure from here on, ms")
    parser.add_argument("--steps", type=int, default=100, help="steps in one timing")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--x64", action="store_true", help="double precision")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    jax.config.update("jax_enable_x64", args.x64)
    print(*(f"{k} {v}" for k, v in machine().items()), sep="\n", file=sys.stderr)
    rows = []
    for dx in args.dx:
        for order in args.order:
            for mass in args.mass:
                _, muscle, stimulus = slab(dx, mass, order, args.rtol)
                figures = measure(muscle, stimulus, args.dt, args.after, args.steps, args.repeats)
                rows.append({"dx_mm": dx, "mass": mass, "order": order} | figures)
                if not args.json:
                    print(*(f"{k} {v}" for k, v in rows[-1].items()), sep="  ", flush=True)
    if args.json:
        json.dump({"machine": machine(), "rows": rows}, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
