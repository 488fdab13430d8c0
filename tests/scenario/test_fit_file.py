"""A fit on file: the page's own example run to its directory, and what a fit file may not say."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest

from heartsim.fit import Fit
from heartsim.mesh import lv_ellipsoid, read_mesh, write_mesh
from heartsim.scenario import (
    build_fit,
    fit_from,
    read_fit,
    read_plan,
    run_fit,
    run_scenario,
    to_toml,
)
from heartsim.scenario._fit_run import as_scenario
from heartsim.scenario._fit_schema import FitFastLayer, Free, Hunt, MeasuredEcg, Truth
from heartsim.scenario._fit_summary import FIT_DEFINITIONS, TRUTH_DEFINITIONS
from heartsim.scenario._schema import Ecg
from heartsim.viz import fit_png, read_ecg

PAGE = Path(__file__).parents[2] / "docs" / "fit.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder in which the code of "fit.md" has run, and what it left."""
    folder = tmp_path_factory.mktemp("page")
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    scope: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(block, "fit.md", "exec"), scope)
    return folder / "fit-run", scope


def test_the_page_finds_its_hidden_truth(run):
    """Bounds as for the small heart of tests/fit: the issue's 2 ms, and half an edge."""
    rows = run[1]["found"]
    assert rows["fitted"]["value"] is True
    assert rows["verdict"]["value"].startswith("fitted: ")
    assert rows["activation_rmse_ms"]["value"] < 2.0
    assert max(rows["site_error_mm"]["value"]) < 3.0
    assert rows["velocity_fibre_m_s"]["value"] == pytest.approx(0.62, rel=0.05)
    assert set(rows) == set(FIT_DEFINITIONS) | set(TRUTH_DEFINITIONS)


def test_the_page_has_a_row_for_every_key_and_its_default():
    """But for those that a scenario has, too, whose page is another."""
    page = re.findall(r"^\| (`.*?) \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.M)
    rows = {
        key: re.findall(r"`([^`]*)`", default)
        for keys, default in page
        for key in re.findall(r"`([\w.]+)`", keys)
    }
    sections = {"free": Free, "fast_layer": FitFastLayer, "search": Hunt, "truth": Truth}
    wanted = {f"ecg.{key}" for key in MeasuredEcg.model_fields.keys() - Ecg.model_fields.keys()}
    wanted |= {f"{name}.{key}" for name, one in sections.items() for key in one.model_fields}
    assert wanted == {key for key in rows if "." in key}
    for name, section in (("free", Free()), ("search", Hunt())):
        for key, value in section:
            assert json.dumps(value) in [json.dumps(json.loads(x)) for x in rows[f"{name}.{key}"]]


def test_the_directory_is_whole_and_says_how_it_came_about(run):
    out, scope = run
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == scope["found"]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 0
    assert manifest["notes"][0].startswith("fitted: ")
    assert list(manifest["inputs_sha256"]) == [str(out.parent / "ventricle.vtu")]
    assert read_fit(out / "fit.toml") == scope["fit"]
    mesh = read_mesh(out / "activation.vtu")
    error = mesh.point_data["activation_ms"] - mesh.point_data["true_activation_ms"]
    rmse = scope["found"]["activation_rmse_ms"]["value"]
    assert np.sqrt(np.mean(error**2)) == pytest.approx(rmse, rel=1e-4)  # the file is float32
    fitted, measured = (read_ecg(out / name) for name in ("ecg.csv", "measured.csv"))
    np.testing.assert_allclose(fitted.time, np.arange(0.0, 159.0, 2.0))
    apart = np.concatenate([fitted.leads[k] - measured.leads[k] for k in ("I", "II", "V1", "V6")])
    assert apart.std() == pytest.approx(0.003, rel=0.2)  # noise_mV; 320 numbers, sd 4 %
    assert not list(out.parent.glob(".new-*"))
    fit_png(out / "measured.csv", out / "ecg.csv", out / "fit.png")
    assert (out / "fit.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_directory_is_never_overwritten(run):
    with pytest.raises(ValueError, match="exists and is not overwritten"):
        run_fit(run[1]["fit"], run[0])


def test_a_recording_is_cut_and_its_noise_measured(run, tmp_path):
    """The fitted leads with noise of our own, and 60 samples of rest before them."""
    write_mesh(lv_ellipsoid(edge=6.0), tmp_path / "heart.vtu")
    clean = read_ecg(run[0] / "ecg.csv")
    rng, names = np.random.default_rng(0), list(clean.leads)
    leads = np.concatenate([np.zeros((60, 12)), np.stack([clean.leads[n] for n in names], axis=1)])
    noisy = leads + 0.05 + 0.01 * rng.normal(size=leads.shape)
    rows = [",".join(["time_ms", *names])]
    rows += [",".join(map(str, [2.0 * k, *row])) for k, row in enumerate(noisy)]
    (tmp_path / "beat.csv").write_text("\n".join(rows))
    ecg = {"file": "beat.csv", "qrs_window_ms": [120.0, 200.0], "baseline_ms": [0.0, 118.0]}
    heart = {"mesh": "heart.vtu"}
    file = fit_from({"heart": heart, "ecg": ecg | {"sample_ms": 4.0}}, "f", tmp_path)
    made = build_fit(file).problem
    np.testing.assert_allclose(made.time, np.arange(120.0, 201.0, 4.0))
    assert np.asarray(made.noise) == pytest.approx(0.01, rel=0.4)  # 60 numbers: sd 9 %
    v1 = clean.leads["V1"][0:41:2]
    assert np.asarray(made.measured)[:, 2] - v1 == pytest.approx(0.0, abs=0.05)  # 5 sd; mean off
    late = ecg | {"qrs_window_ms": [120.0, 900.0]}
    with pytest.raises(ValueError, match=r"qrs_window_ms = \[120, 900\] ms must hold ten samples"):
        build_fit(fit_from({"heart": heart, "ecg": late}, "f", tmp_path))
    rows[80] = rows[80].rpartition(",")[0] + ",nan"  # V6 at 158 ms
    (tmp_path / "beat.csv").write_text("\n".join(rows))
    with pytest.raises(ValueError, match=r"lead V6 has no value at 1 of 41 samples within qrs_win"):
        build_fit(fit_from({"heart": heart, "ecg": ecg}, "f", tmp_path))


def test_the_file_on_the_page_is_a_fit():
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    file = fit_from(tomllib.loads(text), "fit.toml", Path("/somewhere"))
    assert file.ecg.file == "/somewhere/beat.csv"
    assert fit_from(tomllib.loads(to_toml(file))) == file


def test_what_was_found_is_a_scenario_that_runs(tmp_path):
    """With the truth as a fit: the scenario's arrival times are the truth's, to float32."""
    write_mesh(lv_ellipsoid(edge=6.0), tmp_path / "heart.vtu")
    truth = {"velocity_fibre_m_s": 0.6, "velocity_transverse_m_s": 0.4, "source": [SOURCE]}
    given = {
        "heart": GOOD["heart"],
        "ecg": {"qrs_window_ms": [3.0, 100.0], "noise_mV": 0.01},
        "free": {"sources": 1},
        "fast_layer": {"surfaces": ["lv_endo"], "times_fibre_velocity": 2.0},
        "truth": truth,
    }
    file = fit_from(given, "f", tmp_path)
    scene = build_fit(file)
    slow = build_fit(fit_from({k: v for k, v in given.items() if k != "fast_layer"}, "f", tmp_path))
    assert np.nanmax(scene.true_activation) < 0.8 * np.nanmax(slow.true_activation)
    found = Fit(scene.truth, 1.0, True, None, None, [], 0.0, np.array([True]))
    summary = run_scenario(as_scenario(file, found, scene.problem), tmp_path / "run")
    T = read_mesh(tmp_path / "run" / "activation.vtu").point_data["activation_ms"]
    assert scene.true_activation == pytest.approx(3.0 + T, abs=1e-3)  # the window's beginning
    assert summary["activated"]["value"] == 1.0
    early = scene.truth.sources.onset - 12.0  # before the window: the scenario begins with it
    found = found._replace(best=eqx.tree_at(lambda p: p.sources.onset, scene.truth, early))
    (pulse,) = as_scenario(file, found, scene.problem).stimulus
    assert pulse.start_ms == 0.0


SOURCE = {"node_set": "lv_apex", "onset_ms": 5.0}


@pytest.mark.long
def test_the_demo_finds_the_block_that_it_hides(tmp_path):
    """As `heartsim demo` runs it; 1.5 minutes alone. The issue's 2 ms; and the plan's own block,
    which stands in where no fit is found, is that truth."""
    shipped = Path(str(files("heartsim.scenario")))
    found = run_fit(shipped / "demo_fit.toml", tmp_path / "fit")
    assert found["fitted"]["value"] is True
    assert found["activation_rmse_ms"]["value"] < 2.0
    truth = read_mesh(tmp_path / "fit" / "activation.vtu").point_data["true_activation_ms"]
    run_scenario(shipped / "demo_lbbb.toml", tmp_path / "block")
    block = read_mesh(tmp_path / "block" / "activation.vtu").point_data["activation_ms"]
    # points there; here sets of nodes that start at once, and lead by their size
    assert np.std(truth - block) < 2.0
    plan = read_plan(shipped / "demo_plan.toml")
    assert Path(plan.base) == shipped / "demo_lbbb.toml"


GOOD = {
    "heart": {"mesh": "heart.vtu"},
    "ecg": {"file": "beat.csv", "qrs_window_ms": [0.0, 100.0], "noise_mV": 0.01},
}


@pytest.mark.parametrize(
    ("section", "change", "sentence"),
    [
        ("ecg", {"noise_mv": 0.1}, "noise_mv is not a key; did you mean noise_mV?"),
        ("ecg", {"noise_mV": -0.1}, "[ecg] noise_mV = -0.1 must be greater than 0 [mV]."),
        ("ecg", {"baseline_ms": [0.0, 9.0]}, "give either noise_mV or baseline_ms"),
        ("ecg", {"qrs_window_ms": [50.0, 0.0]}, "must be two ascending times"),
        ("ecg", {"electrodes": "none"}, "leaves nothing to fit"),
        ("free", {"sources": 0}, "[free] sources = 0 must be at least 1."),
        ("free", {"onset_ms": [9.0, 9.0]}, "onset_ms = [9, 9] must ascend."),
        (
            "fast_layer",
            {"surfaces": ["epi"], "times_fibre_velocity": 2.0},
            "[fast_layer] surfaces.0 = 'epi' does not exist; there is 'lv_endo' or 'rv_endo'.",
        ),
        ("free", {"velocity_fibre_m_s": [0.0, 1.0]}, "must be greater than 0"),
        ("search", {"start": 6}, "[search] start is not a key; did you mean starts?"),
        (
            "truth",
            {"velocity_fibre_m_s": 0.6, "velocity_transverse_m_s": 0.4, "source": [SOURCE]},
            "[ecg] file or [truth] must give the leads: one of the two.",
        ),
    ],
)
def test_bad_input_is_one_sentence(section, change, sentence):
    data = GOOD | {section: GOOD.get(section, {}) | change}
    with pytest.raises(ValueError, match=re.escape(sentence)):
        fit_from(data, "fit.toml")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"node_set": "lv_apx"}, "[truth] source 1: mesh: node set 'lv_apx' does not exist (did"),
        ({"point_mm": [0.0, 0.0, 400.0]}, "[truth] source: source 0 at (0.0, 0.0, 400.0) mm lies"),
    ],
)
def test_a_truth_lies_in_the_heart(tmp_path, source, sentence):
    write_mesh(lv_ellipsoid(edge=6.0), tmp_path / "heart.vtu")
    truth = {"velocity_fibre_m_s": 0.6, "velocity_transverse_m_s": 0.4, "source": [source]}
    ecg = {"qrs_window_ms": [0.0, 100.0], "noise_mV": 0.01}
    file = fit_from({"heart": GOOD["heart"], "ecg": ecg, "truth": truth}, "f", tmp_path)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        build_fit(file)
