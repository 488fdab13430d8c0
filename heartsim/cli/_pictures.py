"""The pictures and the report of a run directory."""

from pathlib import Path

from heartsim.viz import activation_png, ecg_png, report_html


def draw_pictures(folder: Path) -> None:
    """activation.png, ecg.png and report.html, from the files that lie in `folder`; a mesh of
    lines has no map, and a run without electrodes no ECG."""
    from heartsim.mesh import read_mesh

    mesh = read_mesh(folder / "activation.vtu")
    if mesh.dim > 1:
        activation_png(mesh, folder / "activation.png")
    if (folder / "ecg.csv").is_file():
        ecg_png(folder / "ecg.csv", folder / "ecg.png")
    report_html(folder, folder / "report.html")
