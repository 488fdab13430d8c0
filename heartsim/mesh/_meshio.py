"""Gmsh and XDMF files by meshio."""

from pathlib import Path

import numpy as np

from ._raw import RawMesh


def read_meshio(path: Path) -> RawMesh:
    """A .msh or .xdmf file; Gmsh's physical names of the cells become names of regions."""
    import meshio

    try:
        data = meshio.read(path)
    except (Exception, SystemExit) as error:  # meshio meets a damaged file in many ways
        raise ValueError(f"{path}: cannot be read as {path.suffix}: {error}") from error
    blocks, start = [], 0
    for block in data.cells:
        places = start + np.arange(len(block.data))
        start += len(block.data)
        if block.type != "vertex":
            blocks.append((block.type, np.asarray(block.data), places))
    dim = {"line": 1, "triangle": 2, "quad": 2}
    top = max((dim.get(kind, 3) for kind, _, _ in blocks), default=3)
    points = np.zeros((len(data.points), 3))
    points[:, : data.points.shape[1]] = data.points
    return RawMesh(
        points=points,
        blocks=blocks,
        point_data={k: np.asarray(v) for k, v in data.point_data.items()},
        cell_data={k: np.concatenate(v) for k, v in data.cell_data.items()},
        region_names={name: int(t) for name, (t, d) in data.field_data.items() if d == top},
    )
