"""Voltage over time in one file that ParaView opens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh

VERSION = (2, 3)
"""Of the VTKHDF format: docs.vtk.org, "VTKHDF format specification", temporal UnstructuredGrid."""

_VTK_CELL = {2: 3, 3: 5, 4: 10}  # line, triangle, tetrahedron


def write_vtkhdf(
    path: Path,
    mesh: Mesh,
    nodes: Int[np.ndarray, " inner"],
    times: Float[np.ndarray, " frames"],
    chunks: Sequence[Path],
) -> None:
    """Write V [mV] at `times` [ms]; the frames lie in `chunks` (.npy), on `nodes` of the mesh.

    The mesh is written once; nodes that do not conduct have NaN.
    """
    import h5py

    with h5py.File(path, "w") as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = VERSION
        root.attrs["Type"] = np.bytes_("UnstructuredGrid")
        _write_mesh(root, mesh)
        frames = root.create_group("PointData").create_dataset(
            "V", (len(times) * mesh.n_nodes,), "f4"
        )
        start = 0
        for chunk in chunks:
            for V in np.load(chunk):
                frame = np.full(mesh.n_nodes, np.nan, np.float32)
                frame[nodes] = V
                frames[start : start + mesh.n_nodes] = frame
                start += mesh.n_nodes
        _write_steps(root, times, mesh.n_nodes)


def _write_mesh(root, mesh: Mesh) -> None:
    cells = np.asarray(mesh.cells)
    vertices = cells.shape[1]
    root["NumberOfPoints"] = np.array([mesh.n_nodes])
    root["NumberOfCells"] = np.array([len(cells)])
    root["NumberOfConnectivityIds"] = np.array([cells.size])
    root["Points"] = np.asarray(mesh.points)
    root["Connectivity"] = cells.ravel().astype(np.int64)
    root["Offsets"] = vertices * np.arange(len(cells) + 1)
    root["Types"] = np.full(len(cells), _VTK_CELL[vertices], np.uint8)


def _write_steps(root, times: Float[np.ndarray, " frames"], n_nodes: int) -> None:
    """Every step shows the same mesh, and its own stretch of V."""
    count = len(times)
    steps = root.create_group("Steps")
    steps.attrs["NSteps"] = count
    steps["Values"] = times
    steps["PartOffsets"] = np.zeros(count, np.int64)
    steps["NumberOfParts"] = np.ones(count, np.int64)
    steps["PointOffsets"] = np.zeros(count, np.int64)
    steps["CellOffsets"] = np.zeros((count, 1), np.int64)
    steps["ConnectivityIdOffsets"] = np.zeros((count, 1), np.int64)
    steps.create_group("PointDataOffsets")["V"] = n_nodes * np.arange(count)
