"""The benchmark slab, the membranes, many slabs at once and a beat of the shipped heart, on what
device JAX finds.

Wall time is what counts on a GPU. Compilation apart, medians of `--repeats`:

    slab    microseconds a step and nanoseconds per node and step, split as in speed.py, with the
            linear solve planned (Monodomain.planned, what scenarios do on a GPU) and, whole only,
            by conjugate gradients, which ask the host at every iteration
    cells   picoseconds per cell and step of every built-in membrane by both steppers
    batch   10 ms of small slabs that differ in conductivity, as many at once as `--batch` says
    beat    the scenario of `heartsim demo`, from rest to its end, by fixed and by adaptive steps

    python benchmarks/gpu.py --out gpu.json                   # up to 1.5 million nodes
    python benchmarks/gpu.py --only slab --dx 0.5 --order 2 --json

`--out` keeps what is measured so far after every row, so that a night that ends early has a table;
what the file holds beside these parts stays.
gradient.py, eikonal.py and `compare.py --device cuda` run on a GPU as well.
"""

import argparse
import dataclasses
import json
import sys
import time
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from statistics import median

import cells
import jax
import jax.numpy as jnp
from niederer import ORDERS, slab
from speed import clocked, compiled, machine, measure

from heartsim import ionic, scenario, tissue
from heartsim._files import whole

EDGES = (0.5, 0.2, 0.1, 1 / 15)  # mm: 4 352, 58 176, 442 432 and 1.5 million nodes
DT = 0.05  # ms


def memory() -> dict:
    """The most that this process has had on the device so far."""
    told = jax.devices()[0].memory_stats() or {}
    return {"peak_GB": round(told.get("peak_bytes_in_use", 0) / 1e9, 2)}


def slabs(args):
    """See above."""
    for dx in args.dx:
        for order, mass in ((1, "consistent"), (2, "lumped")):
            if order not in args.order:
                continue
            begun = time.perf_counter()
            _, muscle, stimulus = slab(dx, mass, order, 1e-3, args.heartlike)
            built = time.perf_counter()
            planned = muscle.planned([DT])
            told = {
                "dx_mm": round(dx, 4),
                "mass": mass,
                "order": order,
                "build_s": round(built - begun, 1),
                "plan_s": round(time.perf_counter() - built, 1),
            }
            figures = measure(planned, stimulus, DT, args.after, args.steps, args.repeats)
            waiting = measure(muscle, stimulus, DT, args.after, args.steps, args.repeats, ["whole"])
            told |= {k: v for k, v in figures.items() if "cpu" not in k}
            told["step_us"] = round(figures["whole_wall_ns"] * figures["nodes"] / 1e3, 1)
            told["conjugate_gradients_ns"] = waiting["whole_wall_ns"]
            yield told | memory()


def membranes(args):
    """See above."""
    for name in args.models:
        row = {"model": name, "cells": args.cells}
        for step in cells.STEPS:
            many = cells.told(name, step, DT, args.cells, args.steps)
            program, compile_s = compiled(cells.run, *many)
            wall = median(clocked(program, *many)[2] for _ in range(args.repeats))
            row[f"{step}_ps"] = round(1e12 * wall / args.steps / args.cells, 1)
            row[f"{step}_compile_s"] = round(compile_s, 1)
        yield row


def batches(args):
    """See above."""
    steps = 200
    _, muscle, stimulus = slab(0.5, "lumped", 2, 1e-3)
    muscle = muscle.planned([DT])

    def run(factor):
        K = muscle.K
        K = K.with_entries(factor * K.off, factor * K.diagonal)
        ours = dataclasses.replace(muscle, K=K)
        return tissue.simulate(ours, [stimulus], dt=DT, steps=steps, sample_every=steps)[0]

    for count in args.batch:
        factors = jnp.linspace(0.8, 1.2, count)
        program, compile_s = compiled(jax.vmap(run), factors)
        wall = median(clocked(program, factors)[2] for _ in range(args.repeats))
        nodes = muscle.K.diagonal.size
        yield {
            "runs": count,
            "nodes": nodes,
            "run_ms": round(1e3 * wall / count, 3),
            "step_us": round(1e6 * wall / steps, 1),
            "ns": round(1e9 * wall / steps / nodes / count, 3),
            "compile_s": round(compile_s, 1),
        } | memory()


def beats(args):
    """See above."""
    told = tomllib.loads(files("heartsim.scenario").joinpath("demo.toml").read_text())
    for steps in ("fixed", "adaptive"):
        told["solver"]["steps"] = steps
        begun = time.perf_counter()
        scene = scenario.build_scene(scenario.scenario_from(told), args.cache)
        build_s = time.perf_counter() - begun
        solver = scene.scenario.solver
        every = round(scene.scenario.output.sample_ms / solver.dt_ms)
        options = {
            "dt": solver.dt_ms,
            "steps": round(solver.duration_ms / solver.dt_ms),
            "sample_every": every,
            "detector": scene.detector,
            "leads": scene.field,
            "stepping": {"fixed": tissue.Fixed(), "adaptive": tissue.Adaptive()}[steps],
        }
        program, compile_s = compiled(tissue.simulate, scene.tissue, scene.stimuli, **options)
        ran = [
            clocked(program, scene.tissue, scene.stimuli, **options) for _ in range(args.repeats)
        ]
        times = ran[0][0][0].events.activation.time(solver.dt_ms)
        yield {
            "steps": steps,
            "nodes": int(times.size),
            "duration_ms": solver.duration_ms,
            "wall_s": round(median(wall for _, _, wall in ran), 3),
            "build_s": round(build_s, 1),
            "compile_s": round(compile_s, 1),
            "last_ms": round(float(jnp.nanmax(times)), 3),
            "mean_ms": round(float(jnp.nanmean(times)), 3),
        } | memory()


PARTS = {"slab": slabs, "cells": membranes, "batch": batches, "beat": beats}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--dx", type=float, nargs="+", default=EDGES, help="edge lengths, mm")
    parser.add_argument("--order", type=int, choices=ORDERS, nargs="+", default=list(ORDERS))
    parser.add_argument("--after", type=float, default=10.0, help="measure from here on, ms")
    parser.add_argument("--steps", type=int, default=1000, help="steps in one timing of a slab")
    parser.add_argument("--heartlike", action="store_true", help="slabs that are no grids")
    parser.add_argument(
        "--models",
        choices=ionic.MODELS,
        nargs="+",
        default=list(ionic.MODELS),
        metavar="NAME",
        help="of membranes",
    )
    parser.add_argument("--cells", type=int, default=1_000_000, help="of each membrane")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 64, 256])
    parser.add_argument("--cache", type=Path, help="folder of velocities tuned before")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--x64", action="store_true", help="double precision")
    parser.add_argument("--out", type=Path, help="the file that keeps the table (JSON)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    kept = {}
    if args.out is not None:
        if not args.out.absolute().parent.is_dir():
            parser.error(f"--out: there is no folder {args.out.parent}; make it first.")
        kept = json.loads(args.out.read_text()) if args.out.exists() else {}
    jax.config.update("jax_enable_x64", args.x64)
    print(*(f"{k} {v}" for k, v in machine().items()), sep="\n", file=sys.stderr)
    done: dict = {"machine": machine(), "date": f"{date.today()}"}
    for part in args.only:
        done[part] = []
        for row in PARTS[part](args):
            done[part].append(row)
            if args.out is not None:
                with whole(args.out) as file:
                    file.write_text(json.dumps(kept | done, indent=1) + "\n")
            shown = sys.stderr if args.json else sys.stdout
            print(part, *(f"{k} {v}" for k, v in row.items()), sep="  ", file=shown, flush=True)
    if args.json:
        json.dump(done, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
