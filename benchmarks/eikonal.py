"""Activation of a slab from one corner by the eikonal tier and by its peers: time beside error.

The slab of niederer.py at dx 0.2 mm (58 176 nodes, 315 000 tetrahedra), one source in a corner,
velocities 0.65 mm/ms along and 0.24 across. In a convex homogeneous body the exact time is that of
the straight ray. Rows:

    forward    from velocities and a source (3 edges' ball, as in a fit) to all times
    node       the same from a node that starts at 0, which is what the peers solve
    jvp        forward, and its derivative in one direction
    gradient   forward, and the derivative of the mean time by velocities, position and onset
    leads      potentials of 9 electrodes for 500 ms from given times, by the template tier

Compilation is apart, medians of `--repeats`. The peers take the same tetrahedra in processes of
their own, once: fim-python (AGPL; float32 and its active list, the faster of its settings) and
TorchCor (float32, to its default of 1e-3 ms). Nothing is installed and neither is imported here.
Make an environment that holds them:

    python -m venv PEERS
    PEERS/bin/pip install fim-python==1.2.2
    PEERS/bin/pip install torch torchcor==1.0.6
    python benchmarks/eikonal.py --python PEERS/bin/python
    python benchmarks/eikonal.py --python FIM/bin/python --torchcor TORCH/bin/python --json
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from engines import in_its_own_process, peak_MB, version

VELOCITY = (0.65, 0.24, 0.24)  # mm/ms along fibre, sheet and normal
PARTS = ("forward", "node", "jvp", "gradient", "leads")


def by_heartsim(case: dict) -> list[dict]:
    """One row a part."""
    import jax
    import numpy as np
    from speed import clocked, compiled, machine

    from heartsim import widen_vectors

    widen_vectors()
    jax.config.update("jax_enable_x64", case["x64"])
    start = time.perf_counter()
    calls, exact = problem(case["folder"])
    host = time.perf_counter() - start
    programs, compile_cpu = {}, {}
    for part, (f, args) in calls.items():
        before = time.process_time()
        programs[part] = compiled(f, *args)
        compile_cpu[part] = round(time.process_time() - before, 2)
    for part, (_, args) in calls.items():
        clocked(programs[part][0], *args)
    times: dict[str, list] = {part: [] for part in calls}
    for _ in range(case["repeats"]):  # the parts take turns, as in speed.py
        for part, (_, args) in calls.items():
            value, *seconds = clocked(programs[part][0], *args)
            times[part].append(seconds)
            if part in ("forward", "node"):
                error = np.abs(np.asarray(value) - exact)
                times[part][-1] += [error.mean(), error.max()]
    rows = []
    for part in PARTS:
        cpu, wall, *error = (median(x) for x in zip(*times[part], strict=True))
        rows.append(row(f"heartsim {part}", cpu, wall, *error))
        rows[-1] |= {"compile_s": round(programs[part][1], 2), "geometry_s": round(host, 2)}
        rows[-1]["compile_cpu_s"] = compile_cpu[part]
        rows[-1]["version"] = f"jax {jax.__version__}, {machine()['precision']}"
    return rows


def problem(folder: str):
    """The function of each part with its arguments; exact times [ms]."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from heartsim import tissue
    from heartsim.mesh import Mesh

    told = np.load(f"{folder}/slab.npz")
    frames = np.broadcast_to(np.eye(3), (len(told["cells"]), 3, 3))
    body = Mesh(told["points"], told["cells"], np.zeros(len(told["cells"]), int), frames)
    front = tissue.front(body)
    p = {
        "velocity": jnp.array(VELOCITY, float),
        "position": jnp.zeros((1, 3), float),
        "onset": jnp.zeros(1, float),
    }

    def forward(p, front, body):
        M = tissue.slowness(body, *p["velocity"])
        sources = tissue.Sources(p["position"], p["onset"])
        return tissue.arrival(front, M, tissue.source_times(front, M, sources))

    def node(p, front, body, start):
        return tissue.arrival(front, tissue.slowness(body, *p["velocity"]), start)

    def jvp(p, d, front, body):
        return jax.jvp(lambda p: forward(p, front, body), (p,), (d,))

    def gradient(p, front, body):
        return jax.value_and_grad(lambda p: forward(p, front, body).mean())(p)

    start = np.full(len(front.points), tissue.NEVER)
    start[front.place[told["seed"]]] = 0.0
    exact = jnp.asarray(told["exact"], float)
    template, t = tissue.Template(), jnp.arange(0.0, 500.0)
    field = jnp.asarray(np.random.default_rng(1).normal(size=(9, body.n_nodes)), float)
    d = jax.tree.map(jnp.ones_like, p)
    return {
        "forward": (forward, (p, front, body)),
        "node": (node, (p, front, body, jnp.asarray(start, float))),
        "jvp": (jvp, (p, d, front, body)),
        "gradient": (gradient, (p, front, body)),
        "leads": (tissue.template_leads, (template, field, t, exact, 280.0)),
    }, told["exact"]


def by_fim(case: dict) -> list[dict]:
    """Its constructor, which orders and inverts, is apart, as our geometry is."""
    import numpy as np
    from fimpy.solver import create_fim_solver

    told = np.load(f"{case['folder']}/slab.npz")
    C = np.broadcast_to(np.diag(np.square(VELOCITY)), (len(told["cells"]), 3, 3))
    start = time.perf_counter()
    solver = create_fim_solver(
        told["points"],
        told["cells"],
        np.ascontiguousarray(C),
        precision=np.float32,
        device="cpu",
        use_active_list=True,
    )
    host = time.perf_counter() - start
    cpu, wall = time.process_time(), time.perf_counter()
    T = solver.comp_fim(told["seed"], np.zeros(1, np.float32))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    error = np.abs(T - told["exact"])
    told = {"geometry_s": round(host, 2), "version": f"fim-python {version('fim-python')}, float32"}
    return [row("fim-python", cpu, wall, error.mean(), error.max()) | told]


def by_torchcor(case: dict) -> list[dict]:
    """Its functions below the class that reads a mesh from CARP files."""
    import numpy as np
    import torch
    from torchcor.simulator.reaction_eikonal import (
        _TET_EDGES,
        _TET_FACES,
        _edge_terms,
        _face_terms,
        fim_eikonal,
    )

    told = np.load(f"{case['folder']}/slab.npz")
    points = torch.tensor(told["points"], dtype=torch.float32)
    tets = torch.tensor(told["cells"], dtype=torch.long)
    M = torch.diag(torch.tensor(VELOCITY) ** -2).expand(len(tets), 3, 3)
    start = time.perf_counter()
    edges = [_edge_terms(points, *(tets[:, k] for k in e), M) for e in _TET_EDGES]
    faces = [_face_terms(points, *(tets[:, k] for k in f), M) for f in _TET_FACES]
    edge, face = (tuple(torch.cat(x, dim=1) for x in zip(*y, strict=True)) for y in (edges, faces))
    host = time.perf_counter() - start
    seed = torch.full((len(points),), 1e9)
    seed[int(told["seed"][0])] = 0.0
    cpu, wall = time.process_time(), time.perf_counter()
    T = fim_eikonal(edge, face, seed, tol=1e-3, verbose=False).numpy()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    error = np.abs(T - told["exact"])
    told = {"geometry_s": round(host, 2)}
    told["version"] = f"torchcor {version('torchcor')}, torch {torch.__version__}, float32"
    return [row("torchcor", cpu, wall, error.mean(), error.max()) | told]


ENGINES = {"heartsim": by_heartsim, "fim-python": by_fim, "torchcor": by_torchcor}


def row(name: str, cpu: float, wall: float, mean=None, worst=None) -> dict:
    """What is said of one part of one engine."""
    told = {"name": name, "cpu_s": round(cpu, 3), "wall_s": round(wall, 3)}
    if mean is not None:
        told |= {"error_mean_ms": round(float(mean), 3), "error_max_ms": round(float(worst), 3)}
    return told | {"memory_MB": peak_MB()}


def prepare(folder: str, dx: float) -> dict:
    """Write what every engine reads; how large it is."""
    import numpy as np
    from niederer import SIZE

    from heartsim.mesh import slab

    body = slab(SIZE, dx)
    exact = np.sqrt(((body.points / VELOCITY) ** 2).sum(axis=1))
    seed = np.flatnonzero(exact == 0.0)
    cells = np.asarray(body.cells, np.int32)
    np.savez(f"{folder}/slab.npz", points=body.points, cells=cells, exact=exact, seed=seed)
    return {"nodes": body.n_nodes, "cells": body.n_cells, "last_ms": round(exact.max(), 1)}


def report(told: dict) -> None:
    print(*(f"{k} {v}" for k, v in told["body"].items()), sep="  ")
    print(
        f"{'':22}{'wall s':>8}{'CPU s':>8}{'x node':>8}{'compile s':>10}"
        f"{'error ms, mean / max':>22}"
    )
    for r in told["rows"]:
        error = (
            f"{r['error_mean_ms']:.2f} / {r['error_max_ms']:.2f}" if "error_mean_ms" in r else ""
        )
        print(
            f"{r['name']:22}{r['wall_s']:8.2f}{r['cpu_s']:8.2f}{r['cpu_ratio']:8.2f}"
            f"{r.get('compile_s', ''):>10}{error:>22}"
        )
    print(*told["absent"], sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="the peers' environment")
    parser.add_argument("--torchcor", help="that of TorchCor, if it is another")
    parser.add_argument("--peers", choices=list(ENGINES)[1:], nargs="*", default=list(ENGINES)[1:])
    parser.add_argument("--dx", type=float, default=0.2, help="edge length, mm")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--x64", action="store_true", help="ours in double precision")
    parser.add_argument("--one-core", action="store_true", help="tie every engine to one core")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        case = json.load(sys.stdin)
        os.sched_setaffinity(0, case["cores"])  # before any engine is imported
        print(json.dumps(ENGINES[case["name"]](case)))
        return
    cores = sorted(os.sched_getaffinity(0))
    cores = cores[-1:] if args.one_core else cores
    case = {"cores": cores, "repeats": args.repeats, "x64": args.x64}
    pythons = {"heartsim": sys.executable, "torchcor": args.torchcor or args.python}
    rows, absent = [], []
    with tempfile.TemporaryDirectory() as folder:
        body = prepare(folder, args.dx)
        for name in ["heartsim", *args.peers]:
            told = in_its_own_process(
                pythons.get(name, args.python),
                case | {"name": name, "folder": folder},
                program=str(Path(__file__)),
            )
            absent += [told] if isinstance(told, str) else []
            rows += [] if isinstance(told, str) else told
    node = next(r for r in rows if r["name"] == "heartsim node")
    for r in rows:
        r["cpu_ratio"] = round(r["cpu_s"] / node["cpu_s"], 2)
        r["wall_ratio"] = round(r["wall_s"] / node["wall_s"], 2)
    from speed import machine

    told = {"machine": machine() | {"cores": len(cores)}, "body": body}
    told |= {"rows": rows, "absent": absent}
    if args.json:
        json.dump(told, sys.stdout, indent=1)
        print()
    else:
        report(told)


if __name__ == "__main__":
    main()
