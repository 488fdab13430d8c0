"""VTK files (.vtu, .vtk, .vtp) by VTK, which is imported with this module."""

import contextlib
import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from vtkmodules.util.misc import calldata_type
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import (
    vtkDataArray,
    vtkLogger,
    vtkOutputWindow,
    vtkPoints,
    vtkStringArray,
)
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkUnstructuredGrid
from vtkmodules.vtkIOXML import (
    vtkXMLPolyDataReader,
    vtkXMLUnstructuredGridReader,
    vtkXMLUnstructuredGridWriter,
)

from heartsim._types import AnyArray

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
END = "heartsim_end"  # an array behind those of a file of text
DAMAGED = "{path}: cannot be read as {suffix}; it is damaged."
ABOUT = "heartsim"  # field data: names of regions and notes, as JSON


def read_vtk(path: Path) -> RawMesh:
    """A .vtu, .vtk or .vtp file; our own keep node sets, names of regions and notes."""
    grid = _grid(path)
    types = vtk_to_numpy(grid.GetCellTypes())
    nodes = vtk_to_numpy(grid.GetCells().GetConnectivityArray())
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
    fields = _arrays(grid.GetPointData())
    about: dict[str, Any] = {"region_names": {}, "notes": []}
    told = grid.GetFieldData().GetAbstractArray(ABOUT)
    if told is not None:
        about = json.loads(told.GetValue(0))
    return RawMesh(
        points=vtk_to_numpy(grid.GetPoints().GetData()),
        blocks=blocks,
        point_data={k: v for k, v in fields.items() if not k.startswith(SET)},
        cell_data=_arrays(grid.GetCellData()),
        region_names=about["region_names"],
        node_sets={
            k[len(SET) :]: np.flatnonzero(v) for k, v in fields.items() if k.startswith(SET)
        },
        notes=tuple(about["notes"]),
    )


def _grid(path: Path) -> Any:
    """The file's vtkUnstructuredGrid, with at least one cell."""
    reader = _legacy(path) if path.suffix == ".vtk" else _xml(path)
    with _quiet(), _complaints() as complaints:
        reader.Update()
        data = reader.GetOutput()
    is_text = path.suffix == ".vtk" and reader.GetReadFromInputString()
    if complaints or data is None or (is_text and not _ends(data)):
        raise ValueError(DAMAGED.format(path=path, suffix=path.suffix))
    if isinstance(data, vtkPolyData):
        from vtkmodules.vtkFiltersCore import vtkAppendFilter

        as_cells = vtkAppendFilter()
        as_cells.AddInputData(data)
        as_cells.Update()
        data = as_cells.GetOutput()
    if not isinstance(data, vtkUnstructuredGrid):
        raise ValueError(f"{path}: holds a {data.GetClassName()}; an unstructured mesh is wanted.")
    if not data.GetNumberOfCells():
        raise ValueError(f"{path}: holds no cells that we can read; it is empty or damaged.")
    return data


def _xml(path: Path) -> Any:
    reader = vtkXMLPolyDataReader() if path.suffix == ".vtp" else vtkXMLUnstructuredGridReader()
    reader.SetFileName(str(path))
    return reader


def _legacy(path: Path) -> Any:
    """A reader of all that a .vtk file holds, and of `END` behind a text."""
    from vtkmodules.vtkIOLegacy import vtkDataSetReader

    reader: Any = vtkDataSetReader()
    for kind in ("Scalars", "Vectors", "Normals", "Tensors", "ColorScalars", "TCoords", "Fields"):
        getattr(reader, f"ReadAll{kind}On")()  # else the first of each
    content = path.read_bytes()
    points = re.search(rb"^\s*POINTS\s+(\d+)", content, re.MULTILINE | re.IGNORECASE)
    if points is None and b"DIMENSIONS" not in content:  # VTK crashes where fields are cut
        raise ValueError(DAMAGED.format(path=path, suffix=path.suffix))
    is_text = [line.strip().upper() for line in content.split(b"\n", 3)[2:3]] == [b"ASCII"]
    if points is None or not is_text:
        reader.SetFileName(str(path))
        return reader
    whole = _followed(content, int(points[1]))
    reader.ReadFromInputStringOn()
    reader.SetBinaryInputString(whole, len(whole))
    return reader


def _followed(content: bytes, points: int) -> bytes:
    """A text with the array `END` behind it, which is lost where the text ends within another: of
    that VTK tells nothing, and takes what comes."""
    data = rb"^\s*(?:CELL|POINT)_DATA\s+(\d+)"
    sections = re.findall(data, content, re.MULTILINE | re.IGNORECASE)
    count = int(sections[-1]) if sections else points
    begun = b"" if sections else b"POINT_DATA %d\n" % points
    array = b"SCALARS %s int 1\nLOOKUP_TABLE default\n" % END.encode() + count * b"1\n"
    return content + b"\n\n" + begun + array


def _ends(grid: Any) -> bool:
    """Whether the array behind all others was read; it is taken away."""
    for data in (grid.GetPointData(), grid.GetCellData()):
        if data.GetAbstractArray(END) is not None:
            whole = bool((vtk_to_numpy(data.GetAbstractArray(END)) == 1).all())
            data.RemoveArray(END)
            return whole
    return False


def _arrays(data: Any) -> dict[str, np.ndarray]:
    """What point or cell data hold, by name."""
    arrays = (data.GetAbstractArray(k) for k in range(data.GetNumberOfArrays()))
    return {
        a.GetName(): np.array([a.GetValue(k) for k in range(a.GetNumberOfValues())])
        if isinstance(a, vtkStringArray)
        else vtk_to_numpy(a)
        for a in arrays
    }


def write_vtu(mesh: Mesh, path: Path) -> None:
    """Everything a Mesh holds, exactly; readable by ParaView."""
    grid = _cells_of(mesh)
    cells, points = grid.GetCellData(), grid.GetPointData()
    _add(cells, "region", mesh.regions)
    if mesh.frames is not None:
        f, s, n = np.moveaxis(np.asarray(mesh.frames), 1, 0)
        _add(cells, "fibre", f)
        _add(cells, "sheet", s)
        if not np.array_equal(n, np.cross(f, s)):  # which is what a reader makes of f and s
            _add(cells, "normal", n)
    for name, values in mesh.cell_data.items():
        _add(cells, name, values)
    for name, values in mesh.point_data.items():
        _add(points, name, values)
    for name, nodes in mesh.node_sets.items():
        marked = np.zeros(mesh.n_nodes, np.uint8)
        marked[np.asarray(nodes)] = 1
        _add(points, SET + name, marked)
    about = {"region_names": dict(mesh.region_names), "notes": list(mesh.notes)}
    _add(grid.GetFieldData(), ABOUT, np.array([json.dumps(about)]))
    writer = vtkXMLUnstructuredGridWriter()
    writer.SetInputData(grid)
    writer.SetFileName(str(path))
    writer.SetEncodeAppendedData(False)
    writer.SetCompressorTypeToZLib()
    writer.SetCompressionLevel(5)  # 9 takes nine times as long for files 0 to 3 % smaller
    with _quiet():
        written = writer.Write()
    if not written:  # VTK does not say why; the folder was there a moment ago
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cells_of(mesh: Mesh) -> vtkUnstructuredGrid:
    """Nodes and cells alone."""
    numbers = {kind: number for number, (kind, _) in VTK_KINDS.items()}
    nodes = np.asarray(mesh.cells)
    starts = np.arange(len(nodes) + 1, dtype=nodes.dtype) * nodes.shape[1]
    cells, points, grid = vtkCellArray(), vtkPoints(), vtkUnstructuredGrid()
    cells.SetData(_owned(starts), _owned(nodes.ravel()))
    points.SetData(_owned(mesh.points))
    grid.SetPoints(points)
    grid.SetCells(_owned(np.full(len(nodes), numbers[SIMPLEX[mesh.dim]], np.uint8)), cells)
    return grid


def _add(data: Any, name: str, values: AnyArray) -> None:
    array = _owned(values)
    array.SetName(name)
    data.AddArray(array)
    if isinstance(array, vtkDataArray) and data.GetScalars() is None:
        data.SetActiveScalars(name)  # what ParaView shows first


def _owned(values: AnyArray) -> Any:
    """A VTK array with values of its own: of truth as 0 and 1, of tensors with nine a row."""
    values = np.ascontiguousarray(values)
    if values.dtype.kind == "U":
        text = vtkStringArray()
        for value in values.ravel():
            text.InsertNextValue(str(value))
        return text
    values = values.astype(np.uint8) if values.dtype == bool else values
    return numpy_to_vtk(values.reshape(values.shape[:1] + (-1,) * (values.ndim > 1)), deep=True)


@contextlib.contextmanager
def _complaints() -> Iterator[list[str]]:
    """VTK's errors meanwhile, and warnings of errors: of a binary .vtk file that ends early it says
    no more than these."""
    texts: list[str] = []

    @calldata_type("string0")
    def told(_window, event, text):
        if event == "ErrorEvent" or "Error reading" in text:
            texts.append(text)

    window: Any = vtkOutputWindow.GetInstance()
    observers = [window.AddObserver(event, told) for event in ("ErrorEvent", "WarningEvent")]
    try:
        yield texts
    finally:
        for observer in observers:
            window.RemoveObserver(observer)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep VTK's own reports of a failure away from the terminal; ours is one sentence."""
    before = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtkLogger.SetStderrVerbosity(before)
