"""Where a wavefront can go: the simplices and links around each node, in small blocks of nodes."""

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, edge_lengths


class Links(eqx.Module):
    """Ways between single nodes: fibres of a network, and its junctions with the muscle.

    A link goes one way; a fibre that conducts both ways is two links. Its time is a delay of its
    own, and that of a straight ray through muscle, half of it in either mesh cell.
    """

    ends: Int[AnyArray, "links 2"]  # from, to: mesh nodes, then the network's own
    ray: Float[AnyArray, "links 3"]  # mm, through muscle; zero for a fibre
    cells: Int[AnyArray, "links 2"]  # mesh cells at the ray's ends


class Front(eqx.Module):
    """The geometry of an eikonal solve, built once on the host; a pytree, pass it as an argument.

    Nodes are renumbered so that each block of consecutive ones is compact in space; padding
    points at a last node which is never reached. Around a node stand, slot by slot, the
    simplices that hold it, each with its other vertices, the corners.
    """

    points: Float[AnyArray, "inner 3"]  # mm; padding repeats the last
    place: Int[AnyArray, " nodes"]  # inner number of each node: the mesh's, then the network's
    cells: Int[AnyArray, "cells vertices"]  # inner numbers
    corner: Int[AnyArray, "blocks corners slots size"]  # inner numbers
    row: Int[AnyArray, "blocks slots size"]  # vertex * cells + cell; padded with the last + 1
    links: Links  # ends in inner numbers
    incoming: Int[AnyArray, "blocks link_slots size"]  # link; padded with the last + 1
    touches: Bool[AnyArray, "blocks blocks"]  # [b, a]: a change in b may change a
    neighbour: Int[AnyArray, "near inner"]  # nodes of the same cells and links, padded with itself
    twin: Int[AnyArray, "near inner"]  # slot of the node in its neighbour's own list
    spacing: Float[AnyArray, ""]  # mean edge of the mesh, mm

    @property
    def size(self) -> int:
        """Nodes of a block."""
        return self.row.shape[2]


def front(
    mesh: Mesh,
    size: int = 256,
    links: Links | None = None,
    network: Float[AnyArray, "more 3"] | None = None,
) -> Front:
    """The front geometry of a mesh of tetrahedra, triangles in space or lines.

    `size` nodes are solved together, and a settled block costs nothing. On a GPU take the whole
    mesh as one block: size = mesh.n_nodes. `network` are points [mm] beside the mesh's, numbered
    after them, that `links` join to each other and to the mesh.
    """
    points = np.asarray(mesh.points, float)
    if network is not None:
        points = np.concatenate([points, np.asarray(network, float)])
    links = _no_links() if links is None else links
    place, inner = _places(points, mesh.n_nodes, size)
    cells = place[np.asarray(mesh.cells)]
    ends = place[np.asarray(links.ends)]
    corner, row = _around(cells, inner)
    incoming = slots_of(ends[:, 1], np.arange(len(ends)), inner, len(ends))
    near, twin = _neighbours(cells, ends, inner)
    block = np.arange(inner) // size
    touches = np.zeros((inner // size, inner // size), bool)
    touches[block[near], block[None]] = True
    inside = np.empty(inner, int)
    inside[:] = len(points) - 1
    inside[place] = np.arange(len(points))
    return Front(
        points=points[inside],
        place=place.astype(np.int32),
        cells=cells.astype(np.int32),
        corner=np.moveaxis(_blocked(corner, size), 0, 1),
        row=_blocked(row, size),
        links=Links(ends.astype(np.int32), np.asarray(links.ray), np.asarray(links.cells)),
        incoming=_blocked(incoming, size),
        touches=touches,
        neighbour=near.astype(np.int32),
        twin=twin.astype(np.int32),
        spacing=np.asarray(edge_lengths(mesh).mean()),
    )


def _no_links() -> Links:
    return Links(np.zeros((0, 2), int), np.zeros((0, 3)), np.zeros((0, 2), int))


def _blocked(table: Int[np.ndarray, "*lead slots inner"], size: int):
    """(..., slots, inner) as (..., blocks, slots, size)."""
    parts = table.reshape(*table.shape[:-1], table.shape[-1] // size, size)
    return np.ascontiguousarray(np.swapaxes(parts, -3, -2), dtype=np.int32)


def _places(points: Float[np.ndarray, "nodes 3"], n_mesh: int, size: int):
    """Inner number of each node, and how many there are: mesh and network in blocks apart, each
    filled up; the very last is free."""
    place = np.empty(len(points), int)
    start = 0
    for part in (np.arange(n_mesh), np.arange(n_mesh, len(points))):
        order = _by_halves(points, part, size)
        place[order] = start + np.arange(len(order))
        start += -(-len(order) // size) * size
    return place, start if place.max() < start - 1 else start + size


def _by_halves(points, nodes: Int[np.ndarray, " nodes"], size: int) -> Int[np.ndarray, " nodes"]:
    """The nodes ordered so that consecutive ones are near: cut in halves across the longest side,
    at multiples of `size`, until a part is one block."""
    parts, order = [nodes], []
    while parts:
        part = parts.pop()
        if len(part) <= size:
            order.append(part)
            continue
        axis = np.ptp(points[part], axis=0).argmax()
        half = -(-len(part) // size) // 2 * size
        ranked = part[np.argpartition(points[part, axis], half)]
        parts += [ranked[half:], ranked[:half]]
    return np.concatenate(order)


def slots_of(
    node: Int[np.ndarray, " n"], value: Int[np.ndarray, " n"], inner: int, fill: int
) -> Int[np.ndarray, "slots inner"]:
    """Values collected by node, slot by slot, padded with `fill`."""
    order = np.argsort(node, kind="stable")
    count = np.bincount(node, minlength=inner)
    slot = np.arange(node.size) - np.repeat(np.cumsum(count) - count, count)
    table = np.full((count.max(initial=0), inner), fill)
    table[slot, node[order]] = value[order]
    return table


def _around(cells: Int[np.ndarray, "cells vertices"], inner: int):
    """Corners (corners, slots, inner) and rows (slots, inner) of the simplices around nodes."""
    vertices = cells.shape[1]
    others = np.array([[w for w in range(vertices) if w != v] for v in range(vertices)])
    corners = np.concatenate([cells[:, o] for o in others])
    row = slots_of(cells.T.ravel(), np.arange(cells.size), inner, cells.size)
    nowhere = np.full((1, vertices - 1), inner - 1)
    return np.moveaxis(np.concatenate([corners, nowhere])[row], -1, 0), row


def _neighbours(cells, ends, inner: int):
    """Nodes that share a cell or a link with each node, and its slot in their own lists."""
    vertices = cells.shape[1]
    pairs = np.array([(v, w) for v in range(vertices) for w in range(vertices) if v != w])
    both = np.concatenate([cells[:, pairs].reshape(-1, 2), ends, ends[:, ::-1]])
    keys = np.unique(both[:, 0] * inner + both[:, 1])
    node, other = np.divmod(keys, inner)
    count = np.bincount(node, minlength=inner)
    slot = np.arange(node.size) - np.repeat(np.cumsum(count) - count, count)
    near = np.tile(np.arange(inner), (int(count.max()), 1))
    twin = np.zeros_like(near)
    near[slot, node] = other
    twin[slot, node] = slot[np.searchsorted(keys, other * inner + node)]
    return near, twin
