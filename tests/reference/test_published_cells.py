"""Every built-in cell model against the shared file that says the same."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import Pacing, by_name, markers, pace, read_membrane, variables
from heartsim.ionic._import_check import compared
from heartsim.ionic._pacing import flat
from heartsim.ionic._reference import integrated
from tests.published import Case, around, derivatives, filled
from tests.series import through

pytestmark = pytest.mark.data

TP06 = {"Xr1": "xr1", "Xr2": "xr2", "Xs": "xs", "Ca_SR": "Ca_sr"}
ORD = {
    "ina_m": "m", "inal_m": "mL", "inal_h": "hL", "inal_hp": "hLp", "if": "iF", "is": "iS",
    "ifp": "iFp", "isp": "iSp", "iks_x1": "xs1", "iks_x2": "xs2", "CaMK_trapped": "trapped",
}  # fmt: skip
ORD_CELLML = {
    "nai": "Na_i", "nass": "Na_ss", "ki": "K_i", "kss": "K_ss", "cai": "Ca_i", "cass": "Ca_ss",
    "cansr": "Ca_nsr", "cajsr": "Ca_jsr", "CaMKt": "trapped",
}  # fmt: skip
ORD_2011 = ORD | {"xf": "xrf", "xs": "xrs", "ik1_x": "xk1"}
TOR = ORD | {"ina_h": "h", "ina_hp": "hp", "ito_a": "a"}
TOR_CELLML = ORD_CELLML | {"cli": "Cl_i", "clss": "Cl_ss", "Jrel_np": "Jrelnp", "Jrel_p": "Jrelp"}
MYOKIT = {"corrected_pump": True}
BEPRIDIL = {  # hERG binding, of the shared bepridil_pars.txt, beside the names of ours
    "IKr.D": ("drug", 33.0),
    "IKr.Kmax": ("bind_most", 5594000.0),
    "IKr.Ku": ("unbind", 0.0001719),
    "IKr.n": ("bind_hill", 0.9374),
    "IKr.halfmax": ("bind_half", 147200000.0),
    "IKr.Vhalf": ("trap_half", -61.34),
    "IKr.Kt": ("trap", 3.5e-5),
}
FABBRI = {
    "ical_d": "dL", "ical_f": "fL", "icat_d": "dT", "icat_f": "fT", "ikur_r": "r_Kur",
    "s": "s_Kur", "ito_r": "r", "pas": "paS", "paf": "paF", "carel_r": "R", "o": "O", "i": "I",
    "ri": "RI",
}  # fmt: skip
TN04 = {"Cai": "Ca_i", "CaSR": "Ca_sr", "Nai": "Na_i", "Ki": "K_i", "fCa": "f_Ca"}
BEELER = {  # six constants that the CellML file rounds; see BeelerReuter1977
    "C2_alpha_x1": 1 / 12.1,
    "C6_alpha_x1": 1 / 17.5,
    "C2_beta_x1": -1 / 16.67,
    "C6_alpha_d": -1 / 13.89,
    "C2_beta_d": -1 / 59,
    "C6_alpha_f": 1 / 6.67,
}
CRN = "cellml/courtemanche_ramirez_nattel_1998.cellml"
CRN_AF = {  # the conductances of courtemanche_1998_af
    "transient_outward_K_current.g_to": 0.0826,
    "L_type_Ca_channel.g_Ca_L": 0.037125,
    "ultrarapid_delayed_rectifier_K_current.g_Kur": "0.0025 [mS/uF] + 0.025 [mS/uF] "
    "/ (1 + exp((membrane.V - 15 [mV]) / -13 [mV]))",
}
LAYERS = ("endo", "epi", "mid")  # cell.mode 0, 1, 2 of Myokit's files
CIPA_CELLML = "cellml/ohara_rudy_cipa_v1_2017.cellml"

CASES = [
    *(
        Case(f"ten_tusscher_2006_{ours}", f"cellml/ten_tusscher_model_2006_{file}.cellml", TP06)
        for ours, file in (("epi", "epi"), ("mid", "M"), ("endo", "endo"))
    ),
    *(
        Case(f"{ours}_{layer}", f"myokit/{file}.mmt", names, {"cell.mode": mode}, own, apart)
        for ours, file, names, own, apart in (
            ("ohara_rudy_2011", "ohara-2011", ORD_2011, MYOKIT, ()),
            (
                "ohara_rudy_cipa_2017",
                "ohara-cipa-v1-2017",
                ORD | {"x": "xk1"},
                MYOKIT | {"trap": 0.0},
                (),
            ),
            ("tor_ord_dyncl_2020", "tomek-2020", TOR, MYOKIT, ("mL",)),
        )
        for mode, layer in enumerate(LAYERS)
    ),
    Case("ohara_rudy_cipa_2017_endo", CIPA_CELLML, ORD_CELLML, ours={"trap": 0.0}),
    Case(
        "ohara_rudy_cipa_2017_endo",
        CIPA_CELLML,
        ORD_CELLML,
        {name: value for name, (_, value) in BEPRIDIL.items()},
        dict(BEPRIDIL.values()),
        quick=True,
    ),
    Case(
        "tor_ord_dyncl_2020_endo",
        "cellml/ToRORd_dynCl_endo.cellml",
        TOR_CELLML,
        starts_apart=("C1", "C3"),
        quick=True,
    ),
    Case("luo_rudy_1991", "cellml/luo_rudy_1991.cellml", {"Cai": "Ca_i"}, quick=True),
    Case(
        "beeler_reuter_1977",
        "cellml/beeler_reuter_model_1977.cellml",
        {"Cai": "Ca_i"},
        ours=BEELER,
        quick=True,
    ),
    Case("courtemanche_1998", CRN, quick=True),
    Case("courtemanche_1998_af", CRN, set=CRN_AF),
    Case("stewart_2009", "myokit/stewart-2009.mmt", TP06 | {"f1": "f"}, quick=True),
    *(
        Case(f"ten_tusscher_2004_{cell}", "myokit/tentusscher-2004.mmt", TN04, {"cell.type": k})
        for k, cell in enumerate(("endo", "epi", "mid"))
    ),
    Case("fabbri_2017", "myokit/fabbri-2017.mmt", FABBRI, stimulus=0.0, quick=True),
    Case(
        "fabbri_2017",
        "myokit/fabbri-2017.mmt",
        FABBRI,
        {"iso.iso": 1.0},
        {"Iso": 1.0},
        stimulus=0.0,
    ),
]


NAMES = [f"{case.model} {case.file}" for case in CASES]
each = pytest.mark.parametrize("case", CASES, ids=NAMES)
each_beat = pytest.mark.parametrize(
    "case", [c if c.quick else pytest.param(c, marks=pytest.mark.long) for c in CASES], ids=NAMES
)


@each
def test_every_derivative_equals_the_file_at_random_states(shared_data, tmp_path, case, x64):
    """Same equations and constants, so equal to round-off: 1e-9 of a variable's largest rate
    allows for currents that cancel."""
    of = case.reference(shared_data, tmp_path)
    model, rng, n = case.build(), np.random.default_rng(2006), 100
    _, state = model.initial(n)
    start = dict(zip(of.names, of.start, strict=True))
    assert set(of.names) == {"V", *variables(model)}
    values = {name: around(name, start[name], rng, n) for name in variables(model)}
    values["V"] = rng.uniform(-95.0, 55.0, n)
    ours = derivatives(model, jnp.asarray(values["V"]), filled(state, values))
    theirs = np.array([of.slopes(*(values[name][k] for name in of.names)) for k in range(n)])
    for name, slopes in zip(of.names, (theirs * of.per_ms).T, strict=True):
        close = {"rtol": 1e-8, "atol": 1e-9 * np.abs(slopes).max(), "err_msg": name}
        np.testing.assert_allclose(np.broadcast_to(ours[name], n), slopes, **close)


@each_beat
def test_a_beat_agrees_with_the_file(shared_data, tmp_path, case, x64):
    """From the file's start, at dt 0.01: V within 0.1 mV away from upstrokes, APD90 within 0.1 %,
    and all else within 1 % of its range; ten and five times better than what is wanted."""
    of = case.reference(shared_data, tmp_path)
    model = case.build()
    start = dict(zip(of.names, of.start, strict=True))
    V = jnp.full(1, start["V"])
    state = filled(model.initial(1)[1], {name: np.full(1, x) for name, x in start.items()})
    pacing = Pacing(cycle_length=500.0, stimulus=case.stimulus, potassium=False)
    ours = pace(model, pacing, start=(V, state), keep=variables(model))
    theirs = integrated(of, pacing, ours.time)
    found = compared(ours, theirs["V"], theirs)
    assert found.largest < 0.1
    assert max(found.states.values()) < 0.01
    if case.stimulus:
        ends = [markers(dataclasses.replace(ours, V=V))["apd90_ms"] for V in (found.V, theirs["V"])]
        assert ends[0] == pytest.approx(ends[1], rel=1e-3)


@pytest.mark.parametrize(("dt", "bound"), [(0.05, 0.2), (0.0125, 0.02)])
def test_a_series_of_default_steps_agrees_with_the_sinus_node(
    shared_data, tmp_path, x64, dt, bound
):
    """Whose calcium settles faster than such a step is long. V over 500 ms, the upstroke with it;
    seen are 0.17 and 0.016 mV, by midpoint steps 0.11 and 0.008."""
    case = next(case for case in CASES if case.model == "fabbri_2017")
    of, model = case.reference(shared_data, tmp_path), case.build()
    start = {name: np.full(1, x) for name, x in zip(of.names, of.start, strict=True)}
    V, state = jnp.asarray(start["V"]), filled(model.initial(1)[1], start)
    every = round(0.5 / dt)
    each = jax.jit(lambda V, state: through(model, V, state, dt, 1000 * every)[2])(V, state)
    pacing = Pacing(cycle_length=500.0, stimulus=0.0, potassium=False)
    theirs = integrated(of, pacing, 0.5 * np.arange(1000))["V"]
    assert np.abs(np.asarray(each)[every - 1 : -1 : every, 0] - theirs[1:]).max() < bound


@each
def test_the_cell_starts_where_the_file_does(shared_data, tmp_path, case, x64):
    V, state = by_name(case.model).rest()
    of = case.reference(shared_data, tmp_path)
    ours, theirs = {"V": V} | flat(state), dict(zip(of.names, of.start, strict=True))
    for name in set(of.names) - set(case.starts_apart):
        assert float(ours[name]) == pytest.approx(theirs[name], rel=1e-12), name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("ten_tusscher_2004_epi", "myokit/tentusscher-2004.mmt"),
        ("ten_tusscher_2006_epi", "cellml/ten_tusscher_model_2006_epi.cellml"),
        ("courtemanche_1998", "myokit/courtemanche-1998.mmt"),
        ("ohara_rudy_2011_endo", "myokit/ohara-2011.mmt"),
        ("ohara_rudy_cipa_2017_endo", CIPA_CELLML),
        ("tor_ord_dyncl_2020_endo", "myokit/tomek-2020.mmt"),
        ("luo_rudy_1991", "cellml/luo_rudy_1991.cellml"),
        ("stewart_2009", "myokit/stewart-2009.mmt"),
    ],
)
def test_a_stimulus_brings_as_much_potassium_as_in_the_file(shared_data, x64, name, file):
    """By the part that the file's own stimulus has in its equation of K_i; to round-off."""
    file_has = dict(read_membrane(shared_data / "cellmodels" / file).program.carried)
    ours = by_name(name).potassium_per_mV
    if ours is None or name == "stewart_2009":  # whose file has no stimulus
        assert not file_has
    else:
        (share,) = file_has.values()
        assert float(ours) == pytest.approx(share, rel=1e-5)  # R and F have 5 to 8 digits
