"""Depth in a wall: 0 on the endocardium, 1 on the epicardium."""

import numpy as np
from jax.typing import ArrayLike

SLACK = 0.25
"""By how much depth may leave 0 to 1: the published ones of a real heart (Rodero 01) do by 0.07,
another unit does more. Ours."""


def no_depth(field: ArrayLike) -> int | None:
    """The first node at which a field is no depth, or not a number; None where it is one."""
    wrong = np.flatnonzero(~(np.abs(np.asarray(field) - 0.5) <= 0.5 + SLACK))
    return int(wrong[0]) if wrong.size else None
