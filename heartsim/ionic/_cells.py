"""Many cells paced at once, each with its own parameters: what is read from their last beat."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._markers import beat_markers
from ._model import AbstractIonicModel
from ._pacing import Pacing, flat, paced, sampled
from ._steps import AbstractMembraneStep, RushLarsenMidpoint
from ._train import train

NET = ("CaL", "NaL", "Kr", "Ks", "K1", "to")
"""Currents whose sum is that of qNet; Dutta et al. (2017), Front. Physiol. 8, 616 (page not
checked; the six as in ApPredict's calculator of it)."""


@dataclasses.dataclass(frozen=True)
class Cells:
    """The last beat of many cells."""

    time: Float[np.ndarray, " samples"]
    """ms since its stimulus."""
    V: Float[np.ndarray, "samples cells"]
    """mV."""
    calcium: Float[np.ndarray, "samples cells"] | None
    """mM, of the cytosol; None of a model without it."""
    upstroke: Float[np.ndarray, " cells"]
    """mV/ms, greatest dV/dt of all steps."""
    onset: Float[np.ndarray, " cells"]
    """ms, when that is."""
    peak: Float[np.ndarray, " cells"]
    """mV."""
    charge: Float[np.ndarray, " cells"] | None
    """qNet, µC/µF: the sum of the currents `NET` over the beat; None of a model without them."""
    end: tuple[Any, Any]

    def markers(self) -> dict[str, Float[np.ndarray, " cells"]]:
        """What `markers` reads, of each cell, with ead_mV, calcium_uM (rise of calcium over the
        beat) and qnet where there are such."""
        found = beat_markers(self.time, self.V, self.onset, self.upstroke, self.peak)
        if self.calcium is not None:
            found["calcium_uM"] = 1000 * np.ptp(self.calcium, axis=0)
        if self.charge is not None:
            found["qnet_uC_uF"] = self.charge
        return found


def pace_cells(
    model: AbstractIonicModel,
    n: int,
    pacing: Pacing | None = None,
    start: tuple[Any, Any] | None = None,
    every: float = 0.1,
    step: AbstractMembraneStep | None = None,
) -> Cells:
    """Pace `n` cells, in one program. Parameters of the model are numbers or one number a cell.

    All beats but the last by adaptive steps (`train`), the last by `step` of `pacing.dt`, kept
    `every` so many ms: at 0.5 the charge of the first milliseconds is missed, 1 % of qNet.
    """
    pacing = Pacing() if pacing is None else pacing
    step = RushLarsenMidpoint() if step is None else step
    stride = pacing.stride(every)
    begin = train(model, model.initial(n) if start is None else start, pacing, pacing.beats - 1)
    end, top, kept = _last(model, begin, step, dataclasses.replace(pacing, beats=1), stride)
    dt = pacing.dt * stride
    V = np.asarray(kept["V"])
    if not np.isfinite(V).all():
        raise ValueError(
            f"the voltage of {np.count_nonzero(~np.isfinite(V).all(axis=0))} of {n} cells is not "
            f"finite; wanted a shorter dt than {pacing.dt:g} ms."
        )
    charge = None
    if "net" in kept:  # the beat is a cycle: its last sample meets the first of the next
        charge = np.asarray(kept["net"]).sum(axis=0) * dt / 1000
    slope, at, peak = (np.asarray(x) for x in top)
    calcium = np.asarray(kept["Ca_i"]) if "Ca_i" in kept else None
    return Cells(dt * np.arange(len(V)), V, calcium, slope, at, peak, charge, end)


@functools.partial(jax.jit, static_argnames=("pacing", "stride"))
def _last(model, carry, step, pacing: Pacing, stride: int):
    def advance(carry, k):
        (V, state), (slope, at, peak) = carry
        new, state = paced(step, model, (V, state), k < pacing.on, pacing)
        rise = (new - V) / pacing.dt
        steeper = rise > slope
        when = ((k + 0.5) * pacing.dt).astype(V.dtype)
        top = (jnp.where(steeper, rise, slope), jnp.where(steeper, when, at))
        return (new, state), (*top, jnp.maximum(peak, new))

    def look(carry):
        (V, state), _ = carry
        kept = {"V": V} | {name: x for name, x in flat(state).items() if name == "Ca_i"}
        net = _net(model, V, state)
        return kept if net is None else kept | {"net": net}

    V = carry[0]
    top = (jnp.full_like(V, -jnp.inf), jnp.zeros_like(V), V)
    whole, kept = sampled(advance, look, (carry, top), pacing.steps // stride, stride)
    first = pacing.steps - pacing.steps % stride  # of the steps that are no whole stride
    rest = jax.lax.fori_loop(first, pacing.steps, lambda k, carry: advance(carry, k), whole)
    return *rest, kept


def _net(model: AbstractIonicModel, V: Any, state: Any) -> Any:
    """The sum of the currents of qNet [A/F], where the model has them all."""
    currents = getattr(model, "currents", None)
    if currents is None:
        return None
    i = currents(V, state)._asdict()
    if {"CaL_i", "CaL_ss"} <= set(i):  # of one current in two places
        i["CaL"] = i["CaL_i"] + i["CaL_ss"]
    return sum(i[name] for name in NET) if set(NET) <= set(i) else None
