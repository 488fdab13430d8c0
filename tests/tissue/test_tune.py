"""Velocities: the strand, its calibration, and a real mesh that was tuned by it."""

import jax
import numpy as np
import pytest

from heartsim import ionic, mesh, tissue
from heartsim.tissue import _tuning_cache

TTP06 = ionic.by_name("ten_tusscher_2006_epi")
SECOND = tissue.Scheme(0.05, 1.0, ionic.RushLarsenStaggered(), tissue.Strang())
PEERS = tissue.Scheme(0.005, 0.0, ionic.RushLarsen(), tissue.SemiImplicit())


@pytest.mark.parametrize(
    ("D", "edge", "wanted", "within"),
    [(0.1334 / 1.4, 0.05, 0.611, 0.003), (0.0176 / 1.4, 0.02, 0.222, 0.002)],
)
def test_first_order_velocities_are_those_of_three_other_codes(D, edge, wanted, within):
    """Along and across the fibre at dt 0.005 ms, consistent mass, as other engines run it."""
    assert tissue.strand_velocity(TTP06, D, edge, PEERS, threshold=0.0) == pytest.approx(
        wanted, abs=within
    )


def test_what_other_equations_were_tuned_to_is_not_found(monkeypatch):
    before = _tuning_cache.key_of(TTP06, 0.6)
    assert _tuning_cache.key_of(TTP06, 0.6) == before
    monkeypatch.setattr(_tuning_cache, "code_of", lambda *packages: "of today")
    assert _tuning_cache.key_of(TTP06, 0.6) != before


def test_a_tuned_slab_carries_its_wave_at_the_wanted_velocity(tmp_path):
    """A plane wave along a slab of edges 0.5 mm; 1 % is what the reading at nodes 5 mm apart
    and the calibration (0.2 %) leave."""
    tuned = tissue.tune_velocity(TTP06, 0.6, 0.5, SECOND, cache=tmp_path)
    assert tissue.tune_velocity(TTP06, 0.6, 0.5, SECOND, cache=tmp_path) == tuned  # from the cache
    body = mesh.slab((20.0, 1.0, 1.0), 0.5)
    muscle = tissue.monodomain(
        body, tissue.tensor(body, tuned.D, tuned.D, tuned.D), TTP06, lumped=1.0
    )
    pulse = tissue.Stimulus(site=body.points[:, 0] <= 1.5)
    carry, _ = tissue.simulate(muscle, [pulse], dt=0.05, steps=700, sample_every=20)
    time = np.asarray(carry.events.activation.time(0.05))
    at = [time[np.isclose(body.points[:, 0], x)].mean() for x in (10.0, 17.0)]
    assert 7.0 / (at[1] - at[0]) == pytest.approx(0.6, rel=0.01)


def test_an_untuned_run_states_its_velocity_error():
    """0.5 mm, across the fibre, lumped: the wave is far too slow, and this is said."""
    strand = tissue.projected(mesh.cable(10.0, 0.5))
    error = tissue.velocity_errors(TTP06, np.full(3, 0.0176 / 1.4), strand, SECOND)[0]
    assert -0.85 < error < -0.65  # benchmarks/velocity.csv: -0.78 at small dt


def test_a_wave_that_no_conductivity_carries_is_refused():
    said = (
        r"no conductivity carries a wave of 0\.01 m/s on edges of 2\.00 mm with dt = 0\.05 ms.*"
        r"Refine the mesh, try a smaller dt, or"
    )
    with pytest.raises(ValueError, match=said):
        tissue.tune_velocity(TTP06, 0.01, 2.0, SECOND)
    with pytest.raises(ValueError, match="must be > 0"):
        tissue.tune_velocity(TTP06, 0.0, 2.0, SECOND)


def test_strands_of_other_edges_steps_and_masses_share_a_program(caplog):
    """Compiling one takes a hundred times as long as a strand or a projection. A mass that is all
    lumped, and so diagonal, has its own."""
    some = SECOND._replace(lumped=0.9)
    first, second = (
        tissue.projected(mesh.cable(9.0, 0.9)).ways[0],
        tissue.projected(mesh.slab((4.0, 4.0, 4.0), 1.0)).ways[3],
    )
    tissue.strand_velocity(TTP06, 0.1, 0.2, some)
    tissue.strand_velocity(TTP06, 0.1, 0.7, some)
    tissue.projected_velocity(TTP06, np.full(3, 0.1), first, some)
    with jax.log_compiles(), caplog.at_level("WARNING"):
        tissue.strand_velocity(TTP06, 0.2, 0.1, some._replace(dt=0.01, lumped=0.5))
        tissue.strand_velocity(TTP06, 0.2, 0.5, some._replace(dt=0.1, lumped=0.0))
        tissue.projected_velocity(TTP06, np.full(3, 0.2), second, some._replace(lumped=0.5))
    compiled = [r.getMessage() for r in caplog.records if r.getMessage().startswith("Compiling")]
    assert compiled, "JAX's log reads otherwise now"  # small programs that assemble matrices
    assert not [name for name in compiled if "simulate" in name or "begin" in name]


def test_no_wave_is_nan():
    blocked = ionic.scaled(TTP06, {"g_Na": 0.0, "g_CaL": 0.0})
    assert np.isnan(tissue.strand_velocity(blocked, 0.1, 0.5, SECOND))


def test_float32_agrees_with_float64():
    """0.1 %: float32 rounding of V is 1e-5 mV, the upstroke 200 mV/ms."""
    found = []
    for double in (False, True):
        with jax.enable_x64(double):
            model = ionic.by_name("ten_tusscher_2006_epi")
            found.append(tissue.strand_velocity(model, 0.1, 0.25, SECOND))
    assert found[0] == pytest.approx(found[1], rel=1e-3)
    assert found[0] != found[1]
