"""The file that says what the numbers of a segmentation mean."""

from typing import Annotated

from pydantic import Field

from ._section import NotNegative, Positive, Section


class Numbers(Section):
    """Which number is which structure; data sets number differently, so that none is guessed."""

    lv_cavity: int
    lv_myocardium: int
    rv_cavity: int | None = None
    """Absent: a left ventricle alone."""
    rv_myocardium: int | None = None
    """Absent: a wall is grown around the cavity."""
    scar: int | None = None
    """Infarcted muscle, where it has a number of its own."""
    no_reflow: int | None = None
    """Muscle within it that blood does not reach."""
    left_atrium: int | None = None
    aorta: int | None = None
    right_atrium: int | None = None
    pulmonary_artery: int | None = None
    """Where the ventricles are open, each at the valve that is named by it."""
    beyond: list[int] = Field(default_factory=list)
    """Other atria, great vessels and valves, where the ventricles are open."""


class RightWall(Section):
    """The wall of the right ventricle, which segmentations hardly ever have."""

    thickness_mm: NotNegative = 3.0


class SliceOptions(Section):
    """What is done to the stack."""

    align: bool = True
    """Move slices back that lie beside the others, by the middle of the left ventricle."""
    open_right: bool = True
    """Leave the right ventricle open where a part of its cavity ends below the base, wide enough to
    be a valve."""


class AtrialParts(Section):
    """What is known of one atrium beside its blood."""

    veins: list[int] | dict[str, int] = Field(default_factory=list)
    """Numbers; or names of `heartsim.anatomy.OPENINGS` with theirs."""
    openings: dict[str, Annotated[list[float], Field(min_length=3, max_length=4)]] = Field(
        default_factory=dict
    )
    """By name X, Y, Z [mm, LPS], and a radius [mm] where the wall is closed."""


class Atria(Section):
    """The atria in one mesh with the ventricles."""

    wall_mm: Positive = 2.0
    left: AtrialParts = Field(default_factory=AtrialParts)
    right: AtrialParts = Field(default_factory=AtrialParts)

    def of(self, side: str) -> AtrialParts:
        """Of the left or the right one."""
        return self.left if side == "left" else self.right


class LabelsFile(Section):
    """labels.toml."""

    labels: Numbers
    rv_wall: RightWall = Field(default_factory=RightWall)
    slices: SliceOptions = Field(default_factory=SliceOptions)
    atria: Atria | None = None
    """Absent: the ventricles alone."""
