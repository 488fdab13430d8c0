"""What every membrane model offers: its current, and how each other variable changes."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PyTree

Parameter = Float[Array, "..."]
"""One number, or one number per node: an array of shape () or (nodes,)."""


Variable = Any
"""A field of a state: an array of shape (nodes,); in `Rates.changes` how it changes."""


class Relaxation(NamedTuple):
    """dx/dt = rate (limit - x): a gate, or anything that settles exponentially at frozen V."""

    limit: Float[Array, " nodes"]  # in the unit of x
    rate: Float[Array, " nodes"]  # 1/ms

    def times(self, s: Float[Array, "..."]) -> "Relaxation":
        """As fast times s."""
        return Relaxation(self.limit, s * self.rate)


class Slope(NamedTuple):
    """dx/dt = value: a concentration, or anything without a limit of its own."""

    value: Float[Array, " nodes"]  # unit of x per ms

    def times(self, s: Float[Array, "..."]) -> "Slope":
        """As fast times s."""
        return Slope(s * self.value)


class Coupled(NamedTuple):
    """dx/dt = drive + Σ row[y] y: one of several states that turn into one another, as those of a
    channel; `row` names some of them, and they are leaves of the same dict."""

    drive: Float[Array, " nodes"]  # unit of x per ms
    row: dict[str, Float[Array, " nodes"]]  # 1/ms

    def times(self, s: Float[Array, "..."]) -> "Coupled":
        """As fast times s."""
        return Coupled(s * self.drive, {name: s * rate for name, rate in self.row.items()})


class Rates(NamedTuple):
    """How a membrane changes now."""

    i_ion: Float[Array, " nodes"]  # mV/ms, ionic current over capacitance, outward positive
    changes: PyTree  # the state's own structure, with a change at each leaf


class AbstractIonicModel(eqx.Module):
    """A membrane: dV/dt = -i_ion(V, state) + i_stim, and a change for each leaf of the state.

    The state is a pytree of arrays of shape (nodes,); the parameters are the fields of the model.
    """

    @abstractmethod
    def rates(self, V: Float[Array, " nodes"], state: Any) -> Rates:
        """Return the ionic current over capacitance [mV/ms] and the state's changes at V [mV]."""

    @abstractmethod
    def rest(self) -> tuple[Parameter, Any]:
        """Return V [mV] and the state that a run starts from: scalars, or one value per node."""

    def initial(self, n_nodes: int) -> tuple[Float[Array, " nodes"], Any]:
        """Return V [mV] and the state of `n_nodes` resting nodes; scalars are spread to all."""
        if n_nodes < 1:
            raise ValueError(f"initial: wanted at least one node, was given n_nodes={n_nodes}.")

        def spread(x):
            return jnp.broadcast_to(x, (n_nodes,)) if x.ndim == 0 else x

        V, state = jax.tree.map(spread, self.rest())
        if V.shape != (n_nodes,):
            raise ValueError(
                f"initial: {type(self).__name__} holds parameters of {V.shape[0]} nodes, "
                f"but {n_nodes} nodes were asked for."
            )
        return V, state

    @property
    def by_node(self) -> bool:
        """Whether each leaf of the state and of its changes has one number per node in the order
        of V."""
        return True

    @property
    def potassium_per_mV(self) -> Parameter | None:
        """mM of K_i that 1 mV of stimulus brings, its charge being potassium's; None of a membrane
        without such a balance."""
        return None

    def stimulated(self, state: Any, charge: ArrayLike) -> Any:
        """The state after a stimulus has brought so much `charge` [mV] in, where the membrane says
        which ion carries it."""
        share = self.potassium_per_mV
        return state if share is None else state._replace(K_i=state.K_i + share * charge)

    def plain(self, state: Any) -> Any:
        """The state as the paper has it, where this membrane keeps another."""
        return state

    def origin(self) -> Any:
        """What the leaves of a state are counted from: in the state's structure, scalars or one
        value per node; 0 where this membrane keeps the paper's."""
        return jax.tree.map(jnp.zeros_like, self.rest()[1])

    def named(self) -> dict[str, Array]:
        """The parameters by name."""
        return {name: value for name, value in vars(self).items() if eqx.is_inexact_array(value)}

    def with_named(self, new: dict[str, Array]) -> "AbstractIonicModel":
        """A copy with some parameters replaced, checked as a new model is."""
        return type(self)(**{**vars(self), **new})

    def in_strips(self, parts: int) -> "AbstractIonicModel":
        """The same membrane for nodes that are cut into so many equal strips of consecutive
        nodes, each of which sees its own part of every array."""
        return self

    def __check_init__(self):
        for name, value in vars(self).items():
            if not eqx.is_array(value) or isinstance(value, jax.core.Tracer):
                continue
            if value.ndim > 1:
                raise ValueError(
                    f"{type(self).__name__}: {name} has shape {value.shape}; "
                    "give one number, or one number per node."
                )
            if not np.isfinite(value).all():
                raise ValueError(f"{type(self).__name__}: {name} is not finite.")


def as_parameter(value: ArrayLike) -> Array:
    """Make a JAX float array of a number, so that gradients reach it.

    Floating JAX arrays keep their type; all else takes JAX's default float, which follows x64.
    """
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jnp.floating):
        return value
    return jnp.asarray(value, dtype=jax.dtypes.canonicalize_dtype(float))


def param(default: float | None) -> Any:
    """Declare a differentiable field of a model with its default; None declares it absent."""
    return eqx.field(converter=_optional, default=default)


def _optional(value: ArrayLike | None) -> Array | None:
    return None if value is None else as_parameter(value)
