"""A Purkinje tree grown on a heart on file."""

from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from heartsim.anatomy import Bundles, Growth, grow_purkinje
from heartsim.mesh import Mesh, read_mesh, signed_volumes

from ._rows import Rows, row


def tree_of(
    heart: str | Path, side: str, growth: Growth, bundles: Bundles | None = None
) -> tuple[Mesh, Rows]:
    """The tree and its size; `bundles` as in `grow_purkinje`. ValueError names the file, where it
    lacks coordinates or the side."""
    mesh = read_mesh(heart)
    try:
        tree = grow_purkinje(mesh, side, bundles, growth)
    except ValueError as fault:
        raise ValueError(f"{heart}: {str(fault).split(': ', 1)[-1]}") from None
    return tree, tree_rows(mesh, tree, side, growth.top)


def tree_rows(mesh: Mesh, tree: Mesh, side: str, top: float) -> Rows:
    """How large a tree is, and how well it covers the endocardium below the `top`."""
    surface = mesh.node_sets["lv_endo" if side == "left" else "rv_endo"]
    below = np.asarray(mesh.point_data["apicobasal"])[surface] <= top
    if not below.any():
        raise ValueError(f"top {top:g}: no endocardium lies so low; wanted up to 1, as 0.85.")
    ends = tree.points[tree.node_sets["junctions"]]
    away, _ = cKDTree(ends).query(np.asarray(mesh.points)[surface][below])
    return {
        "tree_nodes": row(tree.n_nodes, "1", "nodes of the tree"),
        "junctions": row(len(ends), "1", "its ends, where it meets the muscle"),
        "fibres_mm": row(
            float(signed_volumes(tree.points, tree.cells).sum()), "mm", "length of all its fibres"
        ),
        "to_junction_mm": row(
            float(np.median(away)),
            "mm",
            "from the endocardium below the top to the nearest junction, median",
        ),
        "to_junction_farthest_mm": row(float(away.max()), "mm", "the same, at most"),
    }
