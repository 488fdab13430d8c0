"""16-bit counts of a signal, for the formats that hold integers."""

import numpy as np
from jaxtyping import Int16

from .._recording import Recording

STEPS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
"""mV of one count; the first that holds the largest value is taken, for all leads alike."""

_MOST = 32767


def to_counts(recording: Recording) -> tuple[Int16[np.ndarray, "samples leads"], float]:
    """The nearest counts, and mV of one: what is read back differs by half of that at most.

    0.1 µV up to 3.2 mV, 1 µV up to 32 mV. ValueError above 327 mV, or for what is no number.
    """
    signal = np.asarray(recording.signal, dtype=np.float64)
    largest = float(np.abs(signal).max())
    step = next((step for step in STEPS if largest <= _MOST * step), None)
    if step is None:
        raise ValueError(
            f"the signal reaches {largest:.4g} mV, and integers hold {_MOST * STEPS[-1]:.0f} at "
            "most; it must be in mV, without gaps."
        )
    return np.round(signal / step).astype(np.int16), step
