"""Several runs computed together, by one program under `jax.vmap`."""

import dataclasses
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from heartsim.fem import ConjugateGradients
from heartsim.tissue import (
    AbstractStepping,
    Carry,
    Monodomain,
    Samples,
    begin,
    gathered,
    simulate,
    stacked,
    whole_steps,
)

from ._arrivals import arrivals_of_many
from ._directory import Done
from ._front import FrontScene, at_times, build_front
from ._loop import CHUNK, LIMIT, nothing, recorded
from ._scene import Scene, build_scene, precision
from ._schema import Scenario
from ._summary import times_of
from ._tissue import STEPPINGS

FAILURES = (ValueError, FileNotFoundError, MemoryError, jax.errors.JaxRuntimeError)
"""What is wrong with one run and not with those beside it: its input, a file that is absent, or
more memory than there is. A disk that is full is wrong with them all."""


class Alone(NamedTuple):
    """A run that a batch leaves to `run_scenario`."""

    why: str


def run_batch(scenarios: Sequence[Scenario], cache: Path | None = None) -> list[Done | Alone]:
    """Compute those together that differ in their numbers only; nothing is written.

    Runs through time must agree in dt, duration, samples, precision, membrane, scheme and number
    of stimuli, and meshes are padded to the largest; eikonal runs must have one mesh. Alone is
    what has no such fellow, keeps voltages, starts from a state on file, lies on several devices,
    cannot be built, ran away, or does not fit into memory beside its fellows: `run_scenario` does
    it, or says what is wrong.
    """
    found: list[Done | Alone] = [Alone("no other run of its batch is of its kind")] * len(scenarios)
    kinds: dict[str, list[tuple[int, Any]]] = {}
    for k, scenario in enumerate(scenarios):
        try:
            with precision(scenario):
                kind, scene = _built(scenario, cache)
        except FAILURES as error:
            found[k] = Alone(str(error))
        else:
            kinds.setdefault(kind, []).append((k, scene))
    for fellows in kinds.values():
        if len(fellows) == 1:
            continue
        numbers, scenes = zip(*fellows, strict=True)
        with precision(scenes[0].scenario):
            for k, done in zip(numbers, _together(scenes), strict=True):
                found[k] = done
    return found


def _built(scenario: Scenario, cache: Path | None) -> tuple[str, Scene | FrontScene]:
    """What it must have in common with others, and the scene; ValueError: it must run alone."""
    solver, output = scenario.solver, scenario.output
    if output.voltage_every_ms is not None or scenario.heart.initial_state is not None:
        raise ValueError("it keeps voltages, or starts from a state on file")
    if solver.model == "eikonal":
        front = build_front(scenario, cache)
        tables = b"".join(np.asarray(x).tobytes() for x in jax.tree.leaves(front.paths.front))
        return f"eikonal {solver.precision} {hashlib.sha256(tables).hexdigest()}", front
    scene = build_scene(scenario, cache)
    electrodes = None if scene.field is None else len(scene.field)
    same = (solver.dt_ms, solver.duration_ms, solver.steps, solver.precision, output.sample_ms)
    tissue = gathered(scene.tissue)
    if isinstance(tissue, Monodomain):  # plans of its linear solve differ, and are joined
        tissue = dataclasses.replace(tissue, solver=ConjugateGradients(tissue.solver.rtol))
    kind = jax.tree.map(np.ndim, (tissue, scene.stimuli))  # one number, or one per node
    return f"{same} {electrodes} {kind}", scene


def _together(scenes: Sequence[Any]) -> Sequence[Done | Alone]:
    """All of one kind."""
    begun = time.time()
    try:
        found = _fronts(scenes) if isinstance(scenes[0], FrontScene) else _loop(scenes)
    except FAILURES as error:  # of `stacked`, or too much for the memory
        return [Alone(str(error))] * len(scenes)
    share = (time.time() - begun) / len(scenes)
    return [x if isinstance(x, Alone) else _noted(x, share, len(scenes)) for x in found]


def _noted(done: Done, seconds: float, runs: int) -> Done:
    """The run with its share of the time."""
    note = (
        f"batch: one of {runs} runs computed in one program; device_seconds is its share of that, "
        "wall_seconds and cpu_seconds are those of writing it"
    )
    scene = done.scene._replace(notes=(*done.scene.notes, note))
    return done._replace(seconds=seconds, scene=scene)


def _fronts(scenes: Sequence[FrontScene]) -> list[Done | Alone]:
    front = scenes[0].paths.front
    M, start = np.stack([s.M for s in scenes]), np.stack([s.start for s in scenes])
    delays = [s.paths.delay for s in scenes if s.paths.delay is not None]
    arrivals = arrivals_of_many(front, M, start, jnp.stack(delays) if delays else None)
    each = zip(scenes, arrivals, strict=True)
    return [Done(scene, *at_times(scene, T[: len(scene.nodes)]), 0.0) for scene, T in each]


class Bodies(NamedTuple):
    """What differs from run to run; every array has a first axis for the runs."""

    tissue: Any
    stimuli: Any
    leads: Any
    detector: Any


def bodies_of(scenes: Sequence[Scene]) -> Bodies:
    """The scenes padded to the largest mesh and stacked; ValueError as of `stacked`."""
    tissue, stimuli = stacked([s.tissue for s in scenes], [s.stimuli for s in scenes])
    nodes = jax.eval_shape(jax.vmap(lambda t: t.initial().V), tissue).shape[1]
    fields = [s.field for s in scenes if s.field is not None]
    leads = [np.pad(f, ((0, 0), (0, nodes - f.shape[1]))) for f in fields]
    detector = jax.tree.map(lambda *x: jnp.stack(x), *(s.detector for s in scenes))
    return Bodies(tissue, stimuli, jnp.asarray(np.stack(leads)) if leads else None, detector)


@eqx.filter_jit
def begin_many(bodies: Bodies, dt: float) -> Carry:
    """The carries at time 0."""
    return jax.vmap(lambda body: begin(body.tissue, dt, body.detector))(bodies)


@eqx.filter_jit
def simulate_many(
    bodies: Bodies,
    carry: Carry,
    dt: float,
    steps: int,
    sample_every: int,
    stepping: AbstractStepping,
) -> tuple[Carry, Samples]:
    """`simulate` for each body from its carry."""

    def one(body: Bodies, carry: Carry):
        return simulate(
            body.tissue,
            body.stimuli,
            dt=dt,
            steps=steps,
            sample_every=sample_every,
            leads=body.leads,
            detector=body.detector,
            start=carry,
            stepping=stepping,
        )

    return jax.vmap(one)(bodies, carry)


def _loop(scenes: Sequence[Scene]) -> list[Done | Alone]:
    """As `run_scene`, by the same chunks, without checkpoints."""
    solver, sample = scenes[0].scenario.solver, scenes[0].scenario.output.sample_ms
    dt, every = solver.dt_ms, whole_steps(sample, solver.dt_ms, "sample_ms")
    samples, per_chunk = round(solver.duration_ms / sample), max(1, round(CHUNK / sample))
    bodies = bodies_of(scenes)
    carry = begin_many(bodies, dt)
    records = [nothing(scene, carry) for scene in scenes]
    sound = np.ones(len(scenes), bool)
    for done in range(0, samples, per_chunk):
        steps = every * min(per_chunk, samples - done)
        was = carry.events.activation
        carry, kept = simulate_many(bodies, carry, dt, steps, every, STEPPINGS[solver.steps])
        sound &= (np.abs(kept.V_worst) <= LIMIT).all(axis=1)
        chunk = jax.device_get((was, carry.events.activation, kept.leads))
        for k, record in enumerate(records):
            before, after, leads = _of(chunk, k)
            records[k] = recorded(record, before, after, leads, dt, len(scenes[k].nodes))
    carry = jax.device_get(carry)
    found: list[Done | Alone] = [Alone("its voltage ran away")] * len(scenes)
    for k in np.flatnonzero(sound).tolist():
        own = _of(carry, k)
        found[k] = Done(scenes[k], records[k], times_of(scenes[k], own), 0.0, own)
    return found


def _of(many: Any, k: int) -> Any:
    """The part of run k."""
    return jax.tree.map(lambda x: x[k], many)
