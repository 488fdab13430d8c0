"""A membrane that was read from a file: its equations, evaluated as they stand."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from ._expressions import Expression, value
from ._model import AbstractIonicModel, Coupled, Parameter, Rates, Relaxation, Slope, as_parameter


@dataclasses.dataclass(frozen=True)
class Program:
    """Equations of a membrane, in an order in which they can be evaluated, in the file's units."""

    name: str
    voltage: str
    states: tuple[str, ...]
    """All but the voltage."""
    start: tuple[float, ...]
    """Voltage [mV], and the other states."""
    equations: tuple[tuple[str, Expression], ...]
    """What the derivatives need."""
    slope: Expression
    """d voltage / d time, without stimulus."""
    relaxing: tuple[tuple[str, Expression, Expression], ...]
    """States that settle exponentially: name, limit times rate, rate."""
    coupled: tuple[tuple[str, Expression, tuple[tuple[str, Expression], ...]], ...]
    """States that turn into one another: name, drive, rates by name."""
    changing: tuple[tuple[str, Expression], ...]
    """All others: name, derivative."""
    constants: tuple[tuple[str, float], ...]
    per_ms: float
    """Units of time of the file in a millisecond."""
    per_mV: float
    """Units of voltage of the file in a millivolt."""
    paced: bool
    """Whether the file has a stimulus, which is left out."""
    carried: tuple[tuple[str, float], ...] = ()
    """By how much each state changes with the charge of 1 mV that the file's stimulus brings."""


class Imported(AbstractIonicModel):
    """A membrane as a file has it; see `read_membrane`. Its parameters are the file's constants."""

    program: Program = eqx.field(static=True)
    constants: dict[str, Parameter]

    def named(self) -> dict[str, jax.Array]:
        """See AbstractIonicModel."""
        return dict(self.constants)

    def with_named(self, new: dict[str, jax.Array]) -> "Imported":
        """See AbstractIonicModel."""
        return Imported(self.program, self.constants | new)

    def rates(self, V: Float[Array, " nodes"], state: dict[str, Float[Array, " nodes"]]) -> Rates:
        """See AbstractIonicModel."""
        of = self.program
        known: dict[str, Any] = {**self.constants, **state, of.voltage: V * of.per_mV}
        for name, expression in of.equations:
            known[name] = value(expression, known)

        def rate(e: Expression) -> Float[Array, " nodes"]:
            return jnp.broadcast_to(value(e, known) * of.per_ms, V.shape).astype(V.dtype)

        changes: dict[str, Relaxation | Coupled | Slope] = {
            name: Slope(rate(slope)) for name, slope in of.changing
        }
        for name, drive, decay in of.relaxing:
            limit = jnp.broadcast_to(value(drive, known) / value(decay, known), V.shape)
            changes[name] = Relaxation(limit.astype(V.dtype), rate(decay))
        for name, drive, row in of.coupled:
            changes[name] = Coupled(rate(drive), {other: rate(e) for other, e in row})
        return Rates(-rate(of.slope) / of.per_mV, changes)

    def stimulated(self, state: dict[str, Any], charge: ArrayLike) -> dict[str, Any]:
        """See AbstractIonicModel."""
        return state | {name: state[name] + share * charge for name, share in self.program.carried}

    def rest(self) -> tuple[Parameter, dict[str, Parameter]]:
        """Voltage [mV] and states as the file has them, which may be no rest."""
        V, *others = (jnp.asarray(x, self._dtype()) for x in self.program.start)
        return V, dict(zip(self.program.states, others, strict=True))

    def _dtype(self) -> Any:
        return next(iter(self.constants.values()), as_parameter(0.0)).dtype  # a file may have none


def called(model: AbstractIonicModel) -> str:
    """What a message calls a membrane: by its file, else by its class."""
    return model.program.name if isinstance(model, Imported) else type(model).__name__


def imported(program: Program) -> Imported:
    """The membrane of a program, with the constants of its file."""
    return Imported(program, {name: as_parameter(v) for name, v in program.constants})
