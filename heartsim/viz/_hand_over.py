"""Pictures of a hand-over: the two models' activations and leads."""

import json
from pathlib import Path

from heartsim.mesh import read_mesh

from ._figure import save_png
from ._side_by_side import leads_figure, maps_figure

NAMES = "Eikonal", "Monodomain"


def hand_over_png(folder: str | Path, out: str | Path) -> None:
    """Draw the activations of a hand-over's directory, the monodomain's less the delay, on one
    colour scale, with their numbers."""
    folder = Path(folder)
    mesh = read_mesh(folder / "compared.vtu")
    rows = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    fields = [mesh.point_data[f"{name.lower()}_ms"] for name in NAMES]
    save_png(maps_figure(mesh, fields, NAMES, _texts(rows)), out)


def hand_over_ecg_png(folder: str | Path, out: str | Path) -> None:
    """Draw the twelve leads of both models over each other; nothing is shifted."""
    folder = Path(folder)
    files = folder / "eikonal" / "ecg.csv", folder / "ecg.csv"
    save_png(leads_figure(list(zip(NAMES, files, strict=True))), out)


def _texts(rows) -> list[list[str]]:
    def ms(key: str, digits: int = 0) -> str:
        value = rows[key]["value"]
        return "not available" if value is None else f"{value:.{digits}f} ms"

    return [
        [
            f"Total activation {ms('total_activation_eikonal_ms')}",
            f"QRS duration {ms('qrs_duration_eikonal_ms')}",
        ],
        [
            f"Total activation {ms('total_activation_ms')}",
            f"QRS duration {ms('qrs_duration_monodomain_ms')}",
            f"Delay {ms('hand_over_delay_ms', 1)}, taken off",
            f"RMS difference {ms('hand_over_rmse_ms', 1)}",
            f"QRS correlation {rows['qrs_correlation']['value']:.3f}",
        ],
    ]
