"""Limit cycles: kept once computed, and what a run starts from."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import Pacing, Settled, by_name, scaled
from heartsim.scenario import build_scene, run_scenario, scenario_from
from heartsim.scenario._limit_cycle import at_limit_cycle, limit_cycle
from heartsim.tissue import rest
from tests.simple_cell import SIMPLE, integrated


def leaves(found):
    return [np.asarray(x) for x in jax.tree.leaves(found.end)]


def test_a_limit_cycle_is_kept_bit_for_bit(tmp_path, x64, monkeypatch):
    model, pacing = by_name(SIMPLE), Pacing(cycle_length=400.0)
    first = limit_cycle(model, pacing, tmp_path)
    (kept,) = tmp_path.iterdir()
    other = [
        limit_cycle(scaled(model, {"tau_open": 1.1}), pacing, tmp_path),
        limit_cycle(model, dataclasses.replace(pacing, cycle_length=390.0), tmp_path),
        limit_cycle(model, dataclasses.replace(pacing, stimulus=60.0), tmp_path),
        limit_cycle(model, dataclasses.replace(pacing, duration=1.5), tmp_path),
    ]
    assert len(list(tmp_path.iterdir())) == 5
    for one, more in itertools.combinations([first, *other], 2):
        assert any((a != b).any() for a, b in zip(leaves(one), leaves(more), strict=True))
    monkeypatch.setattr("heartsim.scenario._limit_cycle.settle", None)
    again = limit_cycle(model, dataclasses.replace(pacing, beats=7, dt=0.05), tmp_path)
    assert jax.tree.structure(again.end) == jax.tree.structure(first.end)
    for a, b in zip(leaves(again), leaves(first), strict=True):
        assert a.dtype == b.dtype == float
        np.testing.assert_array_equal(a, b)
    assert again[1:] == first[1:]
    assert kept.is_file()


def test_a_limit_cycle_that_loses_potassium_is_another(tmp_path, x64, monkeypatch):
    def settle(model, *_):
        return Settled(model.initial(1), 1, 0.0, "V")

    monkeypatch.setattr("heartsim.scenario._limit_cycle.settle", settle)
    model = by_name("ten_tusscher_2006_epi")
    for potassium in (True, False):
        limit_cycle(model, Pacing(potassium=potassium), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_limit_cycle_of_other_equations_is_another(tmp_path, x64, monkeypatch):
    def settle(model, *_):
        return Settled(model.initial(1), 1, 0.0, "V")

    monkeypatch.setattr("heartsim.scenario._limit_cycle.settle", settle)
    for code in ("of yesterday", "of today"):
        monkeypatch.setattr("heartsim.scenario._limit_cycle.code_of", lambda _, code=code: code)
        limit_cycle(by_name(SIMPLE), Pacing(), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_pacing_that_leads_nowhere_is_told_or_refused(tmp_path, x64, monkeypatch):
    for drift, words in ((1e-6, ""), (1e-3, "beats h still changes by 0.001 of itself a beat")):
        end = Settled(by_name(SIMPLE).initial(1), 1000, drift, "h")
        monkeypatch.setattr("heartsim.scenario._limit_cycle.settle", lambda *_, end=end: end)
        assert at_limit_cycle(by_name(SIMPLE), 400.0, None)[1].endswith(words)
    end = end._replace(drift=0.5)
    monkeypatch.setattr("heartsim.scenario._limit_cycle.settle", lambda *_: end)
    with pytest.raises(ValueError, match=r"\[heart\] limit_cycle: there is none of .* at 400 ms"):
        at_limit_cycle(by_name(SIMPLE), 400.0, None)


def test_a_file_that_is_cut_short_is_made_again(tmp_path, x64):
    first = limit_cycle(by_name(SIMPLE), Pacing(cycle_length=400.0), tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    again = limit_cycle(by_name(SIMPLE), Pacing(cycle_length=400.0), tmp_path)
    assert [x.tolist() for x in leaves(again)] == [x.tolist() for x in leaves(first)]


def test_nothing_is_kept_without_a_folder(tmp_path, x64, monkeypatch):
    monkeypatch.chdir(tmp_path)
    limit_cycle(by_name(SIMPLE), Pacing(cycle_length=400.0))
    assert list(tmp_path.iterdir()) == []


def test_a_membrane_starts_at_its_limit_cycle_in_its_own_precision(tmp_path):
    """The start of a model in single precision is that of double, rounded; its parameters stay."""
    model, told = at_limit_cycle(by_name(SIMPLE), 400.0, tmp_path)
    assert told == ""
    V, state = model.initial(3)
    assert V.dtype == state.h.dtype == jnp.float32
    _, wanted = integrated(400.0, 20)
    np.testing.assert_allclose(np.asarray(state.h), wanted[1], atol=1e-4)
    assert float(scaled(model, {"tau_in": 2.0}).named()["tau_in"]) == pytest.approx(0.6)
    assert scaled(model, {"tau_in": 2.0}).rest()[1].h == state.h[0]


def test_a_run_starts_in_the_limit_cycle_of_each_membrane(data, folder):
    """Muscle, and a scar with slower gates, against both cells by LSODA: V within 0.01 mV, h within
    1e-4; the scar's border is the scar's. Then a run of 1 ms, in which the gates of the scar, far
    from the stimulus, open further as 1 - (1 - h) exp(-t / tau_open); at rest they are open."""
    data["heart"]["limit_cycle"] = 400.0
    data["region"] = [{"tags": ["scar"], "scale": {"tau_open": 2.0}}]
    data["conduction"]["sigma_fibre_mS_mm"] = 0.2  # as across, so that one strand tells it
    data["solver"]["duration_ms"] = 1.0
    scenario, cache = scenario_from(data, folder=folder), folder / "cache"
    scene = build_scene(scenario, cache)
    assert len(list(cache.glob("cycle-*.npz"))) == 2
    state = rest(scene.tissue)
    scar = np.asarray(scene.mesh.points)[scene.nodes, 0] >= 18.0
    gates = [np.asarray(part.h) for part in state.membrane]
    slots = zip(*scene.tissue.ionic.slots(), strict=True)
    h = np.array([gates[patch][slot] for patch, slot in slots])[: len(scar)]
    muscle, slow = integrated(400.0, 20)[1], integrated(400.0, 20, tau_open=2.0)[1]
    assert slow[1] + 0.1 < muscle[1] < 0.9
    np.testing.assert_allclose(h, np.where(scar, slow[1], muscle[1]), atol=1e-4)
    V = np.asarray(state.V)[: len(scar)]
    np.testing.assert_allclose(V, np.where(scar, slow[0], muscle[0]), atol=0.01)

    run_scenario(scenario, folder / "out", cache=cache)
    with np.load(folder / "out" / "state.npz") as stored:
        found = [x for k, x in stored.items() if k.startswith("state_") and len(x) == scar.sum()]
    wanted = 1 - (1 - slow[1]) * np.exp(-1.0 / 240.0)
    assert len(found) == 1
    np.testing.assert_allclose(found[0], wanted, atol=1e-4)


def test_a_limit_cycle_of_no_length_is_refused(data, folder):
    for wrong in (0.0, -400.0, "fast"):
        data["heart"]["limit_cycle"] = wrong
        with pytest.raises(ValueError, match=r"heart.*limit_cycle"):
            scenario_from(data, folder=folder)
