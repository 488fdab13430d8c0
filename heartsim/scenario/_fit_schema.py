"""What may stand in a fit file: every key, its unit, its default.

Numbers carry their unit in the name of their key; see `_schema.py`.
"""

from typing import Annotated

from pydantic import Field, model_validator

from heartsim.fit import VELOCITY, Search

from ._front_schema import Endocardia
from ._schema import Ecg, Heart, Scenario
from ._section import Count, Point, Positive, Section

Range = Annotated[list[float], Field(min_length=2, max_length=2)]
PositiveRange = Annotated[list[Positive], Field(min_length=2, max_length=2)]


class MeasuredEcg(Ecg):
    """The recording, its noise, and what the electrodes see."""

    file: str | None = None
    """Whatever `heartsim ecg` reads, with leads I, II and V1 to V6; absent where [truth] stands
    in."""
    rate_Hz: Positive | None = None
    """Of a CSV without time_ms."""
    qrs_window_ms: Range
    """First and last time that is fitted, from the first sample of the recording."""
    sample_ms: Positive = 2.0
    """Between two times that are fitted; samples of the recording are passed over, not averaged."""
    noise_mV: Positive | None = None
    """Standard deviation of the noise in every lead."""
    baseline_ms: Range | None = None
    """Instead of noise_mV: a stretch without waves (T to P), whose standard deviation is each
    lead's noise, and whose mean is each lead's zero."""

    @model_validator(mode="after")
    def _windows_and_noise(self):
        if (self.noise_mV is None) == (self.baseline_ms is None):
            raise ValueError("give either noise_mV or baseline_ms, so that the noise is known.")
        for key in ("qrs_window_ms", "baseline_ms"):
            given = getattr(self, key)
            if given is not None and not 0 <= given[0] < given[1]:
                raise ValueError(f"{key} = {given} must be two ascending times, 0 ms or later.")
        if self.electrodes == "none":
            raise ValueError('electrodes = "none" leaves nothing to fit; give nine electrodes.')
        return self


class Free(Section):
    """What is looked for, and between which bounds."""

    sources: Annotated[int, Field(ge=1, le=12)] = 3
    """Places on the endocardium where activation begins."""
    onset_ms: Range = Field(default_factory=lambda: [0.0, 40.0])
    """Of each source, from the beginning of qrs_window_ms."""
    velocity_fibre_m_s: PositiveRange = Field(default_factory=lambda: list(VELOCITY[0]))
    velocity_transverse_m_s: PositiveRange = Field(default_factory=lambda: list(VELOCITY[1]))

    @model_validator(mode="after")
    def _ascending(self):
        for key in ("onset_ms", "velocity_fibre_m_s", "velocity_transverse_m_s"):
            low, high = getattr(self, key)
            if not low < high:
                raise ValueError(f"{key} = [{low:g}, {high:g}] must ascend.")
        return self


class FitFastLayer(Section):
    """[fast_layer]: cells that touch an endocardium conduct alike in all directions, at a given
    multiple of the fitted velocity along the fibre."""

    surfaces: Endocardia
    times_fibre_velocity: Positive


class Hunt(Section):
    """[search]: how hard to look; see heartsim.fit.Search."""

    candidates: Count = Search().candidates
    sites: Annotated[int, Field(ge=2)] = Search().sites
    starts: Count = Search().starts
    enough: Count = Search().enough
    steps: Count = Search().steps
    seed: Annotated[int, Field(ge=0)] = Search().seed


class TrueSource(Section):
    """A place where the hidden activation begins."""

    point_mm: Point | None = None
    node_set: str | None = None
    """Its middle node."""
    onset_ms: float = 0.0
    """From the first sample of the recording."""

    @model_validator(mode="after")
    def _one_place(self):
        if (self.point_mm is None) == (self.node_set is None):
            raise ValueError("give either point_mm or node_set.")
        return self


class Truth(Section):
    """A made-up truth, whose leads and noise stand in for a recording: the fit sees nothing else of
    it, and is then held against it."""

    velocity_fibre_m_s: Positive
    velocity_transverse_m_s: Positive
    source: Annotated[list[TrueSource], Field(min_length=1)]
    refine: Annotated[int, Field(ge=0, le=2)] = 0
    """How often the truth's mesh is refined, so that it is not the fit's."""


class FitFile(Section):
    """One fit, complete: every default is filled in, every path absolute."""

    heart: Heart
    ecg: MeasuredEcg
    free: Free = Field(default_factory=Free)
    fast_layer: FitFastLayer | None = None
    search: Hunt = Field(default_factory=Hunt)
    truth: Truth | None = None

    @property
    def scenario(self) -> Scenario:
        """What it shares with a run: the mesh, and what the electrodes see."""
        return Scenario(heart=self.heart, ecg=self.ecg)

    @model_validator(mode="after")
    def _one_recording(self):
        if (self.ecg.file is None) == (self.truth is None):
            raise ValueError("[ecg] file or [truth] must give the leads: one of the two.")
        if self.truth is not None and self.ecg.noise_mV is None:
            raise ValueError("[ecg] noise_mV is missing; [truth] needs it to make its noise.")
        return self
