"""Arrival times of point sources by fim-python on heartsim's tetrahedra, for tests/reference.

Run by hand in heartsim's environment; fim-python is AGPL-3 and must not be imported by heartsim,
so that it runs in an environment of its own: `pip install fim-python`. It solves in float64, by
its active list, to its own 1e-9. Written: tests/reference/fim_python.csv, the mesh, the node, its
place [mm] and its time [ms].

    python scripts/eikonal_by_fim.py --python PEER/bin/python
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
OUT = ROOT / "tests" / "reference" / "fim_python.csv"


def by_fim(path: str) -> None:
    """Add the peer's times to a file that holds points, cells, C and seeds."""
    from fimpy.solver import create_fim_solver

    case = dict(np.load(path))
    solver = create_fim_solver(
        case["points"], case["cells"], case["C"], precision=np.float64, device="cpu"
    )
    np.save(path + ".npy", solver.comp_fim(case["seeds"], np.zeros(len(case["seeds"]))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="the environment of fim-python")
    python = parser.parse_args().python
    sys.path.insert(0, str(ROOT / "tests"))
    from eikonal_cases import CASES, body_of, tensor_of

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, case in CASES.items():
            body, path = body_of(name), f"{folder}/{name}.npz"
            C = np.linalg.inv(np.asarray(tensor_of(body, case), float))
            seeds = np.array(case.seeds)
            np.savez(path, points=body.points, cells=body.cells, C=C, seeds=seeds)
            subprocess.run([python, __file__, "--fim", path], check=True)
            T = np.load(path + ".npy")
            rows += [
                f"{name},{k},{x:.4f},{y:.4f},{z:.4f},{t:.6f}"
                for k, ((x, y, z), t) in enumerate(zip(body.points, T, strict=True))
            ]
    OUT.write_text("mesh,node,x_mm,y_mm,z_mm,T_ms\n" + "\n".join(rows) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fim"]:
        by_fim(sys.argv[2])
    else:
        main()
