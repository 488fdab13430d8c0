"""The vectorcardiogram from the twelve leads, and the area of its QRS."""

from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from heartsim._types import AnyArray

from ._recording import Recording

KORS = MappingProxyType(
    {
        "I": (0.38, -0.07, 0.11),
        "II": (-0.07, 0.93, -0.23),
        "V1": (-0.13, 0.06, -0.43),
        "V2": (0.05, -0.02, -0.06),
        "V3": (-0.01, -0.05, -0.14),
        "V4": (0.14, 0.06, -0.20),
        "V5": (0.06, -0.17, -0.11),
        "V6": (0.54, 0.13, 0.31),
    }
)
"""Share of each lead in X (to the left), Y (to the feet) and Z (to the back): regression matrix of
Kors, van Herpen, Sittig and van Bemmel (1990), Eur. Heart J. 11, 1083-1092 (page not checked). The
24 numbers agree in three independent programs: BRAVEHEART (korsmatrix.m), a Matlab
FrankLeadTransformer, and an answer on MathWorks' forum (2150474) with data."""


def kors(recording: Recording) -> Recording:
    """Leads vx, vy, vz [mV] by the matrix `KORS`. ValueError names a lead that is missing."""
    missing = [name for name in KORS if name not in recording.leads]
    if missing:
        raise ValueError(
            f"vectorcardiogram: lead {', '.join(missing)} is missing; the matrix of Kors needs "
            f"{', '.join(KORS)}."
        )
    leads = np.stack([np.asarray(recording.lead(name)) for name in KORS], axis=1)
    matrix = np.array(list(KORS.values())).astype(leads.dtype)
    return Recording(leads @ matrix, recording.rate, ("vx", "vy", "vz"), recording.notes)


def qrs_area(vector: Float[AnyArray, "samples 3"], rate: float) -> Float[AnyArray, ""] | float:
    """Area of the QRS [mV ms = µV s] from its samples between onset and offset, level removed:

        A = sqrt(A_x² + A_y² + A_z²),   A_k = ∫ v_k dt  (trapezoidal)                      (1)

    so that forces which cancel over time cancel in A. Unit and use as in van Deursen et al.
    (2015), J. Electrocardiol. 48, 45-52 (abstract read: responders to resynchronisation 140 ± 42,
    others 100 ± 40 µVs); formula as in public Matlab code (QRSarea_VCG), paper not checked.
    """
    areas = ((vector[1:] + vector[:-1]) / 2).sum(axis=0) * (1000.0 / rate)
    return (areas**2).sum() ** 0.5
