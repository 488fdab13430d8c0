"""What a scenario says of the eikonal model, beside what it shares with the others."""

from typing import Annotated, Literal

from pydantic import Field

from heartsim.tissue import COWAN

from ._section import Positive, Section


class FastLayer(Section):
    """Cells that touch an endocardium conduct alike in all directions, and faster: a stand-in for
    the Purkinje network."""

    surfaces: Annotated[list[Literal["lv_endo", "rv_endo"]], Field(min_length=1)]
    velocity_m_s: Positive


class Template(Section):
    """The action potential that stands in for a membrane, see heartsim.tissue.Template."""

    apd_ms: Positive = 280.0
    """Mean duration, from half up to half down."""
    apd_slope: float = COWAN
    """ms of duration per ms of activation time; below -1 T waves have the sign of the QRS."""
    upstroke_ms: Positive = 1.5
    recovery_ms: Positive = 15.0


def require_front(scenario) -> None:
    """ValueError where a key does not go with the model."""
    eikonal = scenario.solver.model == "eikonal"
    for name in ("fast_layer", "template"):
        if getattr(scenario, name) is not None and not eikonal:
            raise ValueError(
                f'[{name}] belongs to the eikonal model; set [solver] model = "eikonal", or leave '
                "it out."
            )
    if not eikonal:
        return
    parts = [("[conduction]", scenario.conduction)]
    parts += [(f"[[region]] {k}", part) for k, part in enumerate(scenario.region, start=1)]
    for name, part in parts:
        if part.sigmas is not None:
            raise ValueError(
                f"{name} gives conductivities, and the eikonal model needs velocities: give "
                "velocity_fibre_m_s, velocity_sheet_m_s and velocity_normal_m_s."
            )
    for k, pulses in enumerate(scenario.stimulus, start=1):
        if pulses.beats > 1:
            raise ValueError(
                f"[[stimulus]] {k}: beats = {pulses.beats}, and the eikonal model computes one "
                "activation of every node; leave beats out."
            )
    for key, given in (
        ("[output] voltage_every_ms", scenario.output.voltage_every_ms),
        ("[heart] initial_state", scenario.heart.initial_state),
    ):
        if given is not None:
            raise ValueError(f"{key} does not go with the eikonal model; leave it out.")
