"""The gradient of an ECG loss through the monodomain at scale: time, memory and error.

The slab of niederer.py (58 176 nodes at dx 0.2 mm), TTP06 epi, order 2. 50
parameters: factors on the conductivity of 25 slices along the slab and on g_Na of the same
slices. The loss is the mean square of nine leads (smooth made-up weights) over the run. Reverse
mode, forward mode along one direction, and central differences along it, in this one process. The
run and both modes take turns: medians of --repeats calls, and the first calls beside them.

    python benchmarks/gradient.py                   # 100 ms, in minutes
    python benchmarks/gradient.py --heartlike       # nodes moved a little, so that it is no grid
    python benchmarks/gradient.py --dx 0.5 --x64    # small and in double precision
"""

import argparse
import dataclasses
import json
from statistics import median

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from engines import peak_MB
from niederer import MASS, slab
from speed import clocked, compiled, machine

from heartsim import fem, ionic, tissue, widen_vectors
from heartsim._memory import pages_go_back

SLICES = 25


def program(
    dx: float,
    dt: float,
    duration: float,
    every: float,
    rtol: float,
    mass: str = "lumped",
    heartlike: bool = False,
):
    """The loss as a function of the parameters, and the number of nodes."""
    body, muscle, stimulus = slab(dx, mass, 2, rtol, heartlike)
    x = np.asarray(body.points)[:, 0]
    node = jnp.asarray(np.minimum(x / x.max() * SLICES, SLICES - 1).astype(int))
    cell = node[jnp.asarray(body.cells[:, 0])]
    if jax.default_backend() != "cpu":
        muscle = muscle.planned([dt])
    parts = fem.elements(body)
    D = jnp.broadcast_to(jnp.diag(jnp.array([0.1334, 0.0176, 0.0176]) / 1.4), (len(cell), 3, 3))
    waves = np.linspace(0.5, 3.0, 9)[:, None] * np.pi * x / x.max()
    leads = jnp.asarray(np.cos(waves) / body.n_nodes)
    model = ionic.smoothed(ionic.by_name("ten_tusscher_2006_epi"))

    def loss(p, parts, muscle, stimulus, leads):
        K = parts.stiffness(p[:SLICES][cell][:, None, None] * D)
        ours = dataclasses.replace(
            muscle, K=K, ionic=ionic.scaled(model, {"g_Na": p[SLICES:][node]})
        )
        _, kept = tissue.simulate(
            ours,
            [stimulus],
            dt=dt,
            steps=round(duration / dt),
            sample_every=round(every / dt),
            leads=leads,
        )
        return (kept.leads**2).mean()

    return loss, (parts, muscle, stimulus, leads), body.n_nodes


def in_turns(functions: dict, repeats: int) -> tuple[dict, dict]:
    """Values and figures of functions with their arguments, each called once a turn: medians,
    and the first call, which touches its memory first."""
    made, values, figures, seconds = {}, {}, {}, {}
    for name, (function, *args) in functions.items():
        with pages_go_back():  # the compiler's, 0.5 GB of which glibc would keep
            made[name], compile_s = compiled(function, *args)
        values[name], *spent = clocked(made[name], *args)
        seconds[name] = [spent]
        figures[name] = {"compile_s": round(compile_s, 1), "peak_memory_MB": peak_MB()}
    for _ in range(repeats - 1):
        for name, (_, *args) in functions.items():
            seconds[name].append(clocked(made[name], *args)[1:])
    clock = "cpu_s" if jax.default_backend() == "cpu" else "wall_s"
    for name, of in figures.items():
        cpu, wall = np.round(np.transpose(seconds[name]), 3).tolist()
        of |= {"cpu_s": median(cpu), "wall_s": median(wall)}
        of |= {"first_cpu_s": cpu[0], "first_wall_s": wall[0]}
        of["forwards"] = round(of[clock] / figures["forward"][clock], 2)
        of["first_forwards"] = round(of[f"first_{clock}"] / figures["forward"][f"first_{clock}"], 2)
    return values, figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dx", type=float, default=0.2, help="edge length, mm")
    parser.add_argument("--dt", type=float, default=0.05, help="time step, ms")
    parser.add_argument("--duration", type=float, default=100.0, help="ms")
    parser.add_argument("--every", type=float, default=2.0, help="between two samples, ms")
    parser.add_argument("--rtol", type=float, default=1e-3, help="of the linear solve")
    parser.add_argument("--mass", choices=MASS, default="lumped")
    parser.add_argument("--heartlike", action="store_true", help="a mesh that is no grid")
    parser.add_argument("--repeats", type=int, default=3, help="calls of each program, in turns")
    parser.add_argument("--x64", action="store_true", help="double precision")
    args = parser.parse_args()
    widen_vectors()
    jax.config.update("jax_enable_x64", args.x64)
    loss, rest, nodes = program(
        args.dx, args.dt, args.duration, args.every, args.rtol, args.mass, args.heartlike
    )
    p = jnp.ones(2 * SLICES)
    v = jnp.asarray(np.random.default_rng(0).normal(size=p.shape))
    v = v / jnp.linalg.norm(v)

    def forward_mode(p, v, *rest):
        return jax.jvp(lambda p: loss(p, *rest), (p,), (v,))[1]

    value, figures = in_turns(
        {
            "forward": (loss, p, *rest),
            "reverse": (jax.grad(loss), p, *rest),
            "one_tangent": (forward_mode, p, v, *rest),
        },
        args.repeats,
    )
    gradient = value["reverse"]
    run, h = eqx.filter_jit(loss), 1e-4 if args.x64 else 1e-2
    difference = (run(p + h * v, *rest) - run(p - h * v, *rest)) / (2 * h)
    size = jnp.linalg.norm(gradient)
    report = {
        "machine": machine(),
        "nodes": nodes,
        "steps": round(args.duration / args.dt),
        "parameters": p.size,
        "repeats": args.repeats,
        "loss": float(value["forward"]),
        **figures,
        # over the length of the gradient: a direction of chance lies nearly across it
        "reverse_less_forward_mode": float(abs(gradient @ v - value["one_tangent"]) / size),
        "reverse_less_differences": float(abs(gradient @ v - difference) / size),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
