"""A membrane whose concentrations do not drift by rounding in single precision."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from ._model import AbstractIonicModel, Parameter, Rates, Slope
from ._relax import is_change


class Deviation(NamedTuple):
    """A state in which some leaves are counted from where a run starts."""

    values: Any


class Deviating(AbstractIonicModel):
    """The membrane `inner` with some variables counted from its rest; made by `deviating`."""

    inner: AbstractIonicModel
    counted: tuple[bool, ...] = eqx.field(static=True)  # of each leaf of the state

    @property
    def by_node(self) -> bool:
        """See AbstractIonicModel."""
        return self.inner.by_node

    def rates(self, V: Float[Array, " nodes"], state: Deviation) -> Rates:
        """See AbstractIonicModel."""
        now = self.inner.rates(V, self.plain(state))
        return Rates(now.i_ion, Deviation(now.changes))

    def plain(self, state: Deviation) -> Any:
        """See AbstractIonicModel."""
        return self._mapped(jnp.add, state.values, self.inner.rest()[1])

    def rest(self) -> tuple[Parameter, Deviation]:
        """V [mV], and the state of the resting membrane, with 0 for what is counted from it."""
        V, start = self.inner.rest()
        return V, Deviation(self._mapped(jnp.subtract, start, start))

    def origin(self) -> Deviation:
        """See AbstractIonicModel."""
        start = self.inner.rest()[1]
        return Deviation(self._mapped(lambda _, x_0: x_0, self.inner.origin(), start))

    def _mapped(self, f, state, start):
        leaves, tree = jax.tree.flatten(state)
        each = zip(leaves, jax.tree.leaves(start), self.counted, strict=True)
        return jax.tree.unflatten(tree, [f(x, x_0) if counted else x for x, x_0, counted in each])

    @property
    def potassium_per_mV(self) -> Parameter | None:
        """See AbstractIonicModel."""
        return self.inner.potassium_per_mV

    def stimulated(self, state: Deviation, charge: ArrayLike) -> Deviation:
        """See AbstractIonicModel."""
        return Deviation(self.inner.stimulated(state.values, charge))

    def named(self) -> dict[str, Array]:
        """See AbstractIonicModel."""
        return self.inner.named()

    def with_named(self, new: dict[str, Array]) -> "Deviating":
        """See AbstractIonicModel."""
        return Deviating(self.inner.with_named(new), self.counted)


def deviating(model: AbstractIonicModel) -> AbstractIonicModel:
    """The membrane with all that steps by its slope, its concentrations, counted from its rest:

        x = x_0 + δ,  dδ/dt = dx/dt

    In float32 a step of 0.02 ms adds less to 137 mM of potassium than their last digit holds: in
    five beats ten Tusscher's Na_i was 0.3 % off, V 0.6 mV; of δ all digits are left, and they are
    5e-7 and 0.001 mV off. A membrane that has no such variable is returned as it is.
    """
    nodes = max((x.size for x in jax.tree.leaves(model) if eqx.is_array(x)), default=1)
    changes = jax.eval_shape(model.rates, *model.initial(nodes)).changes
    counted = tuple(isinstance(c, Slope) for c in jax.tree.leaves(changes, is_leaf=is_change))
    return Deviating(model, counted) if any(counted) else model
