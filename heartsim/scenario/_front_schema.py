"""What a scenario says of arrival times, beside what the models share."""

from typing import Annotated, Literal

from pydantic import Field

from heartsim.tissue import COWAN

from ._section import NotNegative, Positive, Section

Endocardia = Annotated[list[Literal["lv_endo", "rv_endo"]], Field(min_length=1)]


class FastLayer(Section):
    """Cells that touch an endocardium conduct alike in all directions, and faster: a stand-in for
    the Purkinje network."""

    surfaces: Endocardia
    velocity_m_s: Positive


class Purkinje(Section):
    """A tree of fibres joined to the muscle at its ends; fronts run along it both ways."""

    tree: str
    """A file of lines, as from heartsim purkinje; its node set root, or node 0, is the root."""
    velocity_m_s: Positive
    orthograde_ms: NotNegative = 0.0
    """Delay of a junction into the muscle."""
    retrograde_ms: NotNegative = 0.0
    """And out of it."""
    start_ms: NotNegative | None = None
    """When the root activates; absent: not by itself, as in a bundle branch block."""
    root: int | None = None


class Template(Section):
    """The action potential that stands in for a membrane, see heartsim.tissue.Template."""

    apd_ms: Positive = 280.0
    """Mean duration, from half up to half down."""
    apd_slope: float = COWAN
    """ms of duration per ms of activation time; below -1 T waves have the sign of the QRS."""
    upstroke_ms: Positive = 1.5
    recovery_ms: Positive = 15.0


FRONTS = ("eikonal", "reaction_eikonal")
"""The models that have arrival times."""


def require_front(scenario) -> None:
    """ValueError where a key does not go with the model."""
    model = scenario.solver.model
    if scenario.template is not None and model != "eikonal":
        raise ValueError(
            f'[template] does not go with model = {model!r}; set [solver] model = "eikonal", or '
            "leave it out."
        )
    if not scenario.solver.diffusion and model != "reaction_eikonal":
        raise ValueError(
            '[solver] diffusion = false goes with model = "reaction_eikonal" only; leave it out.'
        )
    if scenario.purkinje and model not in FRONTS:
        raise ValueError(
            f"[[purkinje]] does not go with model = {model!r}; only models with arrival times "
            f"({', '.join(FRONTS)}) run along trees. Leave it out, or use [fast_layer]."
        )
    if model not in FRONTS:
        _require_radii(scenario)
        return
    _require_velocities(scenario)
    for k, pulses in enumerate(scenario.stimulus, start=1):
        if pulses.beats > 1:
            raise ValueError(
                f"[[stimulus]] {k}: beats = {pulses.beats}, and model = {model!r} computes one "
                "activation of every node; leave beats out."
            )
    if model == "reaction_eikonal":
        return
    for key, given in (
        ("[output] voltage_every_ms", scenario.output.voltage_every_ms),
        ("[heart] initial_state", scenario.heart.initial_state),
    ):
        if given is not None:
            raise ValueError(f"{key} does not go with the eikonal model; leave it out.")
    if scenario.drug:
        raise ValueError("[[drug]] acts on membranes, which the eikonal model has none of.")


def _require_velocities(scenario) -> None:
    parts = [("[conduction]", scenario.conduction)]
    parts += [(f"[[region]] {k}", part) for k, part in enumerate(scenario.region, start=1)]
    for name, part in parts:
        if part.sigmas is not None:
            raise ValueError(
                f"{name} gives conductivities, and model = {scenario.solver.model!r} needs "
                "velocities: give velocity_fibre_m_s, velocity_sheet_m_s and velocity_normal_m_s."
            )


def _require_radii(scenario) -> None:
    for k, pulses in enumerate(scenario.stimulus, start=1):
        if pulses.at.is_point:
            raise ValueError(
                f"[[stimulus]] {k}: at: point_mm and radius_mm belong together; give both. Only a "
                f"model with arrival times ({', '.join(FRONTS)}) starts from a point."
            )
