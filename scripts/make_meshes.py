"""Make the meshes that the project ships, into meshes/, with their checksums.

python scripts/make_meshes.py [--out DIR]
"""

import argparse
import csv
import dataclasses
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from heartsim.anatomy import made_up
from heartsim.ecg import BODY_MM
from heartsim.mesh import Mesh, pacing_sites, require_sound, write_mesh
from heartsim.scenario import mesh_from_image, write_made_up_labels

VOXELS_MM = (1.5, 1.5, 8.0)
EDGE_MM = 4.15

# The package's own placement, in the heart's frame: x to the left, y backward, z to the head. The
# right leg is the ground of a real recorder; the twelve leads do not use it.
ELECTRODES_MM = BODY_MM | {"RL": (-100.0, -30.0, -190.0)}
ORDER = ("RA", "LA", "RL", "LL", "V1", "V2", "V3", "V4", "V5", "V6")


def biventricular() -> Mesh:
    """The made-up heart from its own segmentation, by what `heartsim mesh synth --segmentation`
    and `heartsim mesh build` do; its numbers rounded to float32 so that the file is small."""
    with TemporaryDirectory() as folder:
        image = Path(folder) / "made_up.nii.gz"
        write_made_up_labels("normal", None, VOXELS_MM, image)
        mesh, _ = mesh_from_image(image, image.with_name("made_up.toml"), EDGE_MM)
    sites = pacing_sites(made_up("normal").ellipsoids(), mesh)

    def rounded(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32).astype(np.float64)

    f, s = rounded(mesh.frames[:, 0]), rounded(mesh.frames[:, 1])
    return dataclasses.replace(
        mesh,
        points=rounded(mesh.points),
        frames=np.stack([f, s, np.cross(f, s)], axis=1),
        point_data={name: rounded(values) for name, values in mesh.point_data.items()},
        node_sets={**mesh.node_sets, **sites},
        notes=("heart: made-up ellipsoids (scripts/make_meshes.py), no patient", *mesh.notes),
    )


def main(out: Path) -> None:
    mesh = biventricular()
    report = require_sound(mesh, "biventricular")
    write_mesh(mesh, out / "biventricular.vtu")
    with (out / "biventricular_electrodes.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["name", "x_mm", "y_mm", "z_mm"])
        rows.writerows([name, *ELECTRODES_MM[name]] for name in ORDER)
    files = sorted([*out.glob("*.vtu"), *out.glob("*.csv")])
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    (out / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    print(f"{out}: {report.n_nodes} nodes, {report.n_cells} tetrahedra, edges {report.edge_mm} mm")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "meshes")
    main(parser.parse_args().out)
