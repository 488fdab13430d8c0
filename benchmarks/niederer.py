"""The N-version benchmark slab: activation times of nine points, and what they cost.

Niederer et al. (2011), Phil. Trans. R. Soc. A 369, 4331-4351: 20 x 7 x 3 mm, fibres along
20 mm, TTP06 epi, χ 140 /mm, C_m 0.01 µF/mm², monodomain σ 0.1334 and 0.0176 S/m, corner cube
of 1.5 mm stimulated for 2 ms with 35.7 mV/ms (50 000 µA/cm³), activation at 0 mV.

    python benchmarks/niederer.py --dx 0.2 --dt 0.05 --mass consistent --order 1 --json
    python benchmarks/niederer.py --table        # the table kept beside this file
"""

import argparse
import csv
import dataclasses
import functools
import json
import sys
import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from heartsim import fem, ionic, mesh, tissue, widen_vectors

SIGMA = (0.1334, 0.0176)  # mS/mm, along and across: harmonic means of the paper's σ_i, σ_e
SIZE = (20.0, 7.0, 3.0)
POINTS = {
    "P1": (0, 0, 0),
    "P2": (0, 7, 0),
    "P3": (20, 0, 0),
    "P4": (20, 7, 0),
    "P5": (0, 0, 3),
    "P6": (0, 7, 3),
    "P7": (20, 0, 3),
    "P8": (20, 7, 3),
    "P9": (10, 3.5, 1.5),
}
ORDERS = {
    1: (tissue.SemiImplicit(), ionic.RushLarsen()),  # as the peers do
    2: (tissue.Strang(), ionic.RushLarsenStaggered()),
}
STEPS = (0.05, 0.01, 0.005)
MASS = {"consistent": 0.0, "blended": 1 / 3, "lumped": 1.0}


@functools.cache
def brick(dx: float, heartlike: bool = False) -> mesh.Mesh:
    """The mesh, its nodes in the order that the solver likes: line by line. `heartlike`, moved by
    half a hundredth of an edge and numbered at random, it is no grid, and ordered as a heart is."""
    body = mesh.slab(SIZE, dx)
    if heartlike:
        rng = np.random.default_rng(0)
        place = rng.permutation(body.n_nodes)
        points = body.points[place] + rng.uniform(-0.005 * dx, 0.005 * dx, body.points.shape)
        body = dataclasses.replace(body, points=points, cells=np.argsort(place)[body.cells])
    return fem.compact(body)[0]


def slab(dx: float, mass: str, order: int, rtol: float, heartlike: bool = False):
    """Mesh, tissue and stimulus."""
    body = brick(dx, heartlike)
    D_along, D_across = (tissue.diffusivity(s) for s in SIGMA)
    splitting, step = ORDERS[order]
    muscle = tissue.monodomain(
        body,
        tissue.tensor(body, D_along, D_across, D_across),
        ionic.by_name("ten_tusscher_2006_epi"),
        lumped=MASS[mass],
        splitting=splitting,
        membrane_step=step,
        solver=fem.ConjugateGradients(rtol=rtol),
    )
    corner = (body.points <= 1.5 + 0.01 * dx).all(axis=1)
    return body, muscle, tissue.Stimulus(site=corner, duration=2.0, strength=35.7)


def run(dx: float, dt: float, mass: str, order: int, rtol: float, longest: float = 160.0) -> dict:
    """Run until every point has fired; times without compilation, which stands apart."""
    body, muscle, stimulus = slab(dx, mass, order, rtol)
    detector = tissue.Detector(threshold=0.0)
    nodes = jnp.asarray([np.abs(body.points - p).sum(axis=1).argmin() for p in POINTS.values()])
    chunk = round(1.0 / dt)
    options = {"dt": dt, "steps": chunk, "sample_every": chunk, "detector": detector}
    carry = tissue.begin(muscle, dt, detector)
    start = time.perf_counter()
    advance = (
        eqx.filter_jit(tissue.simulate).lower(muscle, [stimulus], start=carry, **options).compile()
    )
    # a first round, thrown away, so that reading the times out is compiled as well
    dry, _ = advance(muscle, [stimulus], start=carry, **options)
    times = dry.events.activation.time(dt)[nodes]
    missing = bool(jnp.isnan(times).any())
    compile_s = time.perf_counter() - start
    wall, cpu = time.perf_counter(), time.process_time()
    while missing and int(carry.k) * dt < longest:
        carry, _ = advance(muscle, [stimulus], start=carry, **options)
        times = carry.events.activation.time(dt)[nodes]
        missing = bool(jnp.isnan(times).any())
    jax.block_until_ready(carry)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    steps = int(carry.k)
    return {
        "dx_mm": dx,
        "dt_ms": dt,
        "mass": mass,
        "order": order,
        **{name: round(float(t), 3) for name, t in zip(POINTS, times, strict=True)},
        "nodes": body.n_nodes,
        "steps": steps,
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "compile_s": round(compile_s, 2),
        "cpu_ns_per_node_step": round(cpu / steps / body.n_nodes * 1e9, 1),
        "rtol": rtol,
        "precision": str(muscle.M.diagonal.dtype),
        "device": jax.devices()[0].device_kind,
        "jax": jax.__version__,
    }


def table(path: Path, cases) -> None:
    """Run the cases that the table lacks and add them, one row each, as they finish."""
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    done = {(float(r["dx_mm"]), float(r["dt_ms"]), r["mass"], int(r["order"])) for r in rows}
    for case in cases:
        if case in done:
            continue
        rows.append(run(*case, rtol=1e-4))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        print(*rows[-1].values(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dx", type=float, default=0.2, help="edge length, mm")
    parser.add_argument("--dt", type=float, default=0.05, help="time step, ms")
    parser.add_argument("--mass", choices=MASS, default="blended")
    parser.add_argument("--order", type=int, choices=ORDERS, default=2)
    parser.add_argument("--rtol", type=float, default=1e-3, help="of the linear solve")
    parser.add_argument("--x64", action="store_true", help="double precision")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--table", action="store_true", help="complete niederer.csv; takes 40 minutes"
    )
    args = parser.parse_args()
    widen_vectors()
    jax.config.update("jax_enable_x64", args.x64)
    if args.table:
        coarse = [(dx, dt, m, o) for dx in (0.5, 0.2) for dt in STEPS for m in MASS for o in ORDERS]
        fine = [(0.1, dt, m, o) for dt in STEPS for m in MASS for o in ORDERS]
        table(Path(__file__).with_suffix(".csv"), coarse + fine)
        return
    row = run(args.dx, args.dt, args.mass, args.order, args.rtol)
    if args.json:
        json.dump(row, sys.stdout, indent=1)
        print()
    else:
        print(*(f"{k} {v}" for k, v in row.items()), sep="\n")


if __name__ == "__main__":
    main()
