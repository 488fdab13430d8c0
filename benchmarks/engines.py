"""The benchmark slab by heartsim and by its peers, in one run: time beside error.

The same 20 x 7 x 3 mm slab, edge, dt, conductivities and stimulus (niederer.py), each engine in
a process of its own until the far corner P8 has fired. TorchCor takes the same tetrahedra, its
consistent mass and its own semi-implicit step, which heartsim's order 1 equals; finitewave is
explicit finite differences on the same nodes. All start from heartsim's resting state; otherwise
each peer keeps the settings of its own manual (TorchCor's own start fires P8 1 ms earlier). The
clock starts after compilation (peers: after 1 ms).

Nothing is installed and no peer is imported here. Make an environment that holds them:

    python -m venv PEERS
    PEERS/bin/pip install torch
    PEERS/bin/pip install torchcor==1.0.6 finitewave==0.9.3
    python benchmarks/peers.py --python PEERS/bin/python
    python benchmarks/peers.py --python PEERS/bin/python --one-core --json
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEARTSIM = {  # name: mass, order
    "heartsim consistent order 1": ("consistent", 1),
    "heartsim lumped order 1": ("lumped", 1),
    "heartsim consistent order 2": ("consistent", 2),
    "heartsim blended order 2": ("blended", 2),
}
# the peers' names of heartsim's state and V, in its order
TORCHCOR = "M H J Xr1 Xr2 Xs R S d F F2 FCaSS R_ Cai CaSS CaSR Nai Ki V"
FINITEWAVE = "m h j xr1 xr2 xs r s d f f2 fcass rr cai cass casr nai ki u"


class Clock:
    """Seconds of CPU and wall since it was made."""

    def __init__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def figures(self, nodes: int, steps: int) -> dict:
        """What the row says of time and memory."""
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        return {
            "nodes": nodes,
            "steps": steps,
            "cpu_ns": round(cpu / steps / nodes * 1e9, 1),
            "wall_ns": round(wall / steps / nodes * 1e9, 1),
            "memory_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def by_heartsim(case: dict) -> dict:
    from niederer import run

    mass, order = HEARTSIM[case["name"]]
    row = run(case["dx"], case["dt"], mass, order, rtol=1e-3, longest=case["longest"])
    per = row["steps"] * row["nodes"] / 1e9
    return {
        "P8_ms": None if math.isnan(row["P8"]) else row["P8"],
        "nodes": row["nodes"],
        "steps": row["steps"],
        "cpu_ns": round(row["cpu_s"] / per, 1),
        "wall_ns": round(row["wall_s"] / per, 1),
        "memory_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "version": f"jax {row['jax']}, {row['precision']}",
    }


def by_torchcor(case: dict) -> dict:
    import torch
    import torchcor
    from torchcor.ionic import TenTusscherPanfilov
    from torchcor.simulator import Monodomain

    torchcor.set_device("cpu", verbose=False)
    dt, far = case["dt"], case["far_node"]
    cell = TenTusscherPanfilov(cell_type="EPI", dt=dt, dtype=torch.float32)
    for name, value in zip(TORCHCOR.split(), case["start"], strict=True):
        setattr(cell, f"{name}_init", value)
    slab = Monodomain([cell], T=case["longest"], dt=dt, dtype=torch.float32)
    slab.load_mesh(path=case["folder"], unit_conversion=1000)
    slab.add_stimulus(f"{case['folder']}/corner.vtx", start=0.0, duration=2.0, intensity=35.7)
    slab.add_conductivity(None, il=case["sigma"][0], it=case["sigma"][1])
    slab.assemble()
    u = cell.initialize(slab.n_nodes)
    slab.cg.initialize(x=u, linear_guess=True)
    warm, before, split = round(1.0 / dt), float(u[far]), [0.0, 0.0]
    for k in range(1, round(case["longest"] / dt) + 1):
        u, _, *seconds = slab.step(u, k * dt, 1e-5, 1e-5, 100, verbose=True)
        if k == warm:
            clock, split = Clock(), [0.0, 0.0]
        split = [total + s for total, s in zip(split, seconds, strict=True)]
        now = float(u[far])
        if k > warm and now > 0.0:
            break
        before = now
    return {
        "P8_ms": round((k - now / (now - before)) * dt, 3) if now > 0.0 else None,
        **clock.figures(slab.n_nodes, k - warm),
        "membrane_share": round(split[0] / sum(split), 2),
        "version": f"torchcor {version('torchcor')}, torch {torch.__version__}, float32 "
        "(linear solve in float64), tolerance 1e-5",
    }


def by_finitewave(case: dict) -> dict:
    import finitewave
    import numpy as np

    shape = [round(length / case["dx"]) + 1 for length in case["size"]]
    tissue = finitewave.CardiacTissue([n + 2 for n in shape])  # a border of empty cells
    tissue.fibers = np.zeros((*tissue.mesh.shape, 3))
    tissue.fibers[..., 0] = 1.0
    model = finitewave.TenTusscherPanfilov2006()
    for name, value in zip(FINITEWAVE.split(), case["start"], strict=True):
        setattr(model, f"init_{name}", value)
    model.cardiac_tissue, model.prog_bar = tissue, False
    model.dt, model.dr = case["dt"], case["dx"]
    along, across = case["sigma"]
    model.D_model = along / 1.4  # σ / (χ C_m), mm²/ms
    model.stencil = model.select_stencil(tissue)
    model.stencil.D_al, model.stencil.D_ac = 1.0, across / along
    last = round(1.5 / case["dx"] - 0.5) + 2  # nodes up to 1.5 mm, behind the border
    pulse = 2.0 - 1.5 * case["dt"]  # the step in which this ends is stimulated too
    stimuli, trackers = finitewave.StimSequence(), finitewave.TrackerSequence()
    box = {"x1": 1, "x2": last, "y1": 1, "y2": last, "z1": 1, "z2": last}
    stimuli.add_stim(finitewave.StimCurrentCoord(0.0, 35.7, pulse, **box))
    fired = finitewave.ActivationTimeTracker()
    fired.threshold = 0.0
    trackers.add_tracker(fired)
    model.stim_sequence, model.tracker_sequence = stimuli, trackers
    model.t_max = 1.0
    model.run()
    clock, warm, far = Clock(), model.step, tuple(shape)
    while fired.act_t[far] < 0.0 and model.t < case["longest"]:
        model.t_max = model.t + 1.0
        model.run(initialize=False)
    return {
        "P8_ms": round(float(fired.act_t[far]), 3) if fired.act_t[far] > 0.0 else None,
        **clock.figures(int((tissue.mesh == 1).sum()), model.step - warm),
        "version": f"finitewave {version('finitewave')}, numba {version('numba')}, float64",
    }


PEERS = {"torchcor": by_torchcor, "finitewave": by_finitewave}


def version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def prepare(folder: Path, dx: float) -> dict:
    """Write the slab for peers that read CARP files; what every engine is told."""
    import numpy as np
    from niederer import POINTS, SIGMA, SIZE

    from heartsim import fem, ionic, mesh

    V, state = ionic.by_name("ten_tusscher_2006_epi").rest()
    start = [float(value) for value in (*state, V)]
    body = mesh.slab(SIZE, dx)
    real = body.n_nodes
    body, _ = fem.compact(body)
    points = body.points[:real]  # peers need no padding
    np.savetxt(folder / f"{folder.name}.pts", points * 1000, "%.6f", header=f"{real}", comments="")
    tets = np.column_stack([body.cells, np.zeros(body.n_cells, int)])
    np.savetxt(
        folder / f"{folder.name}.elem",
        tets,
        "Tt %d %d %d %d %d",
        header=f"{len(tets)}",
        comments="",
    )
    fibres = np.broadcast_to([1.0, 0.0, 0.0], (len(tets), 3))
    np.savetxt(folder / f"{folder.name}.lon", fibres, "%.1f", header="1", comments="")
    corner = np.flatnonzero((points <= 1.5 + 1e-9).all(axis=1))
    header = f"{len(corner)}\nintra"
    np.savetxt(folder / "corner.vtx", corner, "%d", header=header, comments="")
    far = int(np.abs(points - POINTS["P8"]).sum(axis=1).argmin())
    told = {"dx": dx, "size": SIZE, "sigma": SIGMA, "start": start}
    return told | {"far_node": far, "folder": str(folder)}


def in_its_own_process(python: str, case: dict, program: str = __file__) -> dict | list | str:
    """The row (or rows) of one engine, or one sentence that says why there is none."""
    done = subprocess.run(
        [python, program, "--run", json.dumps(case)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ""},
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    last = done.stderr.strip().splitlines()[-1:] or [f"it ended with code {done.returncode}"]
    if last[0].startswith("ModuleNotFoundError"):
        return f"{case['name']} is not in the environment of {python} ({last[0]})."
    return f"{case['name']} did not run with {python}: {last[0]}"


def report(rows: list[dict], limit: float) -> None:
    print(f"{'':30}{'CPU':>8}{'wall':>8}{'CPU':>7}{'wall':>7}{'P8':>9}{'error':>8}{'memory':>9}")
    print(f"{'':30}{'ns a node a step':>16}{'x ours':>14}{'ms':>9}{'ms':>8}{'MB':>9}")
    for row in rows:
        P8 = row["P8_ms"]
        print(
            f"{row['name']:30}{row['cpu_ns']:8.0f}{row['wall_ns']:8.0f}{row['cpu_ratio']:7.2f}"
            f"{row['wall_ratio']:7.2f}{P8 if P8 else 'never':>9}"
            f"{f'{P8 - limit:+.1f}' if P8 else '':>8}{row['memory_MB']:9d}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="the peers' environment")
    parser.add_argument("--peers", choices=PEERS, nargs="*", default=list(PEERS))
    parser.add_argument("--ours", choices=HEARTSIM, nargs="*", default=list(HEARTSIM))
    parser.add_argument("--dx", type=float, default=0.2, help="edge length, mm")
    parser.add_argument("--dt", type=float, default=0.05, help="time step, ms")
    parser.add_argument("--longest", type=float, default=80.0, help="give up after this, ms")
    parser.add_argument(
        "--limit", type=float, default=41.2, help="P8 in the limit (docs/numerics.md), ms"
    )
    parser.add_argument("--one-core", action="store_true", help="tie every engine to one core")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run is not None:
        case = json.loads(args.run)
        os.sched_setaffinity(0, case["cores"])  # before any engine is imported
        print(json.dumps({"name": case["name"], **PEERS.get(case["name"], by_heartsim)(case)}))
        return
    cores = sorted(os.sched_getaffinity(0))
    cores = cores[-1:] if args.one_core else cores
    rows, absent = [], []
    with tempfile.TemporaryDirectory() as folder:
        case = prepare(Path(folder), args.dx)
        case |= {"dt": args.dt, "longest": args.longest, "cores": cores}
        for name in [*args.ours, *args.peers]:
            python = args.python if name in PEERS else sys.executable
            row = in_its_own_process(python, case | {"name": name})
            (absent if isinstance(row, str) else rows).append(row)
    for row in rows:
        for clock in ("cpu", "wall"):
            row[f"{clock}_ratio"] = round(row[f"{clock}_ns"] / rows[0][f"{clock}_ns"], 2)
    if args.json:
        json.dump({"cores": len(cores), "rows": rows, "absent": absent}, sys.stdout, indent=1)
        print()
    else:
        report(rows, args.limit)
        print(*absent, sep="\n")


if __name__ == "__main__":
    main()
