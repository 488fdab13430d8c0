"""Plans: what pacing does to a heart with left bundle branch block, and what is refused."""

import csv
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heartsim.mesh import read_mesh
from heartsim.scenario import locate, read_plan, read_scenario, run_plan, run_scenario
from heartsim.scenario._places import nodes_at
from heartsim.scenario._plan import slug
from heartsim.scenario._plan_schema import option_beats
from heartsim.therapy import indices
from heartsim.viz import plan_ecg_png, plan_png
from heartsim.viz._plan import beats_in

LBBB = """
[heart]
mesh = "shipped:biventricular.vtu"
[[stimulus]]
at = { node_set = "root_rv_septal" }
[[stimulus]]
at = { node_set = "root_rv_free" }
[fast_layer]
surfaces = ["rv_endo"]
velocity_m_s = 1.0
[solver]
model = "eikonal"
[ecg]
electrodes = "shipped:biventricular_electrodes.csv"
"""

PLAN = """
base = "lbbb.toml"
[[lead]]
name = "RV apex"
at = { node_set = "rv_apex" }
[[lead]]
name = "LV lateral"
at = { node_set = "lv_lateral" }
[[option]]
name = "RV"
leads = ["RV apex"]
[[option]]
name = "BiV"
leads = ["LV lateral", "RV apex"]
delays_ms = [[0, 0], [-20, 0]]
[[option]]
name = "LV"
leads = ["LV lateral"]
intrinsic_ms = 30
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    (folder / "lbbb.toml").write_text(LBBB)
    (folder / "plan.toml").write_text(PLAN)
    return folder, run_plan(folder / "plan.toml", folder / "out")


def value(rows, beat, key):
    return next(r for r in rows if r["beat"]["value"] == beat)[key]["value"]


def test_biventricular_pacing_narrows_what_the_block_widened(planned):
    """The direction of each change is the clinic's: RV pacing widens QRS further and leaves the
    left ventricle late, biventricular pacing narrows both; and QRS lasts about as long as
    activation, within the width of the template's upstroke (4.4 w_up on either side, 14 ms)."""
    _, rows = planned
    block, both = "baseline", "BiV, 0 / 0 ms"
    assert value(rows, block, "lv_rv_delay_ms") > 20
    assert value(rows, "RV", "qrs_duration_ms") > value(rows, block, "qrs_duration_ms")
    assert value(rows, both, "qrs_duration_ms") < value(rows, block, "qrs_duration_ms") - 15
    assert value(rows, both, "lv_activation_ms") < value(rows, block, "lv_activation_ms") - 15
    assert abs(value(rows, both, "lv_rv_delay_ms")) < 15
    early, together = (value(rows, f"BiV, {d} / 0 ms", "lv_rv_delay_ms") for d in (-20, 0))
    assert early < together - 5
    for row in rows:
        total = row["total_activation_ms"]["value"]
        assert row["qrs_duration_ms"]["value"] == pytest.approx(total, abs=14)


def test_a_plan_without_block_is_narrower(planned, tmp_path):
    """The same heart with its left side: the block is what widens QRS."""
    folder, rows = planned
    healthy = LBBB.replace('["rv_endo"]', '["lv_endo", "rv_endo"]') + "".join(
        f'[[stimulus]]\nat = {{ node_set = "root_lv_{k}" }}\n'
        for k in ("anterior", "septal", "posterior")
    )
    (folder / "healthy.toml").write_text(healthy)
    summary = run_scenario(folder / "healthy.toml", tmp_path / "healthy")
    total = value(rows, "baseline", "total_activation_ms")
    assert summary["total_activation_ms"]["value"] < total - 30


def test_the_directory_agrees_with_itself(planned):
    folder, rows = planned
    out = folder / "out"
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == rows
    mesh = read_mesh(out / "activation.vtu")
    lv = np.isin(mesh.regions, [mesh.region_tag("LV"), mesh.region_tag("septum")])
    rv = mesh.regions == mesh.region_tag("RV")
    beats = sorted(path.name for path in (out / "beats").iterdir())
    assert beats == ["00-baseline", "01-rv", "02-biv-0-0-ms", "03-biv-20-0-ms", "04-lv"]
    for name, row in zip(beats, rows, strict=True):
        again = indices(mesh, mesh.point_data[f"activation_{name}_ms"], lv, rv)
        # activation.vtu holds float64 of float32 times
        assert row["lv_rv_delay_ms"]["value"] == pytest.approx(again.lv_rv_delay_ms, abs=1e-6)
    table = (out / "table.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 1 + len(rows)


def test_pictures_show_every_beat(planned, tmp_path):
    """One row of panels for each beat; the legend of the leads names each."""
    out = planned[0] / "out"
    plan_png(out, tmp_path / "plan.png")
    plan_ecg_png(out, tmp_path / "ecg.png")
    with Image.open(tmp_path / "plan.png") as few:
        assert few.height / few.info["dpi"][1] * 25.4 == pytest.approx(16 + 5 * 54 + 12, abs=1)
    assert next(name for name, _ in beats_in(out)) == "00-baseline"
    with Image.open(tmp_path / "ecg.png") as leads:
        colours = {c for n, c in leads.convert("RGB").getcolors(1 << 24) if n > 50}
    assert {(0, 114, 178), (213, 94, 0)} <= colours  # the first two options' lines


def test_a_late_beat_has_its_whole_qrs(planned, tmp_path):
    """Of one lead, paced 480 ms after nothing: the leads go on beyond duration_ms; a name with
    quotes is one cell of the table, and no lead is named twice."""
    base = f'base = "{(planned[0] / "lbbb.toml").as_posix()}"'
    text = PLAN[: PLAN.index("[[option]]")].replace('base = "lbbb.toml"', base)
    text += '[[option]]\nname = \'say "RV"\'\nleads = ["RV apex"]\ndelays_ms = [[0], [480]]\n'
    (tmp_path / "late.toml").write_text(text)
    rows = run_plan(tmp_path / "late.toml", tmp_path / "out")
    first, late = (value(rows, f'say "RV", {k} ms', "qrs_duration_ms") for k in (0, 480))
    assert late == pytest.approx(first, abs=4.0)  # 3: a longer rest before tells its onset better
    with (tmp_path / "out" / "table.csv").open(newline="") as file:
        assert [row[0] for row in csv.reader(file)][1:] == [r["beat"]["value"] for r in rows]
    (tmp_path / "twice.toml").write_text(
        text.replace('["RV apex"]', '["RV apex", "RV apex"]').replace("[0], [480]", "[0, 9]")
    )
    with pytest.raises(ValueError, match="leads names one twice"):
        read_plan(tmp_path / "twice.toml")


def test_beats_stand_in_their_order_beyond_a_hundred(tmp_path):
    rows = [{"beat": {"value": f"beat {k}"}} for k in range(103)]
    (tmp_path / "summary.json").write_text(json.dumps(rows))
    for k in range(103):
        (tmp_path / "beats" / slug(k, f"beat {k}")).mkdir(parents=True)
    assert all(name.endswith(row["beat"]["value"][4:].strip()) for name, row in beats_in(tmp_path))


def test_each_beat_is_a_scenario_that_runs_by_itself(planned, tmp_path):
    """-20 / 0: the first event stands at 0, the other 20 ms later."""
    folder, rows = planned
    beat = folder / "out" / "beats" / "03-biv-20-0-ms"
    assert [p.start_ms for p in read_scenario(beat / "scenario.toml").stimulus] == [0.0, 20.0]
    summary = run_scenario(beat / "scenario.toml", tmp_path / "again")
    assert summary["total_activation_ms"]["value"] == pytest.approx(
        value(rows, "BiV, -20 / 0 ms", "total_activation_ms")
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'leads = ["RV apex"]',
            'leads = ["RV"]',
            "names lead 'RV', which does not exist; there are RV",
        ),
        ("[-20, 0]", "[-20]", "delays_ms has 1 numbers in a row, and there are 2 leads"),
        ('name = "LV"', 'name = "RV"', "two .* have the name 'RV'"),
        ("intrinsic_ms", "intrinsic", "intrinsic is not a key; did you mean intrinsic_ms"),
        (
            '"lv_lateral"',
            '"lv_side"',
            r"lead.. 2 .LV lateral.: .*node set 'lv_side' does not exist",
        ),
        ("lbbb.toml", "heart.toml", "heart.toml does not exist"),
    ],
)
def test_bad_plans_are_refused(tmp_path, old, new, sentence):
    (tmp_path / "lbbb.toml").write_text(LBBB)
    (tmp_path / "plan.toml").write_text(PLAN.replace(old, new, 1))
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        run_plan(tmp_path / "plan.toml", tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_the_plan_of_the_demo_stands_on_the_shipped_heart():
    plan = read_plan(Path(str(files("heartsim.scenario"))) / "demo_plan.toml")
    base = read_scenario(plan.base)
    mesh = read_mesh(locate(base.heart.mesh))
    assert all(nodes_at(lead.at, mesh).any() for lead in plan.lead)
    assert sum(len(option_beats(option)) for option in plan.option) == 4


def test_a_plan_needs_the_eikonal_model(tmp_path):
    (tmp_path / "lbbb.toml").write_text(
        LBBB.replace('model = "eikonal"', "").replace(
            '[fast_layer]\nsurfaces = ["rv_endo"]\nvelocity_m_s = 1.0', ""
        )
    )
    (tmp_path / "plan.toml").write_text(PLAN)
    assert read_plan(tmp_path / "plan.toml").base.endswith("lbbb.toml")
    with pytest.raises(ValueError, match=r"a plan needs \[solver\] model = \"eikonal\""):
        run_plan(tmp_path / "plan.toml", tmp_path / "out")
