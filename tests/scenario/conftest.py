"""A small wall with fibres, surfaces, regions and a depth, and a scenario on it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from heartsim.mesh import Mesh, slab, write_mesh

LENGTH = 24.0  # mm; more than the least length that passes for a heart


def wall() -> Mesh:
    mesh = slab((LENGTH, 4.0, 3.0), 1.0)
    points = np.asarray(mesh.points)
    middle = points[mesh.cells].mean(axis=1)[:, 0]
    return dataclasses.replace(
        mesh,
        frames=np.broadcast_to(np.eye(3), (mesh.n_cells, 3, 3)).copy(),
        regions=np.where(middle > 18.0, 2, 1).astype(np.int32),
        region_names=(("muscle", 1), ("scar", 2)),
        node_sets={
            "lv_endo": np.flatnonzero(points[:, 2] == 0).astype(np.int32),
            "epi": np.flatnonzero(points[:, 2] == 3.0).astype(np.int32),
        },
        point_data={"depth": points[:, 2] / 3.0},
    )


@pytest.fixture
def mesh() -> Mesh:
    return wall()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds wall.vtu."""
    write_mesh(wall(), tmp_path / "wall.vtu")
    return tmp_path


@pytest.fixture
def data() -> dict:
    """A scenario as a dictionary: Mitchell-Schaeffer, whose program compiles fast."""
    return {
        "heart": {"mesh": "wall.vtu", "ionic": "mitchell_schaeffer_2003"},
        "conduction": {
            "sigma_fibre_mS_mm": 0.3,
            "sigma_sheet_mS_mm": 0.2,
            "sigma_normal_mS_mm": 0.2,
        },
        "stimulus": [{"at": {"point_mm": [0.0, 0.0, 0.0], "radius_mm": 2.5}}],
        "solver": {"duration_ms": 60.0, "dt_ms": 0.1},
        "output": {"checkpoint_every_ms": 10.0},
    }
