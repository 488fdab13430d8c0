"""Nanoseconds per node and step on the benchmark slab, split into membrane and diffusion.

The slab of niederer.py at dx 0.2 mm has 58 176 nodes. Each row is measured while the wave is
under way, compilation apart:

    whole      tissue.simulate: stimulus, membrane, diffusion, detector
    membrane   the membrane step alone, scanned from the state under the wave
    diffusion  the Crank-Nicolson step alone, fed with the voltages it meets in the run

`cpu` is processor time of all threads, `wall` what a clock on the wall shows: medians of
`--repeats`. The row with one node more shows why nodes are padded (heartsim.fem.compact): look
at it on several cores.

    python benchmarks/speed.py --one-core             # the figure to stay under: 250 ns of CPU
    python benchmarks/speed.py --odd                  # all cores, and an odd number of nodes
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
import time
from itertools import product
from statistics import median

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from niederer import MASS, ORDERS, slab

from heartsim import fem, tissue, widen_vectors

PARTS = ("whole", "membrane", "diffusion")


def machine() -> dict:
    """What the figures were taken on."""
    device = jax.devices()[0]
    name = device.device_kind
    if device.platform == "cpu":
        name = f"cpu, {processor()}, {len(os.sched_getaffinity(0))} cores"
    return {
        "device": name,
        "precision": str(jax.dtypes.canonicalize_dtype(float)),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "jaxlib": jax.lib.__version__,
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def processor() -> str:
    """The processor's name where the system tells it."""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":")[1].strip()
    return platform.machine()


def compiled(function, *args, **kwargs):
    """The program, ready to run, and the seconds that took."""
    start = time.perf_counter()
    program = eqx.filter_jit(function).lower(*args, **kwargs).compile()
    return program, time.perf_counter() - start


def clocked(program, *args, **kwargs):
    """The program's value, and its CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    value = jax.block_until_ready(program(*args, **kwargs))
    return value, time.process_time() - cpu, time.perf_counter() - wall


def met(muscle, state, dt: float, steps: int):
    """The voltages that the diffusion meets in `steps` steps of a run, and the iterations."""
    diffuse, step = muscle.crank_nicolson(dt), muscle.membrane_step

    def one(so_far, _):
        state, (told, solves) = so_far
        V, membrane, told, _ = step.following(muscle.ionic, *state, told, dt, 0.0)
        mean = muscle.splitting.diffusing(state.V, V)
        dV, count, solves = diffuse.solve(mean, solves)
        seen = muscle.splitting.seen(V, dV)
        membrane, told = step.closed(muscle.ionic, seen, membrane, told, dt)
        return (tissue.State(V + dV, membrane), (told, solves)), (mean, count)

    return lax.scan(one, muscle.ready(state, state.V, dt, steps), length=steps)[1]


def membrane(muscle, state, dt: float, steps: int):
    """The membrane step alone."""
    alone = tissue.Isolated(muscle.ionic, state.V.size, muscle.membrane_step)

    def one(so_far, _):
        done = alone.step(None, so_far[0], 0.0, dt, so_far[1])
        return (done.state, done.past), None

    return lax.scan(one, alone.ready(state, state.V, dt, steps), length=steps)[0]


def diffusion(muscle, V, dt: float):
    """The diffusion alone, of each row of V in turn; the last change."""
    diffuse = muscle.crank_nicolson(dt)

    def one(so_far, V):
        return diffuse(V, so_far[1]), None

    return lax.scan(one, (jnp.zeros_like(V[0]), muscle.solver.fresh(V[0], len(V))), V)[0][0]


def one_node_more(muscle, stimulus):
    """The muscle and its stimulus with a node that belongs to no cell: an odd number of nodes."""

    def grow(rows, diagonal):
        wider = ((0, 0), (0, 1))
        return fem.Rows(
            jnp.pad(rows.neighbour, wider),
            jnp.pad(rows.off, wider),
            jnp.append(rows.diagonal, diagonal),
            rows.shifts,
        )

    muscle = dataclasses.replace(
        muscle, K=grow(muscle.K, 0.0), M=grow(muscle.M, muscle.M.diagonal[-1])
    )
    site = jnp.append(jnp.asarray(stimulus.site), False)
    return muscle, dataclasses.replace(stimulus, site=site)


def under_way(muscle, stimulus, dt: float, after: float):
    """The run at `after` ms."""
    detector = tissue.Detector(threshold=0.0)
    steps = tissue.whole_steps(after, dt, "--after")
    carry = tissue.begin(muscle, dt, detector)
    options = {"dt": dt, "steps": steps, "sample_every": steps, "detector": detector}
    return tissue.simulate(muscle, [stimulus], start=carry, **options)[0], detector


def measure(
    muscle, stimulus, dt: float, after: float, steps: int, repeats: int, parts=PARTS
) -> dict:
    """Nanoseconds per node and step, compile seconds and iterations of one muscle."""
    carry, detector = under_way(muscle, stimulus, dt, after)
    state, nodes = carry.state, carry.state.V.shape[0]
    V, counts = eqx.filter_jit(met)(muscle, state, dt, steps)
    options = {"dt": dt, "steps": steps, "sample_every": steps, "detector": detector}
    calls = {
        "whole": (tissue.simulate, (muscle, [stimulus]), {"start": carry, **options}),
        "membrane": (membrane, (muscle, state, dt, steps), {}),
        "diffusion": (diffusion, (muscle, V, dt), {}),
    }
    row = {"nodes": nodes, "steps": steps, "dt_ms": dt, "iterations": float(counts.mean())}
    calls = {part: calls[part] for part in parts}
    programs = {part: compiled(f, *args, **kwargs) for part, (f, args, kwargs) in calls.items()}
    times: dict[str, list] = {part: [] for part in parts}
    for _ in range(repeats):  # the parts take turns, so that a busy minute troubles all alike
        for part, (_, args, kwargs) in calls.items():
            times[part].append(clocked(programs[part][0], *args, **kwargs)[1:])
    for part in parts:
        for clock, seconds in zip(("cpu", "wall"), zip(*times[part], strict=True), strict=True):
            row[f"{part}_{clock}_ns"] = round(median(seconds) / steps / nodes * 1e9, 3)
    row["whole_cpu_ns_least"] = round(min(t[0] for t in times["whole"]) / steps / nodes * 1e9, 1)
    row["compile_s"] = round(programs["whole"][1], 2)
    return row


def rows(args):
    """One row for each case, and beside it, if asked, the same with an odd number of nodes."""
    for order, mass in product(args.order, args.mass):
        _, muscle, stimulus = slab(args.dx, mass, order, args.rtol, args.heartlike)
        case = {"mass": mass, "order": order, "rtol": args.rtol, "heartlike": args.heartlike}
        yield case | measure(muscle, stimulus, args.dt, args.after, args.steps, args.repeats)
        if args.odd:
            muscle, stimulus = one_node_more(muscle, stimulus)
            yield case | measure(muscle, stimulus, args.dt, args.after, args.steps, args.repeats)


def tell(rows, as_json: bool) -> None:
    """Print each row as it comes, and the machine; or all at the end."""
    done = []
    for row in rows:
        done.append(row)
        if not as_json:
            print(*(f"{k} {v}" for k, v in row.items()), sep="  ", flush=True)
    if as_json:
        print(json.dumps({"machine": machine(), "rows": done}, indent=1))
    else:
        print(*(f"{k} {v}" for k, v in machine().items()), sep="\n")


def on_one_core() -> None:
    """Start again, tied to one core: JAX must find itself there when it is imported."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rest = [a for a in sys.argv if a != "--one-core"]
    os.execv(sys.executable, [sys.executable, *rest])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dx", type=float, default=0.2, help="edge length, mm")
    parser.add_argument("--dt", type=float, default=0.05, help="time step, ms")
    parser.add_argument("--mass", choices=MASS, nargs="+", default=["consistent", "lumped"])
    parser.add_argument("--order", type=int, choices=ORDERS, nargs="+", default=list(ORDERS))
    parser.add_argument("--rtol", type=float, default=1e-3, help="of the linear solve")
    parser.add_argument("--after", type=float, default=10.0, help="measure from here on, ms")
    parser.add_argument("--steps", type=int, default=200, help="steps in one timing")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--heartlike", action="store_true", help="a mesh that is no grid")
    parser.add_argument("--odd", action="store_true", help="add rows with one node more")
    parser.add_argument("--one-core", action="store_true", help="tie the process to one core")
    parser.add_argument("--x64", action="store_true", help="double precision")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.one_core:
        on_one_core()
    widen_vectors()
    jax.config.update("jax_enable_x64", args.x64)
    tell(rows(args), args.json)


if __name__ == "__main__":
    main()
