"""Make the meshes that the project ships, into meshes/, with their checksums.

python scripts/make_meshes.py [--out DIR]
"""

import argparse
import csv
import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from heartsim.mesh import Mesh, biventricular_ellipsoid, require_sound, write_mesh

EDGE_MM = 4.2

# Our own proxy placement, mm, in the heart's frame (x to the left, y backward, z to the head,
# origin near the middle of the ventricles, which lie 25 mm left of the midline and 85 mm behind
# the breastbone): V1 and V2 beside the breastbone, V4 to V6 around the left side at one level, V3
# between V2 and V4, limb electrodes at the corners of the trunk.
ELECTRODES_MM = {
    "RA": (-120.0, -40.0, 130.0),
    "LA": (125.0, -40.0, 130.0),
    "RL": (-100.0, -30.0, -190.0),
    "LL": (100.0, -30.0, -190.0),
    "V1": (-50.0, -85.0, 15.0),
    "V2": (0.0, -85.0, 15.0),
    "V3": (32.0, -82.0, -5.0),
    "V4": (62.0, -72.0, -25.0),
    "V5": (90.0, -42.0, -25.0),
    "V6": (105.0, 0.0, -25.0),
}


def biventricular() -> Mesh:
    """The ellipsoid heart, its numbers rounded to float32 so that the file is small."""
    mesh = biventricular_ellipsoid(EDGE_MM)

    def rounded(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32).astype(np.float64)

    f, s = rounded(mesh.frames[:, 0]), rounded(mesh.frames[:, 1])
    return dataclasses.replace(
        mesh,
        points=rounded(mesh.points),
        frames=np.stack([f, s, np.cross(f, s)], axis=1),
        point_data={name: rounded(values) for name, values in mesh.point_data.items()},
        notes=("heart: made-up ellipsoids (scripts/make_meshes.py), no patient", *mesh.notes),
    )


def main(out: Path) -> None:
    mesh = biventricular()
    report = require_sound(mesh, "biventricular")
    write_mesh(mesh, out / "biventricular.vtu")
    with (out / "biventricular_electrodes.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["name", "x_mm", "y_mm", "z_mm"])
        rows.writerows([name, *place] for name, place in ELECTRODES_MM.items())
    files = sorted([*out.glob("*.vtu"), *out.glob("*.csv")])
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    (out / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    print(f"{out}: {report.n_nodes} nodes, {report.n_cells} tetrahedra, edges {report.edge_mm} mm")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "meshes")
    main(parser.parse_args().out)
