"""A heart built from a segmentation, and what was done for it."""

import dataclasses
from collections.abc import Mapping

from heartsim.mesh import Mesh

from ._heart import Heart


@dataclasses.dataclass(frozen=True)
class Built:
    """A heart and what was done for it. Volumes in mL."""

    heart: Heart
    image_volumes: Mapping[str, float]
    """Voxels of the slices that were used, extended by half a slice at each end."""
    mesh_volumes: Mapping[str, float]
    slice_correction: Mapping[str, float]
    """What moving slices back has put back, as outlines beside one another lose between slices."""
    apex_closing: float
    """Myocardium put below the last slice, where the cavity was open."""
    thickened: float
    """Muscle put on where the wall was too thin to be meshed, below the last slice as well."""
    trimmed: Mapping[str, float]
    """Voxels above the base plane, which the mesh has not."""
    moved_mm: float
    """Farthest that a slice was moved."""
    removed: int
    """Voxels of islands."""
    filled: int
    """Voxels of holes."""
    right_roof: float = 0.0
    """cm² of the right cavity that muscle covers where a stack's labels end in part."""
    right_opened: float = 0.0
    """cm² that is open there."""

    def error(self, name: str) -> float:
        """Percent by which the mesh differs from the voxels as they are, without what closed the
        apex, where there are none. Slices hold the same voxels wherever they are moved to."""
        closing = self.apex_closing if name == "lv_myocardium" else 0.0
        return 100 * ((self.mesh_volumes[name] - closing) / self.image_volumes[name] - 1)

    def whole(self, name: str) -> float:
        """The mesh's volume with the voxels above the base plane: of one heart at two moments,
        whose bases are not cut at the same place, the volumes to compare."""
        return self.mesh_volumes[name] + self.trimmed[name]

    @property
    def mesh(self) -> Mesh:
        """The heart's mesh."""
        return self.heart.mesh
