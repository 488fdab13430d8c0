"""What may stand in a plan file: pacing leads, and the ways in which they are used."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from ._front_schema import Purkinje
from ._schema import Place, Pulses, Scenario
from ._section import NotNegative, OnBase, Section, Tag

BASELINE = "baseline"

Tags = Annotated[list[Tag], Field(min_length=1)]


class PacingLead(Section):
    """One [[lead]]: an electrode in the heart."""

    name: str
    at: Place


class Option(Section):
    """One [[option]]: which leads pace, and when."""

    name: str
    leads: Annotated[list[str], Field(min_length=1)]
    delays_ms: list[list[float]] | None = None
    """Each a time for every lead; one beat is computed for each. Absent: all leads at 0."""
    intrinsic_ms: NotNegative | None = None
    """When the activation of the base scenario comes in, on the same clock; absent: never."""

    @model_validator(mode="after")
    def _a_delay_for_each_lead(self):
        for delays in self.delays_ms or []:
            if len(delays) != len(self.leads):
                raise ValueError(
                    f"delays_ms has {len(delays)} numbers in a row, and there are "
                    f"{len(self.leads)} leads: give one for each."
                )
        return self


class Plan(OnBase):
    """Pacing options on one heart; the base is of the eikonal model: the heart, and its activation
    without pacing."""

    lv: Tags = Field(default_factory=lambda: list[Tag](["LV", "septum"]))
    """Regions that count as the left ventricle."""
    rv: Tags = Field(default_factory=lambda: list[Tag](["RV"]))
    lead: Annotated[list[PacingLead], Field(min_length=1)]
    option: Annotated[list[Option], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_hang_together(self):
        leads = [lead.name for lead in self.lead]
        for kind, names in (("lead", leads), ("option", [o.name for o in self.option])):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"two [[{kind}]] have the name {min(twice)!r}; give each its own.")
        for option in self.option:
            unknown = [name for name in option.leads if name not in leads]
            if unknown:
                raise ValueError(
                    f"[[option]] {option.name!r} names lead {unknown[0]!r}, which does not exist; "
                    f"there are {', '.join(leads)}."
                )
            if len(set(option.leads)) < len(option.leads):
                raise ValueError(
                    f"[[option]] {option.name!r}: leads names one twice; a lead paces once a beat."
                )
            if option.name == BASELINE:
                raise ValueError(f"[[option]] {BASELINE!r} is the base scenario's own name.")
        return self


def option_beats(option: Option) -> list[tuple[str, dict[str, float]]]:
    """Name and pacing time of each lead [ms] of every beat of an option."""
    rows: list[Any] = option.delays_ms or [[0.0] * len(option.leads)]
    beats = []
    for delays in rows:
        words = " / ".join(f"{d:g}" for d in delays)
        name = option.name if len(rows) == 1 else f"{option.name}, {words} ms"
        beats.append((name, dict(zip(option.leads, delays, strict=True))))
    return beats


def paced(base: Scenario, plan: Plan, option: Option, delays: dict[str, float]) -> Scenario:
    """The base scenario under an option: its leads pace, and its own stimuli come in when the
    option says so. The first event is at 0 or later."""
    places = {lead.name: lead.at for lead in plan.lead}
    events = [(places[name], time) for name, time in delays.items()]
    if option.intrinsic_ms is not None:
        events += [(s.at, s.start_ms + option.intrinsic_ms) for s in base.stimulus]
    entered = [_entered(tree, option.intrinsic_ms) for tree in base.purkinje]
    times = [time for _, time in events] + [t.start_ms for t in entered if t.start_ms is not None]
    first = min(0.0, *times)
    stimulus = [Pulses(at=place, start_ms=time - first) for place, time in events]
    trees = [
        tree
        if tree.start_ms is None
        else tree.model_copy(update={"start_ms": tree.start_ms - first})
        for tree in entered
    ]
    return base.model_copy(update={"stimulus": stimulus, "purkinje": trees})


def _entered(tree: Purkinje, intrinsic: float | None) -> Purkinje:
    """A tree whose root activates with the base's own stimuli, or not at all."""
    if tree.start_ms is None or intrinsic is None:
        return tree.model_copy(update={"start_ms": None})
    return tree.model_copy(update={"start_ms": tree.start_ms + intrinsic})
