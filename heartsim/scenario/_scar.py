"""From a heart and an image of late enhancement on file to scar, by rules side by side."""

import dataclasses
from pathlib import Path

import numpy as np

from heartsim.anatomy import (
    RULES,
    SEGMENTS,
    Enhancement,
    ScarRule,
    enhancement,
    read_image,
    with_scar,
    zone_volumes,
)
from heartsim.mesh import Mesh, read_mesh, signed_volumes

from ._rows import Rows, row

NEEDED = ("chamber", "segment")


def scar_of(
    heart: str | Path, image: str | Path, rule: ScarRule, remote: int | None = None
) -> tuple[Mesh, Rows]:
    """The heart with regions `scar` and `border` by one rule, and what all rules find.

    `heart` is from `heartsim mesh build` or `heartsim anatomy` and lies in the image's frame;
    `remote` is the segment of healthy muscle. ValueError names the file and what was wanted.
    """
    mesh = read_mesh(heart)
    if not set(NEEDED) <= set(mesh.cell_data) or "transmural" not in mesh.point_data:
        raise ValueError(
            f"{heart}: no chambers, segments or depth in this mesh; run `heartsim anatomy` first."
        )
    mesh = dataclasses.replace(
        mesh,
        cell_data={
            name: np.asarray(data).astype(np.int32) if name in NEEDED else data
            for name, data in mesh.cell_data.items()
        },
    )
    if remote is not None and not 1 <= remote <= 17:
        raise ValueError(f"remote segment {remote}: wanted 1 to 17.")
    found = enhancement(mesh, read_image(image), remote)
    rules = [rule, *(other for other in RULES if other.name != rule.name)]
    return with_scar(mesh, found, rule), scar_rows(mesh, found, rules)


def scar_rows(mesh: Mesh, found: Enhancement, rules: list[ScarRule]) -> Rows:
    """Volumes of scar and border by each rule."""
    volume = signed_volumes(mesh.points, mesh.cells) / 1000
    left = np.isin(mesh.cell_data["chamber"], (1, 3))
    missed = float(volume[left & ~np.isfinite(found.cells)].sum())
    rows = {
        "remote_segment": row(
            f"{found.remote} ({SEGMENTS[found.remote - 1]})", "", "muscle taken to be healthy"
        ),
        "remote_mean": row(found.remote_mean, "image", "its mean intensity"),
        "remote_sd": row(found.remote_sd, "image", "its standard deviation"),
        "peak": row(found.peak, "image", "greatest intensity in the left ventricle's wall"),
        "not_imaged_mL": row(missed, "mL", "left muscle outside of the image, taken to be healthy"),
    }
    for rule in rules:
        by_voxels, by_cells = zone_volumes(mesh, found, rule)
        border, core = found.levels(rule)
        rows[f"{rule.name}_border_above"] = row(border, "image", "intensity above which border is")
        rows[f"{rule.name}_core_above"] = row(core, "image", "intensity above which core is")
        for name, zone in (("border", 1), ("core", 2)):
            rows[f"{rule.name}_{name}_mL"] = row(
                float(by_cells[zone]), "mL", f"{name} in the mesh, by this rule"
            )
            rows[f"{rule.name}_{name}_percent"] = row(
                float(100 * by_cells[zone] / volume[left].sum()),
                "percent",
                f"{name} in the mesh, of the left ventricle's muscle",
            )
            rows[f"{rule.name}_{name}_voxels_percent"] = row(
                float(100 * by_voxels[zone] / by_voxels.sum()),
                "percent",
                f"{name}, of the image's voxels within the wall, its inner 80 %",
            )
    return rows
