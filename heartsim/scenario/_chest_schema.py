"""How the heart lies in the body, and the size of a made-up chest, on file."""

from heartsim.ecg import CHEST_MM, Chest, HeartPosition

from ._section import Positive, Section, Turn


class Position(Section):
    """[ecg.position]: from where hearts usually lie, `heartsim.ecg.HeartPosition`."""

    left_mm: float = 0.0
    back_mm: float = 0.0
    head_mm: float = 0.0
    vertical_deg: Turn = 0.0
    """In the frontal plane, apex towards the feet; negative: a horizontal heart."""
    clockwise_deg: Turn = 0.0
    """About the long axis, as seen from the apex."""
    apex_forward_deg: Turn = 0.0
    """In the sagittal plane, apex forward and up."""

    @property
    def made(self) -> HeartPosition:
        """The same as an object."""
        turns = (self.vertical_deg, self.clockwise_deg, self.apex_forward_deg)
        return HeartPosition(self.left_mm, self.back_mm, self.head_mm, *turns)


class ChestSize(Section):
    """[ecg.chest]: `heartsim.ecg.Chest`."""

    width_mm: Positive = CHEST_MM[0]
    depth_mm: Positive = CHEST_MM[1]
    height_mm: Positive = CHEST_MM[2]

    @property
    def made(self) -> Chest:
        """The same as an object."""
        return Chest(self.width_mm, self.depth_mm, self.height_mm)
