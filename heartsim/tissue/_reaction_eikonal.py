"""Reaction-eikonal: arrival times fire the membranes, which do the rest of the beat.

    ∂V/∂t = [∇·(D∇V)] - i_ion(V, gates) + i_foot(t - T)                                    (1)

With the bracket (a `Monodomain`) this is R-E+, without it (`Isolated` membranes) R-E-. Neic et al.
(2017), J. Comput. Phys. 346, 191-211, equations 32 and 30 (pages not checked).
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from heartsim._types import AnyArray, Time
from heartsim.fem import AbstractSpread, Whole, strips
from heartsim.ionic import AbstractIonicModel, AbstractMembraneStep, RushLarsenStaggered, param

from ._monodomain import AbstractTissue, State, Step
from ._stimulus import AbstractStimulus


class FootCurrent(AbstractStimulus):
    """What diffusion brings ahead of a front, given to each node from its arrival time T on:

        i_foot(s) = A / τ exp(s / τ),  s = t - T,  until A (exp(s / τ) - 1) = charge          (2)

    and again after every cycle. The shape, A and τ are openCARP's (`dream.Idiff`, as quoted in
    TorchCor's reaction_eikonal.py). There V ends the current at -30 mV, a jump that no
    gradient survives; here the charge does, which takes a resting node there, so that T is passed
    on as it is. A membrane activates about 1 ms after T. A node whose T is NEVER gets no current,
    and one whose T lies before the start of the run only what is left. ValueError for T that is
    NaN, and for a charge, A or τ that is not positive.
    """

    T: Float[AnyArray, " nodes"]  # ms, as `arrival` gives it
    charge: Float[Array, ""] | float = param(55.0)  # mV, from rest to -30
    A: Float[Array, ""] | float = param(0.91)  # mV
    tau: Float[Array, ""] | float = param(0.25)  # ms
    cycle_steps: int = eqx.field(static=True, default=1)
    beats: int = eqx.field(static=True, default=1)

    def __check_init__(self):
        if not isinstance(self.T, jax.core.Tracer) and np.isnan(self.T).any():
            node = int(np.isnan(self.T).argmax())
            raise ValueError(
                f"FootCurrent: T is NaN at node {node}; give arrival times in ms, and NEVER where "
                "no front arrives."
            )
        for name in ("charge", "A", "tau"):
            value = getattr(self, name)
            if not isinstance(value, jax.core.Tracer) and not (np.asarray(value) > 0).all():
                raise ValueError(f"FootCurrent: {name} = {value} was given; wanted more than 0.")

    def __call__(self, k: Int[Array, ""], dt: Time) -> Float[Array, " nodes"]:
        """Mean current [mV/ms] over the step [k dt, (k + 1) dt]: the charge of (2) delivered in
        it, so that T is differentiable and no charge is lost."""
        beat = jnp.arange(self.beats, dtype=jnp.int32)[:, None]
        s = (k - beat * self.cycle_steps) * dt - jnp.asarray(self.T)
        return jnp.sum(self._delivered(s + dt) - self._delivered(s), axis=0) / dt

    def _delivered(self, s):
        """The charge [mV] delivered until s [ms] after arrival."""
        last = self.tau * jnp.log1p(self.charge / self.A)
        return self.A * jnp.expm1(jnp.clip(s, 0.0, last) / self.tau)


class Isolated(AbstractTissue):
    """Membranes side by side without diffusion: R-E- of (1), or single cells."""

    ionic: AbstractIonicModel
    n_nodes: int = eqx.field(static=True)  # on each device
    membrane_step: AbstractMembraneStep = RushLarsenStaggered()
    layout: AbstractSpread = Whole()

    @property
    def spread(self) -> AbstractSpread:
        """As `over` laid it out."""
        return self.layout

    @property
    def estimates_error(self) -> bool:
        """As the membrane's step does."""
        return self.membrane_step.estimates_error

    def over(self, devices: Sequence[jax.Device]) -> "Isolated":
        """See AbstractTissue."""
        spread = strips(np.arange(self.n_nodes)[None], devices)
        ionic = spread.placed(self.ionic.in_strips(len(devices)))
        return Isolated(ionic, self.n_nodes // len(devices), self.membrane_step, spread)

    def initial(self) -> State:
        """Every node at the membrane's resting state."""
        V, membrane = self.ionic.initial(self.n_nodes)
        return State(V, membrane)

    def begin(self, state: State, dt: Time) -> State:
        """Nothing is done before the first step."""
        return state

    def coupling(self, dt: Time) -> None:
        """None."""

    def ready(self, state, seen, dt, steps):
        """As the membrane's step wants it."""
        membrane, told = self.membrane_step.ready(self.ionic, seen, state.membrane, dt, steps)
        return State(state.V, membrane), told

    def step(self, coupling, state, i_stim, dt, past):
        """The membrane's own step."""
        step = self.membrane_step
        V, membrane, told, error = step.following(
            self.ionic, state.V, state.membrane, past, dt, i_stim
        )
        membrane, told = step.closed(self.ionic, V, membrane, told, dt)
        return Step(State(V, membrane), V, error, told)
