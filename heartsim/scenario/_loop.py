"""The run itself: chunks of steps, watched, recorded and kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from heartsim._memory import pages_go_back
from heartsim.ionic import Patchwork
from heartsim.tissue import Carry, Crossing, Samples, begin, simulate, whole_steps

from ._checkpoint import Record, load_checkpoint, save_checkpoint
from ._scene import Scene
from ._state import initial_state
from ._tissue import STEPPINGS

CHUNK = 10.0
"""Simulated time between two looks at a run [ms]."""

LIMIT = 200.0
"""No membrane goes beyond this voltage [mV]; a run that does is stopped."""

Progress = Callable[[float, float], None]
"""Called after every chunk with the simulated time done and the whole [ms]."""


class Runaway(ValueError):
    """The voltage left all bounds: nothing can be saved by going on."""


def run_scene(
    scene: Scene,
    folder: Path,
    identity: dict[str, Any],
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Carry, Record]:
    """Run a scene to its end; checkpoints, and voltage frames if asked for, go to `folder`.

    It goes on from `checkpoint` if there is one. Chunks begin at the same steps whether or not
    the run was stopped between, so that a resumed run does the same arithmetic. Runaway (a
    ValueError) names time, node, state and dt.
    """
    options = scene.scenario.output
    dt, sample = scene.scenario.solver.dt_ms, options.sample_ms
    sample_steps = whole_steps(sample, dt, "sample_ms")
    samples = round(scene.scenario.solver.duration_ms / sample)
    per_chunk = max(1, round(CHUNK / sample))
    keep_every = max(1, round(options.checkpoint_every_ms / (per_chunk * sample)))
    carry, record = _start(scene, checkpoint)
    advance = pages_go_back(collect=False)(_advance)  # the first chunk is compiled
    while (done := int(carry.k) // sample_steps) < samples:
        count = min(per_chunk, samples - done)
        before, (carry, kept) = carry, advance(scene, carry, count, sample_steps)
        advance = _advance
        _watch(scene, before, kept, sample_steps)
        was, now = before.events.activation, carry.events.activation
        record = recorded(record, was, now, kept.leads, dt, len(scene.nodes))
        if kept.V is not None:
            np.save(folder / voltage_file(done), _due(scene, np.asarray(kept.V), done))
        if (done + count) // per_chunk % keep_every == 0 and done + count < samples:
            save_checkpoint(folder, carry, record, identity)
        if progress is not None:
            progress((done + count) * sample, samples * sample)
    return carry, record


def _start(scene: Scene, checkpoint: Path | None) -> tuple[Carry, Record]:
    state = initial_state(scene)
    carry = begin(scene.tissue, scene.scenario.solver.dt_ms, scene.detector, state)
    carry = jax.tree.map(jax.numpy.asarray, carry)
    if checkpoint is not None:
        return load_checkpoint(checkpoint, carry)
    return carry, nothing(scene, carry)


def nothing(scene: Scene, carry: Carry) -> Record:
    """The record at the start."""
    electrodes = 0 if scene.field is None else len(scene.field)
    leads = np.empty((0, electrodes), carry.state.V.dtype)
    return Record(leads, np.empty(0, int), np.empty(0))


def _advance(scene: Scene, carry: Carry, samples: int, sample_steps: int) -> tuple[Carry, Samples]:
    return simulate(
        scene.tissue,
        scene.stimuli,
        dt=scene.scenario.solver.dt_ms,
        steps=samples * sample_steps,
        sample_every=sample_steps,
        leads=scene.field,
        keep_V=scene.scenario.output.voltage_every_ms is not None,
        detector=scene.detector,
        start=carry,
        stepping=STEPPINGS[scene.scenario.solver.steps],
    )


def _watch(scene: Scene, before: Carry, kept: Samples, sample_steps: int) -> None:
    """Stop where a voltage is not finite or beyond LIMIT."""
    V = np.asarray(kept.V_worst)
    bad = ~(np.abs(V) <= LIMIT)
    if not bad.any():
        return
    frame = int(bad.argmax())
    node = min(int(kept.worst[frame]), len(scene.nodes) - 1)  # padding repeats the last node
    dt = scene.scenario.solver.dt_ms
    time = (int(before.k) + (frame + 1) * sample_steps) * dt
    carry, _ = _advance(scene, before, frame + 1, sample_steps)
    raise Runaway(
        f"the voltage ran away: at {time:g} ms node {scene.nodes[node]} (of activation.vtu) has "
        f"V = {V[frame]:g} mV with {_state_at(scene, carry, node)}; the step is dt_ms = {dt:g}: "
        "try a smaller dt_ms, or a lower strength_mV_per_ms of the stimulus."
    )


def _state_at(scene: Scene, carry: Carry, node: int) -> str:
    """The membrane's variables at one node; those that are not finite alone, if there are any."""
    membrane = scene.tissue.ionic.plain(carry.state.membrane)
    if isinstance(scene.tissue.ionic, Patchwork):
        patch, slot = scene.tissue.ionic.slots(scene.tissue.spread.parts)
        membrane, node = membrane[patch[node]], int(slot[node])
    values = {
        jax.tree_util.keystr(path, simple=True): float(leaf[node])
        for path, leaf in jax.tree_util.tree_leaves_with_path(membrane)
    }
    broken = {name: x for name, x in values.items() if not np.isfinite(x)}
    return ", ".join(f"{name} = {x:.4g}" for name, x in (broken if broken else values).items())


def recorded(
    record: Record, before: Crossing, after: Crossing, leads, dt: float, real: int
) -> Record:
    """The record with the activations and leads of one more chunk, which is shorter than any
    refractory period: no node activates twice in it. Beyond the first `real` nodes is padding,
    where a membrane that beats by itself fires, too."""
    step, fraction = (np.asarray(x)[:real] for x in after)
    node = np.flatnonzero(step != np.asarray(before.step)[:real])
    time = (step[node] + fraction[node].astype(float)) * dt
    order = np.argsort(time, kind="stable")
    return Record(
        leads=record.leads if leads is None else np.concatenate([record.leads, leads]),
        node=np.concatenate([record.node, node[order]]),
        time=np.concatenate([record.time, time[order]]),
    )


def voltage_file(first: int) -> str:
    """Name of the frames that follow after `first` samples."""
    return f"V-{first:09d}.npy"


def _due(
    scene: Scene, V: Float[np.ndarray, "samples nodes"], done: int
) -> Float[np.ndarray, "frames real"]:
    """The frames of a chunk that voltage_every_ms asks for, without the padding."""
    number = done + 1 + np.arange(len(V))
    due = number % scene.scenario.output.samples_per_frame == 0
    return V[due, : len(scene.nodes)]
