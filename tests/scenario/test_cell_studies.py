"""Studies of single cells as a user runs them."""

import contextlib
import csv
import dataclasses
import io
import itertools
import json

import jax
import numpy as np
import pytest

from heartsim.cli import run_command
from heartsim.ionic import Pacing, by_name, conductances, pace_cells, scaled, train
from heartsim.scenario._limit_cycle import limit_cycle
from tests.simple_cell import SIMPLE, integrated

CELL = "luo_rudy_1991"
PACED = Pacing(cycle_length=400.0, beats=5, stimulus=80.0, duration=0.5, dt=0.02)
WORDS = ["--cycle-ms", "400", "--beats", "5"]
DRUGS = """drug,CaL_IC50,CaL_h,K1_IC50,therapeutic
half,100,1,NA,100
steep,50,2,0,25
both,360,,160,40
"""
LEFT = {"none": (1.0, 1.0), "half": (0.5, 1.0), "steep": (0.8, 1.0), "both": (0.9, 0.8)}
"""What is left of i_CaL and i_K1 at a dose of 1."""


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A folder with a table of drugs, and a cache of its own."""
    folder = tmp_path_factory.mktemp("studies")
    (folder / "drugs.csv").write_text(DRUGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEARTSIM_CACHE", str(folder / "cache"))
        patch.setattr("heartsim.cli._main.make_ready", lambda: None)  # not in this process
        yield folder


def told(*words):
    """What the command prints with --json."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run_command(["cell", *map(str, words), "--json"]) == 0
    return json.loads(out.getvalue())


def table(path):
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    return head, {name: [row[k] for row in rows] for k, name in enumerate(head)}


def is_picture(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


@pytest.fixture(scope="module")
def drugs(home):
    """Three drugs at doses 0 and 1."""
    files = ["--csv", home / "doses.csv", "--png", home / "doses.png"]
    return told(CELL, "--drug", home / "drugs.csv", "--dose", "0,1", *WORDS, *files)


@pytest.fixture(scope="module")
def control(home):
    """The limit cycle without drug."""
    with jax.enable_x64(True):
        return limit_cycle(by_name(CELL), PACED, home / "by hand").end


def by_hand(start, CaL, K1, key="apd90_ms"):
    """APD90 after as many beats of the cell alone, of the longer of two."""
    with jax.enable_x64(True):
        model = scaled(by_name(CELL), {"g_CaL": CaL, "g_K1": K1})
        one = pace_cells(model, 1, PACED, start, every=0.1)
        other = pace_cells(model, 1, dataclasses.replace(PACED, beats=1), one.end, every=0.1)
    return max(float(cell.markers()[key][0]) for cell in (one, other))


def test_drugs_are_told_and_written_alike(home, drugs):
    head, columns = table(home / "doses.csv")
    assert head == [
        "drug", "dose", "concentration_nM", "apd90_ms", "alternans_ms", "triangulation_ms",
        "ead_mV", "peak_mV", "rest_mV", "calcium_uM", "drift", "drifting",
    ]  # fmt: skip
    assert set(drugs) == {*head, "control_beats", "control_drift"}
    assert columns["drug"] == ["none", "half", "half", "steep", "steep", "both", "both"]
    for name in ("drug", "drifting"):
        assert drugs[name]["value"] == columns[name]
    for name in head[1:-1]:
        np.testing.assert_allclose(drugs[name]["value"], list(map(float, columns[name])), rtol=1e-7)
    assert drugs["dose"]["value"] == [0, 0, 1, 0, 1, 0, 1]
    assert drugs["concentration_nM"]["value"] == [0, 0, 100, 0, 25, 0, 40]
    assert drugs["apd90_ms"]["unit"] == "ms"
    assert drugs["control_drift"]["value"] <= 1e-5
    assert is_picture(home / "doses.png")


def test_a_drug_is_what_it_leaves_of_each_current(drugs, control):
    """As the cell alone with its conductances scaled, from the same limit cycle. 0.05 ms: steps
    between stimuli are chosen for all cells together."""
    found = dict(zip(drugs["drug"]["value"], drugs["apd90_ms"]["value"], strict=True))  # last: 1
    for name, left in LEFT.items():
        assert found[name] == pytest.approx(by_hand(control, *left), abs=0.05), name
    spread = sorted(found.values())
    assert np.diff(spread).min() > 1.0  # so that none passes for another


def test_a_dose_of_0_is_no_drug(drugs):
    of = np.array(drugs["dose"]["value"]) == 0
    for key in ("apd90_ms", "peak_mV", "calcium_uM"):
        none = np.array(drugs[key]["value"])[of]
        np.testing.assert_allclose(none, none[0], rtol=1e-12)


def test_each_cell_tells_how_far_it_is_from_settled(home, drugs, control):
    """Over the four beats before those measured: without drug as at the limit cycle, with one as
    the gate of i_K does in a cell of its own, to 1 % as adaptive steps are chosen for all cells
    together. Where no beat comes before, nothing is told."""
    found = np.array(drugs["drift"]["value"])
    assert found[np.array(drugs["dose"]["value"]) == 0].max() < 1e-4
    with jax.enable_x64(True):
        model = scaled(by_name(CELL), {"g_CaL": 0.5})
        X, after = (float(state.X[0]) for _, state in (control, train(model, control, PACED, 4)))
    assert drugs["drifting"]["value"][2] == "X"
    assert found[2] == pytest.approx(abs(after - X) / X / 4, rel=0.01)
    assert found[2] > 0.1
    words = ["--only", "half", "--dose", "1", "--cycle-ms", "400", "--beats", "1"]
    alone = told(CELL, "--drug", home / "drugs.csv", *words)
    assert alone["drift"]["value"] == [None, None]
    assert alone["drifting"]["value"] == ["", ""]


def test_drugs_together_and_currents_left_alone(home, control):
    """i_CaL by the product, i_K1 not at all; twice the therapeutic concentrations."""
    words = ["--only", "half, both", "--together", "--without", "K1", "--dose", "2", *WORDS]
    found = told(CELL, "--drug", home / "drugs.csv", *words, "--csv", home / "together.csv")
    assert found["drug"]["value"] == ["none", "half + both"]
    assert "concentration_nM" not in found
    assert table(home / "together.csv")[0][:3] == ["drug", "dose", "apd90_ms"]
    wanted = by_hand(control, 1 / (1 + 2) / (1 + 80 / 360), 1.0)
    assert found["apd90_ms"]["value"][1] == pytest.approx(wanted, abs=0.05)


def test_the_control_is_computed_once(home, drugs, monkeypatch):
    """Same command, same numbers, no second limit cycle."""

    def never(*_):
        raise AssertionError("a limit cycle that was kept is computed again")

    kept = sorted((home / "cache" / "tuning").iterdir())
    monkeypatch.setattr("heartsim.scenario._limit_cycle.settle", never)
    assert told(CELL, "--drug", home / "drugs.csv", "--dose", "0,1", *WORDS) == drugs
    assert sorted((home / "cache" / "tuning").iterdir()) == kept


def test_options_become_a_plan(home, monkeypatch):
    """How drugs are given where no option says so, and what each option changes."""
    seen = []

    def study(name, plan, pacing, factors, cache, **named):
        seen.append((name, plan, pacing, factors, cache))
        raise ValueError("seen")

    monkeypatch.setattr("heartsim.cli._cell.drug_study", study)
    words = ["cell", "ohara_rudy_cipa_2017_endo", "--drug", str(home / "drugs.csv")]
    assert run_command(words) == 2
    name, plan, pacing, factors, cache = seen.pop()
    assert name == "ohara_rudy_cipa_2017_endo"
    assert [drug.name for drug in plan.drugs] == ["half", "steep", "both"]
    assert (plan.doses, plan.together, plan.binding) == ([1.0, 2.0, 3.0, 4.0], False, True)
    assert list(plan.without) == []
    assert pacing == Pacing(2000.0, 100, 80.0, 0.5, 0.02)
    assert factors == {}
    assert cache == home / "cache" / "tuning"
    words += ["--only", "both,half", "--static", "--without", "NaL, K1", "--scale", "g_Ks=2"]
    words += ["--together", "--dose", "0.5", "--cycle-ms", "1000", "--beats", "7"]
    assert run_command(words) == 2
    _, plan, pacing, factors, _ = seen.pop()
    assert [drug.name for drug in plan.drugs] == ["both", "half"]
    assert (plan.doses, plan.together, plan.binding) == ([0.5], True, False)
    assert list(plan.without) == ["NaL", "K1"]
    assert pacing == Pacing(1000.0, 7, 80.0, 0.5, 0.02)
    assert factors == {"g_Ks": 2.0}


STUDIES = {
    "s2": ["--s2", "200", "300", "50"],
    "dynamic": ["--dynamic", "200", "300", "50"],
    "drug": ["--drug", "drugs.csv"],
    "population": ["--population", "3"],
    "sensitivity": ["--sensitivity"],
    "settle": ["--settle"],
}


@pytest.mark.parametrize("pair", list(itertools.combinations(STUDIES, 2)), ids="-".join)
def test_several_studies_at_once_are_refused(pair, capsys):
    words = [word for name in pair for word in STUDIES[name]]
    assert run_command(["cell", CELL, *words]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said == f"heartsim: cell: give one of --{pair[0]} --{pair[1]}, not several."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dose", "-1"], "doses: wanted multiples of 0 or more, was given [-1.0]"),
        (["--dose", "1,two"], "--dose 1,two: wanted numbers, as in 0.5,1,2,4"),
        (["--dose", ""], "wanted numbers, as in 0.5,1,2,4"),
        (["--dose", "nan"], "wanted concentrations of 0 nM or more"),
        (["--only", "half,no"], "drugs.csv has no drug 'no'; it has half, steep, both"),
        (["--scale", "g_CaLL=2"], "did you mean 'g_CaL'"),
        (["--beats", "0"], "Input should be greater than or equal to 1"),
    ],
)
def test_one_sentence_for_each_mistake_with_drugs(home, words, said, capsys):
    assert run_command(["cell", CELL, "--drug", str(home / "drugs.csv"), *WORDS, *words]) == 2
    found = capsys.readouterr()
    assert said in " ".join(found.err.split())
    assert found.out == ""


def test_options_of_drugs_without_a_table_are_refused(capsys):
    assert run_command(["cell", CELL, "--static"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said == "heartsim: cell: --dose, --only, --together, --static, --without want --drug."


@pytest.mark.parametrize("words", [["--population", "3"], ["--sensitivity"]])
def test_a_cell_without_conductances_has_nothing_to_vary(words, capsys):
    assert run_command(["cell", "mitchell_schaeffer_2003", *words]) == 2
    assert "has no conductances of currents by name" in " ".join(capsys.readouterr().err.split())


def test_a_table_or_a_current_that_is_missing_is_named(home, capsys):
    assert run_command(["cell", CELL, "--drug", str(home / "no.csv")]) == 2
    assert "no.csv does not exist; check the path" in " ".join(capsys.readouterr().err.split())
    (home / "kr.csv").write_text("drug,Kr_IC50,therapeutic\na,5,5\n")
    assert run_command(["cell", CELL, "--drug", str(home / "kr.csv"), *WORDS]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "a blocks Kr, of which LuoRudy1991 has no conductance; it has CaL, K, K1, Kp" in said
    (home / "no dose.csv").write_text("drug,K1_IC50\na,5\n")
    assert run_command(["cell", CELL, "--drug", str(home / "no dose.csv"), *WORDS]) == 2
    assert "a has no therapeutic concentration, so no doses" in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dynamic", "400", "200", "50"], "--dynamic 400 200 50: wanted FIRST, LAST and STEP"),
        (["--population", "0"], "Input should be greater than or equal to 1"),
        (["--population", "2", "--spread", "0"], "wanted a number and a spread above 0"),
    ],
)
def test_one_sentence_for_each_mistake_without_drugs(words, said, capsys):
    assert run_command(["cell", CELL, *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_limit_cycle_is_where_beats_lead(home):
    """Twenty beats by LSODA from rest; h within 1e-4, which steps of 0.01 mV allow, and V within
    0.01 mV."""
    files = ["--csv", home / "states.csv", "--png", home / "settled.png"]
    found = told(SIMPLE, "--settle", "--cycle-ms", "400", *files)
    head, columns = table(home / "states.csv")
    assert head == ["variable", "value"]
    assert columns["variable"] == ["V", "h"] == list(found["states"]["value"])
    _, (V, h) = integrated(400.0, 20)
    assert h < 0.9  # rest is 1
    for values in (found["states"]["value"].values(), map(float, columns["value"])):
        np.testing.assert_array_less(np.abs(np.array(list(values)) - [V, h]), [0.01, 1e-4])
    assert found["drift"]["value"] <= 1e-5
    assert is_picture(home / "settled.png")


def apd90(V):
    """From the steepest rise to where 90 % of it are gone."""
    level = V.max() - 0.9 * (V.max() - V[0])
    k = np.flatnonzero(level < V)[-1]
    return 0.05 * (k + (V[k] - level) / (V[k] - V[k + 1]) - np.argmax(np.diff(V)))


def test_steady_restitution_is_that_of_each_cycle_by_hand(home):
    """Of a cell without conductances too. LSODA from rest, five beats and two more; 0.3 ms, as the
    steepest rise is read to a step of 0.1 ms in one and 0.05 ms in the other."""
    files = ["--csv", home / "cycles.csv", "--png", home / "cycles.png"]
    found = told(SIMPLE, "--dynamic", "200", "400", "50", "--beats", "5", "--dt-ms", "0.1", *files)
    head, columns = table(home / "cycles.csv")
    assert head == ["cycle_ms", "diastolic_ms", "apd90_ms", "alternans_ms"]
    assert list(map(float, columns["cycle_ms"])) == [200.0, 250.0, 300.0, 350.0, 400.0]
    for name in head:
        assert [None if x == "" else float(x) for x in columns[name]] == [
            None if x is None else pytest.approx(x, rel=1e-7) for x in found[name]["value"]
        ]
    for k, cycle in ((2, 300.0), (3, 350.0), (4, 400.0)):
        V, _ = integrated(cycle, 7)
        first, second = apd90(V[-2]), apd90(V[-1])
        assert found["apd90_ms"]["value"][k] == pytest.approx(second, abs=0.3)
        assert found["diastolic_ms"]["value"][k] == pytest.approx(cycle - first, abs=0.3)
        assert found["alternans_ms"]["value"][k] == pytest.approx(abs(second - first), abs=0.3)
    assert found["alternans_ms"]["value"][0] is None  # of 200 ms: not every beat fires
    assert found["alternans_from_ms"]["value"] == 350.0
    assert found["captured_ms"]["value"] == 300.0
    assert is_picture(home / "cycles.png")


def test_a_population_is_its_own_table(home):
    """Factors exp(0.2 N(0, 1)): of 30 cells and all conductances their spread within a fifth, five
    times its own error; percentiles those of the table, of the beats that end; one variant as the
    cell paced alone, to 0.1 ms, as the steepest rise is read to a step of 0.04 ms."""
    words = [CELL, "--population", "30", "--cycle-ms", "400", "--beats", "1", "--dt-ms", "0.04"]
    files = ["--csv", home / "variants.csv", "--png", home / "variants.png"]
    found = told(*words, "--seed", "3", *files)
    _, columns = table(home / "variants.csv")
    own = conductances(by_name(CELL))
    factors = np.array([list(map(float, columns[f"times_{c}"])) for c in own])
    assert np.log(factors).std() == pytest.approx(0.2, rel=0.2)
    assert np.log(factors).mean() == pytest.approx(0.0, abs=0.08)
    apd = np.array([float(x) if x else np.nan for x in columns["apd90_ms"]])
    assert found["not_ended"]["value"] == np.isnan(apd).sum() < 10
    marks = dict(zip(("p5", "p25", "median", "p75", "p95"), (5, 25, 50, 75, 95), strict=True))
    for name, share in marks.items():
        wanted = np.nanpercentile(apd, share)
        assert found["apd90_ms"]["value"][name] == pytest.approx(wanted, rel=1e-6)
    assert found["variants"]["value"] == 30
    assert is_picture(home / "variants.png")
    k = int(np.nanargmin(apd))
    scales = [f"{own[c]}={factor:.9g}" for c, factor in zip(own, factors[:, k], strict=True)]
    alone = told(CELL, *words[3:], *itertools.chain(*(("--scale", text) for text in scales)))
    assert apd[k] == pytest.approx(alone["apd90_ms"]["value"], abs=0.1)
    other = told(*words, "--seed", "4")
    assert other["apd90_ms"]["value"] != found["apd90_ms"]["value"]


@pytest.mark.long
def test_ten_thousand_variants_go_in_one_call(home):
    """One beat each. Their median within 6 ms of that of 2000 others, which has a standard
    error of 1.25 * 69 ms / sqrt(2000) = 1.9 ms; few of them do not end (82 seen); the spread of
    their factors is 0.2 to 1 %."""
    words = [CELL, "--population", "10000", "--beats", "1", "--csv", home / "many.csv"]
    found = told(*words)
    _, columns = table(home / "many.csv")
    assert len(columns["apd90_ms"]) == 10_000
    factors = np.array(
        [list(map(float, columns[f"times_{c}"])) for c in conductances(by_name(CELL))]
    )
    assert np.log(factors).std() == pytest.approx(0.2, rel=0.01)
    assert found["variants"]["value"] == 10_000
    assert found["not_ended"]["value"] < 200
    fewer = told(CELL, "--population", "2000", "--beats", "1", "--seed", "1")
    median = fewer["apd90_ms"]["value"]["median"]
    assert found["apd90_ms"]["value"]["median"] == pytest.approx(median, abs=6.0)


def test_sensitivities_are_differences_of_beats(home):
    """Of two beats with 1 % less and more of a conductance; 0.2 ms in 10 %, as a beat is sampled
    every 0.02 ms, and as its beginning is read otherwise."""
    files = ["--csv", home / "slopes.csv", "--png", home / "slopes.png"]
    found = told(CELL, "--sensitivity", "--cycle-ms", "400", *files)
    assert is_picture(home / "slopes.png")
    slopes = found["apd90_ms_per_10_percent"]["value"]
    own = conductances(by_name(CELL))
    assert set(slopes) == set(own)
    head, columns = table(home / "slopes.csv")
    assert head[:2] == ["current", "apd90_ms_per_10_percent"]
    sizes = np.abs(list(map(float, columns["apd90_ms_per_10_percent"])))
    assert (np.diff(sizes) <= 0).all()  # the strongest first
    steps = np.ones((3, 6))  # each of three conductances less and more in two cells
    for k in range(3):
        steps[k, 2 * k : 2 * k + 2] = 0.99, 1.01
    names = ("CaL", "K", "K1")
    with jax.enable_x64(True):
        cells = scaled(by_name(CELL), {own[c]: x for c, x in zip(names, steps, strict=True)})
        read = pace_cells(cells, 6, Pacing(400.0, dt=0.02), every=0.02).markers()
    for current, two in zip(names, read["apd90_ms"].reshape(3, 2), strict=True):
        assert slopes[current] == pytest.approx(5 * float(np.diff(two)[0]), abs=0.2), current
