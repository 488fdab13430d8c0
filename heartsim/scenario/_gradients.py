"""Parameters of the membrane that change gradually across the heart."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from heartsim._depth import SLACK, no_depth
from heartsim.ionic import AbstractIonicModel, scaled
from heartsim.mesh import Mesh

from ._schema import Gradient

Factors = list[tuple[str, Float[np.ndarray, " nodes"]]]
"""The parameter of each [[gradient]], and its factor; 1 where the gradient does not act."""


def factors_of(
    gradients: Sequence[Gradient], mesh: Mesh, nodes: Int[np.ndarray, " real"], padded: int
) -> Factors:
    """at_0 + (at_1 - at_0) x, x the field, in the regions of each gradient, their border nodes
    included: at the solver's nodes, which are these of `mesh`, `padded` in all. Beyond 0 to 1 the
    factor is that of the end. ValueError for a tag or field that does not exist, or a field that
    leaves 0 to 1 by more than depth may."""
    found = []
    for number, gradient in enumerate(gradients, start=1):
        factor = _factor(f"[[gradient]] {number}", gradient, mesh)[nodes]
        found.append((gradient.parameter, np.pad(factor, (0, padded - len(nodes)), mode="edge")))
    return found


def graded(
    model: AbstractIonicModel, factors: Factors, own: Int[np.ndarray, " own"]
) -> AbstractIonicModel:
    """The membrane of the nodes `own`, under every gradient that acts there. ValueError where it
    has no such parameter."""
    for number, (name, factor) in enumerate(factors, start=1):
        if (factor[own] != 1).any():
            try:
                model = scaled(model, {name: factor[own]})
            except ValueError as error:
                raise ValueError(f"[[gradient]] {number}: parameter: {error}") from None
    return model


def _factor(where: str, gradient: Gradient, mesh: Mesh) -> Float[np.ndarray, " nodes"]:
    inside = np.zeros(mesh.n_nodes, bool)
    try:
        x = np.asarray(mesh.point_field(gradient.field), float)
        tags = None if gradient.tags is None else [mesh.region_tag(t) for t in gradient.tags]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    cells = slice(None) if tags is None else np.isin(np.asarray(mesh.regions), tags)
    inside[np.asarray(mesh.cells)[cells]] = True
    if x.ndim != 1:
        raise ValueError(
            f"{where}: field {gradient.field!r} has {x[0].size} numbers a node; wanted is one."
        )
    node = no_depth(np.where(inside, x, 0.0))
    if node is not None:
        raise ValueError(
            f"{where}: field {gradient.field!r} is {x[node]:g} at node {node}; wanted is 0 to 1 in "
            f"all of the regions, or {SLACK:g} beyond. Give the tags of those in which it is."
        )
    along = gradient.at_0 + (gradient.at_1 - gradient.at_0) * np.clip(x, 0.0, 1.0)
    return np.where(inside, along, 1.0)
