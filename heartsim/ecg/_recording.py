"""A recorded or simulated ECG in memory."""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from heartsim._types import AnyArray


class Recording(eqx.Module):
    """An ECG: what each lead saw, evenly sampled.

    Leads bear their usual names: I, II, III, aVR, aVL, aVF, V1 to V6; others (vx) are allowed.
    ValueError if signal, names and rate do not fit together.
    """

    signal: Float[AnyArray, "samples leads"]  # mV
    rate: float = eqx.field(static=True)  # Hz
    leads: tuple[str, ...] = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True, default=())  # what a reader should know

    def __check_init__(self):
        if self.signal.ndim != 2 or self.signal.shape[1] != len(self.leads):
            raise ValueError(
                f"recording: a signal of shape {self.signal.shape} does not fit "
                f"{len(self.leads)} leads; give samples x leads."
            )
        if len(set(self.leads)) != len(self.leads):
            raise ValueError(f"recording: two leads bear one name ({', '.join(self.leads)}).")
        if not self.rate > 0:
            raise ValueError(f"recording: the rate is {self.rate} Hz; give samples per second.")

    def lead(self, name: str) -> Float[AnyArray, " samples"]:
        """The signal [mV] of one lead. ValueError names the leads that exist."""
        if name not in self.leads:
            raise ValueError(f"lead {name} is not recorded; there are {', '.join(self.leads)}.")
        return self.signal[:, self.leads.index(name)]

    @property
    def time(self) -> Float[np.ndarray, " samples"]:
        """Time of each sample from the first [ms]."""
        return np.arange(self.signal.shape[0]) * (1000.0 / self.rate)


REST_MS = 200.0


def after_rest(simulated: Recording) -> Recording:
    """A simulated beat with REST_MS of the rest before it, in which every lead is zero.

    A run starts with its first stimulus, so that its record has no quiet stretch to judge the
    onset of a slow, paced QRS against: without one a left ventricular paced QRS of 150 ms was
    measured as 92.
    """
    rest = np.zeros((round(REST_MS * simulated.rate / 1000), len(simulated.leads)))
    signal = np.concatenate([rest, np.asarray(simulated.signal)])
    note = f"{REST_MS:g} ms of rest stand before the first stimulus"
    return Recording(signal, simulated.rate, simulated.leads, (*simulated.notes, note))
