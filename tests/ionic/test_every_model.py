"""Every built-in cell model: finite in both precisions, its derivatives, currents, conductances and
card."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    CARDS,
    CURRENTS,
    MODELS,
    RushLarsenMidpoint,
    by_name,
    conductances,
    flat,
    parameters,
    smoothed,
    variables,
)
from tests.bodies import some_long
from tests.published import around, filled

SIZE = {  # with the voltage, as published
    "mitchell_schaeffer_2003": 2, "aliev_panfilov_1996": 2, "fenton_karma_1998": 3,
    "bueno_orovio_2008": 4, "beeler_reuter_1977": 8, "luo_rudy_1991": 8, "ten_tusscher_2004": 17,
    "ten_tusscher_2006": 19, "ohara_rudy_2011": 41, "ohara_rudy_cipa_2017": 48,
    "tor_ord_dyncl_2020": 45, "courtemanche_1998": 21, "stewart_2009": 20, "fabbri_2017": 33,
}  # fmt: skip
FAMILIES = {name: next(k for k in MODELS if k.startswith(name)) for name in SIZE}
LAYERS = {"endo": "endocardium", "mid": "mid-wall", "epi": "epicardium"}
PLACE = r"\d+, [A-Z]?\d+-[A-Z]?\d+|\d+, e\d+|\d{4}\.\d\d\.\d\d\.\d+"
"""Volume and pages, or number of a paper."""
MARKS = np.append(np.arange(-1200, 601) / 10, [-47.13, 3.3328])
"""Whole, half and tenth parts of mV, and what else is 0/0 in a published rate [mV]."""

each = pytest.mark.parametrize("name", MODELS)
each_layer = pytest.mark.parametrize(
    "name", some_long(MODELS, lambda k: k not in FAMILIES.values())
)
each_family = pytest.mark.parametrize("name", FAMILIES.values(), ids=FAMILIES)
both = pytest.mark.parametrize("precision", ["float32", "float64"])


def forms(name):
    """The model as published and, where it jumps, smoothed."""
    model = by_name(name)
    soft = smoothed(model)
    return [model] if soft is model else [model, soft]


def states(model, n=10_000, seed=2017):
    """V at all marks and anywhere from -120 to 60 mV, beside states as `around` has them."""
    rng = np.random.default_rng(seed)
    _, state = model.initial(n)
    values = {k: around(k, float(x[0]), rng, n) for k, x in flat(state).items()}
    V = rng.uniform(-120.0, 60.0, n)
    V[: min(n // 2, len(MARKS))] = MARKS[: n // 2]
    return jnp.asarray(V), filled(state, values)


def examined(kind, named, V, state):
    """Rates, their derivative along V, and the gradient of the sum of all by parameters, V and
    state."""

    def rates(named, V, state):
        return kind(**named).rates(V, state)

    def total(named, V, state):
        return sum(jnp.sum(x) for x in jax.tree.leaves(rates(named, V, state)))

    now, along = jax.jvp(lambda V: rates(named, V, state), (V,), (jnp.ones_like(V),))
    return now, along, jax.grad(total, argnums=(0, 1, 2))(named, V, state)


def assert_finite(found, V):
    for path, x in jax.tree_util.tree_leaves_with_path(found):
        lost = np.flatnonzero(~np.isfinite(np.atleast_1d(x)))
        assert not lost.size, (jax.tree_util.keystr(path), lost.size, V[lost[:5]])


@both
@each_layer
def test_rates_and_their_derivatives_are_finite_at_10_000_states(name, precision):
    """Operation by operation, as compilation would take minutes. The sum of all derivatives along V
    in forward mode is the gradient by V: seen to 6e-13, as terms cancel within a rate."""
    with jax.enable_x64(precision == "float64"):
        for model in forms(name):
            V, state = states(model)
            found = examined(type(model), parameters(model), V, state)
            assert_finite(found, V)
            _, along, (_, by_V, _) = found
            terms = np.array([np.broadcast_to(x, V.shape) for x in jax.tree.leaves(along)])
            if precision == "float64":
                off = np.abs(terms.sum(axis=0) - by_V) / np.abs(terms).sum(axis=0)
                assert off.max() < 1e-10


@pytest.mark.long
@each_family
def test_compiled_rates_are_finite_in_single_precision(name):
    """As a program sees them, fused; compiled with fewer passes, in half the time."""
    options = {"xla_llvm_disable_expensive_passes": True, "xla_backend_optimization_level": 0}
    program = jax.jit(examined, static_argnums=0, compiler_options=options)
    model = by_name(name)
    V, state = states(model)
    assert_finite(program(type(model), parameters(model), V, state), V)


@each_family
def test_derivatives_along_the_voltage_agree_with_differences(name, x64):
    """Of every rate of the smoothed model at all marks, so where the published form is 0/0 too, by
    voltages 0.02 and 0.04 mV away, which a branch for the 0/0 alone would not reach. Differences of
    fourth order; seen: 3e-6 of a rate's largest slope, where a sigmoid is steep (i_to of O'Hara),
    and 4e-4 beside the narrowest, at rest in Bueno-Orovio. Left out: around what no width
    leads over (a jump of ten Tusscher 2004, corners of Aliev-Panfilov and ToR-ORd)."""
    model, h = smoothed(by_name(name)), 0.02
    V, state = states(model)
    _, along = jax.jvp(lambda V: model.rates(V, state), (V,), (jnp.ones_like(V),))
    beside = (jax.tree.leaves(model.rates(V + k * h, state)) for k in (-2, -1, 1, 2))
    close = 1e-3 if name.startswith("bueno") else 1e-5
    corners = np.array([-95.0, 31.4978, float(getattr(model, "V_hold", np.nan))])
    kept = ~(np.abs(np.asarray(V)[:, None] - corners) <= 3 * h).any(axis=1)
    for slope, a, b, c, d in zip(jax.tree.leaves(along), *beside, strict=True):
        off = slope - (8 * (c - b) - (d - a)) / (12 * h)
        off = np.broadcast_to(np.abs(off), V.shape)[kept]
        assert off.max() <= close * np.abs(slope).max() + 1e-12 * np.abs(c).max()


@each
def test_currents_sum_to_the_ionic_current(name, x64):
    """To rounding of the largest of them."""
    model = by_name(name)
    if not hasattr(model, "currents"):
        assert len(variables(model)) == 1  # two-variable models have no currents by name
        return
    V, state = states(model, 2000)
    i = np.array(model.currents(V, state))
    off = np.abs(i.sum(axis=0) - model.rates(V, state).i_ion)
    assert (off <= 1e-14 * np.abs(i).sum(axis=0)).all()


@each_layer
def test_every_conductance_scales_its_currents_and_no_other(name, x64):
    """Twice the parameter is twice the currents of its name (CaL_i and CaL_ss for CaL, what else
    passes the same channel with them) and leaves the others as they are; i_ion moves by it. One
    that is 0 (the late sodium current of the sinus node) is given a value first."""
    model = by_name(name)
    found = conductances(model)
    named = parameters(model)
    assert set(found) <= set(CURRENTS)
    assert set(found.values()) <= set(named)
    assert len(set(found.values())) == len(found)
    V, state = states(model, 2000)
    for current, parameter in found.items():
        value = named[parameter] if named[parameter] > 0 else jnp.array(0.01)
        once, twice = (model.with_named({parameter: k * value}) for k in (1, 2))
        i, j = (m.currents(V, state)._asdict() for m in (once, twice))
        moved = {k for k in i if np.any(j[k] != i[k])}
        own = {k for k in i if k == current or k.startswith(f"{current}_")}
        assert own, current
        assert own <= moved, current
        for k in moved:
            np.testing.assert_allclose(j[k], 2 * i[k], rtol=1e-12, atol=0, err_msg=current)
        apart = twice.rates(V, state).i_ion - once.rates(V, state).i_ion
        assert np.abs(apart).max() > 0, current


@each_family
def test_the_known_conductances_are_found(name):
    """All ionic models have sodium, calcium and inward rectifier among them but the sinus node,
    which has no i_K1; models in u have none."""
    found = set(conductances(by_name(name)))
    if SIZE[next(k for k in SIZE if name.startswith(k))] <= 4:
        assert not found
    elif name == "fabbri_2017":
        assert {"Na", "CaL", "CaT", "f", "Kr", "Ks", "NaCa", "NaK"} <= found
    else:
        assert {"Na", "CaL", "K1"} <= found


@each_family
def test_a_step_is_lowered_for_cuda(name):
    """What a GPU runs, without one: no host callback, no operation of a CPU alone."""
    model = by_name(name)
    V, state = model.initial(64)
    export = jax.export.export(jax.jit(RushLarsenMidpoint()), platforms=["cuda"])
    exported = export(model, V, state, 0.05, 0.0)
    assert exported.platforms == ("cuda",)
    assert {x.dtype for x in exported.out_avals} == {np.dtype("float32")}


@each
def test_a_card_says_what_the_model_is_of(name):
    """Species, tissue and source; year and layer as in the name; the volume and the pages stand in
    the model's own words too; as many variables as published, each with a change."""
    card, model = CARDS[name], by_name(name)
    assert card.species in {"human", "dog", "guinea pig", "mammal", "generic"}
    assert card.tissue.startswith(("ventricle", "atrium", "Purkinje fibre", "sinus node"))
    (year,) = re.findall(r"_(\d{4})", name)
    assert f"({year})" in card.source or f"{year}." in card.source
    layer = name.rsplit("_", 1)[1]
    if card.species == "human" and layer in LAYERS:
        assert card.tissue == f"ventricle, {LAYERS[layer]}"
    places = re.findall(PLACE, card.source)
    words = " ".join(f"{type(model).__doc__} {MODELS[name].__doc__}".split())
    assert places
    assert all(place in words for place in places)
    assert 1 + len(variables(model)) == SIZE[next(k for k in SIZE if name.startswith(k))]
    V, state = model.initial(2)
    assert set(flat(model.rates(V, state).changes)) == set(variables(model)) == set(flat(state))
