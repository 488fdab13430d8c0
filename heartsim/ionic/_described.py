"""A cell model as its file has it."""

import dataclasses
from collections.abc import Mapping

from ._expressions import Expression


@dataclasses.dataclass(frozen=True)
class Described:
    """A cell model as its file has it, in the file's units."""

    name: str
    voltage: str
    slopes: Mapping[str, Expression]
    """The derivative of each state, the voltage among them."""
    start: Mapping[str, float]
    """Of each state."""
    equations: Mapping[str, Expression]
    """Of all other variables; literal numbers are parameters, but for those `silent`."""
    silent: frozenset[str]
    """Stimuli and what is fed in: 0."""
    per_ms: float
    """Units of time in a millisecond."""
    per_mV: float
    """Units of voltage in a millivolt."""
    paced: bool
    """Whether it waits for a stimulus."""
