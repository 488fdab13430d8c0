"""States that turn into one another, stepped together."""

from collections.abc import Mapping
from typing import Any

import jax
from jax.typing import ArrayLike

from ._model import Coupled


def coupled_in(changes: Mapping[str, Any]) -> dict[str, Coupled]:
    """Those states of a dict that are coupled."""
    return {name: change for name, change in changes.items() if isinstance(change, Coupled)}


def exchanged(
    state: Mapping[str, jax.Array], rows: Mapping[str, Coupled], dt: ArrayLike
) -> dict[str, jax.Array]:
    """Coupled states after `dt` at frozen rates by the implicit midpoint rule,

        (1 - dt/2 A) (x' - x) = dt (A x + b),

    which keeps sums that A keeps, is of second order, and stable for rates as large as they come.
    By elimination without pivoting, entries that are 0 left out: rates out of a state are on the
    diagonal and outweigh those into it.
    """
    matrix = {i: {j: -0.5 * dt * a for j, a in change.row.items()} for i, change in rows.items()}
    right: dict[str, Any] = {}
    for i, change in rows.items():
        slope = change.drive + sum(a * state[j] for j, a in change.row.items())
        matrix[i][i] = 1.0 + matrix[i].get(i, 0.0)
        right[i] = dt * slope
    order = list(rows)
    for k, pivot in enumerate(order):
        for i in order[k + 1 :]:
            if pivot not in matrix[i]:
                continue
            factor = matrix[i].pop(pivot) / matrix[pivot][pivot]
            for j in order[k + 1 :]:
                if j in matrix[pivot]:
                    matrix[i][j] = matrix[i].get(j, 0.0) - factor * matrix[pivot][j]
            right[i] = right[i] - factor * right[pivot]
    step: dict[str, Any] = {}
    for k in reversed(range(len(order))):
        i = order[k]
        known = sum(matrix[i][j] * step[j] for j in order[k + 1 :] if j in matrix[i])
        step[i] = (right[i] - known) / matrix[i][i]
    return {i: state[i] + step[i] for i in order}
