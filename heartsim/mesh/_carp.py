"""CARP text files: .pts .elem .lon .vtx."""

import glob
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ._mesh import Mesh
from ._raw import RawMesh
from ._split import to_simplices
from ._topology import signed_volumes

# element codes of .elem files
KINDS = {
    "Ln": ("line", 2),
    "Tr": ("triangle", 3),
    "Qd": ("quad", 4),
    "Tt": ("tetra", 4),
    "Py": ("pyramid", 5),
    "Pr": ("wedge", 6),
    "Hx": ("hexahedron", 8),
}
# the second face of a hexahedron or prism is numbered either way round; we take the order that
# leaves fewer cells inside out
OTHER_ORDER = {"Pr": [0, 1, 2, 3, 5, 4], "Hx": [0, 1, 2, 3, 4, 7, 6, 5]}
CODES = {2: "Ln", 3: "Tr", 4: "Tt"}


def carp_stem(path: Path) -> Path:
    """The common part of the names: heart for heart.pts, heart.elem or heart itself."""
    return path.with_suffix("") if path.suffix in (".pts", ".elem", ".lon") else path


def carp_files(path: Path) -> list[Path]:
    """STEM.pts, .elem and .lon, and each STEM.NAME.vtx that is there: what `read_carp` reads."""
    stem = carp_stem(path)
    return [_with(stem, suffix) for suffix in (".pts", ".elem", ".lon")] + _sets(stem)


def read_carp(path: Path) -> RawMesh:
    """A mesh of STEM.pts and STEM.elem, with STEM.lon (one or two vectors) and every
    STEM.NAME.vtx (a node set) that lies beside them. Points stay in the file's unit."""
    stem = carp_stem(path)
    points = _table(_with(stem, ".pts"), 3)
    blocks, tags = _elements(_with(stem, ".elem"), points)
    raw = RawMesh(points=points, blocks=blocks, cell_data={"tag": tags})
    lon = _with(stem, ".lon")
    if lon.exists():
        for i, name in enumerate(("fibre", "sheet")[: _lon_vectors(lon)]):
            raw.cell_data[name] = _lon(lon, len(tags))[:, 3 * i : 3 * i + 3]
    for file in _sets(stem):
        nodes = _vtx(file, len(points))
        raw.node_sets[file.name[len(stem.name) + 1 : -len(".vtx")]] = nodes
    return raw


def _sets(stem: Path) -> list[Path]:
    return sorted(stem.parent.glob(f"{glob.escape(stem.name)}.*.vtx"))


def _with(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def _numbers(path: Path, text: str, kind: type = float) -> np.ndarray:
    try:
        return np.array(text.split(), dtype=kind)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; numbers are wanted.") from error


def _lines(path: Path) -> list[str]:
    if not path.exists():
        raise ValueError(f"{path}: this file does not exist; a CARP mesh needs .pts and .elem.")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"{path}: is empty.")
    return lines


def _table(path: Path, width: int) -> Float[np.ndarray, "rows width"]:
    first, *rows = _lines(path)
    values = _numbers(path, " ".join(rows))
    count = int(_numbers(path, first)[0])
    if values.size != count * width:
        raise ValueError(
            f"{path}: says {count} rows of {width} numbers but holds {values.size} numbers."
        )
    return values.reshape(count, width)


def _elements(
    path: Path, points: Float[np.ndarray, "nodes 3"]
) -> tuple[list[tuple[str, np.ndarray, np.ndarray]], np.ndarray]:
    first, *rows = _lines(path)
    if len(rows) != int(_numbers(path, first)[0]):
        raise ValueError(f"{path}: says {first} elements but holds {len(rows)}.")
    codes = np.array([row.split(maxsplit=1)[0] for row in rows])
    tags, blocks = np.ones(len(rows), np.int32), []
    for code in np.unique(codes).tolist():
        places = np.flatnonzero(codes == code)
        if code not in KINDS:
            raise ValueError(
                f"{path}: element {places[0]} is of type {code!r}; known are {', '.join(KINDS)}."
            )
        kind, corners = KINDS[code]
        values = _numbers(path, " ".join(rows[i].lstrip()[2:] for i in places), int)
        if values.size not in (len(places) * corners, len(places) * (corners + 1)):
            raise ValueError(f"{path}: a {code} element wants {corners} nodes and one tag.")
        values = values.reshape(len(places), -1)
        cells = values[:, :corners]
        missing = (cells < 0) | (cells >= len(points))
        if missing.any():
            worst = places[missing.any(axis=1)][0]
            raise ValueError(f"{path}: element {worst} names a node that .pts does not have.")
        if code in OTHER_ORDER:
            cells = min(
                (cells, cells[:, OTHER_ORDER[code]]), key=lambda c: _inverted(points, kind, c)
            )
        if values.shape[1] > corners:
            tags[places] = values[:, -1]
        blocks.append((kind, cells, places))
    return blocks, tags


def _inverted(points: Float[np.ndarray, "nodes 3"], kind: str, cells: np.ndarray) -> int:
    return int((signed_volumes(points, to_simplices(points, kind, cells)[0]) <= 0).sum())


def _lon_vectors(path: Path) -> int:
    first = _lines(path)[0].strip()
    if first not in ("1", "2"):
        raise ValueError(f"{path}: begins with {first!r}; 1 or 2 vectors per element are known.")
    return int(first)


def _lon(path: Path, n_cells: int) -> Float[np.ndarray, "cells width"]:
    width = 3 * _lon_vectors(path)
    values = _numbers(path, " ".join(_lines(path)[1:]))
    if values.size != n_cells * width:
        raise ValueError(
            f"{path}: holds {values.size} numbers; {n_cells} elements of {width} are wanted."
        )
    return values.reshape(n_cells, width)


def _vtx(path: Path, n_nodes: int) -> np.ndarray:
    count, *rest = " ".join(_lines(path)).split()
    nodes = _numbers(path, " ".join(word for word in rest if word not in ("intra", "extra")), int)
    if nodes.size != int(count) or (nodes.size and not 0 <= nodes.min() <= nodes.max() < n_nodes):
        raise ValueError(f"{path}: {count} node numbers from 0 to {n_nodes - 1} are wanted.")
    return np.unique(nodes)


def write_carp(mesh: Mesh, path: Path) -> None:
    """STEM.pts (µm), STEM.elem, STEM.lon with fibre and sheet if there are fibres, and a .vtx
    for each node set. Names of regions, other fields and notes have no place in CARP files."""
    stem = carp_stem(path)
    files = {".pts": [str(mesh.n_nodes), *_rows(np.asarray(mesh.points, np.float64) * 1000)]}
    code = CODES[mesh.cells.shape[1]]
    rows = np.column_stack([mesh.cells, mesh.regions]).tolist()
    files[".elem"] = [str(mesh.n_cells), *(f"{code} " + " ".join(map(str, r)) for r in rows)]
    if mesh.frames is not None:
        f_and_s = np.asarray(mesh.frames, np.float64)[:, :2].reshape(-1, 6)
        files[".lon"] = ["2", *_rows(f_and_s)]
    for name, nodes in mesh.node_sets.items():
        numbers = map(str, np.asarray(nodes).tolist())
        files[f".{name}.vtx"] = [str(len(nodes)), "extra", *numbers]
    for suffix, lines in files.items():
        _with(stem, suffix).write_text("\n".join(lines) + "\n")


def _rows(values: Float[np.ndarray, "rows width"]) -> list[str]:
    return [" ".join(map(repr, row)) for row in values.tolist()]
