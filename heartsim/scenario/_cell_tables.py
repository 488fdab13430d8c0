"""What is read from many cells at once, and how it is told."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._cell import DEFINITIONS

Table = dict[str, Sequence[Any]]
"""Columns of equal length, by name."""
QNET = (
    "uC/uF",
    "net charge of i_CaL, i_NaL, i_Kr, i_Ks, i_K1 and i_to over the beat; small: proarrhythmic. Of "
    "ohara_rudy_cipa_2017_endo at 2000 ms it is CiPA's qNet, Dutta et al. (2017), Front. Physiol. "
    "8, 616 (page not checked); null of a model without these currents",
)
KEPT = (
    "apd90_ms", "alternans_ms", "triangulation_ms", "ead_mV", "peak_mV", "rest_mV", "calcium_uM",
    "qnet_uC_uF",
)  # fmt: skip
READ = {name: DEFINITIONS[name] for name in KEPT if name in DEFINITIONS} | {"qnet_uC_uF": QNET}


def number(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None


def plain(values: Any) -> list[float | None]:
    return [number(x) for x in np.asarray(values, float)]
