"""A membrane whose front is thick enough for the mesh that carries it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._model import AbstractIonicModel, Parameter, Rates, Relaxation, Variable, param
from ._relax import is_change
from ._safe import sigmoid

AWAY = 10.0  # mV over rest, where the clock begins to slow
FIRED = 65.0  # mV over rest, which only an upstroke reaches
WIDTH = 2.0  # mV, of both thresholds
UPSTROKE = 0.7  # ms on the membrane's own clock, for the rest of an upstroke once it has fired
PATIENCE = 10.0  # ms on the membrane's own clock, for an upstroke that never fires
REARMED = 5.0  # ms at rest


class ThickenedState(NamedTuple):
    """All but the voltage."""

    armed: Variable  # 1 while an upstroke is to come, 0 after it
    inner: Any  # of the membrane itself


class Thickened(AbstractIonicModel):
    """The membrane `inner` with its clock `factor` = F times slower in the upstroke:

        dV/dt = -s i_ion,  dx/dt = s f(V, x),  s = 1 / (1 + (F - 1) armed σ(V - V_rest))     (1)

    A plane wave of ∂V/∂t = D ∂²V/∂x² + f(V) with D → F D and f → f / F keeps its velocity and is F
    times thicker: the thickened flame of combustion, Butler and O'Rourke (1977), Symp. (Int.)
    Combust. 16, 1503-1515, and Colin et al. (2000), Phys. Fluids 12, 1843-1863 (pages not
    checked), here on a membrane. The slow clock ends with the upstroke: `armed` falls once V has
    risen by 65 mV, and returns at rest, so that plateau, repolarisation and recovery keep theirs.
    The price: a curved front runs slower by F D times its curvature, and diffusion smooths
    recovery as F D does. The membrane must have a rest; one that paces itself is not for this.
    """

    inner: AbstractIonicModel
    factor: Parameter = param(1.0)

    @property
    def by_node(self) -> bool:
        """See AbstractIonicModel."""
        return self.inner.by_node

    def rates(self, V: Float[Array, " nodes"], state: ThickenedState) -> Rates:
        """Return the current [mV/ms] and the changes of (1) at V [mV]."""
        now = self.inner.rates(V, state.inner)
        rise = V - self.inner.rest()[0]
        away, fired = sigmoid((rise - AWAY) / WIDTH), sigmoid((rise - FIRED) / WIDTH)
        s = 1 / (1 + (self.factor - 1) * state.armed * away)
        arming = (1 - away) / REARMED
        rate = arming + s * (away / PATIENCE + fired / UPSTROKE)

        inner = jax.tree.map(lambda change: change.times(s), now.changes, is_leaf=is_change)
        return Rates(s * now.i_ion, ThickenedState(Relaxation(arming / rate, rate), inner))

    def plain(self, state: ThickenedState) -> Any:
        """See AbstractIonicModel."""
        return self.inner.plain(state.inner)

    def origin(self) -> ThickenedState:
        """See AbstractIonicModel."""
        return ThickenedState(jnp.zeros(()), self.inner.origin())

    def rest(self) -> tuple[Parameter, ThickenedState]:
        """Return V [mV] and the state of the resting membrane, armed."""
        V, state = self.inner.rest()
        return V, ThickenedState(jnp.ones_like(V), state)
