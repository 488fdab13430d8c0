"""What the tissue is made of: a membrane for each node, a diffusivity for each cell."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float, Int

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
    WAYS,
    AbstractStepping,
    Adaptive,
    Fixed,
    Godunov,
    Scheme,
    SemiImplicit,
    Strang,
    diffusivity,
    spacing,
    tensor,
    tune_velocity,
    velocity_error,
)

from ._drug_schema import GivenDrug
from ._gradients import Factors, graded
from ._limit_cycle import at_limit_cycle
from ._schema import DIRECTIONS, Conduction, Heart, Region, Scenario
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


class Speed(NamedTuple):
    """One direction of one part of the tissue."""

    where: str
    direction: str
    sigma: float  # mS/mm, that the diffusion operator uses
    error: float  # relative, of a plane wave's velocity at this edge length, dt and scheme
    wanted: float | None  # mm/ms, the velocity asked for; None where conductivities were given
    thickening: float  # of the front
    edges: tuple[float, ...]  # mm, of strands that err as the part does along `tissue.WAYS`

    @property
    def edge(self) -> float:
        """Of this direction [mm]."""
        return self.edges[DIRECTIONS.index(self.direction)]


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


def conduct(
    scenario: Scenario,
    mesh: Mesh,
    models: Sequence[AbstractIonicModel],
    rules: Int[np.ndarray, " nodes"],
    fronts: Fronts,
    cache: Path | None,
) -> tuple[Float[Array, "cells 3 3"], list[Speed]]:
    """The diffusivity of each cell [mm²/ms], and how fast a wave runs in each part.

    Velocities are tuned for the membrane that rules most nodes of the part, along each direction
    on the strand that errs as the part's cells do, with fronts as they are in each cell; the
    speeds are those far from stimuli.
    """
    bulk = scenario.conduction
    parts: list[tuple[str, Conduction, Bool[np.ndarray, " cells"]]] = [
        ("bulk", bulk, np.ones(mesh.n_cells, bool))
    ]
    for number, region in enumerate(scenario.region, start=1):
        inside = cells_of(region, mesh)
        if region.conductive and (region.velocities or region.sigmas) and inside.any():
            parts.append((f"region {number}", region, inside))
    if scenario.fast_layer is not None:
        fast = scenario.fast_layer
        v = {f"velocity_{direction}_m_s": fast.velocity_m_s for direction in DIRECTIONS}
        parts.append(("fast layer", Conduction(**v), fast_cells(fast.surfaces, mesh)))
    values = np.empty((3, mesh.n_cells))
    factors = fronts.nodes[np.asarray(mesh.cells)].mean(axis=1)
    speeds: list[Speed] = []
    for where, part, inside in parts:
        model = models[int(np.bincount(rules[np.asarray(mesh.cells)[inside]].ravel()).argmax())]
        edges = _strands(part, mesh, inside)
        own = [
            _speeds(where, part, fronts.front(model, F), edges, F, scenario, cache)
            for F in fronts.knots
        ]
        sigmas = np.array([[s.sigma for s in at] for at in own])
        values[:, inside] = fronts.between(sigmas, factors[inside])
        speeds += own[-1]
    D = diffusivity(values, bulk.chi_1_mm, bulk.C_m_uF_mm2)
    return tensor(mesh, *D), speeds


def scheme_of(scenario: Scenario) -> Scheme:
    """How a strand is solved: as the heart itself will be."""
    solver = scenario.solver
    return Scheme(
        dt=solver.dt_ms,
        lumped=solver.lumped_mass,
        membrane_step=MEMBRANE_STEPS[solver.membrane](),
        splitting=SPLITTINGS[solver.splitting](),
    )


def _strands(part: Conduction, mesh: Mesh, inside: Bool[np.ndarray, " cells"]) -> tuple[float, ...]:
    """Edges [mm] of strands that err as the cells inside do along `tissue.WAYS`."""
    speeds = np.asarray(part.velocities or np.sqrt(part.sigmas or (1.0,) * 3))
    found = spacing(mesh, speeds, WAYS, inside)
    found[:3] = np.where(np.isnan(found[:3]), np.nanmean(found[:3]), found[:3])  # of no effect
    return tuple(found.tolist())


def _speeds(
    where: str,
    part: Conduction,
    front: AbstractIonicModel,
    edges: tuple[float, ...],
    factor: float,
    scenario: Scenario,
    cache: Path | None,
) -> list[Speed]:
    """Conductivity and velocity along fibre, sheet and normal."""
    bulk, scheme, speeds = scenario.conduction, scheme_of(scenario), []
    for k, (direction, edge) in enumerate(zip(DIRECTIONS, edges[:3], strict=True)):
        if part.velocities is not None:
            wanted = part.velocities[k]
            D, reached = tune_velocity(front, wanted, edge, scheme, cache)
            sigma = D * bulk.chi_1_mm * bulk.C_m_uF_mm2
            error = reached / wanted - 1
            speeds.append(Speed(where, direction, sigma, error, wanted, factor, edges))
        elif part.sigmas is not None:
            sigma = factor * part.sigmas[k]
            D = float(diffusivity(sigma, bulk.chi_1_mm, bulk.C_m_uF_mm2))
            error = velocity_error(front, D, edge, scheme, cache)
            speeds.append(Speed(where, direction, sigma, error, None, factor, edges))
    return speeds
