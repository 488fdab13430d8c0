"""What may stand in a [[drug]] of a scenario, and the membranes under it."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, model_validator

from heartsim.ionic import AbstractIonicModel
from heartsim.therapy import Drug, dosed, read_drugs

from ._section import NotNegative, Section


class GivenDrug(Section):
    """A drug at one free concentration, in the whole heart."""

    table: str
    """A CSV file, as `heartsim.therapy.read_drugs` has it."""
    name: str
    """Which of its drugs."""
    dose: NotNegative | None = None
    """Multiple of its therapeutic concentration."""
    concentration_nM: NotNegative | None = None
    """Free concentration, in place of `dose`."""
    binding: bool = True
    """Bind hERG where the drug's binding is known and the membrane has it; else block Kr."""
    without: list[str] = Field(default_factory=list)
    """Currents that are left alone."""

    @model_validator(mode="after")
    def _one_amount(self):
        if (self.dose is None) == (self.concentration_nM is None):
            raise ValueError("give one of dose and concentration_nM.")
        return self


def under_drugs(
    models: Sequence[AbstractIonicModel], given: Sequence[GivenDrug]
) -> list[AbstractIonicModel]:
    """Each membrane with all of the drugs. ValueError names the entry, the drug, what it lacks."""
    for number, one in enumerate(given, start=1):
        drug, level = _amount(number, one)
        try:
            models = [dosed(m, [(drug, level)], one.binding, one.without) for m in models]
        except ValueError as error:
            raise ValueError(f"[[drug]] {number}: {error}") from None
    return list(models)


def _amount(number: int, one: GivenDrug) -> tuple[Drug, float]:
    """The drug, and its free concentration [nM]."""
    drugs = read_drugs(Path(one.table))
    if one.name not in drugs:
        raise ValueError(
            f"[[drug]] {number}: {one.table} has no drug {one.name!r}; it has {', '.join(drugs)}."
        )
    drug = drugs[one.name]
    if one.concentration_nM is not None:
        return drug, one.concentration_nM
    if drug.therapeutic is None:
        raise ValueError(
            f"[[drug]] {number}: {one.name} has no therapeutic concentration in {one.table}; give "
            "concentration_nM in place of dose."
        )
    assert one.dose is not None
    return drug, one.dose * drug.therapeutic
