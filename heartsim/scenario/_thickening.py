"""How thick the fronts of a monodomain run are made, for its edges to carry them."""

from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float
from scipy.spatial import cKDTree

from heartsim._types import AnyArray
from heartsim.ionic import AbstractIonicModel, Thickened
from heartsim.mesh import Mesh
from heartsim.tissue import thickening

from ._schema import Scenario

WITHIN = 2.0  # mm from a stimulus over which the factor grows by 1
LEAST = 1 / 8  # of the factor, at a stimulus: thinner fronts might be blocked between nodes
KNOTS = 4  # factors at which conductivities are tuned; between them they are interpolated


class Fronts(NamedTuple):
    """The factor of `ionic.Thickened`, smaller near stimuli: a thick front leaves only a site that
    is larger than itself, and is slowed by more while it curves around a small one."""

    factor: float  # far from every stimulus
    nodes: Float[np.ndarray, " nodes"]  # at each node

    @property
    def knots(self) -> list[float]:
        """Factors from the least to the greatest; one where all nodes have the same."""
        least = self.nodes.min()
        if least == self.factor:
            return [self.factor]
        return np.geomspace(least, self.factor, KNOTS).tolist()

    def front(self, model: AbstractIonicModel, factor: float) -> AbstractIonicModel:
        """The membrane with a front so thick; itself where all fronts are as it makes them. Where
        they are not, one of 1 is made so, too, to share the programs of the others."""
        return model if self.factor == 1 else Thickened(model, jnp.asarray(factor, float))

    def between(
        self, values: Float[AnyArray, "knots 3"], cells: Float[AnyArray, " cells"]
    ) -> Float[np.ndarray, "3 cells"]:
        """What has such values at the knots, in cells of such factors."""
        if len(self.knots) == 1:
            return np.repeat(np.asarray(values).T, len(cells), axis=1)
        curve = scipy.interpolate.PchipInterpolator(np.log(self.knots), np.log(values))
        return np.exp(curve(np.log(cells))).T


def thin(n_nodes: int) -> Fronts:
    """As the membrane makes them."""
    return Fronts(1.0, np.ones(n_nodes))


def fronts_of(
    scenario: Scenario,
    mesh: Mesh,
    model: AbstractIonicModel,
    sites: Float[AnyArray, "_sites 3"],
    edge: float,
    cache: Path | None,
) -> Fronts:
    """The factor of [solver] thickening, for the slowest velocity of [conduction], on a mesh with
    stimuli at the nodes `sites` [mm]."""
    factor, velocities = scenario.solver.thickening, scenario.conduction.velocities
    if factor == "auto":
        factor = 1.0 if velocities is None else thickening(model, min(velocities), edge, cache)
    if factor == 1:
        return thin(mesh.n_nodes)
    away, _ = cKDTree(sites).query(mesh.points)
    return Fronts(factor, np.clip(1 + away / WITHIN, max(1.0, LEAST * factor), factor))


def thickened(
    model: AbstractIonicModel, factor: float | Float[np.ndarray, " _nodes"]
) -> AbstractIonicModel:
    """The membrane, or itself where the factor is 1."""
    return model if np.all(factor == 1) else Thickened(model, jnp.asarray(factor, float))
