"""How a run grows with devices: strong and weak scaling, and what the devices say to one another.

The slab of niederer.py at dx 0.2 mm (58 176 nodes), TTP06, order 2, lumped mass, 3 iterations in
every solve, cut into strips on 1, 2, 4 and 8 devices that JAX makes of this machine's cores.
Strong: one slab for all; weak: as many slabs behind one another as devices. Each is measured
three times over:

    whole     as it runs
    no halo   every strip takes its own ends for those of its neighbours
    alone     nor are sums taken over the devices

so that `halo` and `sums` are shares of the whole's time; what comes out of the last two is wrong,
but costs the same. With more devices than cores, times tell what cutting costs and nothing of
speed. Several GPUs were never measured.

    python benchmarks/scaling.py --json
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from statistics import median

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from niederer import ORDERS, SIGMA, SIZE
from speed import clocked, compiled, machine

from heartsim import fem, ionic, mesh, tissue, widen_vectors

ITERATIONS = 3


class NoHalo(fem.Strips):
    """Nothing crosses between strips in a product."""

    def around(self, x):
        """x between its own ends, which stand in for its neighbours'."""
        return jnp.concatenate([x[len(x) - self.halo :], x, x[: self.halo]])


class Alone(NoHalo):
    """Nor are sums taken."""

    def total(self, x):
        """x of this strip."""
        return x


def muscle(dx: float, slabs: int, devices: int):
    """The slab, or several behind one another, in strips; and its nodes."""
    size = (SIZE[0] * slabs, *SIZE[1:])
    body, _ = fem.compact(mesh.slab(size, dx), parts=devices)
    along, across = (tissue.diffusivity(s) for s in SIGMA)
    splitting, step = ORDERS[2]
    whole = tissue.monodomain(
        body,
        tissue.tensor(body, along, across, across),
        ionic.by_name("ten_tusscher_2006_epi"),
        lumped=1.0,
        splitting=splitting,
        membrane_step=step,
        solver=fem.ConjugateGradients(rtol=0.0, max_steps=ITERATIONS),
    )
    return whole.over(jax.devices()), body.n_nodes


def cut(strips, kind):
    """The muscle with another kind of strips."""
    spread = kind(strips.spread.devices, strips.spread.halo)
    K, M = (dataclasses.replace(rows, spread=spread) for rows in (strips.K, strips.M))
    return dataclasses.replace(strips, K=K, M=M)


def steps_of(strips, dt: float, steps: int):
    """So many steps from rest, stimulus and detector apart."""

    def through(strips):
        coupling = strips.coupling(dt)

        def one(so_far, _):
            state, past = so_far
            done = strips.step(coupling, state, 0.0, dt, past)
            return (done.state, done.past), None

        state = strips.initial()
        return lax.scan(one, strips.ready(state, state.V, dt, steps), length=steps)[0][0]

    return strips.spread.run(through, tissue.State(fem.split(1), fem.split(1)), strips)


def measure(args) -> dict:
    """Nanoseconds of wall and CPU per node and step on the devices that there are."""
    devices = len(jax.devices())
    strips, nodes = muscle(args.dx, devices if args.weak else 1, devices)
    kinds = {"whole": fem.Strips, "no halo": NoHalo, "alone": Alone}
    programs = {
        name: compiled(eqx.Partial(steps_of, dt=args.dt, steps=args.steps), cut(strips, kind))[0]
        for name, kind in kinds.items()
    }
    times: dict[str, list] = {name: [] for name in kinds}
    for _ in range(args.repeats):  # taking turns, so that a busy minute troubles all alike
        for name, kind in kinds.items():
            times[name].append(clocked(programs[name], cut(strips, kind))[1:])
    per = 1e9 / args.steps / nodes
    cpu, wall = ({name: per * median(t[k] for t in times[name]) for name in kinds} for k in (0, 1))
    return {
        "scaling": "weak" if args.weak else "strong",
        "devices": devices,
        "nodes": nodes,
        "halo_nodes": strips.spread.halo,
        "cpu_ns": round(cpu["whole"], 1),
        "wall_ns": round(wall["whole"], 1),
        "halo_share": round(1 - wall["no halo"] / wall["whole"], 3),
        "sums_share": round((wall["no halo"] - wall["alone"]) / wall["whole"], 3),
        "machine": machine(),
    }


def on_devices(count: int, weak: bool) -> dict:
    """The row of a process of its own, tied to as many cores as it has devices where there are."""
    cores = sorted(os.sched_getaffinity(0))[:count]
    told = subprocess.run(
        [sys.executable, __file__, "--here", *(["--weak"] if weak else []), *sys.argv[1:]],
        env=os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(told.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dx", type=float, default=0.2, help="edge length, mm")
    parser.add_argument("--dt", type=float, default=0.05, help="time step, ms")
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--steps", type=int, default=100, help="steps in one timing")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--weak", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.here:
        widen_vectors()
        print(json.dumps(measure(args)))
        return
    rows = [on_devices(count, weak) for weak in (False, True) for count in args.devices]
    told = [row.pop("machine") for row in rows]
    if args.json:
        print(json.dumps({"machine": told[-1], "rows": rows}, indent=1))
    else:
        for row in rows:
            print(*(f"{k} {v}" for k, v in row.items()), sep="  ")
        print(*(f"{k} {v}" for k, v in told[-1].items()), sep="\n")


if __name__ == "__main__":
    main()
