"""What may stand in a [[drug]] of a scenario."""

from pydantic import Field, model_validator

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
