"""Three real hearts, each from a scenario file, over the QRS window: every conductive node is
activated, and total activation time and ECG lie within bounds that were written before any of them
had been run.

Time. A wave cannot reach a node before the straight line from the nearest place of stimulus was
travelled at the fibre's velocity; and it must be there once the shortest way along edges has been
travelled at the velocity across. Of each node the earliest over all places counts, of the heart the
latest node. From the geometry alone, with the velocities of the files, that is (ms):

    rodero01 106 to 210,   crtdemo 44 to 120,   canine_CRT006 57 to 170

The lower bounds are taken at 0.9 of that, for fronts that meet run faster than plane waves and a
mesh errs with direction. The upper bounds are taken as they are: a way along edges is itself some
10 % longer than the shortest, while a small place of stimulus costs a few ms.

ECG. A front of area A seen from a distance r is a dipole layer, φ = σ_i ΔV A / (4π σ_b r²): with
σ_i = 0.1 mS/mm, ΔV = 100 mV, σ_b = 0.44 mS/mm and an uncancelled 1000 to 3000 mm², at 60 to 150 mm,
0.08 to 1.5 mV. The greatest chest lead must lie between 0.05 and 5 mV, several times wider, for the
area that does not cancel is a guess. Limb leads obey I + III = II.

Node counts and tissue volumes are those of the data's own README.
"""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from heartsim.mesh import edge_lengths, read_mesh, signed_volumes
from heartsim.scenario import run_scenario, scenario_from

SCENARIOS = Path(__file__).parent / "scenarios"
LATEST = {  # ms, see above
    "rodero01": (0.9 * 106.0, 210.0),
    "crtdemo": (0.9 * 44.0, 120.0),
    "canine_CRT006": (0.9 * 57.0, 170.0),
}
CHEST = (0.05, 5.0)  # mV, greatest |lead| of V1 to V6
VOLUME = {"rodero01": 125.8 + 62.1 + 38.3, "crtdemo": 226.5, "canine_CRT006": 162.2}  # cm³
FLAG = {  # of what the reader of the run must be warned
    "rodero01": "fibres: rule-based placeholder",
    "crtdemo": "sheets: none in the file",
    "canine_CRT006": "were cut into",
}


def scenario_of(name: str, data: Path) -> tuple[dict, Path]:
    """The scenario file as a dictionary, and the folder that its paths start from."""
    content = tomllib.loads((SCENARIOS / f"{name}.toml").read_text(encoding="utf-8"))
    return content, data / "meshes"


def beats(name: str, content: dict, folder: Path, out: Path) -> None:
    """Run it, and hold the result to the bounds."""
    summary = run_scenario(scenario_from(content, name, folder), out)
    assert summary["activated"]["value"] == 1.0
    assert summary["beats"]["value"] == 1
    low, high = LATEST[name]
    assert low < summary["latest_activation_ms"]["value"] < high
    first = min(pulses.get("start_ms", 0.0) for pulses in content["stimulus"])
    assert first < summary["earliest_activation_ms"]["value"] < first + 4.0  # the pulse lasts 2 ms
    ecg = np.genfromtxt(out / "ecg.csv", delimiter=",", names=True)
    greatest = max(np.abs(ecg[f"V{k}"]).max() for k in range(1, 7))
    assert CHEST[0] < greatest < CHEST[1]
    # float32 sums written with seven digits
    np.testing.assert_allclose(ecg["I"] + ecg["III"], ecg["II"], atol=1e-5 * greatest)
    notes = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["notes"]
    assert any(FLAG[name] in note for note in notes)
    mesh = read_mesh(out / "activation.vtu")
    volume = signed_volumes(mesh.points, mesh.cells).sum() / 1000.0
    assert volume == pytest.approx(VOLUME[name], abs=0.1)  # rounding of the README's three parts


@pytest.mark.long
@pytest.mark.data
def test_crtdemo_on_edges_of_two_and_a_half_millimetres(shared_data, tmp_path):
    content, folder = scenario_of("crtdemo", shared_data)
    content["heart"]["refine"] = 1
    content["solver"]["duration_ms"] = 120.0
    beats("crtdemo", content, folder, tmp_path / "out")


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize("name", ["rodero01", "crtdemo", "canine_CRT006"])
def test_a_real_heart(name, shared_data, tmp_path):
    content, folder = scenario_of(name, shared_data)
    beats(name, content, folder, tmp_path / "out")
    edge = edge_lengths(read_mesh(tmp_path / "out" / "activation.vtu")).mean()
    assert edge <= 1.3
