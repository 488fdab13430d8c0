"""Monodomain by heartsim and by its peers, in one run: time beside error.

Three comparisons; every engine runs in a process of its own (engines.py):

    steps   the 20 x 7 x 3 mm slab of Niederer et al. (2011), equal edge, dt, conductivities and
            stimulus, until the far corner P8 fires. TorchCor takes the same tetrahedra, consistent
            mass and a semi-implicit step, which heartsim's order 1 equals; finitewave is explicit
            finite differences on the same nodes. The slab is a grid, which heartsim solves line
            by line; --heartlike moves its nodes a little, so that it is none.
    error   the same slab at equal error: each engine over edges and steps from cheap to dear, with
            the seconds until P8 has fired, its error, and those of plane waves along and across the
            fibre, on bars of the same edge and step. Which is the cheapest within 1 ms and 5 %?
            "tuned velocities" is what a heartsim scenario does that gives velocities.
    heart   the shipped biventricular heart on edges of 2 mm, equal conductivities and dt, with
            TorchCor and fenicsx-beat, which read any tetrahedra: until every node has fired.

Nothing is installed and no peer is imported here. Make an environment that holds them:

    python -m venv PEERS
    PEERS/bin/pip install torch
    PEERS/bin/pip install torchcor==1.0.6 finitewave==0.9.3
    python benchmarks/compare.py --python PEERS/bin/python
    python benchmarks/compare.py --python PEERS/bin/python --one-core --only error --json

fenicsx-beat needs DOLFINx of 0.8 or later, Debian 13's (python3-dolfinx, seen by an environment
with --system-site-packages) or, from Python 3.12 on, a wheel that has another name than
fenicsx-beat asks for; and a CellML file of the cell, of which gotranx makes its program:

    python3.12 -m venv BEAT
    BEAT/bin/pip install dolfinx-solver-real mpich scipy pint rich gotranx myokit numba
    BEAT/bin/pip install --no-deps fenicsx-beat
    LD_LIBRARY_PATH=BEAT/lib python benchmarks/compare.py --python PEERS/bin/python \\
        BEAT/bin/python --cellml CELL.cellml
"""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from engines import HEARTSIM, PEERS, in_its_own_process, write_case
from niederer import POINTS, SIGMA, SIZE, brick

from heartsim import fem, mesh

LIMIT = {"along": 0.6131, "across": 0.2240}  # m/s, docs/numerics.md
LIMIT_P8 = {0.0: 41.2, -40.0: 41.05}  # ms; a fine strand's end rises from -40 to 0 mV in 0.15 ms
BARS = {"along": 0, "across": 1}  # axis of the bar whose waves have that velocity: the fibre's
READ = (7.0, 16.0)  # mm, between which a bar's velocity is read
SITE = 1.5  # mm, side of the stimulated corner
HEART_SIGMA = (0.8, 0.4)  # mS/mm; edges of 2 mm carry waves of no less
WITHIN = {"P8_error_ms": 1.0, "along_error_percent": 5.0, "across_error_percent": 5.0}
LADDER = {  # edges [mm] and steps [ms], cheap to dear
    "heartsim tuned velocities": [
        *((0.5, 0.1), (1 / 3, 0.1), (0.25, 0.1), (0.25, 0.05), (0.2, 0.1)),
    ],
    "heartsim consistent, order 2": [(0.2, 0.1), (0.2, 0.05), (0.1, 0.05)],
    "heartsim one third lumped, order 2": [(0.2, 0.05), (0.1, 0.05)],
    "heartsim consistent, order 1": [(0.2, 0.05), (0.2, 0.02), (0.1, 0.05), (0.1, 0.02)],
    "torchcor": [(0.2, 0.05), (0.2, 0.02), (0.1, 0.05), (0.1, 0.02)],
    "finitewave": [(0.2, 0.05), (0.1, 0.05)],
}


def ordered(body: mesh.Mesh) -> mesh.Mesh:
    """Its nodes in the order that is kind to every engine's cache, without padding."""
    return unpadded(fem.compact(body)[0])


def unpadded(body: mesh.Mesh) -> mesh.Mesh:
    """Without nodes of no cell."""
    return mesh.submesh(body, np.ones(body.n_cells, bool))[0]


def slab(folder: Path, dx: float, heartlike: bool = False) -> dict:
    """The slab, stimulated at a corner, watched at P8."""
    body = unpadded(brick(dx, heartlike))
    site = (body.points <= SITE + 0.01 * dx).all(axis=1)
    return _box(folder, body, dx, SIZE, site, [POINTS["P8"]], axis=0)


def bar(folder: Path, dx: float, way: str) -> dict:
    """Six edges thick, along x, stimulated at one end, its fibre along x or across; read amid, as
    edges at the side of split cubes have other weights."""
    size = (SIZE[0], 6 * dx, 6 * dx)
    body = ordered(mesh.slab(size, dx))
    site = body.points[:, 0] <= SITE + 1e-9
    return _box(folder, body, dx, size, site, [(x, 3 * dx, 3 * dx) for x in READ], axis=BARS[way])


def _box(folder: Path, body: mesh.Mesh, dx: float, size, site, watch, axis: int) -> dict:
    frame = np.roll(np.eye(3), axis, axis=1)
    frames = np.ascontiguousarray(np.broadcast_to(frame, (body.n_cells, 3, 3)))
    case = write_case(folder, dataclasses.replace(body, frames=frames), site, SIGMA)
    triples = np.rint(np.asarray(watch) / dx).astype(int)
    nodes = [int(np.abs(body.points - t * dx).sum(axis=1).argmin()) for t in triples]
    grid = [round(length / dx) + 1 for length in size]
    some = round(SITE / dx - 0.5) + 1  # nodes up to the end of the site
    return (
        case
        | {
            "dx": dx,
            "watch": nodes,
            "fibre": frame[0].tolist(),
            "velocity": [LIMIT["along"], LIMIT["across"]],
            "grid": grid,  # finitewave's nodes, and those of them that are stimulated and watched
            "site_grid": [some, *([some, some] if size == SIZE else grid[1:])],
            "watch_grid": triples.tolist(),
        }
    )


def heart(folder: Path) -> dict:
    """The shipped heart, all roots of the bundles stimulated at once, every node watched."""
    body = ordered(mesh.refine(mesh.read_mesh("meshes/biventricular.vtu")))
    roots = [nodes for name, nodes in body.node_sets.items() if name.startswith("root_")]
    site = np.isin(np.arange(body.n_nodes), np.concatenate(roots))
    return write_case(folder, body, site, HEART_SIGMA) | {"watch": list(range(body.n_nodes))}


def steps(args, folder: Path) -> list:
    """Equal edge, dt and conductivities."""
    told = {"dt": args.dt, "longest": args.longest, "threshold": 0.0}
    case = slab(folder / "slab", args.dx, args.heartlike) | told
    rows = run_all(args, case, [*args.ours, *args.peers])
    for row in rows:
        if isinstance(row, dict):
            (P8,) = row.pop("times")
            row["P8_ms"] = None if np.isnan(P8) else P8
            row["P8_error_ms"] = None if np.isnan(P8) else P8 - LIMIT_P8[case["threshold"]]
    return rows


def error(args, folder: Path) -> list:
    """Each engine over its ladder, and whether a row is within WITHIN."""
    rows: list = []
    for name, ladder in LADDER.items():
        if name not in [*args.ours, *args.peers]:
            continue
        for dx, dt in [rung for rung in ladder if rung[0] >= args.finest]:
            place = Path(tempfile.mkdtemp(dir=folder))
            told = {"dt": dt, "longest": args.longest, "threshold": -40.0}
            told["cache"] = str(folder / "tuned")
            (row,) = run_all(args, slab(place / "slab", dx) | told, [name])
            if isinstance(row, str):
                rows.append(row)
                break
            row |= {"dx": dx, "dt": dt, "P8_error_ms": row.pop("times")[0] - LIMIT_P8[-40.0]}
            for way in BARS:
                long = told | {"longest": 2 * SIZE[0] / LIMIT[way]}
                (found,) = run_all(args, bar(place / way, dx, way) | long, [name])
                velocity = (READ[1] - READ[0]) / np.subtract(*found["times"][::-1])
                row[f"{way}_error_percent"] = float(100 * (velocity / LIMIT[way] - 1))
            row["within"] = all(abs(row[key]) <= most for key, most in WITHIN.items())
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    return rows


def heart_too(args, folder: Path) -> list:
    """The heart by whoever reads tetrahedra: seconds, and how far its times are from ours."""
    told = {"dt": args.dt, "longest": 3 * args.longest, "threshold": 0.0}
    case = heart(folder / "heart") | told
    first = "heartsim consistent, order 1"
    rows = run_all(args, case, [first, *(peer for peer in args.peers if peer != "finitewave")])
    ours = np.asarray(rows[0]["times"], float)
    for row in rows:
        if isinstance(row, dict):
            apart = np.asarray(row.pop("times"), float) - ours
            row["last_ms"], row["rms_ms"] = float((ours + apart).max()), float(apart.std())
            row["apart_ms"] = float(np.abs(apart).max())
    return rows


COMPARISONS = {"steps": steps, "error": error, "heart": heart_too}


def run_all(args, case: dict, names: list[str]) -> list:
    rows = []
    for name in names:
        told = {"name": name, "cores": args.cores, "device": args.device, "cellml": args.cellml}
        for python in args.python if name in PEERS else [sys.executable]:
            row = in_its_own_process(python, case | told)
            if isinstance(row, dict):
                break
        rows.append(row)
    return rows


def report(name: str, rows: list) -> None:
    told = [row for row in rows if isinstance(row, dict)]
    columns = [key for key in told[0] if key not in ("name", "version")] if told else []
    print(f"\n{name}: {COMPARISONS[name].__doc__}", ", ".join(columns), sep="\n")
    for row in told:
        values = (row.get(key) for key in columns)
        print(f"{row['name']:36}", *(f"{v:.4g}" if isinstance(v, float) else v for v in values))
    print(*(row for row in rows if isinstance(row, str)), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ours = [f"heartsim {name}" for name in HEARTSIM]
    parser.add_argument(
        "--python", default=[sys.executable], nargs="+", help="the peers' environments"
    )
    parser.add_argument("--cellml", help="ten Tusscher's epicardial cell, for fenicsx-beat")
    parser.add_argument("--only", choices=COMPARISONS, nargs="*", default=list(COMPARISONS))
    parser.add_argument("--peers", choices=PEERS, nargs="*", default=list(PEERS))
    parser.add_argument("--ours", choices=ours, nargs="*", default=ours)
    parser.add_argument("--dx", type=float, default=0.2, help="edge of the steps, mm")
    parser.add_argument("--dt", type=float, default=0.05, help="time step of steps and heart, ms")
    parser.add_argument("--finest", type=float, default=0.1, help="last edge of error, mm")
    parser.add_argument("--longest", type=float, default=80.0, help="give up after this, ms")
    parser.add_argument("--heartlike", action="store_true", help="steps on a mesh that is no grid")
    parser.add_argument("--one-core", action="store_true", help="tie every engine to one core")
    parser.add_argument("--device", default="cpu", help="cuda:0: TorchCor there, too")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    args.cores = cores[-1:] if args.one_core else cores
    done: dict = {"cores": len(args.cores)}
    for name in args.only:
        with tempfile.TemporaryDirectory() as folder:
            rows = COMPARISONS[name](args, Path(folder))
        first = next((row for row in rows if isinstance(row, dict)), None)
        for row in rows:
            for clock in ("cpu_s", "wall_s") if isinstance(row, dict) else ():
                row[clock.replace("_s", "_ratio")] = round(row[clock] / first[clock], 3)
        done[name] = rows
        if not args.json:
            report(name, rows)
    if args.json:
        json.dump(done, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
