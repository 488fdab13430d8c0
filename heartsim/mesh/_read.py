"""Reading and writing meshes, by the suffix of the file."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from heartsim._files import whole_or_refused
from heartsim.units import MM_PER

from ._carp import carp_files, carp_stem, read_carp, write_carp
from ._fields import fibre_frames, region_tags
from ._mesh import Mesh, did_you_mean, drop_regions, keep_regions
from ._meshio import read_meshio
from ._raw import RawMesh
from ._split import DIM, SIMPLEX, to_simplices
from ._topology import signed_volumes

SUFFIXES = ".vtu .vtk .vtp .msh .xdmf, or CARP .pts with .elem"


def read_mesh(
    path: str | Path,
    *,
    unit: str | None = None,
    fibres: str | Sequence[str] | None = None,
    regions: str | None = None,
    region_names: Mapping[str, int] | None = None,
    keep: Sequence[str | int] | None = None,
    drop: Sequence[str | int] | None = None,
) -> Mesh:
    """A mesh from a .vtu, .vtk, .vtp, .msh, .xdmf file or from CARP files (.pts, .elem, and .lon,
    .vtx where they lie beside).

    `unit` is the file's length unit: mm, cm, m or um; without it mm, and µm for CARP. Region tags
    are looked for under the usual names of cell data, or under `regions`; fibre, sheet and normal
    vectors under the usual names of point or cell data, or under the one to three names of
    `fibres`. `region_names` gives names to tags; `keep` or `drop` choose regions by tag or name.
    Quads, hexahedra, wedges and pyramids are cut into simplices; where the file mixes dimensions
    the highest is kept. What had to be decided is in the mesh's `notes`.

    ValueError, one sentence naming the file: missing or unknown file, unknown unit, field or
    region, cells that name missing nodes.
    """
    path = Path(path)
    if unit is not None and unit not in MM_PER:
        raise ValueError(
            f"{path}: unit {unit!r} is not known{did_you_mean(unit, MM_PER)}; use one of "
            f"{', '.join(MM_PER)}."
        )
    raw, default_unit = _read_raw(path)
    keys = [fibres] if isinstance(fibres, str) else list(fibres if fibres is not None else [])
    mesh = _assemble(raw, path, MM_PER[default_unit if unit is None else unit], keys, regions)
    if region_names is not None:
        mesh = _named(mesh, {**dict(mesh.region_names), **region_names})
    try:
        mesh = mesh if keep is None else keep_regions(mesh, keep)
        return mesh if drop is None else drop_regions(mesh, drop)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_mesh(mesh: Mesh, path: str | Path) -> None:
    """Write a .vtu (everything, exactly) or CARP files (.pts, .elem or no suffix; see the note
    there on what they cannot hold). All files are whole or not there; ValueError where a file of
    CARP's lies beside them that would be read as part of the mesh and is not."""
    path = Path(path)
    if path.suffix not in (".vtu", ".pts", ".elem", ""):
        raise ValueError(f"{path}: cannot write {path.suffix!r}; use .vtu, or .pts for CARP.")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: cannot be written, the folder {path.parent} does not exist.")
    if path.suffix == ".vtu":
        from ._vtk import write_vtu as write
    else:
        write = write_carp
    with whole_or_refused(path) as new:
        write(mesh, new)
        for old in mesh_files(path):
            if old.exists() and not (new.parent / old.name).exists():
                raise ValueError(
                    f"{old} is there and would be read as part of {path.name}; remove it first, or "
                    "give another name."
                )


def mesh_files(path: str | Path) -> list[Path]:
    """What `read_mesh` would read of this name, and so what `write_mesh` might replace."""
    path = Path(path)
    return carp_files(path) if path.suffix in (".pts", ".elem", ".lon", "") else [path]


def _read_raw(path: Path) -> tuple[RawMesh, str]:
    """What the file holds, and the unit that its format implies."""
    carp = path.suffix in (".pts", ".elem", ".lon")
    if not path.exists() and not carp:
        if not carp_stem(path).with_name(path.name + ".pts").exists():
            raise ValueError(f"{path}: this mesh file does not exist.")
        carp = True
    if carp:
        return read_carp(path), "um"
    if path.suffix in (".vtu", ".vtk", ".vtp"):
        from ._vtk import read_vtk  # 50 MB and 0.1 s, for who reads such a file

        return read_vtk(path), "mm"
    if path.suffix in (".msh", ".xdmf"):
        return read_meshio(path), "mm"
    raise ValueError(f"{path}: {path.suffix!r} is not a mesh format we read; use {SUFFIXES}.")


def _assemble(
    raw: RawMesh, path: Path, scale: float, fibres: list[str], regions: str | None
) -> Mesh:
    notes = list(raw.notes)
    points = np.asarray(raw.points, float) * scale
    cells, places = _cells(raw, path, points, notes)
    tags, tag_field = region_tags(raw, path, regions)
    if not tag_field:
        notes.append("regions: none in the file, all are 1")
    frames, used, remarks = fibre_frames(raw, path, fibres, cells, places)
    if not any(note.startswith("fibres:") for note in notes):
        notes += remarks
    rest = {k: v[places] for k, v in raw.cell_data.items() if k not in (tag_field, *used)}
    mesh = Mesh(
        points=points,
        cells=cells.astype(np.int32),
        regions=tags[places],
        frames=frames,
        node_sets={name: nodes.astype(np.int32) for name, nodes in raw.node_sets.items()},
        point_data={k: v for k, v in raw.point_data.items() if k not in used},
        cell_data=rest,
        notes=tuple(notes),
    )
    return _named(mesh, raw.region_names)


def _cells(
    raw: RawMesh, path: Path, points: np.ndarray, notes: list[str]
) -> tuple[Int[np.ndarray, "cells vertices"], Int[np.ndarray, " cells"]]:
    """Simplices of the highest dimension in the file and the file's cell that each is of."""
    unknown = [kind for kind, _, _ in raw.blocks if kind not in DIM]
    if unknown:
        raise ValueError(
            f"{path}: cells of kind {unknown[0]!r} are not understood; save as linear."
        )
    if not raw.blocks:
        raise ValueError(f"{path}: holds no cells that we can read.")
    dim = max(DIM[kind] for kind, _, _ in raw.blocks)
    chosen = [block for block in raw.blocks if DIM[block[0]] == dim]
    left = sum(len(cells) for kind, cells, _ in raw.blocks if DIM[kind] < dim)
    if left:
        notes.append(f"cells: {left} of lower dimension in the file were left out")
    parts = []
    for kind, cells, places in chosen:
        if cells.min() < 0 or cells.max() >= len(points):
            raise ValueError(f"{path}: a {kind} names a node that the file does not have.")
        simplices, owner = to_simplices(points, kind, cells.astype(np.int64))
        parts.append((simplices, places[owner]))
        if kind != SIMPLEX[dim]:
            notes.append(f"cells: {len(cells)} of kind {kind} were cut into {len(simplices)}")
    cells, places = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(places, kind="stable")
    cells, places = cells[order], places[order]
    if dim == 3 and (signed_volumes(points, cells) < 0).all():
        cells = cells[:, [0, 2, 1, 3]]
        notes.append("cells: all were inside out in the file (its convention) and were turned")
    return cells, places


def _named(mesh: Mesh, names: Mapping[str, int]) -> Mesh:
    pairs = tuple((str(name), int(tag)) for name, tag in names.items())
    return dataclasses.replace(mesh, region_names=pairs)
