"""Pictures of a plan directory: maps of its beats side by side, leads over each other."""

import json
from pathlib import Path
from typing import Any

from heartsim.mesh import read_mesh

from ._figure import save_png
from ._report import in_words
from ._side_by_side import leads_figure, maps_figure


def plan_png(folder: str | Path, out: str | Path) -> None:
    """Draw a plan directory's maps, one row for each beat and one column for each view, on one
    colour scale, with the indices of summary.json beside them."""
    folder = Path(folder)
    mesh = read_mesh(folder / "activation.vtu")
    beats = beats_in(folder)
    fields = [mesh.point_data[f"activation_{slug}_ms"] for slug, _ in beats]
    rows = [row for _, row in beats]
    names = [row["beat"]["value"] for row in rows]
    save_png(maps_figure(mesh, fields, names, [_numbers(row) for row in rows]), out)


def beats_in(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Folder name and numbers of every beat of a plan directory, in its order."""
    rows = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    names = [path.name for path in (folder / "beats").iterdir()]
    names.sort(key=lambda name: int(name.split("-")[0]))
    return list(zip(names, rows, strict=True))


def _numbers(row: dict[str, Any]) -> list[str]:
    """The indices of a beat, each with its change against the baseline."""
    lines = []
    for key, entry in row.items():
        if key == "beat" or key.endswith("_change_ms"):
            continue
        change = row.get(f"{key.removesuffix('_ms')}_change_ms")
        words = in_words(key, "ms")
        value = _number(entry["value"])
        lines.append(f"{words} {value} ms" + ("" if change is None else _signed(change["value"])))
    return lines


def _number(value) -> str:
    return "not available" if value is None else f"{value:.0f}"


def _signed(value) -> str:
    return "" if value is None else f"  ({value:+.0f})"


def plan_ecg_png(folder: str | Path, out: str | Path) -> None:
    """Draw the twelve leads of every beat of a plan directory over each other, with a legend."""
    folder = Path(folder)
    beats = [
        (row["beat"]["value"], folder / "beats" / slug / "ecg.csv")
        for slug, row in beats_in(folder)
    ]
    save_png(leads_figure(beats), out)
