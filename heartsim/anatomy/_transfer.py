"""From coordinates back to places, and data from one heart to another by them."""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from heartsim.mesh import Mesh

from ._coordinates import wrapped

FIELDS = ("apicobasal", "transmural", "rotational")
SPREAD = np.array([1.0, 0.3, 0.5, 0.5])  # of height, depth, cosine and sine, so that all count
TRIED = 48  # cells about a place, of which the one that holds it is sought


class Atlas:
    """The coordinates of one heart, to look places up by them."""

    def __init__(self, mesh: Mesh):
        """`mesh` has point data apicobasal, transmural and rotational and cell data chamber, as
        from `describe_heart`; ValueError names the one it lacks."""
        for name, data in [(f, mesh.point_data) for f in FIELDS] + [("chamber", mesh.cell_data)]:
            if name not in data:
                raise ValueError(f"anatomy: the mesh has no {name}; run `heartsim anatomy` first.")
        self.mesh = mesh
        at = np.stack([np.asarray(mesh.point_data[name], float) for name in FIELDS], axis=1)
        self.corners = at[np.asarray(mesh.cells)]
        first = self.corners[:, :1, 2]
        turned = wrapped(self.corners[:, :, 2] - first)
        self.corners[:, :, 2] = first + turned  # no cell spans the seam at ±π
        self.right = np.asarray(mesh.cell_data["chamber"]) == 2
        self.trees = {}
        ours = np.zeros(mesh.n_nodes, bool)
        ours[np.asarray(mesh.cells)[~self.right]] = True
        seam = self.right & ours[np.asarray(mesh.cells)].any(axis=1)  # spans both, so a jump
        for side in (False, True):
            own = np.flatnonzero((self.right == side) & ~seam)
            if own.size:
                self.trees[side] = cKDTree(_embedded(self.corners[own].mean(axis=1))), own

    def find(
        self, at: Float[np.ndarray, "places 3"], right: Int[np.ndarray, " places"] | np.ndarray
    ) -> tuple[Int[np.ndarray, " places"], Float[np.ndarray, "places 4"]]:
        """For each (apicobasal, transmural, rotational) the cell that holds it, in the right
        ventricle where `right`, else in the left, and its barycentric weights there; where none
        holds it, the nearest place in the cell that comes nearest. ValueError where this
        heart has no such ventricle."""
        cell, weights = np.zeros(len(at), int), np.zeros((len(at), 4))
        right = np.asarray(right, bool)
        for side in np.unique(right):
            if side not in self.trees:
                raise ValueError("anatomy: this heart has no right ventricle to find places in.")
            own = right == side
            cell[own], weights[own] = self._find(at[own], *self.trees[side])
        return cell, weights

    def _find(self, at, tree, own):
        _, near = tree.query(_embedded(at), k=min(TRIED, len(own)))
        best, out = np.full(len(at), -np.inf), np.zeros((len(at), 4))
        cell = np.zeros(len(at), int)
        for k in range(near.shape[1]):
            left = np.flatnonzero(best < 0)  # a place within a cell needs no other
            tried = own[near[left, k]]
            w = _weights(self.corners[tried], at[left])
            better = w.min(axis=1) > best[left]
            left, tried, w = left[better], tried[better], w[better]
            best[left], cell[left], out[left] = w.min(axis=1), tried, w
        out = np.clip(out, 0.0, None)
        return cell, out / out.sum(axis=1, keepdims=True)

    def points(
        self, at: Float[np.ndarray, "places 3"], right: Int[np.ndarray, " places"] | np.ndarray
    ) -> Float[np.ndarray, "places 3"]:
        """Where these coordinates are [mm]."""
        cell, weights = self.find(at, right)
        corners = np.asarray(self.mesh.points)[np.asarray(self.mesh.cells)[cell]]
        return np.einsum("pv,pvd->pd", weights, corners)


def transfer(
    source: Mesh, field: Float[np.ndarray, " source_nodes"], target: Mesh
) -> Float[np.ndarray, " nodes"]:
    """A nodal field of one heart at the nodes of another, from the place with the same
    coordinates; both as from `describe_heart`."""
    atlas, other = Atlas(source), Atlas(target)
    cells = np.asarray(target.cells)
    right = np.ones(target.n_nodes, bool)
    right[cells[~other.right]] = False  # nodes of both are the left ventricle's
    at = np.stack([np.asarray(target.point_data[name], float) for name in FIELDS], axis=1)
    cell, weights = atlas.find(at, right)
    return np.einsum("pv,pv->p", weights, np.asarray(field, float)[np.asarray(source.cells)[cell]])


def _embedded(at: Float[np.ndarray, "places 3"]) -> Float[np.ndarray, "places 4"]:
    z, rho, phi = at.T
    return SPREAD * np.stack([z, rho, np.cos(phi), np.sin(phi)], axis=1)


def _weights(
    corners: Float[np.ndarray, "places 4 3"], at: Float[np.ndarray, "places 3"]
) -> Float[np.ndarray, "places 4"]:
    """Barycentric weights; cells without extent in coordinates hold nothing."""
    edges = np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)
    away = at - corners[:, 0]
    away[:, 2] = wrapped(away[:, 2])
    flat = np.abs(np.linalg.det(edges)) < 1e-14
    edges[flat] = np.eye(3)
    inner = np.linalg.solve(edges, away[:, :, None])[:, :, 0]
    w = np.concatenate([1 - inner.sum(axis=1, keepdims=True), inner], axis=1)
    w[flat] = -np.inf
    return w
