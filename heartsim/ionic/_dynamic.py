"""How the action potential shortens as pacing quickens, and where it begins to alternate."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._markers import beat_markers
from ._model import AbstractIonicModel
from ._pacing import Pacing, paced, sampled
from ._steps import AbstractMembraneStep, RushLarsenMidpoint
from ._train import train

EVERY = 0.1  # ms between samples
FIRES = 0.6  # of the largest amplitude of all, reached by a beat that has fired; ours


@dataclasses.dataclass(frozen=True)
class Dynamic:
    """Two beats in a row at each cycle length, after a train."""

    cycle_length: Float[np.ndarray, " cycles"]
    """ms."""
    apd90: Float[np.ndarray, "cycles 2"]
    """ms, of either beat; nan where it does not fire, or is not over when the next one begins."""

    @property
    def diastolic(self) -> Float[np.ndarray, " cycles"]:
        """ms before the second beat: cycle length less APD90 of the first."""
        return self.cycle_length - self.apd90[:, 0]

    @property
    def alternans(self) -> Float[np.ndarray, " cycles"]:
        """ms by which the two beats differ; nan where one does not fire."""
        return np.abs(self.apd90[:, 1] - self.apd90[:, 0])


def dynamic_restitution(
    model: AbstractIonicModel,
    cycle_lengths: Float[np.ndarray, " cycles"],
    pacing: Pacing | None = None,
    step: AbstractMembraneStep | None = None,
) -> Dynamic:
    """Each cycle length [ms] from rest for `pacing.beats` beats (`train`), and two beats more, all
    cycle lengths in one program."""
    pacing = Pacing(beats=100) if pacing is None else pacing
    step = RushLarsenMidpoint() if step is None else step
    cycles = np.asarray(cycle_lengths, float)
    if not len(cycles) or not (cycles > pacing.duration).all():
        raise ValueError(f"restitution: wanted cycle lengths above {pacing.duration:g} ms.")
    each = [dataclasses.replace(pacing, cycle_length=float(c)) for c in cycles]
    starts = [train(model, model.initial(1), one, pacing.beats) for one in each]
    start = jax.tree.map(lambda *x: jnp.concatenate(x), *starts)
    stride = pacing.stride(EVERY)
    samples = round(2 * cycles.max() / pacing.dt) // stride + 1
    V = np.asarray(_window(model, start, jnp.asarray(cycles), step, pacing, stride, samples), float)
    dt = pacing.dt * stride
    return Dynamic(cycles, _durations(V, cycles, dt))


@functools.partial(jax.jit, static_argnames=("pacing", "stride", "samples"))
def _window(model, start, cycles, step, pacing: Pacing, stride: int, samples: int):
    def advance(cells, k):
        fires = jnp.mod(k * pacing.dt + pacing.dt / 2, cycles) < pacing.duration
        return paced(step, model, cells, fires, pacing)

    return sampled(advance, lambda cells: cells[0], start, samples, stride)[1]


def _durations(V, cycles, dt: float) -> Float[np.ndarray, "cycles 2"]:
    """APD90 of the two beats of each cycle length."""
    found = np.full((len(cycles), 2), np.nan)
    amplitude = np.ptp(V, axis=0)
    for c, cycle in enumerate(cycles):
        for k in (0, 1):
            # from the sample before the stimulus: rest is not yet what that has brought
            first, last = (int((k + n) * cycle / dt + 1e-6) for n in (0, 1))
            own = V[first : last + 1, c]
            t = dt * np.arange(len(own))
            top = int(np.argmax(own))
            slope = np.gradient(own, t)[: top + 1]
            if own[top] - own[0] < FIRES * amplitude.max():
                continue
            onset = t[int(np.argmax(slope))]
            of = (np.array([onset]), np.array([slope.max()]), np.array([own[top]]))
            found[c, k] = beat_markers(t, own[:, None], *of)["apd90_ms"][0]
    return found
