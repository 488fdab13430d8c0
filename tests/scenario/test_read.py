"""From a file to a scenario: every default written back, and one sentence for each mistake."""

import re
import tomllib
from pathlib import Path

import pytest

from heartsim.scenario import read_scenario, scenario_from, to_toml
from heartsim.scenario._drug_schema import GivenDrug

DOCS = Path(__file__).parents[2] / "docs"


def leaves(section, above=""):
    """Pairs (key, value) of a nested dictionary, lists entered."""
    for key, value in section.items():
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from leaves(inner, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def test_what_is_written_back_reads_as_the_same_scenario(data, folder):
    data["heart"]["layers"] = {"field": "depth"}
    data["region"] = [{"tags": ["scar", 2], "scale": {"tau_in": 2.0}}]
    data["output"]["voltage_every_ms"] = 5.0
    scenario = scenario_from(data, folder=folder)
    (folder / "again.toml").write_text(to_toml(scenario))
    assert read_scenario(folder / "again.toml") == scenario


def test_every_default_is_written_out(data):
    written = dict(leaves(tomllib.loads(to_toml(scenario_from(data)))))
    assert written["solver.splitting"] == "strang"
    assert written["output.threshold_mV"] == -40.0
    assert written["ecg.sigma_il_mS_mm"] == 0.17
    assert written["stimulus.duration_ms"] == 2.0
    assert written["heart.unit"] == "mm"


def test_default_velocities_are_given_only_where_nothing_is(data):
    assert scenario_from(data).conduction.velocities is None
    del data["conduction"]
    assert scenario_from(data).conduction.velocities == (0.65, 0.40, 0.40)
    assert scenario_from(data).conduction.sigmas is None


def test_mass_is_lumped_and_steps_are_long_where_velocities_are_tuned_and_not_elsewhere(data):
    del data["solver"]["dt_ms"]
    solver = scenario_from(data).solver
    assert (solver.lumped_mass, solver.dt_ms) == (0.0, 0.05)
    given = {**data, "solver": {"lumped_mass": 0.25}}
    assert scenario_from(given).solver.lumped_mass == 0.25
    del data["conduction"]
    solver = scenario_from(data).solver
    assert (solver.lumped_mass, solver.dt_ms) == (1.0, 0.1)


def test_paths_are_relative_to_the_file_and_carp_is_in_micrometres(data, folder):
    data["heart"]["mesh"] = "sub/heart.pts"
    heart = scenario_from(data, folder=folder).heart
    assert heart.mesh == str(folder / "sub" / "heart.pts")
    assert heart.unit == "um"
    data["heart"]["unit"] = "mm"
    assert scenario_from(data, folder=folder).heart.unit == "mm"


def test_the_table_of_defaults_in_the_docs_is_complete_and_true(data):
    text = (DOCS / "scenario.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (?:`([^`]*)`|[^|]*) \|", text, re.M))
    del data["conduction"], data["output"], data["solver"]
    data["heart"] = {"mesh": "m.vtu", "layers": {"field": "depth"}}
    data["region"] = [{"tags": [1]}]
    data["gradient"] = [{"parameter": "g_Ks", "field": "depth", "at_0": 1.0, "at_1": 2.0}]
    data["fast_layer"] = {"surfaces": ["lv_endo"], "velocity_m_s": 1.0}
    data["template"] = {}
    data["ecg"] = {"position": {}, "chest": {}}
    data["purkinje"] = [{"tree": "tree.vtu", "velocity_m_s": 3.0}]
    given = {"heart.mesh", "heart.layers.field", "region.tags", "solver.model"}
    given |= {f"gradient.{key}" for key in ("parameter", "field", "at_0", "at_1")}
    given |= {"fast_layer.surfaces", "fast_layer.velocity_m_s"}
    given |= {"purkinje.tree", "purkinje.velocity_m_s"}
    assert rows["solver.model"] == '"monodomain"'
    data["solver"] = {"model": "eikonal"}
    described = scenario_from(data).model_dump() | {
        "drug": GivenDrug(table="drugs.csv", name="dofetilide", dose=1.0).model_dump()
    }
    given |= {"drug.table", "drug.name", "drug.dose"}
    for key, value in leaves(described):
        assert key in rows, f"docs/scenario.md has no row for {key}"
        if value is not None and key not in given and not key.startswith("stimulus.at"):
            assert rows[key] == tomllib_text(value), key


def tomllib_text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return str(value)
    return f"{value:g}"


MISTAKES = [
    ({"solver": {"dt_mss": 1.0}}, "[solver] dt_mss is not a key; did you mean dt_ms?"),
    ({"solver": {"zzz": 1.0}}, "[solver] zzz is not a key; there are model, dt_ms, duration_ms"),
    ({"solvr": {}}, "[solvr] is not a section; did you mean solver?"),
    ({"fit": {}}, "[fit] is not a section; there are heart, region, gradient, conduction"),
    ({"solver": {"model": "bidomain"}}, "model = 'bidomain' does not exist; there is 'monodomain'"),
    ({"solver": {"dt_ms": -1.0}}, "[solver] dt_ms = -1.0 must be greater than 0 [ms]."),
    ({"solver": {"dt_ms": 1.0}}, "[solver] dt_ms = 1.0 must be at most 0.2 [ms]."),
    ({"solver": {"dt_ms": "0.05"}}, "[solver] dt_ms = '0.05' is not a number [ms]."),
    ({"solver": 3}, "[solver] = 3 is not a table."),
    ({"heart": {}}, "[heart] mesh is missing; give it."),
    ({"heart": {"mesh": "m", "unit": "inch"}}, "[heart] unit = 'inch' does not exist; there is"),
    ({"heart": {"mesh": "m", "fibres": 3}}, "[heart] fibres = 3 is not a text in quotes."),
    ({"heart": {"mesh": "m", "keep": [1.5]}}, "keep.0 = 1.5 is not a region's tag or name."),
    (
        {"conduction": {"sigma_fibre_mS_mm": -0.1}},
        "[conduction] sigma_fibre_mS_mm = -0.1 must be greater than 0 [mS/mm].",
    ),
    (
        {"conduction": {"velocity_fibre_m_s": 0.6}},
        "[conduction]: velocity_sheet_m_s is missing; give all three directions.",
    ),
    (
        {"conduction": {"velocity_fibre_m_s": 0.6, "sigma_fibre_mS_mm": 0.1}},
        "velocity_fibre_m_s and sigma_fibre_mS_mm exclude each other",
    ),
    ({"ecg": {"sigma_il_mS_mm": float("nan")}}, "sigma_il_mS_mm = nan is not a finite number"),
    ({"stimulus": []}, "[[stimulus]] is missing: nothing would start"),
    ({"stimulus": [{"at": {}}]}, "[[stimulus]] 1: at: a place is missing; give one of node_set"),
    (
        {"stimulus": [{"at": {"nodes": [0]}}, {"at": {"radiusmm": 1.0}}]},
        "[[stimulus]] 2: at.radiusmm is not a key; did you mean radius_mm?",
    ),
    (
        {"stimulus": [{"at": {"point_mm": [], "radius_mm": 1.0}}]},
        "[[stimulus]] 1: at: point_mm = [] holds no point; give one, or several.",
    ),
    (
        {"stimulus": [{"at": {"point_mm": [0.0, 0.0, 0.0]}}]},
        "[[stimulus]] 1: at: point_mm and radius_mm belong together",
    ),
    (
        {"stimulus": [{"at": {"nodes": [0]}, "beats": 2, "duration_ms": 9.0, "cycle_ms": 5.0}]},
        "duration_ms = 9 is longer than cycle_ms = 5.",
    ),
    (
        {"output": {"sample_ms": 0.25}},
        "[output] sample_ms = 0.25 ms is not a whole number of steps",
    ),
    ({"output": {"sample_ms": 100.0}}, "[output] sample_ms = 100.0 must be at most 50"),
    ({"solver": {"duration_ms": 10.5}}, "[solver] duration_ms = 10.5 is not a multiple of"),
    ({"region": [{"tags": []}]}, "[[region]] 1: tags = [] is not a list of the wanted length."),
    ({"region": [{"tags": [1], "scale": {"g": -1.0}}]}, "scale.g = -1.0 must be at least 0"),
]


@pytest.mark.parametrize(("change", "sentence"), MISTAKES)
def test_one_sentence_for_each_mistake(data, change, sentence):
    with pytest.raises(ValueError, match=r"^heart\.toml: ") as caught:
        scenario_from({**data, **change}, name="heart.toml")
    said = str(caught.value)
    assert sentence in said
    assert "\n" not in said
    assert "pydantic" not in said


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.toml does not exist; give a scenario"):
        read_scenario(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[heart\nmesh = 3")
    with pytest.raises(ValueError, match=r"broken\.toml: this is not TOML: .* line 1"):
        read_scenario(tmp_path / "broken.toml")


def test_the_code_on_the_page_of_scenarios_runs(data, folder, monkeypatch, capsys):
    """docs/scenario.md: its TOML is read, and its Python runs where a heart.toml lies."""
    text = (DOCS / "scenario.md").read_text(encoding="utf-8")
    first, gradients, fibres, eikonal = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    assert scenario_from(tomllib.loads(first)).region[0].tags == ["scar"]
    two = scenario_from({**data, **tomllib.loads(gradients)}).gradient
    assert [one.field for one in two] == ["apicobasal", "transmural"]
    rule = {**data["heart"], **tomllib.loads(fibres)["heart"]}
    assert scenario_from({**data, "heart": rule}).heart.fibres.endo_deg == 60.0
    velocities = {**data, "conduction": {}, **tomllib.loads(eikonal)}
    assert scenario_from(velocities).fast_layer.velocity_m_s == 1.0
    monkeypatch.chdir(folder)
    (folder / "heart.toml").write_text(to_toml(scenario_from(data, folder=folder)))
    (program,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    exec(compile(program, "scenario.md", "exec"), {})
    assert 20.0 < float(capsys.readouterr().out) < 60.0  # ms over 24 mm, at 0.4 to 1.2 mm/ms
