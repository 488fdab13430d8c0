"""Where an atrium is open: its valve, its veins, its appendage; found, and told apart."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh, did_you_mean, parts_of

from ._surfaces import rim_edges

LEFT_VEINS = ("lspv", "lmpv", "lipv", "lpv")
RIGHT_VEINS = ("rspv", "rmpv", "ripv", "rpv")
VALVES = {"left": "mitral_valve", "right": "tricuspid_valve"}
OPENINGS = {
    "left": ("mitral_valve", *LEFT_VEINS, *RIGHT_VEINS, "appendage"),
    "right": ("tricuspid_valve", "svc", "ivc", "coronary_sinus", "appendage"),
}
"""Names of node sets: superior, middle and inferior left and right pulmonary vein, or one alone on
its side; superior and inferior vena cava."""
LEAST = 12.0  # mm around: a vein 4 mm wide; shorter rims are nicks. Ours
VEINS = (2, 6)  # rims that may be pulmonary veins


class Rim(NamedTuple):
    """An opening."""

    nodes: Int[np.ndarray, " rim"]
    middle: Float[np.ndarray, " 3"]
    """mm"""
    length: float
    """mm around, the longer way where the wall has two rims; nan of a node set."""


class Opening(NamedTuple):
    """What a user says of an opening: the rim nearest to a point [mm] or, with a radius [mm], the
    nodes within it, as on a surface that is closed."""

    name: str
    point: tuple[float, float, float]
    radius: float | None = None


def axes_of(letters: str) -> Float[np.ndarray, "3 3"]:
    """Rows: where the patient's left, back and head lie in a mesh whose x, y and z go to L or R,
    P or A, S or I, in any order: LPS, RAS. ValueError for other letters, and for a mirror image.
    """
    axes = np.zeros((3, 3))
    for column, letter in enumerate(letters):
        for row, pair in enumerate(("LR", "PA", "SI")):
            if letter in pair and column < 3:
                axes[row, column] = 1.0 if letter == pair[0] else -1.0
    if len(letters) != 3 or abs(np.linalg.det(axes)) < 0.5:
        raise ValueError(
            f"frame {letters!r} is given; three letters are wanted that say where x, y and z go, "
            "one of each pair L or R, P or A, S or I, such as LPS."
        )
    if np.linalg.det(axes) < 0:
        raise ValueError(
            f"frame {letters!r} is left-handed, so that the mesh is a mirror image; wanted is a "
            "right-handed one such as LPS or RAS."
        )
    return axes


def shell_rims(mesh: Mesh) -> list[Rim]:
    """Rims of a surface of triangles, the longest first, without nicks."""
    return _rims(np.asarray(mesh.points, float), rim_edges(np.asarray(mesh.cells)))


def wall_rims(mesh: Mesh, cut: Int[np.ndarray, "cut 3"]) -> list[Rim]:
    """Pieces of a wall's cut faces, that with the longest rim first, without nicks."""
    x, found = np.asarray(mesh.points, float), []
    part = parts_of(cut, mesh.n_nodes)[cut[:, 0]]
    for number in np.unique(part):
        own = cut[part == number]
        rims = _rims(x, rim_edges(own))
        if rims:
            found.append(rims[0]._replace(nodes=np.unique(own).astype(np.int32)))
    return sorted(found, key=lambda rim: -rim.length)


def _rims(x: Float[np.ndarray, "nodes 3"], edges: Int[np.ndarray, "edges 2"]) -> list[Rim]:
    if not len(edges):
        return []
    part = parts_of(edges, len(x))[edges[:, 0]]
    found = []
    for number in np.unique(part):
        ends = edges[part == number]
        length = np.linalg.norm(x[ends[:, 1]] - x[ends[:, 0]], axis=1)
        middle = np.average(x[ends].mean(axis=1), axis=0, weights=length)
        found.append(Rim(np.unique(ends).astype(np.int32), middle, float(length.sum())))
    return sorted((rim for rim in found if rim.length >= LEAST), key=lambda rim: -rim.length)


def find_openings(
    mesh: Mesh,
    side: str,
    rims: Sequence[Rim],
    frame: str | None = None,
    given: Sequence[Opening] = (),
) -> tuple[dict[str, Rim], list[Rim]]:
    """The openings of the `side` left or right by name (`OPENINGS`), and the rims left over.

    What is `given` comes first, then node sets of these names that share no node with it. Of the
    rims that remain the longest is the valve, where that is not known yet. Where veins are missing,
    `frame` (`axes_of`) tells them apart: pulmonary veins left and right of the widest gap between
    them, on each side from above to below; of three rims of a right atrium the shortest is the
    coronary sinus, and the superior vena cava is the upper of the others. ValueError where that
    leaves a question.
    """
    if side not in OPENINGS:
        raise ValueError(f"atrium {side!r} is given; left or right is wanted.")
    found = _given(mesh, side, rims, given)
    said = list(found.values())
    for name in OPENINGS[side]:
        if name in mesh.node_sets and name not in found:
            nodes = np.asarray(mesh.node_sets[name], np.int32)
            rim = Rim(nodes, np.asarray(mesh.points, float)[nodes].mean(axis=0), np.nan)
            if not any(_meet(rim, other) for other in said):
                found[name] = rim
    free = [rim for rim in rims if not any(_meet(rim, known) for known in found.values())]
    if VALVES[side] not in found:
        if not free:
            raise ValueError(
                f"no opening was found that could be the {VALVES[side]}: a closed surface, or no "
                "sharp rim; cut the valve and the veins open, give node sets "
                f"{', '.join(OPENINGS[side])}, or say where they are (--opening "
                f"{VALVES[side]}=X,Y,Z,RADIUS)."
            )
        found[VALVES[side]] = free.pop(0)
    if not _complete(side, found):
        veins = _pulmonary(free, found, frame) if side == "left" else _caval(free, found, frame)
        found |= veins
        free = [rim for rim in free if not any(rim is vein for vein in veins.values())]
    _require_apart(found)
    return {name: found[name] for name in OPENINGS[side] if name in found}, free


def _given(mesh: Mesh, side: str, rims, given: Sequence[Opening]) -> dict[str, Rim]:
    x, found = np.asarray(mesh.points, float), {}
    for name, point, radius in given:
        if name not in OPENINGS[side]:
            raise ValueError(
                f"opening {name!r} is not known{did_you_mean(name, OPENINGS[side])}; a {side} "
                f"atrium has {', '.join(OPENINGS[side])}."
            )
        away = np.linalg.norm(x - np.array(point), axis=1)
        if radius is None and not rims:
            raise ValueError(
                f"opening {name}: the mesh has no rim to take this name; add a radius [mm], as in "
                f"{name}=X,Y,Z,RADIUS, for the nodes around the point."
            )
        if radius is None:
            found[name] = min(rims, key=lambda rim: away[rim.nodes].min())
            continue
        nodes = np.flatnonzero(away <= radius).astype(np.int32)
        if not nodes.size:
            raise ValueError(
                f"opening {name}: the nearest node is {away.min():.1f} mm from the point, the "
                f"radius is {radius:g} mm."
            )
        found[name] = Rim(nodes, x[nodes].mean(axis=0), np.nan)
    return found


def _meet(one: Rim, other: Rim) -> bool:
    return bool(np.isin(one.nodes, other.nodes).any())


def _complete(side: str, found: Mapping[str, Rim]) -> bool:
    """Whether the rule has what it needs."""
    if side == "right":
        return {"svc", "ivc"} <= set(found)
    return all(any(name in found for name in names) for names in (LEFT_VEINS, RIGHT_VEINS))


def _require_apart(found: Mapping[str, Rim]) -> None:
    names = list(found)
    for k, one in enumerate(names):
        for other in names[:k]:
            if _meet(found[one], found[other]):
                raise ValueError(
                    f"{other} and {one} share nodes; give each opening nodes of its own."
                )


def _pulmonary(free: list[Rim], found: Mapping[str, Rim], frame: str | None) -> dict[str, Rim]:
    """Names of the rims that are pulmonary veins."""
    named = [name for name in (*LEFT_VEINS, *RIGHT_VEINS) if name in found]
    if named:
        raise ValueError(
            f"only {', '.join(named)} of the pulmonary veins are named, all on one side; name one "
            f"at least on the other. {_ask(free)}"
        )
    low, high = VEINS
    if not low <= len(free) <= high:
        raise ValueError(
            f"{len(free)} openings are left for pulmonary veins, {low} to {high} are wanted. "
            f"{_ask(free)}"
        )
    if frame is None:
        raise ValueError(f"nothing tells left veins from right ones. {_ask(free)}")
    axes = axes_of(frame)
    left = np.array([rim.middle @ axes[0] for rim in free])
    order = np.argsort(left)
    cut = int(np.argmax(np.diff(left[order]))) + 1
    sides = order[cut:], order[:cut]
    gap = left[sides[0]].min() - left[sides[1]].max()
    if gap <= max(np.ptp(left[own]) for own in sides):
        raise ValueError(
            f"the veins do not fall into a left and a right group: between the groups are "
            f"{gap:.0f} mm, fewer than within one. {_ask(free)}"
        )
    veins: dict[str, Rim] = {}
    for own, letter in zip(sides, "lr", strict=True):
        if len(own) > 3:
            raise ValueError(
                f"{len(own)} veins lie on one side, 3 at most are wanted. {_ask(free)}"
            )
        downward = sorted((free[k] for k in own), key=lambda rim: -(rim.middle @ axes[2]))
        words = {1: ("",), 2: ("s", "i"), 3: ("s", "m", "i")}[len(own)]
        veins |= {f"{letter}{word}pv": rim for word, rim in zip(words, downward, strict=True)}
    return veins


def _caval(free: list[Rim], found: Mapping[str, Rim], frame: str | None) -> dict[str, Rim]:
    """Names of the rims that are venae cavae and coronary sinus."""
    named = [name for name in ("svc", "ivc") if name in found]
    if named or len(free) not in (2, 3):
        said = f"{named[0]} is named, the other vena cava is not" if named else ""
        counted = f"{len(free)} openings are left for venae cavae and coronary sinus, 2 or 3 wanted"
        raise ValueError(f"{said if said else counted}. {_ask(free)}")
    if frame is None:
        raise ValueError(f"nothing tells the upper vena cava from the lower. {_ask(free)}")
    up = axes_of(frame)[2]
    upper, lower = sorted(free[:2], key=lambda rim: -(rim.middle @ up))
    return {"svc": upper, "ivc": lower} | ({"coronary_sinus": free[2]} if free[2:] else {})


def _ask(free: Sequence[Rim]) -> str:
    """How to mend it, and what there is."""
    if not free:
        return "Say where they are: --opening NAME=X,Y,Z,RADIUS [mm] takes all nodes within RADIUS."
    places = "; ".join(
        f"({', '.join(f'{v:.0f}' for v in rim.middle)}) mm, {rim.length:.0f} mm around"
        for rim in free
    )
    return (
        "Say where x, y and z of the mesh go (--frame LPS) or name openings (--opening "
        f"NAME=X,Y,Z); unnamed are {places}."
    )
