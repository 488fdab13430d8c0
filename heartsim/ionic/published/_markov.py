"""Channels whose states turn into one another."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._model import Coupled

Nodes = Float[Array, " nodes"]


def markov(rates: Mapping[tuple[str, str], Nodes]) -> dict[str, Coupled]:
    """How each state of a channel changes, of the rates [1/ms] by (from, to)."""
    rows: dict[str, dict[str, Nodes]] = {}
    for (source, target), rate in rates.items():
        for state, sign in ((target, 1.0), (source, -1.0)):
            row = rows.setdefault(state, {})
            row[source] = row.get(source, 0.0) + sign * rate
    zero = jnp.zeros_like(next(iter(rates.values())))
    return {state: Coupled(zero, row) for state, row in rows.items()}
