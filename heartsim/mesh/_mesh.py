"""The mesh that everything stands on: points, simplices, regions, fibre frames, node sets."""

import difflib
from collections.abc import Iterable, Mapping

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from heartsim._types import AnyArray


class Mesh(eqx.Module):
    """Points [mm] and the simplices between them; a pytree, pass it as an argument.

    A cell is a line (2 vertices), a triangle in space (3) or a tetrahedron (4). Tetrahedra have
    positive volume: det(x1 - x0, x2 - x0, x3 - x0) > 0. Arrays are NumPy on the host, float64
    and int32 as read; what computes with them chooses its own precision.
    """

    points: Float[AnyArray, "nodes 3"]
    """Node positions, mm."""
    cells: Int[AnyArray, "cells vertices"]
    """Node numbers of each simplex."""
    regions: Int[AnyArray, " cells"]
    """Region tag of each cell."""
    frames: Float[AnyArray, "cells 3 3"] | None = None
    """Rows are fibre f, sheet s, normal n of each cell, orthonormal; None: no fibres known."""
    node_sets: dict[str, Int[AnyArray, " _set"]] = eqx.field(default_factory=dict)
    """Named groups of nodes, ascending: epi, lv_endo, rv_endo, base, pacing sites."""
    point_data: dict[str, AnyArray] = eqx.field(default_factory=dict)
    """Other fields, first axis nodes."""
    cell_data: dict[str, AnyArray] = eqx.field(default_factory=dict)
    """Other fields, first axis cells."""
    region_names: tuple[tuple[str, int], ...] = eqx.field(static=True, default=())
    """Pairs (name, tag)."""
    notes: tuple[str, ...] = eqx.field(static=True, default=())
    """What a user must know about where this mesh's content came from."""

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return self.points.shape[0]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.cells.shape[0]

    @property
    def dim(self) -> int:
        """1 for lines, 2 for triangles, 3 for tetrahedra."""
        return self.cells.shape[1] - 1

    def region_tag(self, name_or_tag: str | int) -> int:
        """The tag of a region given by name or by tag; ValueError if no cell has it."""
        names = dict(self.region_names)
        tag = names.get(name_or_tag) if isinstance(name_or_tag, str) else name_or_tag
        present = np.unique(np.asarray(self.regions)).tolist()
        if tag is not None and tag in present:
            return int(tag)
        known = [f"{name} ({tag})" for name, tag in self.region_names if tag in present]
        known += [str(tag) for tag in present if tag not in names.values()]
        raise ValueError(
            f"mesh: region {name_or_tag!r} does not exist{did_you_mean(name_or_tag, names)}; "
            f"this mesh has regions {', '.join(known)}."
        )

    def node_set(self, name: str) -> Int[AnyArray, " _set"]:
        """The nodes of a named set; ValueError if there is none of that name."""
        return _named("node set", self.node_sets, name)

    def point_field(self, name: str) -> AnyArray:
        """A field at the nodes; ValueError if there is none of that name."""
        return _named("point field", self.point_data, name)


def _named(kind: str, there: Mapping[str, AnyArray], name: str) -> AnyArray:
    if name in there:
        return there[name]
    known = ", ".join(sorted(there)) or f"no {kind}s"
    raise ValueError(
        f"mesh: {kind} {name!r} does not exist{did_you_mean(name, there)}; this mesh has {known}."
    )


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """` (did you mean ...?)` for the middle of a sentence; empty where nothing is near."""
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(str(given).lower(), lower, n=1, cutoff=0.6)
    return f" (did you mean {lower[near[0]]!r}?)" if near else ""


def submesh(
    mesh: Mesh, cell_mask: Bool[AnyArray, " cells"]
) -> tuple[Mesh, Int[np.ndarray, " parent_nodes"]]:
    """The cells where `cell_mask` is true, and for each of its nodes the number in `mesh`.

    Node sets keep the nodes that remain; sets left empty are dropped. ValueError if no cell
    remains.
    """
    mask = np.asarray(cell_mask)
    if not mask.any():
        raise ValueError("submesh: no cell is selected; keep at least one region.")
    taken = slice(None) if mask.all() else mask  # a view of what stays whole
    old_cells = np.asarray(mesh.cells)[taken]
    parent_nodes = np.unique(old_cells)
    number = np.full(mesh.n_nodes, -1, np.int32)
    number[parent_nodes] = np.arange(parent_nodes.size)
    sets = {name: number[np.asarray(nodes)] for name, nodes in mesh.node_sets.items()}
    sets = {name: nodes[nodes >= 0] for name, nodes in sets.items()}
    child = Mesh(
        points=np.asarray(mesh.points)[parent_nodes],
        cells=number[old_cells],
        regions=np.asarray(mesh.regions)[taken],
        frames=None if mesh.frames is None else np.asarray(mesh.frames)[taken],
        node_sets={name: nodes for name, nodes in sets.items() if nodes.size},
        point_data={k: np.asarray(v)[parent_nodes] for k, v in mesh.point_data.items()},
        cell_data={k: np.asarray(v)[taken] for k, v in mesh.cell_data.items()},
        region_names=mesh.region_names,
        notes=mesh.notes,
    )
    return child, parent_nodes


def keep_regions(mesh: Mesh, keep: Iterable[str | int]) -> Mesh:
    """Only the regions in `keep`, given by tag or name; ValueError names one that is not there."""
    tags = [mesh.region_tag(region) for region in keep]
    return submesh(mesh, np.isin(np.asarray(mesh.regions), tags))[0]


def drop_regions(mesh: Mesh, drop: Iterable[str | int]) -> Mesh:
    """All but the regions in `drop`, given by tag or name."""
    tags = [mesh.region_tag(region) for region in drop]
    return submesh(mesh, ~np.isin(np.asarray(mesh.regions), tags))[0]
