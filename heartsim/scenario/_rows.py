"""Numbers with unit and definition, as they are shown and written."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._conduct import Speed

Rows = dict[str, dict[str, Any]]
"""name -> value, unit, definition."""

THICKENED = "muscle put on where the wall was thinner than 2 mm or 1.5 edges, too thin to be meshed"


def row(value: Any, unit: str, definition: str) -> dict[str, Any]:
    """One number; NaN, which JSON does not know, becomes null."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        value = None
    return {"value": value, "unit": unit, "definition": definition}


def speed_rows(speeds: Sequence[Speed]) -> Rows:
    """Velocity error and conductivity of each part and direction."""
    rows = {}
    for speed in speeds:
        name = f"{speed.where}_{speed.direction}".replace(" ", "_")
        against = "a strand of fine edges" if speed.wanted is None else f"{speed.wanted:g} m/s"
        source = "given" if speed.wanted is None else "tuned for that velocity on this mesh"
        rows[f"velocity_error_{name}_percent"] = row(
            100 * speed.error,
            "percent",
            f"velocity of a plane wave on the mesh's projection, with this run's dt and scheme, "
            f"against {against}; -100 where the wave is blocked",
        )
        rows[f"sigma_{name}_mS_mm"] = row(
            speed.sigma,
            "mS/mm",
            f"monodomain conductivity, {source}, the thickening of fronts in it",
        )
        rows["front_thickening"] = row(
            speed.thickening,
            "1",
            "how many times thicker fronts are made than the membrane makes them, for the edges to "
            "carry them",
        )
    return rows
