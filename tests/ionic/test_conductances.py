"""Which parameter scales which current, of built-in membranes and of files."""

import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import MODELS, by_name, conductances, flat, scaled
from heartsim.therapy import Drug, Hill, dosed
from tests.published import around, filled

CELLS = [  # one of each family that has conductances
    "beeler_reuter_1977",
    "luo_rudy_1991",
    "ten_tusscher_2004_epi",
    "ten_tusscher_2006_epi",
    "ohara_rudy_2011_endo",
    "ohara_rudy_cipa_2017_endo",
    "tor_ord_dyncl_2020_endo",
    "courtemanche_1998",
    "stewart_2009",
    "fabbri_2017",
]
SIMPLE = ("mitchell_schaeffer", "aliev_panfilov", "fenton_karma", "bueno_orovio")


def test_all_but_the_simple_membranes_have_conductances():
    for name, make in MODELS.items():
        assert bool(conductances(make())) != name.startswith(SIMPLE), name


@pytest.mark.parametrize("name", CELLS)
def test_a_conductance_scales_its_current_and_nothing_else(x64, name):
    """The current of the whole membrane is linear in each conductance, at any state: from none to
    once and from once to twice it grows by the same. To rounding of the sum of all currents."""
    model, rng, n = by_name(name), np.random.default_rng(7), 40
    found, known = conductances(model), model.named()
    assert set(found.values()) <= set(known)
    assert len(set(found.values())) == len(found)
    start = {k: float(x[0]) for k, x in flat(model.initial(1)[1]).items()}
    state = filled(model.initial(n)[1], {k: around(k, x, rng, n) for k, x in start.items()})
    V = jnp.asarray(rng.uniform(-90.0, 50.0, n))
    for current, parameter in found.items():
        none, once, twice = (
            np.asarray(scaled(model, {parameter: f}).rates(V, state).i_ion) for f in (0.0, 1.0, 2.0)
        )
        size = 1e-14 * max(np.abs(none).max(), np.abs(twice).max())
        np.testing.assert_allclose(once - none, twice - once, atol=10 * size, err_msg=current)
        moved = np.abs(once - none).max() > 100 * size
        assert moved == (float(known[parameter]) != 0), current


@pytest.mark.parametrize(
    "name", ["ten_tusscher_2006_epi", "ohara_rudy_cipa_2017_endo", "tor_ord_dyncl_2020_endo"]
)
def test_a_conductance_has_the_name_of_its_current(x64, name):
    """Twice the parameter is twice the current of that name, and no other moves but those that
    other ions carry through the same protein."""
    model = by_name(name)
    V, state = model.initial(1)
    V = V + 60.0
    before = model.currents(V, state)._asdict()
    for current, parameter in conductances(model).items():
        after = scaled(model, {parameter: 2.0}).currents(V, state)._asdict()
        own = {k for k in after if k.split("_")[0] == current}  # of cytosol and subspace
        assert own
        for k in own:
            assert float(after[k][0]) == pytest.approx(2 * float(before[k][0])), k
        moved = {k.split("_")[0] for k in after if after[k][0] != before[k][0]}
        assert moved - {current} <= ({"CaNa", "CaK"} if current == "CaL" else set()), current


FILE = """[[model]]
name: currents alone
membrane.V = -80

[engine]
time = 0 bind time
    in [ms]
pace = 0 bind pace

[membrane]
dot(V) = engine.pace * 40 - currents.i
    label membrane_potential
    in [mV]

[currents]
i = ({sum}) * (membrane.V + 70)
{constants}
"""
USUAL = {  # names of files for conductances of currents
    "Na": "gNaBar", "NaL": "GNaL_b", "to": "g_to", "CaL": "PCa", "Kr": "gKr", "Ks": "G_Ks",
    "K1": "g_K1_max", "Kur": "gKur_base", "f": "g_f", "bNa": "gbna", "bCa": "g_B_Ca",
    "pCa": "GpCa", "NaK": "Pnak_b", "NaCa": "K_NaCa",
}  # fmt: skip
NOISE = ("K_o", "P_kna", "KmCa", "k_sat", "Km_Nai", "K_pCa", "g_sus", "PKNa", "gas")


def file_of(path, names):
    """A model in a file whose constants have these names, in this order."""
    constants = "\n".join(f"{name} = 0.{k + 1:02d}" for k, name in enumerate(names))
    path.write_text(FILE.format(sum=" + ".join(names), constants=constants))
    return by_name(str(path))


def test_conductances_of_a_file_go_by_their_usual_names(tmp_path):
    model = file_of(tmp_path / "cell.mmt", (*NOISE, *USUAL.values()))
    assert conductances(model) == USUAL


def test_a_drug_scales_the_constants_of_a_file(tmp_path):
    """Half of i_Kr at its IC50, nine tenths of i_CaL at a third of it with h = 2, cell by cell."""
    model = file_of(tmp_path / "cell.mmt", tuple(USUAL.values()))
    drug = Drug("a", {"Kr": Hill(10.0, 1.0), "CaL": Hill(30.0, 2.0)})
    new, old = dosed(model, [(drug, np.array([0.0, 10.0]))]).named(), model.named()
    changed = {k: np.asarray(new[k] / old[k]) for k in old if not np.array_equal(new[k], old[k])}
    assert set(changed) == {"gKr", "PCa"}
    np.testing.assert_allclose(changed["gKr"], [1.0, 0.5], rtol=1e-6)
    np.testing.assert_allclose(changed["PCa"], [1.0, 0.9], rtol=1e-6)
    with pytest.raises(ValueError, match=r"a blocks K, of which Imported has no conductance"):
        dosed(model, [(Drug("a", {"K": Hill(1.0, 1.0)}), 1.0)])


def test_conductances_of_backgrounds_are_no_others(tmp_path):
    """As ten Tusscher's files call them (gNab, gCab), O'Hara's (PNab, PCab)."""
    for ending in ("gNab", "gCab"), ("PNab", "PCab"):
        model = file_of(tmp_path / "cell.mmt", (*ending, "gNa", "gCaL"))
        found = conductances(model)
        assert found["Na"] == "gNa"
        assert found["CaL"] == "gCaL"


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "some"),
    [
        ("cellml/luo_rudy_1991.cellml", {"Na": "g_Na", "CaL": "P_si", "K": "g_K_max"}),
        ("myokit/ohara-2011.mmt", {"Kr": "gKr", "CaL": "PCa_base", "NaL": "gNaL", "to": "gto"}),
    ],
)
def test_conductances_of_shared_files(shared_data, file, some):
    found = conductances(by_name(str(shared_data / "cellmodels" / file)))
    assert some.items() <= found.items()
