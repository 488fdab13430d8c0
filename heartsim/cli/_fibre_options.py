"""Options of commands that give fibres by a rule."""

import dataclasses
from enum import StrEnum
from typing import Annotated

import typer

from heartsim.anatomy import FibreAngles, OutflowAngles, WallAngles

BAYER, DOSTE = FibreAngles(), OutflowAngles()
LEFT, RIGHT, OUTFLOW = map(dataclasses.astuple, (DOSTE.left, DOSTE.right, DOSTE.outflow))
Degrees = Annotated[float, typer.Option(min=-90.0, max=90.0, help="Degrees, of Bayer's rule.")]
Four = tuple[float, float, float, float]
Wall = Annotated[
    Four, typer.Option(help="Doste's fibres, endo and epi, and their dip, endo and epi: degrees.")
]


class Rule(StrEnum):
    """Whose fibres."""

    BAYER = "bayer"
    DOSTE = "doste"


@dataclasses.dataclass(kw_only=True)
class FibreOptions:
    """One field an option."""

    rule: Annotated[Rule, typer.Option(help="Of fibres; doste: along outflow tracts.")] = Rule.BAYER
    fibre_endo: Degrees = BAYER.fibre_endo
    fibre_epi: Degrees = BAYER.fibre_epi
    sheet_endo: Degrees = BAYER.sheet_endo
    sheet_epi: Degrees = BAYER.sheet_epi
    left_angles: Wall = LEFT
    right_angles: Wall = RIGHT
    outflow_angles: Wall = OUTFLOW
    septum_left: Annotated[
        float, typer.Option(help="Share of the septum that Doste's rule turns as the left wall.")
    ] = DOSTE.septum_left

    def angles(self) -> FibreAngles | OutflowAngles:
        """The rule and its angles; ValueError for angles of the other rule."""
        bayer = FibreAngles(self.fibre_endo, self.fibre_epi, self.sheet_endo, self.sheet_epi)
        doste = OutflowAngles(
            WallAngles(*self.left_angles),
            WallAngles(*self.right_angles),
            WallAngles(*self.outflow_angles),
            self.septum_left,
        )
        if self.rule is Rule.BAYER and doste != DOSTE:
            raise ValueError(
                "--left-angles, --right-angles, --outflow-angles and --septum-left are of Doste's "
                "rule; give --rule doste, or --fibre-endo and its like for Bayer's."
            )
        if self.rule is Rule.DOSTE and bayer != BAYER:
            raise ValueError(
                "--fibre-endo, --fibre-epi, --sheet-endo and --sheet-epi are of Bayer's rule; give "
                "--left-angles, --right-angles and --outflow-angles with --rule doste."
            )
        return bayer if self.rule is Rule.BAYER else doste
