"""Purkinje trees grown on the endocardia: bundles to given places, then branches that fork and keep
away from one another."""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from heartsim.mesh import Mesh

from ._coordinates import wrapped
from ._surfaces import find_surfaces
from ._transfer import FIELDS

NEIGHBOURS = 24  # nodes looked at for the nearest one of another branch
CLOSE = 0.8  # of a segment: a branch that comes nearer to another one ends
STUCK = 0.3  # of a segment: a step that gains less has met the rim


@dataclasses.dataclass(frozen=True)
class Growth:
    """How branches grow. Lengths in mm, angles in radians; ratios of deviation and least length to
    length as in Sahli Costabal et al. (2016), J. Biomech. 49 (doi 10.1016/j.jbiomech.2015.12.025;
    page not checked), the lengths themselves ours."""

    segment: float = 1.5
    length: float = 9.0
    """Mean of a branch; standard deviation sqrt(0.2) and least value 0.1 of it."""
    angle: float = 0.4
    """To each side where a branch forks."""
    repulsion: float = 0.1
    """Share of the direction away from the nearest other branch in each step."""
    generations: int = 12
    top: float = 0.85
    """Height above which no branch grows."""
    seed: int = 0

    def __post_init__(self):
        if not (self.segment > 0 and 0 < self.length < math.inf and self.generations > 0):
            raise ValueError("purkinje: segment, length and generations must be above 0.")
        if self.segment > self.length:
            raise ValueError("purkinje: a segment is longer than a branch.")


class Bundles(NamedTuple):
    """Where a tree enters an endocardium, where its trunk ends and to where fascicles lead from
    there: (apicobasal, rotational), and whether on the free wall; the septum else."""

    root: tuple[float, float]
    trunk: tuple[float, float]
    fascicles: tuple[tuple[float, float, bool], ...]


LEFT = Bundles(
    root=(0.95, 0.2),
    trunk=(0.75, 0.1),
    fascicles=((0.65, 1.5, True), (0.45, 0.0, False), (0.4, -1.5, True)),
)
"""Anterior, septal and posterior fascicle; they lead to about where the first activation is seen in
Durrer et al. (1970), Circulation 41, 899-912 (page not checked)."""
RIGHT = Bundles(
    root=(0.95, 0.3), trunk=(0.55, 0.2), fascicles=((0.4, 0.3, True), (0.45, -0.3, False))
)
"""To the foot of the anterior papillary muscle, here along the wall, and over the septum."""
USUAL_BUNDLES = {"left": LEFT, "right": RIGHT}


def grow_purkinje(
    heart: Mesh, side: str, bundles: Bundles | None = None, growth: Growth | None = None
) -> Mesh:
    """A tree of lines on the left or right (`side`) endocardium of a heart from `describe_heart`.

    Trunk and fascicles are stepped towards their ends, each step brought back onto the surface;
    from the ends of the fascicles branches grow, all at once, a segment at a time, turned away from
    the nearest other branch, and fork after a random length. One that comes near another, the
    rim or the `top` ends there. Node 0 is the root; node set `junctions` has the ends.
    ValueError where the heart lacks the surface or coordinates.
    """
    if side not in ("left", "right"):
        raise ValueError(f"purkinje: side {side!r}: wanted left or right.")
    if missing := [name for name in FIELDS if name not in heart.point_data]:
        raise ValueError(f"anatomy: the mesh has no {missing[0]}; run `heartsim anatomy` first.")
    growth = Growth() if growth is None else growth
    bundles = USUAL_BUNDLES[side] if bundles is None else bundles
    wall = _Endocardium(heart, side)
    tree = _Tree(wall.at(*bundles.root, False))
    trunk = tree.walk(0, wall.at(*bundles.trunk, False), wall, growth.segment)
    ends = [
        tree.walk(trunk, wall.at(z, turn, free), wall, growth.segment)
        for z, turn, free in bundles.fascicles
    ]
    tree.branch_out(ends, wall, growth)
    cells = np.array(tree.lines, np.int32)
    leaves = np.setdiff1d(cells[:, 1], cells[:, 0]).astype(np.int32)
    return Mesh(
        points=np.array(tree.points),
        cells=cells,
        regions=np.ones(len(cells), np.int32),
        node_sets={"root": np.zeros(1, np.int32), "junctions": leaves},
        notes=(f"purkinje: {side}, grown, seed {growth.seed}; not imaged",),
    )


class _Endocardium:
    """The surface a tree grows on."""

    def __init__(self, heart: Mesh, side: str):
        import pyvista

        name = "lv_endo" if side == "left" else "rv_endo"
        faces = find_surfaces(heart).faces
        if name not in faces:
            raise ValueError(f"purkinje: this heart has no {side} endocardium.")
        self.x = np.asarray(heart.points, float)
        self.nodes = np.unique(faces[name])
        z, depth, turn = (np.asarray(heart.point_data[f])[self.nodes] for f in FIELDS)
        self.height, self.turn = z, turn
        # on the left the septum is told by angle, on the right by depth, where it is 1
        half = np.abs(turn[depth > 0.5]).max(initial=0.0) if side == "right" else np.pi / 3
        self.septal = depth > 0.5 if side == "right" else np.abs(turn) < half
        self.tree = cKDTree(self.x[self.nodes])
        triangles = np.column_stack([np.full(len(faces[name]), 3), faces[name]])
        self.surface = pyvista.PolyData(self.x, triangles.ravel())
        self.normals = np.asarray(self.surface.face_normals)

    def at(self, height: float, turn: float, free: bool) -> Float[np.ndarray, " 3"]:
        """The node nearest to these coordinates."""
        away = np.hypot(self.height - height, 0.5 * wrapped(self.turn - turn))
        away = np.where(self.septal == free, away + 10.0, away)
        return self.x[self.nodes[np.argmin(away)]]

    def onto(
        self, x: Float[np.ndarray, "tips 3"]
    ) -> tuple[Float[np.ndarray, "tips 3"], Float[np.ndarray, "tips 3"]]:
        """Nearest points of the surface, and its normals there."""
        found: Any = self.surface.find_closest_cell(x, return_closest_point=True)
        cell, near = found
        return np.atleast_2d(near), np.atleast_2d(self.normals[cell])

    def heights(self, x: Float[np.ndarray, "tips 3"]) -> Float[np.ndarray, " tips"]:
        """Height of the nearest node."""
        return self.height[self.tree.query(x)[1]]


class _Tree:
    def __init__(self, root: Float[np.ndarray, " 3"]):
        self.points: list[Float[np.ndarray, " 3"]] = [root]
        self.lines: list[tuple[int, int]] = []
        self.branch: list[int] = [0]
        self.parent: list[int] = [-1]  # of each branch

    def add(self, before: int, x: Float[np.ndarray, " 3"], branch: int) -> int:
        self.points.append(x)
        self.lines.append((before, len(self.points) - 1))
        self.branch.append(branch)
        return len(self.points) - 1

    def new_branch(self, parent: int) -> int:
        self.parent.append(parent)
        return len(self.parent) - 1

    def walk(
        self, start: int, end: Float[np.ndarray, " 3"], wall: _Endocardium, step: float
    ) -> int:
        """A bundle towards a place; the node where it ends: there, or where it gets no nearer."""
        branch, node, x = self.new_branch(self.branch[start]), start, self.points[start]
        while (left := np.linalg.norm(end - x)) > step:
            near, _ = wall.onto((x + (end - x) * step / left)[None])
            if np.linalg.norm(end - near[0]) > left - 0.05 * step:
                break
            x = near[0]
            node = self.add(node, x, branch)
        return node

    def branch_out(self, ends: list[int], wall: _Endocardium, growth: Growth) -> None:
        """Grow branches from these nodes, generation by generation."""
        rng = np.random.default_rng(growth.seed)
        tips = [self._tip(end, wall, 0.0, rng, growth) for end in ends]
        for _ in range(growth.generations):
            tips = [
                tip
                for end in self._grown(tips, wall, growth)
                for tip in (
                    self._tip(end, wall, sign * growth.angle, rng, growth) for sign in (-1, 1)
                )
            ]

    def _tip(self, node: int, wall: _Endocardium, turn: float, rng, growth: Growth):
        """Node, direction, branch and steps of a branch that leaves a node at an angle."""
        before = next((a for a, b in reversed(self.lines) if b == node), node)
        ahead = self.points[node] - self.points[before]
        _, normal = wall.onto(np.asarray(self.points[node])[None])
        side = np.cross(normal[0], ahead)
        way = np.cos(turn) * ahead + np.sin(turn) * side
        length = max(rng.normal(growth.length, np.sqrt(0.2) * growth.length), 0.1 * growth.length)
        steps = max(round(length / growth.segment), 1)
        return node, _unit(way), self.new_branch(self.branch[node]), steps

    def _grown(self, tips, wall: _Endocardium, growth: Growth) -> list[int]:
        """Grow all tips to their lengths, in step; the nodes of those that met nothing."""
        done = []
        while tips:
            node, way, branch, steps = (list(column) for column in zip(*tips, strict=True))
            x, d = np.array([self.points[n] for n in node]), np.array(way)
            away, _ = self._others(x, branch)
            d = _unit(d + growth.repulsion * _unit(away))
            new, normal = wall.onto(x + growth.segment * d)
            d = _unit(d - np.sum(d * normal, axis=1)[:, None] * normal)
            _, distance = self._others(new, branch)
            gained = np.linalg.norm(new - x, axis=1)
            ends = (distance < CLOSE * growth.segment) | (gained < STUCK * growth.segment)
            ends |= wall.heights(new) > growth.top
            tips = []
            for k in np.flatnonzero(~ends):
                end = self.add(node[k], new[k], branch[k])
                if steps[k] > 1:
                    tips.append((end, d[k], branch[k], steps[k] - 1))
                else:
                    done.append(end)
        return done

    def _others(
        self, x: Float[np.ndarray, "tips 3"], branch: list[int]
    ) -> tuple[Float[np.ndarray, "tips 3"], Float[np.ndarray, " tips"]]:
        """From the nearest node of another branch (not the parent or a child of the same) to each
        tip, and how far that is; infinite where none is near."""
        points, owner, parent = (np.array(v) for v in (self.points, self.branch, self.parent))
        own = np.array(branch)[:, None]
        k = min(NEIGHBOURS, len(points))
        distance, near = cKDTree(points).query(x, k=np.arange(1, k + 1))
        kin: Bool[np.ndarray, "tips near"] = (
            (owner[near] == own)
            | (owner[near] == parent[own])
            | (parent[owner[near]] == parent[own])
        )
        distance = np.where(kin, np.inf, distance)
        first: Int[np.ndarray, " tips"] = distance.argmin(axis=1)
        rows = np.arange(len(x))
        lost = np.isinf(distance[rows, first])
        away = np.where(lost[:, None], 0.0, x - points[near[rows, first]])
        return away, distance[rows, first]


def _unit(v):
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
