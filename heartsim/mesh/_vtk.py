"""VTK files (.vtu, .vtk, .vtp) by pyvista, Gmsh and XDMF by meshio."""

import contextlib
import errno
import json
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ._mesh import Mesh
from ._raw import RawMesh
from ._split import SIMPLEX

# VTK's numbers of linear cells, their names (those of meshio) and node counts; vtkCellType.h
VTK_KINDS = {
    3: ("line", 2),
    5: ("triangle", 3),
    9: ("quad", 4),
    10: ("tetra", 4),
    12: ("hexahedron", 8),
    13: ("wedge", 6),
    14: ("pyramid", 5),
}
SET = "set:"  # point data of 0 and 1 whose name starts so is a node set
ABOUT = "heartsim"  # field data: names of regions and notes, as JSON


def read_vtk(path: Path) -> RawMesh:
    """A .vtu, .vtk or .vtp file; our own keep node sets, names of regions and notes."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    grid = _grid(path)
    types, nodes = np.asarray(grid.celltypes), np.asarray(grid.cell_connectivity)
    offset = vtk_to_numpy(grid.GetCells().GetOffsetsArray())
    blocks = []
    for number in np.unique(types):
        if number in (1, 2):  # single points
            continue
        if number not in VTK_KINDS:
            raise ValueError(
                f"{path}: cells of VTK type {number} are not understood; wanted are linear lines, "
                "triangles, quads, tetrahedra, hexahedra, wedges or pyramids."
            )
        kind, corners = VTK_KINDS[number]
        places = np.flatnonzero(types == number)
        blocks.append((kind, nodes[offset[places][:, None] + np.arange(corners)], places))
    fields = {name: np.asarray(grid.point_data[name]) for name in grid.point_data}
    about: dict[str, Any] = {"region_names": {}, "notes": []}
    if ABOUT in grid.field_data:
        about = json.loads(str(grid.field_data[ABOUT][0]))
    return RawMesh(
        points=np.asarray(grid.points),
        blocks=blocks,
        point_data={k: v for k, v in fields.items() if not k.startswith(SET)},
        cell_data={name: np.asarray(grid.cell_data[name]) for name in grid.cell_data},
        region_names=about["region_names"],
        node_sets={
            k[len(SET) :]: np.flatnonzero(v) for k, v in fields.items() if k.startswith(SET)
        },
        notes=tuple(about["notes"]),
    )


def _grid(path: Path) -> Any:
    """The file's pyvista.UnstructuredGrid, with at least one cell."""
    import pyvista

    try:
        with _quiet():
            data = pyvista.read(path)
    except (RuntimeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as {path.suffix}; it is damaged.") from error
    if not isinstance(data, pyvista.UnstructuredGrid | pyvista.PolyData):
        raise ValueError(f"{path}: holds a {type(data).__name__}; an unstructured mesh is wanted.")
    if not data.n_cells:
        raise ValueError(f"{path}: holds no cells that we can read; it is empty or damaged.")
    return data.cast_to_unstructured_grid()


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


def write_vtu(mesh: Mesh, path: Path) -> None:
    """Everything a Mesh holds, exactly; readable by ParaView."""
    import pyvista
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

    numbers = {kind: number for number, (kind, _) in VTK_KINDS.items()}
    grid = pyvista.UnstructuredGrid(
        {numbers[SIMPLEX[mesh.dim]]: np.asarray(mesh.cells)}, np.asarray(mesh.points)
    )
    grid.cell_data["region"] = np.asarray(mesh.regions)
    if mesh.frames is not None:
        f, s, n = np.moveaxis(np.asarray(mesh.frames), 1, 0)
        grid.cell_data["fibre"], grid.cell_data["sheet"] = f.copy(), s.copy()
        if not np.array_equal(n, np.cross(f, s)):  # which is what a reader makes of f and s
            grid.cell_data["normal"] = n.copy()
    for name, values in mesh.cell_data.items():
        grid.cell_data[name] = np.asarray(values)
    for name, values in mesh.point_data.items():
        grid.point_data[name] = np.asarray(values)
    for name, nodes in mesh.node_sets.items():
        marked = np.zeros(mesh.n_nodes, np.uint8)
        marked[np.asarray(nodes)] = 1
        grid.point_data[SET + name] = marked
    about = {"region_names": dict(mesh.region_names), "notes": list(mesh.notes)}
    grid.field_data[ABOUT] = [json.dumps(about)]
    writer = vtkXMLUnstructuredGridWriter()
    writer.SetInputData(grid)
    writer.SetFileName(str(path))
    writer.SetEncodeAppendedData(False)
    writer.SetCompressorTypeToZLib()
    writer.SetCompressionLevel(9)
    with _quiet():
        written = writer.Write()
    if not written:  # VTK does not say why; the folder was there a moment ago
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep VTK's own reports of a failure away from the terminal; ours is one sentence."""
    import pyvista

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with pyvista.vtk_verbosity("off"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
