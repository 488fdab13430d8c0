"""The sections that say how a run is solved, and what is kept of it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._section import Devices, Positive, Section


class Solver(Section):
    """How the equation is solved."""

    model: Literal["monodomain", "eikonal", "reaction_eikonal"] = "monodomain"
    """eikonal: arrival times from velocities alone, and voltages from a template; [heart] ionic,
    only duration_ms and precision are used. reaction_eikonal: arrival times fire the membranes."""
    dt_ms: Annotated[float, Field(gt=0, le=0.2)] = 0.1
    """Default 0.1 where velocities are tuned, which they are at this step, and 0.05 where
    conductivities are given; see docs/numerics.md."""
    duration_ms: Positive = 500.0
    splitting: Literal["strang", "godunov", "semi_implicit"] = "strang"
    membrane: Literal["rush_larsen_staggered", "rush_larsen_midpoint", "rush_larsen"] = (
        "rush_larsen_staggered"
    )
    steps: Literal["adaptive", "fixed"] = "adaptive"
    """adaptive: dt_ms is the least step, and longer ones are taken while nothing fires. Default
    fixed with membrane = "rush_larsen", which does not estimate its error."""
    lumped_mass: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the lumped mass, 0 is consistent. Default 1 where velocities are tuned (fronts then
    err least with direction), 0 where conductivities are given; see docs/numerics.md."""
    thickening: Literal["auto"] | Annotated[float, Field(ge=1)] = "auto"
    """How many times thicker a front is made than the membrane makes it, of monodomain models;
    auto: what these edges need where velocities are tuned, 1 where conductivities are given."""
    rtol: Annotated[float, Field(gt=0, lt=0.1)] = 1e-3
    """Of the linear solve, on the residual."""
    diffusion: bool = True
    """false, with reaction_eikonal: membranes side by side."""
    precision: Literal["float32", "float64"] = "float32"
    devices: Devices = "all"
    """Among how many of JAX's devices the nodes are shared out; fewer where a mesh is too small.
    All cores of a processor are one device."""

    @model_validator(mode="before")
    @classmethod
    def _default_steps(cls, data):
        simple = isinstance(data, dict) and data.get("membrane") == "rush_larsen"
        return data | {"steps": data.get("steps", "fixed")} if simple else data

    @model_validator(mode="after")
    def _error_is_known(self):
        if self.steps == "adaptive" and self.membrane == "rush_larsen":
            raise ValueError(
                'steps = "adaptive" needs membrane = "rush_larsen_staggered" or '
                '"rush_larsen_midpoint", which estimate their error.'
            )
        return self


class Output(Section):
    """What is kept."""

    sample_ms: Annotated[Positive, Field(le=50.0)] = 1.0
    """Between two rows of ecg.csv. A run looks after each, at the latest, which nodes fired: in 50
    ms none does twice."""
    voltage_every_ms: Positive | None = None
    """Between two frames of V.vtkhdf; absent: no such file."""
    threshold_mV: float = -40.0
    """Upward crossing is activation."""
    checkpoint_every_ms: Positive = 50.0

    @property
    def samples_per_frame(self) -> int:
        """Samples between two frames of V.vtkhdf; 0 where none are kept."""
        return 0 if self.voltage_every_ms is None else round(self.voltage_every_ms / self.sample_ms)
