"""What a run waits for before its first step: compilation, in a process of its own each time.

`heartsim run` of 20 ms of the shipped heart with velocities given, and caches of its own:

    first   without the cells at its 40 lowest nodes; nothing is kept yet
    same    once more
    like    without those at its 110 lowest nodes: another heart of about the same size

`compile_s` is what JAX tells of compiling programs, or of reading those that were kept; `compiled`
names those of 0.1 s and more that were not read; `wall_s` is until all results are written.

    python benchmarks/start.py
    python benchmarks/start.py --refine 0 --json
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import numpy as np
from speed import tell

from heartsim import cli, mesh

HEART = Path(__file__).parents[1] / "meshes" / "biventricular.vtu"
CUT = {"first": 40, "same": 40, "like": 110}  # lowest nodes
COMPILED = "/jax/core/compile/backend_compile_duration"
READ = "/jax/compilation_cache/cache_hits"
SCENARIO = """
[heart]
mesh = "{mesh}"
refine = {refine}

[conduction]
velocity_fibre_m_s = 0.6
velocity_sheet_m_s = 0.4
velocity_normal_m_s = 0.4

[[stimulus]]
at = {{ surface = "lv_endo" }}

[solver]
duration_ms = 20.0
"""


def cut(heart: mesh.Mesh, lowest: int) -> mesh.Mesh:
    """Without the cells at its lowest nodes."""
    gone = np.argsort(heart.points[:, 2])[:lowest]
    return mesh.submesh(heart, ~np.isin(heart.cells, gone).any(axis=1))[0]


def one(scenario: str, out: str) -> dict:
    """A run in this process: its seconds, and those of compiling."""
    told, read = [], []

    def heard(event, seconds, fun_name="", **_):
        if event == COMPILED:
            told.append((fun_name, seconds, bool(read)))
            read.clear()

    def seen(event, **_):
        if event == READ:
            read.append(event)

    jax.monitoring.register_event_duration_secs_listener(heard)
    jax.monitoring.register_event_listener(seen)
    begun = time.perf_counter()
    code = cli.run_command(["run", scenario, "--out", out, "--json"])
    seconds = time.perf_counter() - begun
    if code:
        raise SystemExit(code)
    return {
        "programs": len(told),
        "read": sum(kept for _, _, kept in told),
        "compile_s": round(sum(seconds for _, seconds, _ in told), 2),
        "compiled": sorted({n for n, seconds, kept in told if seconds > 0.1 and not kept}),
        "wall_s": round(seconds, 1),
    }


def rows(args, folder: Path):
    """One for each of CUT."""
    heart = mesh.read_mesh(HEART)
    env = os.environ | {"HEARTSIM_CACHE": str(folder / "cache")}
    for name, lowest in CUT.items():
        body = cut(heart, lowest)
        mesh.write_mesh(body, folder / f"{name}.vtu")
        file = folder / f"{name}.toml"
        file.write_text(SCENARIO.format(mesh=f"{name}.vtu", refine=args.refine))
        words = [sys.executable, __file__, "--child", str(file), str(folder / name)]
        done = subprocess.run(words, env=env, check=True, capture_output=True, text=True)
        summary = json.loads((folder / name / "summary.json").read_text())
        nodes = summary["conductive_nodes"]["value"]
        yield {"run": name, "nodes": nodes, **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--refine", type=int, default=1, help="times")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(one(*args.child)))
        return
    with TemporaryDirectory() as folder:
        tell(rows(args, Path(folder)), args.json)


if __name__ == "__main__":
    main()
