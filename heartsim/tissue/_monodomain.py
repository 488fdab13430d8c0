"""The monodomain equation, one time step of it.

    ∂V/∂t = ∇·(D∇V) - i_ion(V, gates) + i_stim,   no flux through the boundary          (1)

with D = σ / (χ C_m) [mm²/ms] and currents over capacitance [mV/ms].
"""

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from heartsim._types import AnyArray, Nodal, Time
from heartsim.fem import (
    AbstractLinearSolve,
    AbstractSpread,
    ConjugateGradients,
    Past,
    Rows,
    elements,
    planned,
    split,
)
from heartsim.ionic import AbstractIonicModel, AbstractMembraneStep, RushLarsenStaggered
from heartsim.mesh import Mesh

from ._diffusion import CrankNicolson, crank_nicolson


class State(NamedTuple):
    """Everything the next step needs."""

    V: Float[Array, " nodes"]  # mV
    membrane: PyTree  # gates and concentrations


class Step(NamedTuple):
    """What comes of a step."""

    state: State
    V: Nodal  # mV, as seen at its end
    error: Nodal  # mV, of V in the membrane's part of it; NaN if not known
    past: Any  # what to tell the next


SPLIT_STATE = State(split(1), split(1))
"""How a state is split among devices."""


class AbstractTissue(eqx.Module):
    """What `simulate` advances: membranes, and whatever couples them."""

    ionic: eqx.AbstractVar[AbstractIonicModel]

    @property
    @abstractmethod
    def spread(self) -> AbstractSpread:
        """Where the nodes lie."""

    @property
    @abstractmethod
    def estimates_error(self) -> bool:
        """Whether `step` knows its error."""

    @abstractmethod
    def initial(self) -> State:
        """Every node at the membrane's resting state."""

    @abstractmethod
    def over(self, devices: Sequence[jax.Device]) -> "AbstractTissue":
        """The same tissue spread over devices, a strip of nodes on each; ValueError where the
        mesh cannot be cut so."""

    def planned(self, steps: Sequence[float]) -> "AbstractTissue":
        """The same with the work of steps of these lengths [ms] fixed in advance: what a GPU
        wants, which waits for the host at every decision."""
        return self

    @abstractmethod
    def begin(self, state: State, dt: Time) -> State:
        """What is done once, before the first step."""

    @abstractmethod
    def coupling(self, dt: Time) -> Any:
        """What is the same in every step of dt [ms], made once and handed to each."""

    @abstractmethod
    def ready(
        self, state: State, seen: Nodal, dt: Time, steps: Int[Array, ""] | int
    ) -> tuple[State, Any]:
        """What the first of a series of so many equal steps takes where V is seen to be `seen`: the
        state as it wants it, and what a step before would have told."""

    @abstractmethod
    def step(self, coupling: Any, state: State, i_stim: Nodal | Time, dt: Time, past: Any) -> Step:
        """Advance by dt [ms], `past` being what the step before told."""


class AbstractSplitting(eqx.Module):
    """How membrane and diffusion take turns within a step."""

    def begin(self, tissue: "Monodomain", state: State, dt: Time) -> State:
        """What is done once, before the first step."""
        return state

    @abstractmethod
    def diffusing(self, V_old: Nodal, V_new: Nodal) -> Nodal:
        """The voltage that diffuses, from V before and after the membrane's step."""

    @abstractmethod
    def seen(self, V: Nodal, dV: Nodal) -> Nodal:
        """The voltage at the end of a step, from V before its diffusion and the change dV."""


class SemiImplicit(AbstractSplitting):
    """No splitting: (M + dt/2 K)(V⁺ - V) = -dt K V + M (V* - V), with the membrane's step V*
    as a source. First order in dt; what most engines of the field run.

    The same solution as V⁺ = V* + dV with (M + dt/2 K) dV = -dt K (V + V*)/2.
    """

    def diffusing(self, V_old, V_new):
        """The mean of before and after."""
        return (V_old + V_new) / 2

    def seen(self, V, dV):
        """V after diffusion."""
        return V + dV


class Godunov(AbstractSplitting):
    """Membrane, then diffusion of what it left. First order in dt."""

    def diffusing(self, V_old, V_new):
        """What the membrane left."""
        return V_new

    def seen(self, V, dV):
        """V after diffusion."""
        return V + dV


class Strang(AbstractSplitting):
    """Half a diffusion, membrane, half a diffusion. Second order in dt.

    The half diffusions of neighbouring steps are joined into one, so that a step costs what
    Godunov's does; the voltage seen is the middle of that joined diffusion.
    Strang (1968), SIAM J. Numer. Anal. 5, 506-517.
    """

    def begin(self, tissue, state, dt):
        """The first half diffusion."""
        return state._replace(V=state.V + tissue.crank_nicolson(dt / 2)(state.V)[0])

    def diffusing(self, V_old, V_new):
        """What the membrane left."""
        return V_new

    def seen(self, V, dV):
        """V half way through the diffusion: backward Euler over dt/2, which is what the
        middle of a Crank-Nicolson step is."""
        return V + dV / 2


class Monodomain(AbstractTissue):
    """Equation (1) on linear simplices; made by `monodomain`."""

    K: Rows  # ∫∇λ_i·D∇λ_j, mm^dim/ms
    M: Rows  # blended mass, mm^dim
    mass_floor: float = eqx.field(static=True)  # least eigenvalue of M under its Jacobi scaling
    ionic: AbstractIonicModel
    membrane_step: AbstractMembraneStep
    splitting: AbstractSplitting
    solver: AbstractLinearSolve

    @property
    def spread(self) -> AbstractSpread:
        """That of the matrices."""
        return self.K.spread

    @property
    def estimates_error(self) -> bool:
        """As the membrane's step does."""
        return self.membrane_step.estimates_error

    def over(self, devices: Sequence[jax.Device]) -> "Monodomain":
        """See AbstractTissue."""
        K, M = self.K.over(devices), self.M.over(devices)
        ionic = K.spread.placed(self.ionic.in_strips(len(devices)))
        return dataclasses.replace(self, K=K, M=M, ionic=ionic)

    def initial(self) -> State:
        """Every node at the membrane's resting state."""
        V, membrane = self.ionic.initial(self.K.diagonal.shape[0])
        return State(V.astype(self.K.diagonal.dtype), membrane)

    def begin(self, state: State, dt: Time) -> State:
        """What the splitting does before the first step."""
        return self.splitting.begin(self, state, dt)

    def coupling(self, dt: Time) -> CrankNicolson:
        """The diffusion of every step."""
        return self.crank_nicolson(dt)

    def planned(self, steps: Sequence[float]) -> "Monodomain":
        """See AbstractTissue. At twice the conductivity about half the digits of the solver's
        tolerance are left. ValueError for a tissue that is spread over devices."""
        if self.spread.parts > 1:
            raise ValueError(
                "planned: wanted a tissue on one device; plan it before .over(devices)."
            )
        matrices = [self.crank_nicolson(dt).scaled for dt in steps]
        return dataclasses.replace(self, solver=planned(matrices, self.solver.rtol))

    def crank_nicolson(self, dt: Time) -> CrankNicolson:
        """The diffusion step of length dt."""
        return crank_nicolson(self.K, self.M, self.mass_floor, self.solver, dt)

    def ready(
        self, state: State, seen: Nodal, dt: Time, steps: Int[Array, ""] | int
    ) -> tuple[State, tuple[Any, Past | None]]:
        """See AbstractTissue."""
        membrane, told = self.membrane_step.ready(self.ionic, seen, state.membrane, dt, steps)
        return State(state.V, membrane), (told, self.solver.fresh(state.V, steps))

    def step(
        self,
        coupling: CrankNicolson,
        state: State,
        i_stim: Nodal | Time,
        dt: Time,
        past: tuple[Any, Past | None],
    ) -> Step:
        """Membrane, then diffusion, as the splitting has it."""
        told, solves = past
        step = self.membrane_step
        V, membrane, told, error = step.following(
            self.ionic, state.V, state.membrane, told, dt, i_stim
        )
        dV, solves = coupling(self.splitting.diffusing(state.V, V), solves)
        seen = self.splitting.seen(V, dV)
        membrane, told = step.closed(self.ionic, seen, membrane, told, dt)
        return Step(State(V + dV, membrane), seen, error, (told, solves))


def monodomain(
    mesh: Mesh,
    D: Float[AnyArray, "cells 3 3"],
    ionic: AbstractIonicModel,
    *,
    lumped: float = 0.0,
    membrane_step: AbstractMembraneStep | None = None,
    splitting: AbstractSplitting | None = None,
    solver: AbstractLinearSolve | None = None,
    factor: Float[AnyArray, " nodes"] | None = None,
) -> Monodomain:
    """The monodomain on a mesh, with diffusivity D [mm²/ms] in each cell.

    `lumped` is the lumped share of the mass matrix, 0 (consistent) to 1: see docs/numerics.md. The
    default is second order in time: Strang splitting around a staggered membrane step.

    `factor` is that of `ionic.Thickened` where it differs from node to node, F. D is then what
    each cell would have in a body of its F all over, and the equation

        ∂V/∂t = √F ∇·(D/√F ∇V) - i_ion

    in which a front keeps its velocity while it thickens on its way: with ∇·(D ∇V) it is 2 to 4 %
    slower where F grows by 1 in 2 mm, with F ∇·(D/F ∇V) 2 to 3 % faster (docs/numerics.md).
    """
    parts, D = elements(mesh), jnp.asarray(D, float)
    mass = parts.mass(lumped)
    if factor is not None:
        root = jnp.sqrt(jnp.asarray(factor, float))
        D = D / root[mesh.cells].mean(axis=1)[:, None, None]
        mass = mass.scaled(1 / jnp.sqrt(root))
    return Monodomain(
        K=parts.stiffness(D),
        M=mass,
        mass_floor=float(parts.mass_floor(lumped)),
        ionic=ionic,
        membrane_step=RushLarsenStaggered() if membrane_step is None else membrane_step,
        splitting=Strang() if splitting is None else splitting,
        solver=ConjugateGradients() if solver is None else solver,
    )
