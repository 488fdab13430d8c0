"""What may stand in a sweep file: a base scenario, and what varies from run to run."""

from itertools import product
from typing import Annotated, Any, Literal

import numpy as np
import scipy
from pydantic import Field, model_validator

from ._section import Count, OnBase, Section


class Vary(Section):
    """One [[vary]]: a key of the scenario, and its values or the range that they come from."""

    key: str
    """As `conduction.velocity_fibre_m_s`; entries of a list from 1 on: `stimulus.1.start_ms`."""
    values: Annotated[list[Any], Field(min_length=1)] | None = None
    between: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _one_kind(self):
        if (self.values is None) == (self.between is None):
            raise ValueError("give either values or between.")
        if self.between is not None:
            low, high = self.between
            if not low < high:
                raise ValueError(f"between = [{low:g}, {high:g}] must rise.")
            if self.scale == "log" and low <= 0:
                raise ValueError(f'scale = "log" needs between above 0, and {low:g} was given.')
        return self


class Sample(Section):
    """How values are drawn between the bounds of every [[vary]]."""

    runs: Count
    method: Literal["latin_hypercube", "sobol", "random"] = "latin_hypercube"
    seed: Annotated[int, Field(ge=0)] = 0


class SweepFile(OnBase):
    """Many runs of one scenario: every combination of the values, or a sample."""

    vary: Annotated[list[Vary], Field(min_length=1)]
    sample: Sample | None = None
    """Absent: every combination of the values."""
    keep: Literal["runs", "table"] = "runs"
    """table: each run's directory is removed once its row is written."""

    @model_validator(mode="after")
    def _fits_together(self):
        wanted, why = (
            ("values", "there is no [sample]")
            if self.sample is None
            else ("between", "[sample] draws from it")
        )
        for number, vary in enumerate(self.vary, start=1):
            if getattr(vary, wanted) is None:
                raise ValueError(f"[[vary]] {number} ({vary.key}) needs {wanted}, as {why}.")
        keys = [vary.key for vary in self.vary]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"two [[vary]] have the key {min(twice)}; put all its values in one.")
        return self


def combinations(sweep: SweepFile) -> list[dict[str, Any]]:
    """The varied keys and values of each run."""
    keys = [vary.key for vary in sweep.vary]
    if sweep.sample is None:
        values = product(*([] if vary.values is None else vary.values for vary in sweep.vary))
        return [dict(zip(keys, row, strict=True)) for row in values]
    scaled = [
        [_between(vary, float(x)) for vary, x in zip(sweep.vary, row, strict=True)]
        for row in _unit_cube(sweep.sample, len(keys))
    ]
    return [dict(zip(keys, row, strict=True)) for row in scaled]


def _unit_cube(sample: Sample, dimensions: int):
    """Points in [0, 1)^d. McKay et al. (1979), Technometrics 21, 239-245; Sobol' (1967), USSR
    Comput. Math. Math. Phys. 7, 86-112 (pages not checked; SciPy's implementations)."""
    rng = np.random.default_rng(sample.seed)
    if sample.method == "random":
        return rng.random((sample.runs, dimensions))
    if sample.method == "latin_hypercube":
        return scipy.stats.qmc.LatinHypercube(dimensions, rng=rng).random(sample.runs)
    power = int(np.ceil(np.log2(sample.runs)))  # whole powers of two keep Sobol's balance
    return scipy.stats.qmc.Sobol(dimensions, rng=rng).random_base2(power)[: sample.runs]


def _between(vary: Vary, x: float) -> float:
    low, high = (0.0, 1.0) if vary.between is None else vary.between
    if vary.scale == "log":
        return float(low * (high / low) ** x)
    return low + (high - low) * x
