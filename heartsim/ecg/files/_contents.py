"""What the reader of a format hands over, and what all of them need."""

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

EXTRA = "ecg-files"
"""The extra of this package that brings the libraries for clinical files."""

MV_PER = {"V": 1000.0, "mV": 1.0, "uV": 1e-3, "nV": 1e-6}
"""Millivolts in one of each unit of voltage."""

IDENTITY = "identity: "
"""How the notes begin that may tell who the patient is; there are none unless asked for."""

_SPELLINGS = {
    name.casefold(): unit
    for unit, names in {
        "V": ("V", "volt", "volts"),
        "mV": ("mV", "millivolt", "millivolts"),
        "uV": ("uV", "µV", "μV", "microvolt", "microvolts"),
        "nV": ("nV", "nanovolt", "nanovolts"),
    }.items()
    for name in names
}


class Refused(ValueError):
    """A sentence of ours on what a file lacks, as against what a library raises over it."""


class Contents(NamedTuple):
    """The leads of a file in mV under the names that it gives them, before they are checked."""

    signal: Float[np.ndarray, "samples leads"]  # mV
    rate: float  # Hz
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()  # hold nothing that tells who the patient is
    identity: tuple[str, ...] = ()  # `field: value`, what might


def mv_per(unit: str) -> float | None:
    """Millivolts in one of `unit`, however it is spelt; None if it is no voltage."""
    spelling = _SPELLINGS.get(unit.strip().casefold())
    return None if spelling is None else MV_PER[spelling]


def library(name: str) -> ModuleType:
    """Import what reads or writes a format. ValueError names the extra where it is missing."""
    try:
        with calm():
            return importlib.import_module(name)
    except ImportError as error:
        raise Refused(
            f"files of this kind need {name} ({error}); pip install 'heartsim[{EXTRA}]'."
        ) from error


@contextmanager
def calm() -> Iterator[None]:
    """Deprecations inside a library are its maintainers' business: wfdb 4.3 meets pandas 3.1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
