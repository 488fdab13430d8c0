"""Scar and its border zone from late gadolinium enhancement."""

import dataclasses
import math

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from heartsim.mesh import Mesh, locate_points, signed_volumes, submesh

from ._image import Image
from ._laplace import RV

HEALTHY, BORDER, CORE = 0, 1, 2
MARGIN = 0.1  # of the wall's depth at each side, left out of statistics: partial volumes; ours
FEWEST = 30  # voxels in the wall for statistics


def require_order(rule: str, most: float = math.inf, **levels: float) -> None:
    """ValueError where levels are not above 0, each at least the one before, and below `most`."""
    values = list(levels.values())
    if not (values[0] > 0 and values == sorted(values) and values[-1] < most):
        order = "0 < " + " <= ".join(levels) + (f" < {most:g}" if most < math.inf else "")
        given = ", ".join(f"{name} {value:g}" for name, value in levels.items())
        raise ValueError(f"scar: the rule {rule} wants {order}; was given {given}.")


@dataclasses.dataclass(frozen=True)
class DeviationRule:
    """Standard deviations above the mean of remote muscle."""

    border: float = 2.0
    core: float = 3.0
    name: str = "sd"

    def __post_init__(self):
        require_order(self.name, border=self.border, core=self.core)


@dataclasses.dataclass(frozen=True)
class HalfMaximumRule:
    """Core above half of the greatest intensity; border above the peak of remote muscle."""

    core: float = 0.5
    name: str = "fwhm"

    def __post_init__(self):
        require_order(self.name, 1.0, core=self.core)


@dataclasses.dataclass(frozen=True)
class FractionRule:
    """Shares of the greatest intensity."""

    border: float = 0.35
    core: float = 0.5
    name: str = "fraction"

    def __post_init__(self):
        require_order(self.name, 1.0, border=self.border, core=self.core)


ScarRule = DeviationRule | HalfMaximumRule | FractionRule
RULES: tuple[ScarRule, ...] = (DeviationRule(), HalfMaximumRule(), FractionRule())
"""As three published protocols are compared in Circulation 126 (2012), Suppl. 21, A18372
(abstract): n-SD 2 to 3, FWHM, and Roes's 35 to 50 % of the maximum."""


@dataclasses.dataclass(frozen=True)
class Enhancement:
    """Intensities of the left ventricle's muscle, and what they are judged against."""

    voxels: Float[np.ndarray, " voxels"]
    """Intensity of each voxel in the wall, MARGIN away from its surfaces."""
    voxel_mL: float
    cells: Float[np.ndarray, " cells"]
    """Intensity at the middle of each cell of the mesh; NaN in the right ventricle and where
    nothing was imaged."""
    remote: int
    """Segment of the remote muscle."""
    remote_mean: float
    remote_sd: float
    remote_peak: float
    peak: float
    """Greatest intensity in the wall."""

    def levels(self, rule: ScarRule) -> tuple[float, float]:
        """Least intensity of border and core by a rule; a border that begins above the core's
        begins with it."""
        if isinstance(rule, DeviationRule):
            border, core = (self.remote_mean + n * self.remote_sd for n in (rule.border, rule.core))
        elif isinstance(rule, HalfMaximumRule):
            border, core = self.remote_peak, rule.core * self.peak
        else:
            border, core = rule.border * self.peak, rule.core * self.peak
        return min(border, core), core

    def zones(
        self, rule: ScarRule, intensity: Float[np.ndarray, " any"]
    ) -> Int[np.ndarray, " any"]:
        """0 healthy (and not imaged), 1 border, 2 core."""
        border, core = self.levels(rule)
        return np.where(intensity > core, CORE, np.where(intensity > border, BORDER, HEALTHY))


def enhancement(mesh: Mesh, image: Image, remote: int | None = None) -> Enhancement:
    """What an image of late enhancement shows in a heart from `describe_heart`; both lie in the
    patient's frame.

    `remote` is the segment of muscle that is taken to be healthy; without it the one of 1 to 16
    with the lowest mean. ValueError where the image misses the wall or the segment.
    """
    chamber = np.asarray(mesh.cell_data["chamber"])
    left, _ = submesh(mesh, chamber != RV)
    at, cell, depth = _voxels_inside(left, image)
    intensity = image.values.astype(float)[tuple(at.T)]
    inner = (depth > MARGIN) & (depth < 1 - MARGIN)
    segment = np.asarray(left.cell_data["segment"])[cell]
    if inner.sum() < FEWEST:
        raise ValueError(
            f"{image.name}: only {inner.sum()} of its voxels lie in the left ventricle's wall; "
            "wanted an image of this heart, in the same frame."
        )
    remote = _darkest(intensity[inner], segment[inner]) if remote is None else remote
    own = intensity[inner & (segment == remote)]
    if own.size < 2:
        raise ValueError(f"{image.name} shows no muscle of segment {remote}; give another one.")
    middle = np.asarray(mesh.points)[np.asarray(mesh.cells)].mean(axis=1)
    return Enhancement(
        voxels=intensity[inner],
        voxel_mL=float(np.prod(image.spacing)) / 1000,
        cells=np.where(chamber == RV, np.nan, _interpolated(image, at[inner], middle)),
        remote=remote,
        remote_mean=float(own.mean()),
        remote_sd=float(own.std(ddof=1)),
        remote_peak=float(own.max()),
        peak=float(intensity[inner].max()),
    )


def _voxels_inside(
    left: Mesh, image: Image
) -> tuple[Int[np.ndarray, "voxels 3"], Int[np.ndarray, " voxels"], Float[np.ndarray, " voxels"]]:
    """Voxels whose middle lies in the muscle: their places, cells and depths in the wall."""
    reach = image.voxels(np.asarray(left.points, float))
    low = np.maximum(np.floor(reach.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(reach.max(axis=0)) + 1, image.values.shape).astype(int)
    if (high <= low).any():
        raise ValueError(f"{image.name}: the heart lies outside of this image.")
    axes = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    at = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    cell, weights = locate_points(left, image.place(at[:, ::-1] * image.spacing))
    inside = (cell >= 0) & np.isfinite(image.values[tuple(at.T)])
    corners = np.asarray(left.point_data["transmural"])[np.asarray(left.cells)[cell[inside]]]
    return at[inside], cell[inside], np.sum(weights[inside] * corners, axis=1)


def _interpolated(
    image: Image, inside: Int[np.ndarray, "voxels 3"], x: Float[np.ndarray, "points 3"]
) -> Float[np.ndarray, " points"]:
    """Intensity at points from voxels of the wall alone, as blood beside it is bright: linear
    between those of the eight around that are among them, or else the nearest of all, not farther
    than a voxel's diagonal; NaN beyond."""
    weight = np.zeros(image.values.shape)
    weight[tuple(inside.T)] = 1.0
    at = image.voxels(x).T
    total, value = (
        scipy.ndimage.map_coordinates(field, at, order=1)
        for field in (weight, np.where(weight > 0, image.values, 0.0))
    )
    away, near = cKDTree(inside[:, ::-1] * image.spacing).query(at.T[:, ::-1] * image.spacing)
    nearest = image.values[tuple(inside[near].T)].astype(float)
    nearest[away > np.linalg.norm(image.spacing)] = np.nan
    return np.where(total > 0.25, value / np.maximum(total, 0.25), nearest)


def _darkest(intensity: Float[np.ndarray, " voxels"], segment: Int[np.ndarray, " voxels"]) -> int:
    """The segment of 1 to 16 with the lowest mean, of those with enough voxels."""
    count = np.bincount(segment, minlength=27)
    total = np.bincount(segment, intensity, minlength=27)
    judged = [k for k in range(1, 17) if count[k] >= FEWEST]
    judged = judged if judged else [int(np.argmax(count[:17]))]
    return min(judged, key=lambda k: total[k] / count[k])


def with_scar(mesh: Mesh, found: Enhancement, rule: ScarRule) -> Mesh:
    """The mesh with regions `border` and `scar` where a rule finds them, and cell data
    `enhancement`: standard deviations above the mean of remote muscle (NaN: not imaged)."""
    zone = found.zones(rule, np.nan_to_num(found.cells, nan=-np.inf))
    note = f"scar: from late enhancement by the rule {rule.name}, remote segment {found.remote}"
    deviations = (found.cells - found.remote_mean) / found.remote_sd
    marks = marked(mesh, zone, note)
    return dataclasses.replace(marks, cell_data={**marks.cell_data, "enhancement": deviations})


def marked(mesh: Mesh, zone: Int[np.ndarray, " cells"], note: str) -> Mesh:
    """The mesh with regions `border` and `scar` where the zone is 1 and 2, and a note."""
    regions, names = np.array(mesh.regions), dict(mesh.region_names)
    for name, own in (("border", zone == BORDER), ("scar", zone == CORE)):
        names.setdefault(name, max([*names.values(), int(regions.max())]) + 1)
        regions[own] = names[name]
    return dataclasses.replace(
        mesh,
        regions=regions.astype(np.int32),
        region_names=tuple(names.items()),
        notes=(*(old for old in mesh.notes if not old.startswith("scar:")), note),
    )


def zone_volumes(
    mesh: Mesh, found: Enhancement, rule: ScarRule
) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """mL of healthy muscle, border and core: by the image's voxels, and by the mesh's cells of
    the left ventricle that were imaged."""
    by_voxels = np.bincount(found.zones(rule, found.voxels), minlength=3) * found.voxel_mL
    imaged: Bool[np.ndarray, " cells"] = np.isfinite(found.cells)
    volume = signed_volumes(mesh.points, mesh.cells)[imaged] / 1000
    return by_voxels, np.bincount(found.zones(rule, found.cells[imaged]), volume, 3)
