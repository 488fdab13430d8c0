"""The numbers of a run, each with unit and definition, and the times at each node."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import edge_lengths
from heartsim.tissue import Carry

from ._checkpoint import Record
from ._rows import Rows, row, speed_rows
from ._scene import Scene

if TYPE_CHECKING:
    from ._front import FrontScene


class Times(NamedTuple):
    """The last beat at each node of the mesh [ms]; NaN where there was none."""

    activation: Float[np.ndarray, " nodes"]
    repolarisation: Float[np.ndarray, " nodes"]
    apd90: Float[np.ndarray, " nodes"]


def times_of(scene: Scene, carry: Carry) -> Times:
    """When each node of the user's mesh last fired, and recovered from that."""
    dt = scene.scenario.solver.dt_ms
    activation, repolarisation = (
        np.where(step < 0, np.nan, (step + np.asarray(fraction, float)) * dt)
        for step, fraction in (
            (np.asarray(c.step), c.fraction)
            for c in (carry.events.activation, carry.events.repolarisation)
        )
    )
    repolarisation = np.where(repolarisation > activation, repolarisation, np.nan)

    def on_mesh(values):
        whole = np.full(scene.mesh.n_nodes, np.nan)
        whole[scene.nodes] = values[: len(scene.nodes)]
        return whole

    return Times(on_mesh(activation), on_mesh(repolarisation), on_mesh(repolarisation - activation))


def beats_of(record: Record) -> Int[np.ndarray, " activations"]:
    """Of each activation the number at its node, counted from 1."""
    order = np.argsort(record.node, kind="stable")
    node = record.node[order]
    first = np.searchsorted(node, node, side="left")
    beats = np.empty(len(node), int)
    beats[order] = np.arange(len(node)) - first + 1
    return beats


DEFINITIONS = {
    "activated": ("1", "share of the conductive nodes that activated at least once"),
    "total_activation_ms": (
        "ms",
        "latest minus earliest activation, of the last beat at each node; activation is the "
        "upward crossing of threshold_mV, interpolated between steps",
    ),
    "earliest_activation_ms": (
        "ms",
        "the earliest of the nodes' last activations, from the start of the run",
    ),
    "latest_activation_ms": (
        "ms",
        "the latest of the nodes' last activations, from the start of the run",
    ),
    "beats": ("1", "greatest number of activations at one node"),
    "mean_apd90_ms": (
        "ms",
        "mean over nodes of the action potential duration: from activation to the fall of V "
        "by 90 % of peak minus rest",
    ),
    "repolarisation_dispersion_ms": (
        "ms",
        "latest minus earliest repolarisation, of the last beat at each node",
    ),
    "repolarised": (
        "1",
        "share of the conductive nodes that recovered from their last activation before the "
        "run ended",
    ),
    "conductive_nodes": ("1", "nodes of the mesh in regions that conduct"),
    "mean_edge_mm": ("mm", "mean length of the mesh's edges"),
    "electrodes": (
        "",
        "where the nine electrodes come from; 'default' is a placement by the heart's own axes, "
        "not this patient's: compare such an ECG with others of its kind only",
    ),
}
"""Unit and meaning of each number."""


def summarise(scene: "Scene | FrontScene", record: Record, times: Times) -> Rows:
    """What is written to summary.json: name -> value, unit, definition."""
    activation = times.activation
    placed, end = scene.scenario.ecg.electrodes, scene.scenario.solver.duration_ms
    values = {
        "activated": np.isfinite(activation).sum() / len(scene.nodes),
        "total_activation_ms": _span(activation),
        "earliest_activation_ms": _least(activation),
        "latest_activation_ms": _greatest(activation),
        "beats": beats_of(record).max(initial=0),
        "mean_apd90_ms": _mean(times.apd90),
        "repolarisation_dispersion_ms": _span(times.repolarisation),
        "repolarised": (times.repolarisation <= end).sum() / len(scene.nodes),
        "conductive_nodes": len(scene.nodes),
        "mean_edge_mm": float(np.mean(edge_lengths(scene.mesh))),
        "electrodes": "from a file" if placed not in ("default", "none") else placed,
    }
    if scene.field is None:
        values["electrodes"] = "none"
    return {k: row(v, *DEFINITIONS[k]) for k, v in values.items()} | speed_rows(scene.speeds)


ENOUGH = 0.99
"""Share of the conductive nodes that a run should activate, or else it says so."""
OF_ACTIVATION = "activation:"
"""How notes begin that the terminal shows, too."""


def shortfall(summary: Rows) -> tuple[str, ...]:
    """One sentence where too few nodes activated, for the terminal, the manifest and the report."""
    activated = summary["activated"]["value"]
    if activated >= ENOUGH:
        return ()
    return (
        f"{OF_ACTIVATION} only {100 * activated:.3g} % of the conductive nodes activated, so that "
        "the numbers describe a part of the heart; if this was not meant, make the stimulus "
        "larger or stronger, refine the mesh, or run for longer.",
    )


def late(scene: "Scene | FrontScene", summary: Rows) -> tuple[str, ...]:
    """One sentence where arrival times go on after the end of the run and of its leads, for the
    same readers."""
    end, last = scene.scenario.solver.duration_ms, summary["latest_activation_ms"]["value"]
    if last is None or not last > end:
        return ()
    return (
        f"{OF_ACTIVATION} the last node activates at {last:.4g} ms, but leads end with the run at "
        f"{end:g} ms; make [solver] duration_ms longer.",
    )


def _least(x) -> float:
    return float(np.nanmin(x)) if np.isfinite(x).any() else np.nan


def _greatest(x) -> float:
    return float(np.nanmax(x)) if np.isfinite(x).any() else np.nan


def _mean(x) -> float:
    return float(np.nanmean(x)) if np.isfinite(x).any() else np.nan


def _span(x) -> float:
    return _greatest(x) - _least(x)
