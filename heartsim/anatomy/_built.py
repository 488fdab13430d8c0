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
    """What moving slices back has changed."""
    apex_closing: float
    """Myocardium put below the last slice, where the cavity was open."""
    trimmed: float
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

    @property
    def mesh(self) -> Mesh:
        """The heart's mesh."""
        return self.heart.mesh
