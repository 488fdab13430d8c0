"""Drugs: tables of them, what they leave of each current, and how one binds hERG."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import by_name, conductances
from heartsim.scenario import DrugPlan
from heartsim.therapy import Drug, Hill, dosed, drugs_of, read_drugs

BINDS = {"bind_most": 5.594e6, "unbind": 1.719e-4, "bind_hill": 0.9374, "bind_half": 1.472e8}
BINDS |= {"trap_half": -61.34}  # bepridil, of the shared bepridil_pars.txt
BEPRIDIL = Drug("bepridil", {"Kr": Hill(50.0, 0.92), "NaL": Hill(1814.0, 1.42)}, 33.0, BINDS)
BINDING = "hERG_Kmax,hERG_Ku,hERG_n,hERG_halfmax,hERG_Vhalf"


@pytest.fixture
def table(tmp_path):
    """Writes a table of drugs and gives its path."""

    def write(*lines):
        path = tmp_path / "drugs.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def changed(old, new):
    """Parameters that differ, each as a multiple of what it was."""
    old, new = old.named(), new.named()
    return {
        k: np.asarray(new[k] / old[k]) for k in old if not np.array_equal(old[k], new[k])
    }  # fmt: skip


def test_half_is_left_at_ic50_and_all_of_it_without_drug(x64):
    """Powers of two, which are exact."""
    hill = Hill(64.0, 2.0)
    levels = np.array([0.0, 32.0, 64.0, 128.0])
    np.testing.assert_array_equal(hill.left(levels), [1.0, 0.8, 0.5, 0.2])
    np.testing.assert_allclose(Hill(64.0, 0.5).left(levels[:3]), [1.0, 1 / (1 + 0.5**0.5), 0.5])
    assert hill.left(64.0) == 0.5


def test_a_table_is_read_as_it_stands(table):
    path = table(
        "drug,class,Kr_IC50,Kr_h,INaL_IC50,INaL_h,I_to_IC50,K1_IC50,therapeutic",
        "one ,2,5.5,0.9,1000,1.5,,7,2",
        "two,0,1e4,NA,NaN,,80,na,",
    )
    one, two = read_drugs(path).values()
    assert one == Drug(
        "one", {"Kr": Hill(5.5, 0.9), "NaL": Hill(1000.0, 1.5), "K1": Hill(7.0, 1.0)}, 2.0
    )
    assert two == Drug("two", {"Kr": Hill(1e4, 1.0), "to": Hill(80.0, 1.0)})


@pytest.mark.parametrize("half", ["0", "0.0", "NA", "na", "nan", "", " "])
@pytest.mark.parametrize("hill", ["0", "NA", ""])
def test_an_ic50_of_nothing_blocks_nothing(table, half, hill):
    drug = read_drugs(table("drug,CaL_IC50,CaL_h,Kr_IC50", f"a,{half},{hill},5"))["a"]
    assert set(drug.blocks) == {"Kr"}
    model = by_name("ten_tusscher_2006_epi")
    assert set(changed(model, dosed(model, [(drug, 1e6)]))) == {"g_Kr"}


@pytest.mark.parametrize(("hill", "h"), [("0", 0), ("0.0", 0), ("NA", 1), ("", 1), ("2", 2)])
def test_a_hill_coefficient_of_nothing_blocks_nothing(table, hill, h):
    """0 is given, and no block; none given is 1. A column that is not there is none given."""
    drug = read_drugs(table("drug,Kr_IC50,Kr_h,K1_IC50", f"a,50,{hill},80"))["a"]
    assert drug.blocks == {"K1": Hill(80.0, 1.0)} | ({"Kr": Hill(50.0, h)} if h else {})


def test_columns_as_cipa_names_them(table):
    """The head and the first row of CiPA's newCiPA_training.csv: quinidine, 3237 nM of it free;
    `freedrug` [µM], `CiPA` and the second set of hERG are none of ours."""
    drug = read_drugs(
        table(
            "drug,CaLh,CaLIC50,hERGh,hERGIC50,Itoh,ItoIC50,IK1h,IK1IC50,IKsh,IKsIC50,Late_sodiumh,"
            "Late_sodiumIC50,Peak_sodiumh,Peak_sodiumIC50,freedrug,CiPA,wendyhERGIC50,wendyhERGh,"
            "therapeutic",
            "quinidine,0.589,51592.3,1.025,343.4,1.28,3487.4,0.35,39589919,1.363,4898.9,1.34,9417,"
            "1.494,12329,3.237,2,992,0.8199,3237",
        )
    )["quinidine"]
    assert drug.blocks == {
        "CaL": Hill(51592.3, 0.589),
        "Kr": Hill(343.4, 1.025),
        "to": Hill(3487.4, 1.28),
        "K1": Hill(39589919.0, 0.35),
        "Ks": Hill(4898.9, 1.363),
        "NaL": Hill(9417.0, 1.34),
        "Na": Hill(12329.0, 1.494),
    }
    assert drug.therapeutic == 3237.0
    assert not drug.binding


@pytest.mark.data
def test_the_shared_table_of_cipa_is_in_nanomolar(shared_data):
    """CiPA's free concentrations, in µM in a column of their own, are ours in nM; and dofetilide,
    a specific blocker of hERG, at its therapeutic 2 nM leaves less than half of i_Kr and all but
    10 % of i_CaL."""
    drugs = read_drugs(shared_data / "drugs/cipa_training/newCiPA_training.csv")
    assert len(drugs) == 12
    dofetilide = drugs["dofetilide"]
    assert dofetilide.therapeutic == 2.0
    assert dofetilide.blocks["Kr"].left(2.0) < 0.5
    assert dofetilide.blocks["CaL"].left(2.0) > 0.9
    for name in ("mexiletine", "diltiazem", "quinidine"):
        assert drugs[name].therapeutic == pytest.approx(
            1000 * {"mexiletine": 4.129, "diltiazem": 0.122, "quinidine": 3.237}[name]
        )


def test_binding_is_read_with_its_signs(table):
    row = "a,10,5594000,0.0001719,0.9374,147200000,-61.34"
    drug = read_drugs(table(f"drug,Kr_IC50,{BINDING}", row, "b,10,NA,NA,,,NA"))
    assert drug["a"].binding == BINDS
    assert drug["b"].binding == {}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["name,Kr_IC50", "a,5"], "wanted a CSV table with a column drug and at least one row"),
        (["drug,Kr_IC50"], "wanted a CSV table with a column drug and at least one row"),
        (["drug,Kx_IC50", "a,5"], "column Kx_IC50: wanted a current with _IC50 or _h, as Kr_IC50"),
        (["drug,IC50_Kr", "a,5"], "column IC50_Kr: wanted a current with _IC50 or _h"),
        (["drug,Kr_IC50_nM", "a,5"], "column Kr_IC50_nM: wanted a current with _IC50 or _h"),
        (["drug,Kr_IC50,Kr_hill", "a,5,3"], "column Kr_hill: of a current _IC50 and _h are known"),
        (["drug,hERG_Kmx", "a,5"], "of hERG also hERG_Kmax"),
        (["drug,Kx_h", "a,5"], "column Kx_h: wanted a current with _IC50 or _h"),
        (["drug,Kr_IC50,hERG_IC50", "a,5,6"], "column hERG_IC50: Kr has such a column already"),
        (["drug,Kr_IC50", "a,5", "a,6"], "a stands there twice; wanted one row a drug"),
        (["Kr_IC50,drug", "5"], "row 1 names no drug"),
        (["drug,Kr_IC50,therapeutic", "a,5,0"], "a, therapeutic: wanted more than 0 nM"),
        (["drug,Kr_IC50", "a,-5"], "a, Kr_IC50: wanted 0 or more, not -5"),
        (["drug,Kr_IC50,Kr_h", "a,5,-1"], "a, Kr_h: wanted 0 or more, not -1"),
        (["drug,Kr_IC50,therapeutic", "a,5,-1"], "a, therapeutic: wanted 0 or more, not -1"),
        (["drug,Kr_IC50", "a,much"], "a, Kr_IC50: wanted a number, not 'much'"),
        ([f"drug,{BINDING}", "a,1,2,,4,-5"], "a: wanted all of hERG_Kmax, hERG_Ku, hERG_n"),
        (["drug,hERG_Kmax,hERG_Ku", "a,1,2"], "hERG_halfmax, hERG_Vhalf, or none"),
    ],
)
def test_one_sentence_for_each_mistake_in_a_table(table, lines, said):
    path = table(*lines)
    with pytest.raises(ValueError, match=said) as refused:
        read_drugs(path)
    assert str(path) in str(refused.value)


def test_a_table_that_is_missing_is_named(tmp_path):
    (tmp_path / "latin.csv").write_bytes("drug,Kr_IC50\nf\u00fcr,5\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.csv: wanted a CSV table in UTF-8"):
        read_drugs(tmp_path / "latin.csv")
    with pytest.raises(FileNotFoundError, match=r"none\.csv does not exist; check the path"):
        read_drugs(tmp_path / "none.csv")


def test_a_plan_names_a_drug_or_a_dose_that_is_missing(table):
    path = table("drug,Kr_IC50,therapeutic", "a,5,10", "b,5,")
    a, b = drugs_of(path)
    assert [drug.name for drug in drugs_of(path, ["b", "a"])] == ["b", "a"]
    np.testing.assert_array_equal(DrugPlan([a], [0.0, 0.5, 4.0]).levels(a), [0.0, 5.0, 40.0])
    with pytest.raises(ValueError, match="has no drug 'c'; it has a, b"):
        drugs_of(path, ["c"])
    with pytest.raises(ValueError, match="b has no therapeutic concentration, so no doses"):
        DrugPlan([a, b], [1.0])
    with pytest.raises(ValueError, match=r"wanted multiples of 0 or more, was given \[1\.0, -1\."):
        DrugPlan([a], [1.0, -1.0])


def test_currents_are_scaled_by_what_is_left_of_them():
    model = by_name("ten_tusscher_2006_epi")
    drug = Drug("a", {"Kr": Hill(10.0, 1.0), "CaL": Hill(30.0, 2.0)})
    found = changed(model, dosed(model, [(drug, 10.0)]))
    assert set(found) == {"g_Kr", "g_CaL"}
    assert found["g_Kr"] == pytest.approx(0.5)
    assert found["g_CaL"] == pytest.approx(0.9)
    assert changed(model, dosed(model, [(drug, 0.0)])) == {}


def test_several_drugs_multiply_cell_by_cell():
    """Each at its own concentrations, one a cell; 1/2 · 2/3 of Kr in the second."""
    model = by_name("ten_tusscher_2006_epi")
    one = Drug("one", {"Kr": Hill(10.0, 1.0)})
    other = Drug("other", {"Kr": Hill(40.0, 1.0), "Ks": Hill(20.0, 1.0)})
    levels = [np.array([0.0, 10.0, 10.0]), np.array([0.0, 20.0, 0.0])]
    found = changed(model, dosed(model, list(zip((one, other), levels, strict=True))))
    assert set(found) == {"g_Kr", "g_Ks"}
    np.testing.assert_allclose(found["g_Kr"], [1.0, 1 / 3, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found["g_Ks"], [1.0, 0.5, 1.0], rtol=1e-6)
    twice = changed(model, dosed(dosed(model, [(one, 10.0)]), [(other, 20.0)]))
    assert twice["g_Kr"] == pytest.approx(1 / 3)


def test_a_drug_that_binds_herg_does_not_block_it_too():
    model = by_name("ohara_rudy_cipa_2017_endo")
    bound = dosed(model, [(BEPRIDIL, 33.0)])
    new = {k: float(v) for k, v in bound.named().items() if v != model.named()[k]}
    assert set(new) == {*BINDS, "drug", "g_NaL"}
    for name, wanted in (BINDS | {"drug": 33.0}).items():
        assert new[name] == pytest.approx(wanted), name
    static = changed(model, dosed(model, [(BEPRIDIL, 50.0)], binding=False))
    assert set(static) == {"g_Kr", "g_NaL"}
    assert static["g_Kr"] == pytest.approx(0.5)


def test_a_current_that_is_spared_is_not_bound_either():
    model = by_name("ohara_rudy_cipa_2017_endo")
    for binding in (True, False):
        found = changed(model, dosed(model, [(BEPRIDIL, 33.0)], binding, without=["Kr"]))
        assert set(found) == {"g_NaL"}
    with pytest.raises(ValueError, match=r"without: 'kr' is no current \(did you mean 'Kr'\?\)"):
        dosed(model, [(BEPRIDIL, 33.0)], without=["kr"])


def test_a_drug_of_which_nothing_is_known_is_refused():
    with pytest.raises(ValueError, match="quinidine: no IC50 and no binding is given"):
        dosed(by_name("ten_tusscher_2006_epi"), [(Drug("quinidine", {}, 3237.0, {}), 50.0)])


def test_binding_is_read_in_any_case(table):
    lines = (f"drug,{BINDING}", "a,1,2,3,4,-5"), (f"drug,{BINDING.lower()}", "a,1,2,3,4,-5")
    assert read_drugs(table(*lines[0])) == read_drugs(table(*lines[1]))


def test_a_model_without_binding_is_blocked():
    drug = dataclasses.replace(BEPRIDIL, blocks={"Kr": Hill(50.0, 0.92)})
    for name in ("ten_tusscher_2006_epi", "ohara_rudy_2011_endo"):
        model = by_name(name)
        found = changed(model, dosed(model, [(drug, 50.0)]))
        assert set(found) == {"g_Kr"}
        assert found["g_Kr"] == pytest.approx(0.5)


def test_one_table_serves_models_that_lack_a_current():
    for name in ("ten_tusscher_2006_epi", "ohara_rudy_2011_mid"):
        model = by_name(name)
        found = changed(model, dosed(model, [(BEPRIDIL, 50.0)], without=("NaL",)))
        assert set(found) == {"g_Kr"}
    lacks = by_name("luo_rudy_1991")
    with pytest.raises(ValueError, match=r"bepridil blocks Kr, of which LuoRudy1991 has no") as one:
        dosed(lacks, [(BEPRIDIL, 50.0)])
    assert str(one.value).endswith(f"it has {', '.join(sorted(conductances(lacks)))}.")
    with pytest.raises(ValueError, match=r"bepridil blocks NaL, of which TenTusscher2006 has no"):
        dosed(by_name("ten_tusscher_2006_epi"), [(BEPRIDIL, 50.0)])


def test_concentrations_are_none_or_more():
    model = by_name("ten_tusscher_2006_epi")
    for level in (-1.0, np.array([1.0, -1.0]), np.nan):
        with pytest.raises(ValueError, match=r"bepridil: wanted concentrations of 0 nM or more"):
            dosed(model, [(BEPRIDIL, level)])


def test_two_drugs_cannot_bind_at_once_but_can_block():
    model = by_name("ohara_rudy_cipa_2017_endo")
    both = [(BEPRIDIL, 50.0), (dataclasses.replace(BEPRIDIL, name="other"), 50.0)]
    with pytest.raises(ValueError, match="other: two drugs cannot bind hERG at once"):
        dosed(model, both)
    static = changed(model, dosed(model, both, binding=False))
    assert static["g_Kr"] == pytest.approx(0.25)
    plain = (Drug("plain", {"Kr": Hill(10.0, 1.0)}), 10.0)  # blocks what the other binds
    assert changed(model, dosed(model, [both[0], plain]))["g_Kr"] == pytest.approx(0.5)


@pytest.mark.parametrize("V", [-85.0, -40.0, 0.0, 30.0])
def test_bound_channels_come_to_detailed_balance(x64, V):
    """Held at one voltage for ever: as many channels bound for one open as Kmax Dⁿ / (Dⁿ +
    halfmax), as many inactivated as open among them, and 1 + exp(-(V - Vhalf) / 6.789) as many
    trapped; Li et al. (2017). To 1e-5: the published rates of the free channel close their own
    loop to 2e-6 only."""
    level = 33.0
    model = dosed(by_name("ohara_rudy_cipa_2017_endo"), [(BEPRIDIL, level)])
    rows = {name: change.row for name, change in model.rapid(jnp.array([V])).items()}
    A = np.array([[float(rows[i].get(j, np.zeros(1))[0]) for j in rows] for i in rows])
    np.testing.assert_allclose(A.sum(axis=0), 0.0, atol=1e-15 * np.abs(A).max())
    held = dict(zip(rows, np.linalg.svd(A / np.abs(A).max())[2][-1], strict=True))
    powered = level ** BINDS["bind_hill"]
    ratio = BINDS["bind_most"] * powered / (powered + BINDS["bind_half"])
    assert held["Obound"] / held["O"] == pytest.approx(ratio, rel=1e-5)
    assert held["IObound"] / held["Obound"] == pytest.approx(1.0, rel=1e-5)
    trapped = 1 + np.exp(-(V - BINDS["trap_half"]) / 6.789)
    assert held["Cbound"] / held["Obound"] == pytest.approx(trapped, rel=1e-5)


def test_without_drug_nothing_binds_and_the_derivative_is_finite():
    """D^0.94 has an endless slope at 0."""
    model = dosed(by_name("ohara_rudy_cipa_2017_endo"), [(BEPRIDIL, 0.0)])
    V, state = model.initial(1)

    def bound(drug):
        rates = model.with_named({"drug": drug}).rates(V, state).changes.Kr
        return rates["Obound"].row["O"][0] + rates["IObound"].row["IO"][0]

    assert float(bound(jnp.asarray(0.0))) == 0.0
    assert float(bound(jnp.asarray(1e-3))) > 0.0
    assert np.isfinite(jax.grad(bound)(jnp.asarray(0.0)))


def test_spaces_and_capitals_of_columns_do_not_matter(tmp_path):
    """A block that is silently not read would be a drug that does nothing."""
    path = tmp_path / "drugs.csv"
    path.write_text("drug, kr_ic50 ,KR_H\n a ,5, 2\n")
    assert read_drugs(path)["a"].blocks == {"Kr": Hill(5.0, 2.0)}


def test_derivatives_by_a_concentration_pass(x64):
    """Of the ionic current at -30 mV by the dose, against central differences of 1e-4 nM."""
    model = by_name("ten_tusscher_2006_epi")
    V, state = model.initial(1)
    drug = Drug("a", {"Kr": Hill(10.0, 1.2), "CaL": Hill(30.0, 0.8)})

    def current(level):
        return dosed(model, [(drug, level)]).rates(V + 55.0, state).i_ion[0]

    h = 1e-4
    apart = (current(jnp.asarray(7.0 + h)) - current(jnp.asarray(7.0 - h))) / (2 * h)
    assert float(jax.grad(current)(jnp.asarray(7.0))) == pytest.approx(float(apart), rel=1e-6)
