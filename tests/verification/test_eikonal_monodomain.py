"""The eikonal front against our own monodomain wave, tuned to the same velocities."""

import jax
import numpy as np
import pytest

from heartsim import fem, ionic, mesh, tissue

SCHEME = tissue.Scheme(0.05, 1.0, ionic.RushLarsenStaggered(), tissue.Strang())
VELOCITY = (0.6, 0.4, 0.4)  # mm/ms along fibre, sheet and normal


def compared(body, cell, place, duration, capsys, name):
    """RMSE and 95th percentile [ms] of eikonal and monodomain times beyond 3 mm from the stimulus,
    after one fitted delay of the wave, which is printed with them. It is below 0, as a pulse fires
    a ball of 2 mm at once and the eikonal source is a point."""
    body, order = fem.compact(body)
    real = slice(len(order))  # padding stands behind
    edge = float(np.mean(mesh.edge_lengths(body)))
    found = {v: tissue.tune_velocity(cell, v, edge, SCHEME) for v in set(VELOCITY)}
    D = tissue.tensor(body, *(found[v].D for v in VELOCITY))
    away = np.linalg.norm(np.asarray(body.points) - place, axis=1)[real]
    muscle = tissue.monodomain(body, D, cell, lumped=SCHEME.lumped)
    pulse = tissue.Stimulus(site=np.pad(away <= 2.0, (0, body.n_nodes - len(order))), strength=35.7)
    steps = 20 * round(duration / SCHEME.dt / 20)
    carry, _ = tissue.simulate(muscle, [pulse], dt=SCHEME.dt, steps=steps, sample_every=20)
    wave = np.asarray(tissue.activation_time(carry, SCHEME.dt), float)[real]

    f, M = tissue.front(body), tissue.slowness(body, *VELOCITY)
    source = tissue.Sources(np.asarray(place, float)[None], np.zeros(1))
    solve = jax.jit(lambda f, M: tissue.arrival(f, M, tissue.source_times(f, M, source)))
    T = np.asarray(solve(f, M))[real]
    assert np.isfinite(wave).all()
    difference = (T - wave)[away > 3.0]
    delay = -difference.mean()
    rest = difference + delay
    rmse, tail = float(np.sqrt((rest**2).mean())), float(np.quantile(np.abs(rest), 0.95))
    with capsys.disabled():
        print(
            f"\n{name}: {len(order)} nodes of {edge:.2f} mm, last at {wave.max():.1f} ms; "
            f"delay {delay:.2f} ms, RMSE {rmse:.2f} ms, 95 % within {tail:.2f} ms"
        )
    return rmse, tail


def test_a_slab_on_half_millimetres(capsys):
    """The long test's slab with the light membrane. Found: 0.76 and 1.40 ms, delay -0.3."""
    body = mesh.slab((20.0, 7.0, 3.0), 0.5)
    cell = ionic.by_name("mitchell_schaeffer_2003")
    rmse, tail = compared(body, cell, (0.0, 0.0, 0.0), 50.0, capsys, "slab, light")
    assert rmse < 3.0
    assert tail < 6.0


@pytest.mark.long
@pytest.mark.parametrize("name", ["slab", "left ventricle"])
def test_a_slab_and_a_left_ventricle_on_edges_of_a_third_of_a_millimetre(name, capsys):
    """RMSE 3 ms and 95 % within 6 ms are asked for. Found: slab 0.69 and 1.34 ms, delay -3.2;
    ventricle 0.86 and 1.53, delay -2.1. The ventricle is that of a small animal, so that edges of
    0.3 mm make 100,000 nodes."""
    if name == "slab":
        body, place = mesh.slab((20.0, 7.0, 3.0), 0.3), np.zeros(3)
    else:
        body = mesh.lv_ellipsoid(
            0.3, lv_outer=(7.0, 7.0, 14.0), lv_inner=(4.0, 4.0, 11.0), base=4.0
        )
        place = np.asarray(body.points)[body.node_sets["lv_apex"][0]]
    cell = ionic.by_name("ten_tusscher_2006_epi")
    rmse, tail = compared(body, cell, place, 60.0, capsys, name)
    assert rmse < 3.0
    assert tail < 6.0
