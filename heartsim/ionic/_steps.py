"""How a membrane steps in time: written once, for every model."""

import functools
from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from ._midpoint import Given, midpoint
from ._model import AbstractIonicModel
from ._rates import rates
from ._relax import relax


class AbstractMembraneStep(eqx.Module):
    """Advance V and the state of every node by dt, without diffusion."""

    @property
    def estimates_error(self) -> bool:
        """Whether `judged` knows the error."""
        return False

    @abstractmethod
    def judged(
        self,
        model: AbstractIonicModel,
        V: Float[Array, " nodes"],
        state: Any,
        dt: ArrayLike,
        i_stim: ArrayLike = 0.0,
    ) -> tuple[Float[Array, " nodes"], Any, Float[Array, " nodes"]]:
        """Return V [mV] and the state after `dt` [ms] under the constant stimulus `i_stim` [mV/ms],
        and an estimate of the error that the step makes in V [mV]; NaN if none.

        Here and in every stepper dV/dt = i_stim - i_ion.
        """

    def __call__(
        self, model: AbstractIonicModel, V, state: Any, dt: ArrayLike, i_stim: ArrayLike = 0.0
    ) -> tuple[Float[Array, " nodes"], Any]:
        """V and the state of `judged`."""
        V, state, _ = self.judged(model, V, state, dt, i_stim)
        return V, state


class RushLarsen(AbstractMembraneStep):
    """Gates relax exactly at frozen V, all else by forward Euler. First order, one evaluation.

    Rush and Larsen (1978), IEEE Trans. Biomed. Eng. 25, 389-392.
    """

    def judged(self, model, V, state, dt, i_stim=0.0):
        """See AbstractMembraneStep."""
        now = rates(model, V, state)
        V = V + dt * (i_stim - now.i_ion)
        return V, relax(state, now.changes, dt), jnp.full_like(V, jnp.nan)


class RushLarsenMidpoint(AbstractMembraneStep):
    """The same, with rates taken at the half step. Second order, two evaluations.

    The midpoint rule with exponential gates: Perego and Veneziani (2009), Electron. Trans. Numer.
    Anal. 35, 234-256, treat second-order Rush-Larsen steps (page not checked).
    """

    @property
    def estimates_error(self):
        """It does."""
        return True

    def judged(self, model, V, state, dt, i_stim=0.0):
        """The error is |V by RushLarsen - V|, that of first order; it has no derivative."""
        (new, state), i_ion = midpoint(Given(model, dt, i_stim), (V, state))
        error = jnp.abs(V + dt * (i_stim - i_ion) - new)
        return new, state, lax.stop_gradient(error)


class Substeps(NamedTuple):
    """How `Adaptive` came through one step."""

    tried: Int[Array, ""]  # substeps computed, those rejected included
    unfinished: Bool[Array, " nodes"]  # True at the node that kept max_substeps from reaching dt


class Adaptive(AbstractMembraneStep):
    """Midpoint substeps inside the fixed outer dt, all nodes together, as large as allowed.

    A substep of h is accepted where |V by RushLarsen - V by RushLarsenMidpoint| <= tolerance at
    every node; both come from the same two evaluations, and the second-order value is kept. The
    error in V alone is controlled. The next h is 0.9 h (tolerance / error)^½, within a factor of 4
    up and 5 down. Under vmap each batch has its own h. Where `max_substeps` do not suffice V
    becomes NaN at the node to blame, which stops a run at its check for runaway voltage.

    Forward mode differentiates the substeps that were chosen, not their choice; reverse mode does
    not pass the open-ended loop: use RushLarsenMidpoint there.
    """

    tolerance: float = 0.1  # mV, per substep
    max_substeps: int = eqx.field(static=True, default=1000)

    def __check_init__(self):
        if not self.tolerance > 0:
            raise ValueError(
                f"Adaptive: wanted a tolerance above 0 mV, was given {self.tolerance}."
            )
        if self.max_substeps < 1:
            raise ValueError(f"Adaptive: wanted max_substeps >= 1, was given {self.max_substeps}.")

    def judged(self, model, V, state, dt, i_stim=0.0):
        """See AbstractMembraneStep."""
        V, state, substeps = self.solve(model, V, state, dt, i_stim)
        return jnp.where(substeps.unfinished, jnp.nan, V), state, jnp.full_like(V, jnp.nan)

    def solve(
        self,
        model: AbstractIonicModel,
        V: Float[Array, " nodes"],
        state: Any,
        dt: ArrayLike,
        i_stim: ArrayLike = 0.0,
    ) -> tuple[Float[Array, " nodes"], Any, Substeps]:
        """Advance by `dt`, or as far as `max_substeps` reach, and tell how."""

        def unfinished(carry):
            _, left, _, tried, _ = carry
            return (left > 0) & (tried < self.max_substeps)

        def substep(carry):
            (V, state), left, h, tried, _ = carry
            h = jnp.minimum(h, left)
            V_new, state_new, error = RushLarsenMidpoint().judged(model, V, state, h, i_stim)
            new, error = (V_new, state_new), lax.stop_gradient(error) / self.tolerance
            error = jnp.where(jnp.isnan(error), jnp.inf, error)
            worst = jnp.max(error)
            pick = functools.partial(jnp.where, worst <= 1)
            h_next = h * jnp.clip(0.9 / jnp.sqrt(jnp.maximum(worst, 1e-6)), 0.2, 4.0)
            kept = jax.tree.map(pick, new, (V, state))
            return kept, pick(left - h, left), h_next, tried + 1, error >= worst

        whole = jnp.asarray(dt, V.dtype)
        start = ((V, state), whole, whole, jnp.array(0), jnp.zeros(V.shape, bool))
        (V, state), left, _, tried, worst = lax.while_loop(unfinished, substep, start)
        return V, state, Substeps(tried, worst & (left > 0))
