"""How a membrane steps in time: written once, for every model."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PyTree

from ._model import AbstractIonicModel, Relaxation, Slope


class AbstractMembraneStep(eqx.Module):
    """Advance V and the state of every node by dt, without diffusion."""

    @abstractmethod
    def __call__(
        self,
        model: AbstractIonicModel,
        V: Float[Array, " nodes"],
        state: Any,
        dt: ArrayLike,
        i_stim: ArrayLike = 0.0,
    ) -> tuple[Float[Array, " nodes"], Any]:
        """Return V [mV] and the state after `dt` [ms] under the constant stimulus `i_stim` [mV/ms].

        Here and in every stepper dV/dt = i_stim - i_ion.
        """


def relax(state: PyTree, changes: PyTree, dt: ArrayLike) -> PyTree:
    """Advance each leaf by `dt` at frozen rates: exactly if it relaxes, else by forward Euler."""

    def advance(change, x):
        if isinstance(change, Relaxation):
            return change.limit + (x - change.limit) * jnp.exp(-dt * change.rate)
        return x + dt * change.value

    return jax.tree.map(advance, changes, state, is_leaf=is_change)


def is_change(x: Any) -> bool:
    """Tell a Relaxation or a Slope from the containers around it."""
    return isinstance(x, Relaxation | Slope)


class RushLarsen(AbstractMembraneStep):
    """Gates relax exactly at frozen V, all else by forward Euler. First order, one evaluation.

    Rush and Larsen (1978), IEEE Trans. Biomed. Eng. 25, 389-392.
    """

    def __call__(self, model, V, state, dt, i_stim=0.0):
        """Advance by `dt`; see AbstractMembraneStep."""
        now = model.rates(V, state)
        return V + dt * (i_stim - now.i_ion), relax(state, now.changes, dt)


class RushLarsenMidpoint(AbstractMembraneStep):
    """The same, with rates taken at the half step. Second order, two evaluations.

    Perego and Veneziani (2009), Electron. Trans. Numer. Anal. 35, 234-256 (page not checked).
    """

    def __call__(self, model, V, state, dt, i_stim=0.0):
        """Advance by `dt`; see AbstractMembraneStep."""
        V_half, state_half = RushLarsen()(model, V, state, dt / 2, i_stim)
        half = model.rates(V_half, state_half)
        return V + dt * (i_stim - half.i_ion), relax(state, half.changes, dt)
