"""The file that says what the numbers of a segmentation mean."""

from pydantic import Field

from ._section import NotNegative, Section


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


class LabelsFile(Section):
    """labels.toml."""

    labels: Numbers
    rv_wall: RightWall = Field(default_factory=RightWall)
    slices: SliceOptions = Field(default_factory=SliceOptions)
