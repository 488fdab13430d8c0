"""The pictures and the report of a run directory."""

from pathlib import Path

import numpy as np

from heartsim._memory import freed_goes_back
from heartsim.viz import activation_png, ecg_png, report_html


@freed_goes_back()
def draw_pictures(folder: Path) -> None:
    """activation.png, repolarisation.png, ecg.png and report.html, from the files that lie in
    `folder`; a mesh of lines has no map, a run in which at most half of the nodes recovered none
    of repolarisation, and a run without electrodes no ECG."""
    from heartsim.mesh import read_mesh

    mesh = read_mesh(folder / "activation.vtu")
    if mesh.dim > 1:
        activation_png(mesh, folder / "activation.png")
        if np.isfinite(mesh.point_data["repolarisation_ms"]).mean() > 0.5:
            activation_png(mesh, folder / "repolarisation.png", field="repolarisation_ms")
    if (folder / "ecg.csv").is_file():
        ecg_png(folder / "ecg.csv", folder / "ecg.png")
    report_html(folder, folder / "report.html")
