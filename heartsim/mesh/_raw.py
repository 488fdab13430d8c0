"""What a file holds, before it becomes a Mesh."""

import dataclasses

import numpy as np


@dataclasses.dataclass
class RawMesh:
    """Points in the file's unit; blocks (kind of cell, its node numbers, its places in the cell
    data); named fields; region names; node sets; notes."""

    points: np.ndarray
    blocks: list[tuple[str, np.ndarray, np.ndarray]]
    point_data: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    cell_data: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    region_names: dict[str, int] = dataclasses.field(default_factory=dict)
    node_sets: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
