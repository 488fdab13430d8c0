"""Epicardium, endocardia and base of any heart of tetrahedra, from its shape alone."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.spatial import cKDTree

from heartsim.mesh import Mesh, boundary_triangles, submesh

SHARP = 30.0  # degrees between faces at the rim of the base; ours, checked on real hearts
STRAY = 0.75  # of a stray patch's rim beside one surface, to belong to it
OUTWARD = 0.07  # bulge; ours: epicardia here have 0.09 to 0.12, joined to a cavity 0.03 to 0.06
NICK = 12  # nodes; a valve 1 cm wide has more on meshes that solve anything
NAMES = ("epi", "lv_endo", "rv_endo", "base")
VALVES = {"lv_endo": ("mitral", "aortic"), "rv_endo": ("tricuspid", "pulmonary")}
"""Node sets of the valves where each cavity opens, inflow first."""


@dataclasses.dataclass(frozen=True)
class Surfaces:
    """Faces of each surface, normals out of the muscle; no `rv_endo` where there is one cavity."""

    faces: dict[str, Int[np.ndarray, "_own 3"]]
    how: str
    """What told them apart."""

    def nodes(self, name: str) -> Int[np.ndarray, " _own"]:
        """Nodes of a surface, ascending; a rim belongs to both of its surfaces."""
        return np.unique(self.faces[name]).astype(np.int32)

    def openings(self, name: str) -> list[Int[np.ndarray, " _rim"]]:
        """Nodes of each rim of a surface, the longest first: where a cavity opens at a valve, or at
        two that share a rim. Rims of fewer than 12 nodes are nicks, and left out."""
        rim = rim_edges(self.faces[name])
        size = int(self.faces[name].max()) + 1
        joined = sparse.coo_array((np.ones(len(rim)), rim.T), shape=(size, size))
        part = sparse.csgraph.connected_components(joined)[1]
        nodes = np.unique(rim)
        own = [nodes[part[nodes] == k] for k in np.unique(part[nodes])]
        return sorted((rim for rim in own if len(rim) >= NICK), key=len, reverse=True)


def rim_edges(faces: Int[np.ndarray, "faces 3"]) -> Int[np.ndarray, "edges 2"]:
    """Edges that one face has alone, as it runs along them."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    _, first, count = np.unique(
        np.sort(edges, axis=1), axis=0, return_index=True, return_counts=True
    )
    return edges[first[count == 1]]


def find_surfaces(
    mesh: Mesh,
    cut: Int[np.ndarray, "cut 3"] | None = None,
    left: Float[np.ndarray, " 3"] | None = None,
) -> Surfaces:
    """The surfaces of a heart that is open at its base.

    Node sets epi, lv_endo, (rv_endo,) base are believed. Else the boundary is cut along convex
    edges sharper than 30° (the rims of the base; grooves are concave) and beside the faces `cut`,
    which are base already; of the patches, the largest that bulges outward is the epicardium, the
    largest one or two that bulge inward are endocardia, and the rest, where they do not lie within
    one of these, is base. Left is the cavity nearer to the point `left` [mm] or, without one, that
    with the thicker wall and the rounder shape. ValueError where the point lies outside of the
    heart's box or node sets tell already, where there is no epicardium or cavity, as where a rim is
    so round that the two are one patch, or wall and shape disagree.
    """
    faces = boundary_triangles(mesh)
    if {"epi", "lv_endo", "base"} <= set(mesh.node_sets):
        if left is not None:
            raise ValueError(
                "anatomy: node sets of this mesh tell its left cavity; leave out left."
            )
        return Surfaces(_by_sets(mesh, faces), "node sets of the mesh")
    shape = _Faces(np.asarray(mesh.points), faces)
    given = np.zeros(len(faces), bool) if cut is None else among(faces, cut)
    patch = shape.patches(given)
    bulge = [shape.bulge(patch == k) for k in range(patch.max() + 1)]
    area = np.bincount(patch, shape.area)
    big = np.flatnonzero((area > 0.02 * area.sum()) & (np.bincount(patch, given) == 0))
    outward = [k for k in big if bulge[k] > OUTWARD]
    inward = sorted((k for k in big if bulge[k] < -0.03), key=lambda k: -area[k])[:2]
    if not outward or not inward:
        raise ValueError(
            "anatomy: the heart's surface does not come apart into epicardium and cavities along "
            "the rim of its base; wanted ventricles cut open at the base. Give node sets epi, "
            "lv_endo, rv_endo and base, or keep the ventricles alone (keep = [...])."
        )
    epi = max(outward, key=lambda k: area[k])
    sheets = np.sort([epi, *inward])
    patch = shape.without_strays(patch, sheets)
    found = {"epi": faces[patch == epi]}
    cavities = [patch == k for k in inward]
    if len(cavities) == 1:
        found["lv_endo"], how = faces[cavities[0]], "one cavity"
    else:
        first, how = shape.left_first(cavities, faces[patch == epi], left)
        found["lv_endo"], found["rv_endo"] = (faces[cavities[k]] for k in (first, 1 - first))
    found["base"] = faces[~np.isin(patch, sheets)]
    if not len(found["base"]):
        raise ValueError("anatomy: the heart is closed; wanted ventricles cut open at the base.")
    return Surfaces(found, f"rims sharper than {SHARP:g} degrees; left: {how}")


def _by_sets(mesh: Mesh, faces: Int[np.ndarray, "faces 3"]) -> dict[str, Int[np.ndarray, "_own 3"]]:
    """Faces all of whose nodes a set has; of two sets, the base's."""
    sheets, free = {}, np.ones(len(faces), bool)
    for name in ("base", "lv_endo", "rv_endo", "epi"):
        if name in mesh.node_sets:
            own = free & np.isin(faces, np.asarray(mesh.node_sets[name])).all(axis=1)
            sheets[name], free = faces[own], free & ~own
    return {name: sheets[name] for name in NAMES if name in sheets}


def cut_faces(
    whole: Mesh, part: Mesh, parent_nodes: Int[np.ndarray, " nodes"]
) -> Int[np.ndarray, "cut 3"]:
    """Faces of a part (`submesh`) that the whole goes on beyond: where atria were cut away."""
    faces = boundary_triangles(part)
    return faces[~among(parent_nodes[faces], boundary_triangles(whole))]


def valve_nodes(
    whole: Mesh, part: Mesh, parent_nodes: Int[np.ndarray, " nodes"], beyond: int
) -> Int[np.ndarray, " valve"]:
    """Nodes of a part (`submesh`) where the whole goes on with region `beyond`: an atrium or a
    vessel behind a valve."""
    there, nodes = submesh(whole, np.asarray(whole.regions) == beyond)
    faces = boundary_triangles(part)
    own = faces[among(parent_nodes[faces], nodes[boundary_triangles(there)])]
    return np.unique(own).astype(np.int32)


def among(
    faces: Int[np.ndarray, "faces 3"], some: Int[np.ndarray, "some 3"]
) -> Bool[np.ndarray, " faces"]:
    """Which faces have the corners of one of `some`."""
    step = 1 + max(int(part.max(initial=0)) for part in (faces, some))
    keys = [
        np.sort(part, axis=1).astype(np.int64) @ np.array([step * step, step, 1])
        for part in (faces, some)
    ]
    return np.isin(*keys)


class _Faces:
    """A closed surface: its triangles and which lie beside one another."""

    def __init__(self, x: Float[np.ndarray, "nodes 3"], faces: Int[np.ndarray, "faces 3"]):
        self.x, self.faces = x, faces
        a, b, c = (x[faces[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        twice = np.linalg.norm(normal, axis=1)
        self.normal = normal / np.where(twice > 0, twice, 1.0)[:, None]
        self.area, self.middle = twice / 2, (a + b + c) / 3
        edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
        _, edge, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
        edge = edge.reshape(-1)
        order = np.argsort(edge, kind="stable")
        owner = np.repeat(np.arange(len(faces)), 3)
        twofold = count[edge[order]] == 2
        self.beside = owner[order][twofold].reshape(-1, 2)
        self.ends = edges[order][twofold][::2]
        self.length = np.linalg.norm(x[self.ends[:, 0]] - x[self.ends[:, 1]], axis=1)

    def patches(self, given: Bool[np.ndarray, " faces"]) -> Int[np.ndarray, " faces"]:
        """Numbers of the patches that remain when sharp convex edges are cut."""
        i, j = self.beside.T
        convex = np.sum((self.middle[j] - self.middle[i]) * self.normal[i], axis=1) < 0
        turned = np.sum(self.normal[i] * self.normal[j], axis=1) < np.cos(np.radians(SHARP))
        whole = ~(convex & turned) & (given[i] == given[j])
        return self._parts(self.beside[whole])

    def _parts(self, pairs: Int[np.ndarray, "pairs 2"]) -> Int[np.ndarray, " faces"]:
        n = len(self.faces)
        graph = sparse.coo_array((np.ones(len(pairs)), pairs.T), shape=(n, n))
        return sparse.csgraph.connected_components(graph)[1]

    def bulge(self, own: Bool[np.ndarray, " faces"]) -> float:
        """Volume between a patch and its rim over area^1.5, signed: 0.13 for half a ball seen
        from outside, 0 for what is flat."""
        rim = own[self.beside[:, 0]] != own[self.beside[:, 1]]
        middle = self.x[self.ends[rim]].reshape(-1, 3) if rim.any() else self.middle[own]
        heights = np.sum((self.middle[own] - middle.mean(axis=0)) * self.normal[own], axis=1)
        return float(heights @ self.area[own] / 3 / self.area[own].sum() ** 1.5)

    def without_strays(
        self, patch: Int[np.ndarray, " faces"], sheets: Int[np.ndarray, " sheets"]
    ) -> Int[np.ndarray, " faces"]:
        """Patches most of whose rim lies beside one of the sheets given to it; what is joined
        by this counts as one, and a patch of patches is met once they are."""
        patch = patch.copy()
        i, j = self.beside.T
        for _ in range(10):
            main = np.isin(patch, sheets)
            rest = self._parts(self.beside[~main[i] & ~main[j]])  # strays side by side are one
            rim = np.zeros((rest.max() + 1, len(sheets)))
            for a, b in ((i, j), (j, i)):
                at = ~main[a] & main[b]
                np.add.at(rim, (rest[a[at]], np.searchsorted(sheets, patch[b[at]])), 1.0)
            share = rim.max(axis=1) / np.maximum(rim.sum(axis=1), 1.0)
            taken = ~main & (share[rest] > STRAY)
            if not taken.any():
                return patch
            patch[taken] = sheets[rim.argmax(axis=1)[rest[taken]]]
        return patch

    def left_first(
        self,
        cavities: list[Bool[np.ndarray, " faces"]],
        epi: Int[np.ndarray, "epi 3"],
        left: Float[np.ndarray, " 3"] | None,
    ) -> tuple[int, str]:
        """Which of two cavities is the left one, and why."""
        nodes = [np.unique(self.faces[own]) for own in cavities]
        if left is not None:
            if not ((self.x.min(axis=0) <= left) & (left <= self.x.max(axis=0))).all():
                raise ValueError(
                    f"anatomy: the point ({', '.join(f'{v:g}' for v in left)}) mm in the left "
                    "cavity lies outside of the heart; is it in the heart's frame?"
                )
            away = [np.linalg.norm(self.x[own] - left, axis=1).min() for own in nodes]
            return int(np.argmin(away)), "the cavity at the point given"
        outside = cKDTree(self.x[np.unique(epi)])
        wall = [float(np.quantile(outside.query(self.x[own])[0], 0.25)) for own in nodes]
        round_ = [-self.bulge(own) for own in cavities]
        if np.argmax(wall) != np.argmax(round_):
            raise ValueError(
                "anatomy: which cavity is the left one is not clear: "
                + " and ".join(
                    f"that around ({', '.join(f'{v:.0f}' for v in self.x[own].mean(axis=0))}) mm "
                    f"has a wall of {w:.1f} mm and roundness {r:.3f}"
                    for own, w, r in zip(nodes, wall, round_, strict=True)
                )
                + ". Give a point in the left one (left)."
            )
        return int(np.argmax(wall)), f"the thicker wall ({max(wall):.0f} mm) and rounder cavity"
