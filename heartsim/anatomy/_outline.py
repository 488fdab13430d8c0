"""From the masks of one structure, slice by slice, to a smooth surface: shape-based interpolation.

Raya and Udupa (1990), "Shape-based interpolation of multidimensional objects", IEEE Trans. Med.
Imaging 9, 32-42 (pages not checked): each slice becomes a distance to its outline, and the
distances are interpolated between slices, here by monotone cubics. Ours are the ends: beyond its
last slice a structure closes by a cap that holds the volume of the half slice, and the apex is
smoothed along the axis, else the cap would stand on a wall that runs outward like a stopper.
"""

import dataclasses

import numpy as np
import scipy
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

NEAR = 10.0  # mm from a surface where its distance is exact: above walls that are grown; ours
APEX = 0.45  # of the gap between slices: standard deviation of the smoothing at the apex; ours
USUAL = 3.0  # mm, by which slices lie beside one another after good breath holds; ours


@dataclasses.dataclass(frozen=True)
class Outline:
    """One structure as a field on a grid, sampled by cubic splines: about the distance [mm] to its
    surface within a slice, positive inside."""

    field: Float[np.ndarray, "x y z"]
    """Spline coefficients, or values as they are."""
    low: Float[np.ndarray, " 3"]
    step: Float[np.ndarray, " 3"]

    def __call__(self, x: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """The field at points [mm]; beyond the grid that of its border."""
        at = ((x - self.low) / self.step).T
        return scipy.ndimage.map_coordinates(
            self.field, at, order=3, mode="nearest", prefilter=False
        )


def distances(
    masks: Bool[np.ndarray, "slices rows columns"], pixel: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, "slices rows columns"]:
    """`smooth_distance` of each slice; -inf where the slice is empty."""
    out = np.full(masks.shape, -np.inf)
    for k, mask in enumerate(masks):
        if not mask.any():
            continue
        out[k] = smooth_distance(mask, pixel)
    return out


def smooth_distance(
    mask: Bool[np.ndarray, "*size"], sampling: Float[np.ndarray, " axes"]
) -> Float[np.ndarray, "*size"]:
    """To its outline [mm], positive inside, smoothed over a voxel and shifted so that as many
    voxels are inside as before."""
    inside = scipy.ndimage.distance_transform_edt(mask, sampling=sampling)
    outside = scipy.ndimage.distance_transform_edt(~mask, sampling=sampling)
    d = scipy.ndimage.gaussian_filter(inside - outside, 1.0)
    falling, count = np.sort(d, axis=None)[::-1], int(mask.sum())
    return d - (falling[count - 1] + falling[min(count, d.size - 1)]) / 2


def stacked(
    d: Float[np.ndarray, "slices rows columns"],
    z: Float[np.ndarray, " slices"],
    to: Float[np.ndarray, " levels"],
    top: float,
    wall: float = 0.0,
) -> Float[np.ndarray, "levels rows columns"]:
    """The distances `d` of slices at `z` [mm, rising], at the levels `to`.

    Between the first and the last slice that is not empty by monotone cubics, over empty ones as
    well. Below, and above unless the last slice is the one under the base plane `top`, the
    structure closes by a cap that holds as much as half a slice; `wall` [mm] makes the lower one
    higher. Up to half a gap above the first slice, fading over the next gap, it is smoothed.
    """
    there = np.flatnonzero(np.isfinite(d[:, 0, 0]))
    first, last = z[there[0]], z[there[-1]]
    gap = float(np.median(np.diff(z)))
    known = d[there]
    curve = (
        scipy.interpolate.PchipInterpolator(z[there], known, axis=0)
        if len(there) > 1
        else lambda _: known[0]
    )
    out = np.empty((len(to), *d.shape[1:]))
    below, above = (gap / 2 / _fullness(_rounded(known[end], 1.0)) for end in (0, -1))
    open_above = top - last < 0.75 * gap
    share = np.clip(1.5 - (to - first) / gap, 0, 1)
    for k, level in enumerate(to):
        capped = level < first or (level > last and not open_above)
        out[k] = curve(np.clip(level, first, last))
        out[k] = _rounded(out[k], 1.0 if capped else float(share[k]))
        if capped:
            beyond, height = (
                (first - level, below + wall) if level < first else (level - last, above)
            )
            out[k] -= out[k].max() * (beyond / height) ** 2
    return _smoothed(out, APEX * gap / (to[1] - to[0]), share)


def _smoothed(
    d: Float[np.ndarray, "levels rows columns"], sigma: float, share: Float[np.ndarray, " levels"]
) -> Float[np.ndarray, "levels rows columns"]:
    """By a Gaussian along the axis, so much of it at each level, and shifted so that as many
    samples are inside as before."""
    own = share > 0
    old, share = d[own], share[own, None, None]
    new = share * scipy.ndimage.gaussian_filter1d(d, sigma, axis=0, mode="nearest")[own]
    new += (1 - share) * old
    falling = np.sort(new / share, axis=None)[::-1]
    out = d.copy()
    out[own] = new - share * falling[(old > 0).sum()]
    return out


def _rounded(
    d: Float[np.ndarray, "rows columns"], share: float
) -> Float[np.ndarray, "rows columns"]:
    """Distances without their ridge, which would be an edge on a cap, or with a share of it: by all
    of it d - d²/2R inside, R the deepest; of a disc, where d = R - r, the paraboloid (R² - r²)/2R.
    """
    return d - share * np.maximum(d, 0) ** 2 / (2 * d.max())


def _fullness(d: Float[np.ndarray, "rows columns"]) -> float:
    """Volume of the cap over an outline, as a share of a prism so high: 2/3 for an ellipse."""
    shares = (np.arange(50) + 0.5) / 50
    inside = d[d > 0] / d.max()
    return float(np.mean([np.mean(inside > t**2) for t in shares]))


def signed_distance(
    field: Float[np.ndarray, "x y z"], step: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, "x y z"]:
    """The distance [mm] of each point of a grid to where the field crosses zero, positive inside:
    to the nearest crossing on a line of the grid, a few hundredths too much. From 10 mm on to that
    nearest to the grid's nearest point beside a crossing: less than a step more, a tenth in the
    mean, where a search for the nearest takes by far the longest."""
    crossings, beside = [], np.zeros(field.shape, bool)
    for axis in range(3):
        a, ends = np.moveaxis(field, axis, 0), np.moveaxis(beside, axis, 0)
        at = np.argwhere(a[:-1] * a[1:] < 0)
        i, j, k = at.T
        before, after = a[i, j, k], a[i + 1, j, k]
        ends[i, j, k] = ends[i + 1, j, k] = True
        point = at.astype(float)
        point[:, 0] += before / (before - after)
        order = [axis, *(k for k in range(3) if k != axis)]
        crossings.append(point[:, np.argsort(order)] * step)
    x = np.concatenate(crossings)
    tree, number = cKDTree(x), np.zeros(field.shape, int)
    number[beside] = tree.query(np.argwhere(beside) * step)[1]
    nearest = scipy.ndimage.distance_transform_edt(
        ~beside, sampling=step, return_distances=False, return_indices=True
    )
    grid = np.moveaxis(np.indices(field.shape), 0, -1) * step
    away = np.linalg.norm(grid - x[number[tuple(nearest)]], axis=-1)
    near = away < NEAR + step.max()  # of those farther off none is nearer than NEAR
    away[near] = tree.query(grid[near])[0]
    return np.where(field > 0, away, -away)


def misalignment(
    masks: Bool[np.ndarray, "slices rows columns"], pixel: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, "slices 2"]:
    """How far the middle of each slice's mask lies [mm, along rows and columns] from a parabola
    through all of them: an estimate of slices moved by breathing, and of nothing slower.

    The parabola is fitted with Cauchy's weights, so that one slice far off does not bend it. The
    slices at both ends count as moved like their neighbours: of them nothing tells whether they
    moved or the heart bends.
    """
    there = np.flatnonzero(masks.any(axis=(1, 2)))
    moved = np.zeros((len(masks), 2))
    if len(there) < 5:
        return moved
    middles = np.array([np.argwhere(masks[k]).mean(axis=0) * pixel for k in there])
    size = np.sqrt([masks[k].sum() for k in there])
    for _ in range(30):
        trust = 1 / (1 + np.sum(moved[there] ** 2, axis=1) / USUAL**2)
        fit = np.polynomial.polynomial.polyfit(there, middles, 2, w=size * np.sqrt(trust))
        moved[there] = middles - np.polynomial.polynomial.polyval(there, fit).T
    moved[there[0]], moved[there[-1]] = moved[there[1]], moved[there[-2]]
    return moved


def mended(
    mask: Bool[np.ndarray, "slices rows columns"],
) -> tuple[Bool[np.ndarray, "slices rows columns"], int, int]:
    """The largest part, holes within slices filled; voxels taken away, and added."""
    part, count = scipy.ndimage.label(mask, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(part.ravel())[1:]
    kept = part == 1 + int(np.argmax(sizes)) if count else mask
    filled = np.array([scipy.ndimage.binary_fill_holes(slice_) for slice_ in kept])
    return filled, int((mask & ~kept).sum()), int((filled & ~kept).sum())
