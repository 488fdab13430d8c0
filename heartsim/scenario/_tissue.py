"""What the tissue is made of: a membrane for each node."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from heartsim._types import AnyArray
from heartsim.ionic import (
    AbstractIonicModel,
    AbstractMembraneStep,
    Patchwork,
    RushLarsen,
    RushLarsenMidpoint,
    RushLarsenStaggered,
    by_name,
    deviating,
    layers,
    scaled,
    smoothed,
)
from heartsim.mesh import Mesh
from heartsim.therapy import dosed, drugs_of
from heartsim.tissue import (
    AbstractStepping,
    Adaptive,
    Fixed,
    Godunov,
    SemiImplicit,
    Strang,
)

from ._drug_schema import GivenDrug
from ._gradients import Factors, graded
from ._limit_cycle import at_limit_cycle
from ._schema import Heart, Region, Scenario
from ._thickening import Fronts, thickened

MEMBRANE_STEPS: dict[str, Callable[[], AbstractMembraneStep]] = {
    "rush_larsen": RushLarsen,
    "rush_larsen_midpoint": RushLarsenMidpoint,
    "rush_larsen_staggered": RushLarsenStaggered,
}
STEPPINGS: dict[str, AbstractStepping] = {"adaptive": Adaptive(), "fixed": Fixed()}
SPLITTINGS: dict[str, Callable[[], Any]] = {
    "godunov": Godunov,
    "strang": Strang,
    "semi_implicit": SemiImplicit,
}


def cells_of(region: Region, mesh: Mesh) -> Bool[np.ndarray, " cells"]:
    """The cells of a [[region]], whose tags the whole mesh has; none in a part without them."""
    tags: dict[int | str, int] = dict(mesh.region_names)
    return np.isin(np.asarray(mesh.regions), [tags.get(tag, tag) for tag in region.tags])


def fast_cells(surfaces: Sequence[str], mesh: Mesh) -> Bool[np.ndarray, " cells"]:
    """The cells that touch one of the surfaces of a [fast_layer]."""
    try:
        nodes = np.concatenate([mesh.node_set(name) for name in surfaces])
    except ValueError as error:
        raise ValueError(f"[fast_layer] surfaces: {error}") from None
    return np.asarray(np.isin(np.asarray(mesh.cells), nodes).any(axis=1))


def point_field(mesh: Mesh, name: str, key: str) -> AnyArray:
    """A field at the nodes; ValueError names the key of [heart] that asks for it."""
    try:
        return mesh.point_field(name)
    except ValueError as error:
        raise ValueError(f"[heart] {key}: {error}") from None


def membranes(
    heart: Heart, regions: Sequence[Region], mesh: Mesh
) -> tuple[list[AbstractIonicModel], Int[np.ndarray, " nodes"]]:
    """The membranes, and which of them rules each node; a later region wins its border nodes."""
    models, rules = _base(heart, mesh)
    for number, region in enumerate(regions, start=1):
        if region.ionic is None and not region.scale:
            continue
        inside = np.unique(np.asarray(mesh.cells)[cells_of(region, mesh)])
        for old in np.unique(rules[inside]):
            model = models[old] if region.ionic is None else _named(region.ionic, heart)
            try:
                models.append(scaled(model, region.scale))
            except ValueError as error:
                raise ValueError(f"[[region]] {number}: scale: {error}") from None
            rules[inside[rules[inside] == old]] = len(models) - 1
    used, rules = np.unique(rules, return_inverse=True)
    return [models[k] for k in used], rules


def under_drugs(
    models: Sequence[AbstractIonicModel], given: Sequence[GivenDrug]
) -> list[AbstractIonicModel]:
    """Each membrane with all of the drugs. ValueError names the [[drug]] and what it lacks."""
    for number, one in enumerate(given, start=1):
        try:
            (drug,) = drugs_of(one.table, [one.name])
            level = one.concentration_nM if one.dose is None else drug.at(one.dose)
            assert level is not None  # one of the two is given
            models = [dosed(m, [(drug, level)], one.binding, one.without) for m in models]
        except ValueError as error:
            raise ValueError(f"[[drug]] {number}: {error}") from None
    return list(models)


def membrane_names(scenario: Scenario) -> list[str]:
    """Models and files of models that a scenario names: of the heart, then of its regions."""
    heart, layers = scenario.heart, scenario.heart.layers
    names = [heart.ionic] if layers is None else [layers.endo, layers.mid, layers.epi]
    return names + [region.ionic for region in scenario.region if region.ionic is not None]


def started(
    models: Sequence[AbstractIonicModel], scenario: Scenario, cache: Path | None
) -> tuple[list[AbstractIonicModel], tuple[str, ...]]:
    """The membranes as a run starts them, in their limit cycles, if that is asked for, and what
    there is to tell of these."""
    cycle = scenario.heart.limit_cycle
    if cycle is None:
        return list(models), ()
    found = [at_limit_cycle(model, cycle, cache) for model in models]
    told = [words for _, words in found if words]
    if scenario.gradient:
        told.append("limit cycles are those of membranes without their [[gradient]]")
    return [model for model, _ in found], tuple(told)


def _named(name: str, heart: Heart) -> AbstractIonicModel:
    file = Path(name).name
    model = by_name(name, heart.voltages.get(file), heart.stimuli.get(file))
    return model if heart.smooth_mV is None else smoothed(model, heart.smooth_mV)


def _base(heart: Heart, mesh: Mesh) -> tuple[list[AbstractIonicModel], Int[np.ndarray, " nodes"]]:
    if heart.layers is None:
        return [_named(heart.ionic, heart)], np.zeros(mesh.n_nodes, int)
    of = heart.layers
    if of.endo_below > of.epi_above:
        raise ValueError(
            f"[heart] layers: endo_below = {of.endo_below:g} lies beyond epi_above = "
            f"{of.epi_above:g}; the middle layer is between them."
        )
    depth = point_field(mesh, of.field, "layers.field")
    three = [_named(name, heart) for name in (of.endo, of.mid, of.epi)]
    try:
        patches = layers(depth, *three, mid_from=of.endo_below, epi_from=of.epi_above)
    except ValueError as error:
        told = str(error).removeprefix("layers: ")
        raise ValueError(f"[heart] layers.field = {of.field!r}: {told}") from None
    rules = np.empty(mesh.n_nodes, int)
    for number, own in enumerate(patches.nodes):
        rules[np.asarray(own)] = number
    return list(patches.models), rules


def joined(
    models: Sequence[AbstractIonicModel],
    rules: Int[np.ndarray, " nodes"],
    fronts: Fronts,
    factors: Factors,
) -> AbstractIonicModel:
    """One membrane for the whole tissue, with such fronts and gradients."""
    nodes = [np.flatnonzero(rules == k) for k in range(len(models))]
    models = [deviating(graded(m, factors, at)) for m, at in zip(models, nodes, strict=True)]
    if len(models) == 1:
        return thickened(models[0], fronts.nodes)
    own = [thickened(m, fronts.nodes[at]) for m, at in zip(models, nodes, strict=True)]
    return Patchwork(own, nodes)
