"""How a membrane steps in time: written once, for every model."""

import dataclasses
import functools
from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from ._frozen import frozen
from ._midpoint import midpoint
from ._model import AbstractIonicModel
from ._stage import Setting
from ._staggered import gates_moved, parted, whole_step


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

    def ready(
        self, model: AbstractIonicModel, V, state: Any, dt: ArrayLike, steps: ArrayLike
    ) -> tuple[Any, Any]:
        """What the first of a series of so many equal steps, at least one, takes: the state as it
        wants it, and what a step before would have told."""
        return state, None

    def following(
        self, model: AbstractIonicModel, V, state: Any, told: Any, dt, i_stim: ArrayLike = 0.0
    ) -> tuple[Float[Array, " nodes"], Any, Any, Float[Array, " nodes"]]:
        """A step of a series: `judged`, and what to tell the next."""
        V, state, error = self.judged(model, V, state, dt, i_stim)
        return V, state, told, error

    def closed(self, model: AbstractIonicModel, V, state: Any, told: Any, dt) -> tuple[Any, Any]:
        """The state and what to tell the next once V at the end of a step of a series is known."""
        return state, told

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
        V, state = frozen(Setting(model, dt), V, state, i_stim)
        return V, state, jnp.full_like(V, jnp.nan)


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
        new, state, half = midpoint(Setting(model, dt, i_stim), V, state)
        return new, state, lax.stop_gradient(jnp.abs(2 * half - V - new))


class RushLarsenStaggered(AbstractMembraneStep):
    """Gates at half steps, V and concentrations at whole ones. Second order, one evaluation.

    Gates relax from one half step to the next at the V between, and V passes from one whole step to
    the next by the current at the half step, where gates stand and V is foretold by the current
    before. The staggered grid is that of Hines (1984), Int. J. Biomed. Comput. 15, 69-76 (page not
    checked), who solves for V at the half step.

    Before the first step of a series gates go half a step ahead, at its end they come in line, so
    that what stands between series is what other steps leave. V and what has a slope step as by the
    two-step Adams-Bashforth method, dx/dt = λ x stably where -λ dt < 1: half as far as midpoint;
    what relaxes and is no gate does so by the rates of the half step, however fast.
    """

    @property
    def estimates_error(self):
        """It does."""
        return True

    def judged(self, model, V, state, dt, i_stim=0.0):
        """See AbstractMembraneStep: a series of one step, which takes two evaluations."""
        state, told = self.ready(model, V, state, dt, 1)
        V, state, told, error = self.following(model, V, state, told, dt, i_stim)
        state, _ = self.closed(model, V, state, told, dt)
        return V, state, error

    def ready(self, model, V, state, dt, steps):
        """See AbstractMembraneStep."""
        return parted(Setting(model, dt), V, state, steps)

    def following(self, model, V, state, told, dt, i_stim=0.0):
        """See AbstractMembraneStep. The error is |V by RushLarsen - V|, that of first order, if
        i_ion grew evenly since it was known; it has no derivative."""
        V, state, i_ion, slopes = whole_step(Setting(model, dt), V, state, told, i_stim)
        error = lax.stop_gradient(dt / (2 * told.ago) * jnp.abs(i_ion - told.i_ion))
        ago = jnp.ones_like(told.ago)
        told = dataclasses.replace(told, ago=ago, i_ion=i_ion, slopes=slopes)
        return V, state, told, error

    def closed(self, model, V, state, told, dt):
        """See AbstractMembraneStep."""
        h = jnp.where(told.left == 1, 0.5, 1.0) * dt
        state = gates_moved(told.sides, Setting(model, h), V, state)
        return state, dataclasses.replace(told, left=told.left - 1)


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
