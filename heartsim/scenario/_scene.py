"""From a scenario to the objects that a run needs."""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from heartsim._memory import freed_goes_back, pages_go_back
from heartsim.fem import ConjugateGradients, compact, most_strips
from heartsim.ionic import AbstractIonicModel
from heartsim.mesh import (
    Mesh,
    edge_lengths,
    read_mesh,
    refine,
    require_heart_size,
    require_sound,
    rule_based_fibres,
    submesh,
)
from heartsim.tissue import (
    AbstractStimulus,
    AbstractTissue,
    Detector,
    Isolated,
    Stimulus,
    monodomain,
    whole_steps,
)

from ._arrivals import foot_current, untuned
from ._conduct import Speed, conduct
from ._gradients import factors_of
from ._leads import leads_of
from ._places import site_of
from ._read import locate
from ._schema import FibreRule, Scenario
from ._solver_schema import Solver
from ._thickening import Fronts, fronts_of, thin
from ._tissue import (
    MEMBRANE_STEPS,
    SPLITTINGS,
    STEPPINGS,
    cells_of,
    fast_cells,
    joined,
    membranes,
    point_field,
    started,
    under_drugs,
)


class Scene(NamedTuple):
    """A run, ready to start. The solver's nodes are the conductive ones, renumbered and padded."""

    scenario: Scenario
    mesh: Mesh  # as the user sees it: kept regions, refined, in the order of activation.vtu
    nodes: Int[np.ndarray, " real"]  # number in `mesh` of each solver node; padding stands behind
    tissue: AbstractTissue
    model: AbstractIonicModel  # the membrane of most nodes, as it is
    edge: float  # mean length of a conductive edge, mm
    stimuli: list[AbstractStimulus]
    field: Float[np.ndarray, "electrodes nodes"] | None  # mV at each electrode per mV
    detector: Detector
    speeds: list[Speed]
    notes: tuple[str, ...]  # what a user must know about where things came from


@pages_go_back()
@freed_goes_back()
def build_scene(scenario: Scenario, cache: Path | None = None) -> Scene:
    """The objects of a scenario; tuned velocities and torso fields are kept in `cache`.

    Numbers take JAX's present precision: call it under `precision(scenario)`. ValueError names
    the section and key of what does not fit the mesh.
    """
    mesh = build_mesh(scenario)
    sites = [site_of(number, p, mesh) for number, p in enumerate(scenario.stimulus, start=1)]
    devices = devices_of(scenario)
    inner, nodes = conductive_part(scenario, mesh, len(devices))
    devices = devices[: most_strips(inner.cells, inner.n_nodes, len(devices))]
    factors = factors_of(scenario.gradient, mesh, nodes, inner.n_nodes)
    plain, rules = membranes(scenario.heart, scenario.region, inner)
    models, cycles = started(plain, scenario, cache)  # velocities are those without drugs
    model = models[int(np.bincount(rules).argmax())]
    edge = float(np.mean(edge_lengths(inner)))
    stimuli: list[AbstractStimulus]
    speeds: list[Speed]
    if scenario.solver.model == "reaction_eikonal":
        foot, told = foot_current(scenario, mesh, inner, nodes)
        stimuli, D, speeds = [foot], untuned(scenario, inner), []
        fronts = thin(inner.n_nodes)
    else:
        stimuli, told = _stimuli(scenario, sites, nodes, inner.n_nodes), ()
        stimulated = mesh.points[np.any([np.zeros(mesh.n_nodes, bool), *sites], axis=0)]
        fronts = fronts_of(scenario, inner, model, stimulated, edge, cache)
        D, speeds = conduct(scenario, inner, models, rules, fronts, cache)
    field, flags = leads_of(scenario.ecg, mesh, inner, cache)
    if scenario.drug:
        models, cycles = started(under_drugs(plain, scenario.drug), scenario, cache)
    tissue = _tissue(scenario, inner, D, joined(models, rules, fronts, factors), fronts)
    return Scene(
        scenario=scenario,
        mesh=mesh,
        nodes=nodes,
        tissue=_placed(tissue, scenario.solver, devices),
        model=model,
        edge=edge,
        stimuli=stimuli,
        field=field,
        detector=Detector(threshold=jnp.asarray(scenario.output.threshold_mV, float)),
        speeds=speeds,
        notes=tuple(mesh.notes) + flags + told + cycles + idle(scenario, inner),
    )


def _tissue(
    scenario: Scenario, inner: Mesh, D, ionic: AbstractIonicModel, fronts: Fronts
) -> AbstractTissue:
    solver = scenario.solver
    step = MEMBRANE_STEPS[solver.membrane]()
    if not solver.diffusion:
        return Isolated(ionic, inner.n_nodes, step)
    return monodomain(
        inner,
        D,
        ionic,
        lumped=solver.lumped_mass,
        membrane_step=step,
        splitting=SPLITTINGS[solver.splitting](),
        solver=ConjugateGradients(rtol=solver.rtol),
        factor=None if fronts.factor == 1 else fronts.nodes,
    )


def _placed(tissue: AbstractTissue, solver: Solver, devices: list[jax.Device]) -> AbstractTissue:
    if devices[0].platform != "cpu":
        longest = STEPPINGS[solver.steps].longest_step(solver.dt_ms)
        tissue = tissue.planned(sorted({solver.dt_ms, longest}))
    return tissue.over(devices) if len(devices) > 1 else tissue


def precision(scenario: Scenario):
    """The context in which a scenario is built and run."""
    return jax.enable_x64(scenario.solver.precision == "float64")


def build_mesh(scenario: Scenario) -> Mesh:
    """The mesh of a scenario: read, regions kept, refined, fibres made where a rule says so."""
    heart = scenario.heart
    mesh = read_mesh(
        locate(heart.mesh),
        unit=heart.unit,
        fibres=heart.fibres if isinstance(heart.fibres, str) else None,
        regions=heart.regions,
        region_names=heart.region_names,
        keep=heart.keep,
        drop=heart.drop,
    )
    name = Path(heart.mesh).name
    if heart.size_check and mesh.dim == 3:
        require_heart_size(mesh, heart.unit, name)
    require_sound(mesh, name, conducting(scenario, mesh))
    for _ in range(heart.refine):
        mesh = refine(mesh)
    if isinstance(heart.fibres, FibreRule):
        rule = heart.fibres
        transmural = point_field(mesh, rule.transmural, "fibres.transmural")
        apicobasal = point_field(mesh, rule.apicobasal, "fibres.apicobasal")
        return rule_based_fibres(mesh, transmural, apicobasal, rule.endo_deg, rule.epi_deg)
    return mesh


def conductive_part(
    scenario: Scenario, mesh: Mesh, parts: int = 1
) -> tuple[Mesh, Int[np.ndarray, " nodes"]]:
    """The cells that conduct, in the solver's order for so many devices, and the number in `mesh`
    of its real nodes."""
    inner, parents = submesh(mesh, conducting(scenario, mesh))
    inner, order = compact(inner, parts)
    return inner, parents[order]


def devices_of(scenario: Scenario) -> list[jax.Device]:
    """The devices that a scenario asks for; ValueError where there are not so many."""
    wanted, there = scenario.solver.devices, jax.devices()
    if not isinstance(wanted, str) and wanted > len(there):
        raise ValueError(
            f'[solver] devices = {wanted}, but JAX sees {len(there)} here; give "all" for all of '
            "them, or a smaller number."
        )
    return there if isinstance(wanted, str) else there[:wanted]


def conducting(scenario: Scenario, mesh: Mesh) -> Bool[np.ndarray, " cells"]:
    """Which cells conduct; ValueError where none does, at a side of the [fast_layer] neither, or a
    [[region]] does not exist."""
    conducts = np.ones(mesh.n_cells, bool)
    for number, region in enumerate(scenario.region, start=1):
        try:
            for tag in region.tags:
                mesh.region_tag(tag)
        except ValueError as error:
            raise ValueError(f"[[region]] {number}: tags: {error}") from None
        conducts[cells_of(region, mesh)] = region.conductive
    if not conducts.any():
        raise ValueError("[[region]]: no cell is left that conducts; leave at least one region.")
    for side in [] if scenario.fast_layer is None else scenario.fast_layer.surfaces:
        if not conducts[fast_cells([side], mesh)].any():
            raise ValueError(
                f"[fast_layer] surfaces: no cell at {side!r} conducts; leave it out, or take "
                "conductive = false from its [[region]]."
            )
    return conducts


def idle(scenario: Scenario, inner: Mesh) -> tuple[str, ...]:
    """What to tell the user of each [[region]] that later ones left nothing that conducts, or whose
    own conduction gives way to the [fast_layer]."""
    told = []
    layer = scenario.fast_layer
    fast = np.zeros(inner.n_cells, bool) if layer is None else fast_cells(layer.surfaces, inner)
    for number, region in enumerate(scenario.region, start=1):
        own = cells_of(region, inner) & region.conductive
        if region.conductive and not own.any():
            told.append(f"[[region]] {number} changes nothing: none of its cells conducts")
        if (region.velocities or region.sigmas) and (own & fast).any():
            told.append(
                f"[[region]] {number}: {(own & fast).sum()} of its {own.sum()} cells are of the "
                "[fast_layer], which goes before its own conduction"
            )
    return tuple(told)


def _stimuli(scenario: Scenario, sites, nodes, n_nodes: int) -> list[AbstractStimulus]:
    dt = scenario.solver.dt_ms
    stimuli: list[AbstractStimulus] = []
    for number, (pulses, site) in enumerate(zip(scenario.stimulus, sites, strict=True), start=1):
        if not site[nodes].any():
            raise ValueError(
                f"[[stimulus]] {number}: at touches no conductive node, all its "
                f"{site.sum()} nodes lie in regions with conductive = false."
            )
        stimuli.append(
            Stimulus(
                site=np.pad(site[nodes], (0, n_nodes - len(nodes))),
                start=jnp.asarray(pulses.start_ms, float),
                duration=jnp.asarray(pulses.duration_ms, float),
                strength=jnp.asarray(pulses.strength_mV_per_ms, float),
                cycle_steps=whole_steps(pulses.cycle_ms, dt, "cycle_ms") if pulses.beats > 1 else 1,
                beats=pulses.beats,
            )
        )
    return stimuli
