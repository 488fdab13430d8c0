"""What is free in a fit: two velocities, and where and when the front starts."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from heartsim._types import AnyArray
from heartsim.tissue import Sources

DEPTH = 2.5
"""mm; how far a source may lie from the endocardium, as Purkinje fibres end in its inner layer."""

PRIOR_SD = 2.0
"""Of the unconstrained velocities and onsets: wide enough to leave the box nearly flat."""


class Parameters(NamedTuple):
    """A point of the search in physical units."""

    velocity: Float[AnyArray, " 2"]  # mm/ms: along the fibre, across it
    sources: Sources


class Unknowns(eqx.Module):
    """The map from a vector θ of real numbers to velocities [mm/ms] and sources.

    θ = (2 velocities, K onsets, 3K coordinates). Velocities lie between bounds on a logarithmic
    scale, onsets between bounds, both by the logistic S:

        v = v_min (v_max / v_min)^S(θ),   t = t_min + (t_max - t_min) S(θ)                (1)

    A position is a free point x [mm], drawn to the endocardium: with p(x) the mean of its nodes
    weighted by exp(-|x - s_j|² / 2 w²), w the mean edge, and d = x - p(x),

        x_source = p(x) + d / √(1 + |d|² / DEPTH²)                                         (2)

    lies within DEPTH of p, which is smooth in x and moves along the endocardium with it.
    """

    velocity: Float[AnyArray, "2 2"]  # mm/ms, rows fibre and transverse, least and greatest
    onset: Float[AnyArray, " 2"]  # ms
    surface: Float[AnyArray, "places 3"]  # mm, nodes of the endocardium
    width: Float[AnyArray, ""]  # mm
    sources: int = eqx.field(static=True)

    @property
    def size(self) -> int:
        """Length of θ."""
        return 2 + 4 * self.sources

    def __call__(self, theta: Float[AnyArray, " unknowns"]) -> Parameters:
        """The parameters at θ, by (1) and (2)."""
        speed, onset, x = self.split(jnp.asarray(theta))
        p = self.drawn(x)
        d = x - p
        inside = p + d / jnp.sqrt(1 + jnp.sum(d**2, axis=1, keepdims=True) / DEPTH**2)
        low, high = jnp.asarray(self.velocity, x.dtype).T
        first, last = jnp.asarray(self.onset, x.dtype)
        velocity = low * (high / low) ** jax.nn.sigmoid(speed)
        return Parameters(velocity, Sources(inside, first + (last - first) * jax.nn.sigmoid(onset)))

    @property
    def longest(self) -> Float[np.ndarray, " unknowns"]:
        """How far one step may take each unknown: farther, and it may end where the logistic is
        flat, or beyond the next valley."""
        return np.repeat([1.0, 2 * float(self.width)], [2 + self.sources, 3 * self.sources])

    def split(self, theta):
        """θ as its velocities, onsets and points (sources, 3)."""
        k = self.sources
        return theta[:2], theta[2 : 2 + k], theta[2 + k :].reshape(k, 3)

    def drawn(self, x: Float[Array, "sources 3"]) -> Float[Array, "sources 3"]:
        """p(x) of (2)."""
        s = jnp.asarray(self.surface, x.dtype)
        square = jnp.sum((x[:, None] - s) ** 2, axis=2)
        return jax.nn.softmax(-square / (2 * self.width**2), axis=1) @ s

    def prior(self, theta: Float[AnyArray, " unknowns"]) -> Float[Array, " rows"]:
        """Rows whose squares are the prior: θ of velocities and onsets over PRIOR_SD, and each
        point's distance from the endocardium over DEPTH."""
        speed, onset, x = self.split(jnp.asarray(theta))
        off = (x - self.drawn(x)) / DEPTH
        return jnp.concatenate([speed / PRIOR_SD, onset / PRIOR_SD, off.ravel()])

    def theta(
        self,
        velocity: Float[AnyArray, " 2"],
        position: Float[AnyArray, "sources 3"],
        onset: Float[AnyArray, " sources"],
    ) -> Float[np.ndarray, " unknowns"]:
        """θ at velocities and onsets within their bounds, with x = `position`."""
        low, high = np.asarray(self.velocity, float).T
        first, last = np.asarray(self.onset, float)
        share = np.log(np.asarray(velocity) / low) / np.log(high / low)
        return np.concatenate(
            [
                _logit(share),
                _logit((np.asarray(onset) - first) / (last - first)),
                np.asarray(position, float).ravel(),
            ]
        )


def _logit(share) -> np.ndarray:
    inner = np.clip(share, 0.01, 0.99)  # a bound itself lies at infinity
    return np.log(inner / (1 - inner))
