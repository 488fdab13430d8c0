"""Existing solvers on an atrial shell with fibres by rule: fronts run fast along them."""

import numpy as np
import pytest

from heartsim.anatomy import describe_atrium
from heartsim.mesh import atrial_shell, read_mesh, write_mesh
from heartsim.mesh._atria import HOLES
from heartsim.scenario import run_scenario, scenario_from

ALONG, ACROSS = 1.0, 0.4  # mm/ms


@pytest.fixture(scope="module")
def atrium(tmp_path_factory):
    """A folder with found.vtu, a left atrium of 1.25 mm edges; its mesh; and of each node the
    angles [rad] from the valve's axis and around it, 0 in front, where veins are far."""
    folder = tmp_path_factory.mktemp("atrium")
    mesh = describe_atrium(atrial_shell("left", 1.25), "left", "LPS").mesh
    write_mesh(mesh, folder / "found.vtu")
    axis = np.array(HOLES["left"][0][0])
    axis = axis / np.linalg.norm(axis)
    ahead = np.array([0.0, -1.0, 0.0]) + axis[1] * axis
    ahead = ahead / np.linalg.norm(ahead)
    x = mesh.points / 25.0
    return folder, mesh, np.arccos(x @ axis), np.arctan2(x @ np.cross(axis, ahead), x @ ahead)


def arrival(folder, at, model):
    """Activation [ms] from a place."""
    data = {
        "heart": {"mesh": "found.vtu", "ionic": "mitchell_schaeffer_2003"},
        "conduction": {
            "velocity_fibre_m_s": ALONG,
            "velocity_sheet_m_s": ACROSS,
            "velocity_normal_m_s": ACROSS,
        },
        "stimulus": [{"at": at}],
        "solver": {"model": model, "duration_ms": 60.0},
    }
    out = folder / f"{model}_{'_'.join(at)}"
    run_scenario(scenario_from(data, folder=folder), out)
    return read_mesh(out / "activation.vtu").point_data["activation_ms"]


@pytest.mark.parametrize(
    ("model", "share"),
    [("eikonal", 0.03), pytest.param("monodomain", 0.08, marks=pytest.mark.long)],
)
def test_a_front_runs_along_the_ring_faster_than_out_of_it(atrium, model, share):
    """From the valve's rim the front leaves the ring across its fibres; from a line that crosses
    the ring it runs around the valve along them. Speeds are slopes of time over arc, in front of
    the valve. The eikonal errs by its facets and by fibres that are not quite latitudes; the
    monodomain also by its edges, tuned to a plane wave on regular ones, and a curved front."""
    folder, mesh, polar, turn = atrium
    ring = np.setdiff1d(mesh.cells[mesh.cell_data["bundle"] == 1], [])
    ahead = ring[np.abs(turn[ring]) < 0.6]
    T = arrival(folder, {"node_set": "mitral_valve"}, model)
    own = ahead[(polar[ahead] > np.radians(40)) & (polar[ahead] < np.radians(52))]
    assert len(own) > 20
    out_of_it = 1 / np.polyfit(25 * polar[own], T[own], 1)[0]
    assert out_of_it == pytest.approx(ACROSS, rel=share)

    arc = 25 * np.sin(polar) * turn
    line = ring[np.abs(arc[ring]) < 2.0]
    T = arrival(folder, {"nodes": line.tolist()}, model)
    own = ring[(arc[ring] > 5.0) & (arc[ring] < 14.0) & (np.abs(polar[ring] - 0.75) < 0.06)]
    assert len(own) > 10
    around = 1 / np.polyfit(arc[own], T[own], 1)[0]
    assert around == pytest.approx(ALONG, rel=share)
