"""From a heart and an image of late enhancement on file to scar, by rules side by side."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from heartsim.anatomy import (
    RULES,
    SEGMENTS,
    Enhancement,
    Mapped,
    ScarRule,
    VoltageRule,
    enhancement,
    mapped,
    read_image,
    voltage_areas,
    voltage_zones,
    with_scar,
    with_voltage_scar,
    zone_volumes,
)
from heartsim.mesh import Mesh, read_mesh, signed_volumes

from ._rows import Rows, row

NEEDED = ("chamber", "segment")


def scar_of(
    heart: str | Path,
    image: str | Path,
    rule: ScarRule,
    remote: int | None = None,
    frame: int | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> tuple[Mesh, Rows]:
    """The heart with regions `scar` and `border` by one rule, and what all rules find.

    `heart` is from `heartsim mesh build` or `heartsim anatomy` and lies in the image's frame;
    `remote` is the segment of healthy muscle, `frame` picks one of a series, `stage` is told what
    begins. ValueError names the file and what was wanted.
    """
    stage("reading")
    mesh = _described(heart)
    if remote is not None and not 1 <= remote <= 17:
        raise ValueError(f"remote segment {remote}: wanted 1 to 17.")
    shown = read_image(image, frame)
    stage("intensities in the wall")
    found = enhancement(mesh, shown, remote)
    stage("zones")
    rules = [rule, *(other for other in RULES if other.name != rule.name)]
    return with_scar(mesh, found, rule), scar_rows(mesh, found, rules)


def voltage_scar_of(
    heart: str | Path,
    map_: str | Path,
    rule: VoltageRule,
    field: str,
    side: str,
    stage: Callable[[str], None] = lambda _: None,
) -> tuple[Mesh, Rows]:
    """The heart with regions `scar` and `border` under the low voltages of a map: a surface with
    point data `field` [mV], in the heart's frame, mm. `stage` is told what begins. ValueError names
    file or field."""
    import pyvista

    stage("reading")

    mesh, file = _described(heart), Path(map_)
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist; check the path.")
    surface = pyvista.read(file)
    if not isinstance(surface, pyvista.DataSet) or field not in surface.point_data:
        there = ", ".join(getattr(surface, "point_data", {})) or "none"
        raise ValueError(f"{file}: no point data {field!r}; there are {there}.")
    voltage = np.asarray(surface.point_data[field], float)
    stage("voltages on the endocardium")
    try:
        found = mapped(mesh, np.asarray(surface.points, float), voltage, side)
    except ValueError as fault:
        raise ValueError(f"{file}: {str(fault).removeprefix('anatomy: ')}") from None
    stage("zones")
    return with_voltage_scar(mesh, found, rule), voltage_rows(mesh, found, rule)


def voltage_rows(mesh: Mesh, found: Mapped, rule: VoltageRule) -> Rows:
    """Areas on the endocardium, and volumes under them."""
    areas = voltage_areas(mesh, found, rule)
    volume = signed_volumes(mesh.points, mesh.cells) / 1000
    zone = voltage_zones(rule, found.cells)
    rows = {
        "not_mapped_cm2": row(float(areas[3]), "cm2", "endocardium that the map does not reach")
    }
    for name, k in (("border", 1), ("core", 2)):
        rows[f"voltage_{name}_cm2"] = row(float(areas[k]), "cm2", f"{name} on the endocardium")
        muscle = float(volume[zone == k].sum())
        rows[f"voltage_{name}_mL"] = row(muscle, "mL", f"{name} in the mesh, through the wall")
    return rows


def _described(heart: str | Path) -> Mesh:
    """A heart on file with what `heartsim anatomy` finds; ValueError where it lacks that."""
    mesh = read_mesh(heart)
    if not set(NEEDED) <= set(mesh.cell_data) or "transmural" not in mesh.point_data:
        raise ValueError(
            f"{heart}: no chambers, segments or depth in this mesh; run `heartsim anatomy` first."
        )
    whole = {name: np.asarray(mesh.cell_data[name]).astype(np.int32) for name in NEEDED}
    return dataclasses.replace(mesh, cell_data={**mesh.cell_data, **whole})


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
