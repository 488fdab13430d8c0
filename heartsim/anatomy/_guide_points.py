"""Contours drawn on slices: guide points, as biv-me's files hold them."""

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

STRUCTURES = {
    "lv": ("LV_ENDOCARDIAL",),
    "body": ("LV_EPICARDIAL", "RV_SEPTUM"),  # the right side of the septum is the left's outline
    "rv": ("RV_FREEWALL", "RV_SEPTUM", "RV_ENDOCARDIAL"),
}
VIEWS = ("SAX_", "LAX_")
VALVE_KINDS = {
    "mitral": "MITRAL_VALVE",
    "aortic": "AORTA_VALVE",
    "tricuspid": "TRICUSPID_VALVE",
    "pulmonary": "PULMONARY_VALVE",
}
ANNULI = ("MITRAL_VALVE", "TRICUSPID_VALVE")
GAP = 8.0  # mm, and four steps, without points: there a contour ends and another begins
FEWEST = 4  # points that make a contour


@dataclasses.dataclass(frozen=True)
class GuidePoints:
    """Points on the outlines of one phase, mm; in the order in which they were drawn."""

    points: Float[np.ndarray, "points 3"]
    kinds: Shaped[np.ndarray, " points"]
    """As LAX_LV_EPICARDIAL, MITRAL_VALVE."""
    slices: Int[np.ndarray, " points"]
    name: str

    def of(self, *kinds: str) -> Float[np.ndarray, "own 3"]:
        """Points of these kinds."""
        return self.points[np.isin(self.kinds, kinds)]

    def drawn(self, structure: str) -> Float[np.ndarray, "own 3"]:
        """Points of these kinds in any view."""
        return self.of(*(view + structure for view in VIEWS))

    def moved(self, by: dict[int, Float[np.ndarray, " 3"]]) -> "GuidePoints":
        """Slices moved by as many mm."""
        shift = np.array([by.get(int(k), np.zeros(3)) for k in self.slices])
        return dataclasses.replace(self, points=self.points + shift)


@dataclasses.dataclass(frozen=True)
class Contour:
    """Outline of one structure on one slice, in pieces."""

    points: Float[np.ndarray, "points 3"]
    outward: Float[np.ndarray, "points 3"]
    """Unit normals within the slice."""
    slice: int


def read_guide_points(path: str | Path, frame: int | None = None) -> GuidePoints:
    """Columns x y z type slice weight frame, parted by tabs or spaces, below a line of names.

    `frame` picks a phase where there are several. ValueError names file, line and what was wanted.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; check the path.")
    rows = []
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], start=2):
        parts = line.split()
        if not parts:
            continue
        try:
            x, kind, own, phase = parts[:3], parts[3], int(parts[4]), round(float(parts[6]))
            rows.append(([float(v) for v in x], kind, own, phase))
        except (ValueError, IndexError):
            raise ValueError(
                f"{path}: line {n} is {line.strip()[:60]!r}; wanted x y z type slice weight frame."
            ) from None
    phases = sorted({row[3] for row in rows})
    if frame is None and len(phases) == 1:
        frame = phases[0]
    if frame not in phases:
        raise ValueError(f"{path} has the frames {phases}; choose one of them (frame).")
    points, kinds, slices = zip(*(row[:3] for row in rows if row[3] == frame), strict=True)
    found = GuidePoints(np.array(points), np.array(kinds), np.array(slices), path.name)
    _require(found)
    return found


def _require(guide: GuidePoints) -> None:
    if not np.isfinite(guide.points).all():
        raise ValueError(f"{guide.name}: a place is not a finite number.")
    for name, kinds in (("left endocardium", "lv"), ("left epicardium", "body")):
        wanted = [view + kind for view in VIEWS for kind in STRUCTURES[kinds][:1]]
        if len(guide.of(*wanted)) < FEWEST:
            raise ValueError(
                f"{guide.name}: the {name} is missing; wanted points of {' or '.join(wanted)}. "
                f"There are {', '.join(sorted(set(guide.kinds.tolist())))}."
            )
    if len(guide.of(*ANNULI)) < 3:
        raise ValueError(
            f"{guide.name}: wanted three points of {' or '.join(ANNULI)} at least, through which "
            "the base is cut."
        )


def contours(guide: GuidePoints, structure: str, apart: float) -> list[Contour]:
    """Outlines of a structure of `STRUCTURES`, one for each slice that has it, their points about
    `apart` [mm] from one another."""
    wanted = [view + kind for view in VIEWS for kind in STRUCTURES[structure]]
    found = []
    for own in np.unique(guide.slices):
        pieces = [
            piece
            for kind in wanted
            for piece in _pieces(guide.points[(guide.slices == own) & (guide.kinds == kind)])
        ]
        if sum(len(piece) for piece in pieces) >= FEWEST:
            found.append(_contour(_chained(pieces), int(own), apart))
    return found


def _pieces(points: Float[np.ndarray, "own 3"]) -> list[Float[np.ndarray, "_piece 3"]]:
    """Points in order, taken apart at gaps; the last joined to the first where it ends there."""
    if len(points) < 2:
        return []
    step = np.linalg.norm(np.diff(points, axis=0), axis=1)
    far = max(GAP, 4 * float(np.median(step)))
    pieces = np.split(points, np.flatnonzero(step > far) + 1)
    if len(pieces) > 1 and np.linalg.norm(points[-1] - points[0]) < far:
        pieces = [np.concatenate([pieces[-1], pieces[0]]), *pieces[1:-1]]
    return [piece for piece in pieces if len(piece) > 1]


def _chained(pieces: list[Float[np.ndarray, "_piece 3"]]) -> list[Float[np.ndarray, "_piece 3"]]:
    """Pieces one after another around the outline: each time the one that begins nearest."""
    left = sorted(pieces, key=len)
    chain = [left.pop()]
    while left:
        end = chain[-1][-1]
        near = [min(np.linalg.norm(p[[0, -1]] - end, axis=1)) for p in left]
        piece = left.pop(int(np.argmin(near)))
        turned = np.linalg.norm(piece[-1] - end) < np.linalg.norm(piece[0] - end)
        chain.append(piece[::-1] if turned else piece)
    return chain


def _thinned(piece: Float[np.ndarray, "piece 3"], apart: float) -> Int[np.ndarray, " kept"]:
    """Points that lie farther than 0.9 `apart` from all before them, so that a line drawn forth and
    back counts once."""
    kept = [0]
    for k in range(1, len(piece)):
        if np.linalg.norm(piece[kept] - piece[k], axis=1).min() > 0.9 * apart:
            kept.append(k)
    return np.array(kept)


def _contour(pieces: list[Float[np.ndarray, "_piece 3"]], own: int, apart: float) -> Contour:
    whole = np.concatenate(pieces)
    middle = whole.mean(axis=0)
    across = np.linalg.svd(whole - middle, full_matrices=False)[2][2]
    area = np.cross(whole - middle, np.roll(whole, -1, axis=0) - middle).sum(axis=0) @ across
    points, outward = [], []
    for piece in pieces:
        ahead = np.gradient(piece, axis=0)
        ahead = np.array([np.convolve(v, np.ones(3) / 3, mode="same") for v in ahead.T]).T
        normal = np.sign(area) * np.cross(ahead, across)
        kept = _thinned(piece, apart)
        points.append(piece[kept])
        outward.append(normal[kept] / np.linalg.norm(normal[kept], axis=1, keepdims=True))
    return Contour(np.concatenate(points), np.concatenate(outward), own)
