"""From a segmentation to a heart with fibres and coordinates: seconds of each stage, and memory.

Each case is built in a process of its own, whose peak memory is that of the build. Without
SEGMENTATION it is the made-up dilated heart, voxelised at 1.5 x 1.5 x 8 mm.

    python benchmarks/mesh_build.py                       # edges of 1.5 and 1 mm, in minutes
    python benchmarks/mesh_build.py SEGMENTATION --labels labels.toml --edge 1.0
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from engines import peak_MB
from speed import machine

from heartsim.scenario import mesh_from_image, write_made_up_labels

VOXELS_MM = (1.5, 1.5, 8.0)


def built(segmentation: Path, labels: Path, edge: float) -> dict:
    """What one build took in this process."""
    begun: dict[str, float] = {}

    def stage(name: str) -> None:
        begun[name] = time.perf_counter()

    cpu, start = time.process_time(), time.perf_counter()
    mesh, rows = mesh_from_image(segmentation, labels, edge, stage=stage)
    cpu, end = time.process_time() - cpu, time.perf_counter()
    ends = [*list(begun.values())[1:], end]
    spent = {
        name: round(until - since, 1)
        for (name, since), until in zip(begun.items(), ends, strict=True)
    }
    return {
        "edge_mm": edge,
        "nodes": mesh.n_nodes,
        "cells": mesh.n_cells,
        "muscle_cm3": round(rows["volume_mm3"]["value"] / 1000, 1),
        "least_dihedral_deg": round(rows["dihedral_quantiles_degrees"]["value"][0], 1),
        "wall_s": round(end - start, 1),
        "cpu_s": round(cpu, 1),
        "peak_memory_MB": peak_MB(),
        "stages_s": spent,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("segmentation", nargs="?", type=Path)
    parser.add_argument("--labels", type=Path, help="TOML file that names its numbers")
    parser.add_argument("--edge", type=float, nargs="+", default=[1.5, 1.0], help="mean, mm")
    parser.add_argument("--kind", default="dilated", help="of the made-up heart")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.segmentation is not None and args.labels is None:
        parser.error("SEGMENTATION needs --labels")
    if args.segmentation is not None and len(args.edge) == 1:
        row = built(args.segmentation, args.labels, args.edge[0])
        print(json.dumps({"machine": machine(), "rows": [row]}, indent=1))
        return
    with TemporaryDirectory() as folder:
        image, labels = args.segmentation, args.labels
        if image is None:
            image = Path(folder) / "made_up.nii.gz"
            write_made_up_labels(args.kind, None, VOXELS_MM, image)
            labels = image.with_name("made_up.toml")
        told = []
        for edge in args.edge:
            words = [sys.executable, __file__, image, "--labels", labels, "--edge", str(edge)]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            told.append(json.loads(done.stdout))
            if not args.json:
                print(*(f"{k} {v}" for k, v in told[-1]["rows"][0].items()), sep="  ", flush=True)
    if args.json:
        rows = [row for each in told for row in each["rows"]]
        print(json.dumps({"machine": told[0]["machine"], "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
