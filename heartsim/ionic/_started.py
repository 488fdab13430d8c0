"""A membrane that starts from another state than its own rest."""

from typing import Any

from jax.typing import ArrayLike
from jaxtyping import Array, Float

from ._model import AbstractIonicModel, Parameter, Rates


class Started(AbstractIonicModel):
    """The membrane `inner`, a run of which starts from `start`: V [mV] and its state, scalars."""

    inner: AbstractIonicModel
    start: tuple[Parameter, Any]

    @property
    def by_node(self) -> bool:
        """See AbstractIonicModel."""
        return self.inner.by_node

    def rates(self, V: Float[Array, " nodes"], state: Any) -> Rates:
        """See AbstractIonicModel."""
        return self.inner.rates(V, state)

    def rest(self) -> tuple[Parameter, Any]:
        """The start."""
        return self.start

    @property
    def potassium_per_mV(self) -> Parameter | None:
        """See AbstractIonicModel."""
        return self.inner.potassium_per_mV

    def stimulated(self, state: Any, charge: ArrayLike) -> Any:
        """See AbstractIonicModel."""
        return self.inner.stimulated(state, charge)

    def named(self) -> dict[str, Array]:
        """See AbstractIonicModel."""
        return self.inner.named()

    def with_named(self, new: dict[str, Array]) -> "Started":
        """See AbstractIonicModel."""
        return Started(self.inner.with_named(new), self.start)
