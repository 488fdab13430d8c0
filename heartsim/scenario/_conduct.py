"""How the tissue conducts: a diffusivity for each cell, and how fast a wave runs in each part."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from heartsim.ionic import AbstractIonicModel
from heartsim.mesh import Mesh
from heartsim.tissue import (
    Projections,
    Scheme,
    diffusivity,
    projected,
    tensor,
    tune_velocities,
    velocity_errors,
)

from ._schema import DIRECTIONS, Conduction, Scenario
from ._thickening import Fronts
from ._tissue import MEMBRANE_STEPS, SPLITTINGS, cells_of, fast_cells


class Speed(NamedTuple):
    """One direction of one part of the tissue."""

    where: str
    direction: str
    sigma: float  # mS/mm, that the diffusion operator uses
    error: float  # relative, of a plane wave's velocity on this mesh; NaN: it has no such way
    wanted: float | None  # mm/ms, the velocity asked for; None where conductivities were given
    thickening: float  # of the front
    projections: Projections  # of the part


def conduct(
    scenario: Scenario,
    mesh: Mesh,
    models: Sequence[AbstractIonicModel],
    rules: Int[np.ndarray, " nodes"],
    fronts: Fronts,
    cache: Path | None,
) -> tuple[Float[Array, "cells 3 3"], list[Speed]]:
    """The diffusivity of each cell [mm²/ms], and how fast a wave runs in each part.

    A later part takes the cells it shares with one before. Velocities are tuned for the membrane
    that rules most nodes of the part, on projections of its cells, with fronts as they are in
    each cell; the speeds are those far from stimuli.
    """
    bulk, parts = scenario.conduction, _parts(scenario, mesh)
    values = np.empty((3, mesh.n_cells))
    factors = fronts.nodes[np.asarray(mesh.cells)].mean(axis=1)
    speeds: list[Speed] = []
    for where, part, inside in parts:
        own: list[list[Speed]] = []
        model = models[int(np.bincount(rules[np.asarray(mesh.cells)[inside]].ravel()).argmax())]
        seen = projected(mesh, inside)
        for F in fronts.knots:
            found = _found(part, fronts.front(model, F), F, seen, scenario, own, cache)
            own.append([Speed(where, *of, F, seen) for of in zip(DIRECTIONS, *found, strict=True)])
        sigmas = np.array([[s.sigma for s in at] for at in own])
        values[:, inside] = fronts.between(sigmas, factors[inside])
        speeds += own[-1]
    D = diffusivity(values, bulk.chi_1_mm, bulk.C_m_uF_mm2)
    return tensor(mesh, *D), speeds


def _parts(
    scenario: Scenario, mesh: Mesh
) -> list[tuple[str, Conduction, Bool[np.ndarray, " cells"]]]:
    """Name, conduction and cells of bulk, regions and fast layer: those that no later part takes;
    all of its own where none are left."""
    parts: list[tuple[str, Conduction, Bool[np.ndarray, " cells"]]] = [
        ("bulk", scenario.conduction, np.ones(mesh.n_cells, bool))
    ]
    for number, region in enumerate(scenario.region, start=1):
        inside = cells_of(region, mesh)
        if region.conductive and (region.velocities or region.sigmas) and inside.any():
            parts.append((f"region {number}", region, inside))
    if scenario.fast_layer is not None:
        fast = scenario.fast_layer
        v = {f"velocity_{direction}_m_s": fast.velocity_m_s for direction in DIRECTIONS}
        parts.append(("fast layer", Conduction(**v), fast_cells(fast.surfaces, mesh)))
    taken, own = np.zeros(mesh.n_cells, bool), []
    for where, part, inside in reversed(parts):
        left = inside & ~taken
        own.append((where, part, left if left.any() else inside))
        taken |= inside
    return own[::-1]


def scheme_of(scenario: Scenario) -> Scheme:
    """How a strand is solved: as the heart itself will be."""
    solver = scenario.solver
    return Scheme(
        dt=solver.dt_ms,
        lumped=solver.lumped_mass,
        membrane_step=MEMBRANE_STEPS[solver.membrane](),
        splitting=SPLITTINGS[solver.splitting](),
    )


def _found(
    part: Conduction,
    front: AbstractIonicModel,
    factor: float,
    seen: Projections,
    scenario: Scenario,
    thinner: list[list[Speed]],
    cache: Path | None,
) -> tuple[Sequence[float], Sequence[float], Sequence[float | None]]:
    """Conductivities, errors and velocities asked for along fibre, sheet and normal; tuned from
    what the last of `thinner` fronts took."""
    bulk, scheme = scenario.conduction, scheme_of(scenario)
    to_D = float(diffusivity(1.0, bulk.chi_1_mm, bulk.C_m_uF_mm2))
    if part.velocities is None:
        sigmas = factor * np.asarray(part.sigmas)
        errors = velocity_errors(front, to_D * sigmas, seen, scheme, cache)
        return sigmas.tolist(), errors.tolist(), (None,) * 3
    start = [to_D * s.sigma * factor / s.thickening for s in thinner[-1]] if thinner else None
    wanted = np.array(part.velocities)
    D, reached = tune_velocities(front, wanted, seen, scheme, cache, start)
    return (D / to_D).tolist(), (reached / wanted - 1).tolist(), part.velocities
