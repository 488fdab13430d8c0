"""The twelve leads and their lead field, against what is known of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered

from heartsim import ecg, ionic, mesh, tissue

AROUND = {
    name: np.array(place, float)
    for name, place in zip(
        ecg.ELECTRODES,
        [(-60, -40, 50), (60, -40, 50), (50, -30, -80)]
        + [(60 * np.cos(a), -60 * np.sin(a), 5.0) for a in np.linspace(0.2, 3.0, 6)],
        strict=True,
    )
}


def test_lead_algebra():
    """I + III = II; the augmented leads sum to nothing; a common potential is not seen."""
    leads = dict(zip(ecg.LEADS, ecg.lead_matrix(), strict=True))
    assert leads["I"] + leads["III"] == pytest.approx(leads["II"], abs=1e-15)
    assert leads["aVR"] + leads["aVL"] + leads["aVF"] == pytest.approx(0, abs=1e-15)
    assert ecg.lead_matrix().sum(axis=1) == pytest.approx(0, abs=1e-15)
    potentials = np.arange(18.0).reshape(2, 9)
    assert ecg.twelve_leads(potentials)[1][0] == pytest.approx(potentials[1, 1] - potentials[1, 0])


@pytest.mark.usefixtures("x64")
def test_a_small_source_is_a_dipole():
    """V linear in a cube of side a: ∫σ∇V is a dipole p = σ a³ g, seen from 50 a with p·r/(4πσr³).
    1 % allows for the next moment, (a/r)² = 4e-4, and 1/r interpolated over the cube."""
    body = jittered(mesh.slab((1.0, 1.0, 1.0), 0.25), 0.1, 0)
    sigma = np.array([0.17, 0.019, 0.019])
    L = ecg.lead_field(body, {"E": np.array([20.0, 30.0, -25.0])}, tissue.tensor(body, *sigma), 0.2)
    g = np.array([1.0, -2.0, 0.5])
    r = np.array([20.0, 30.0, -25.0]) - 0.5
    p = -sigma * g  # the source ∇·(σ∇V) of a ramp that ends: current leaves where V is high
    exact = p @ r / (4 * np.pi * 0.2 * np.linalg.norm(r) ** 3)
    assert (L @ (body.points @ g))[0] == pytest.approx(exact, rel=0.01)


@pytest.mark.usefixtures("x64")
def test_uniform_voltage_is_not_seen():
    body = mesh.slab((4.0, 4.0, 4.0), 1.0)
    L = ecg.lead_field(body, AROUND, tissue.tensor(body, 0.17, 0.019, 0.019))
    assert L.sum(axis=1) == pytest.approx(0, abs=1e-15)


def test_float32_field_agrees_with_float64():
    body = mesh.slab((10.0, 7.0, 3.0), 1.0)
    V = np.where(body.points[:, 0] < 5, 20.0, -85.0)
    seen = []
    for double in (False, True):
        with jax.enable_x64(double):
            L = ecg.lead_field(body, AROUND, tissue.tensor(body, 0.17, 0.019, 0.019))
            seen.append(np.asarray(L @ jnp.asarray(V, L.dtype), np.float64))
    assert seen[0] == pytest.approx(seen[1], rel=1e-3, abs=1e-6)


@pytest.mark.long
def test_amplitude_does_not_depend_on_the_edge_that_was_tuned():
    """Halve the edge, tune again: leads agree within 5 %, though the tuned tensor halves nearly.
    The source is the physiological σ_i on both."""
    peaks = []
    model = ionic.by_name("ten_tusscher_2006_epi")
    scheme = tissue.Scheme(0.05, 1.0, ionic.RushLarsenStaggered(), tissue.Strang())
    for edge in (1.0, 0.5):
        body = mesh.slab((20.0, 7.0, 3.0), edge)
        D = [tissue.tune_velocity(model, v, edge, scheme).D for v in (0.65, 0.4, 0.4)]
        muscle = tissue.monodomain(body, tissue.tensor(body, *D), model, lumped=1.0)
        L = ecg.lead_field(body, AROUND, tissue.tensor(body, 0.17, 0.019, 0.019))
        pulse = tissue.Stimulus(site=body.points[:, 0] <= 1.0)
        _, samples = tissue.simulate(
            muscle,
            [pulse],
            dt=0.05,
            steps=800,
            sample_every=20,
            leads=jnp.asarray(ecg.lead_matrix(), L.dtype) @ L,
        )
        peaks.append(np.abs(np.asarray(samples.leads)).max(axis=0))
    assert peaks[0] == pytest.approx(peaks[1], rel=0.05)


def test_default_placement_follows_the_heart():
    """Move and turn the heart: the electrodes go with it."""
    heart = mesh.biventricular_ellipsoid(4.2)
    places, flag = ecg.default_electrodes(heart)
    assert "not this patient's" in flag
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    Q = Q * np.sign(np.linalg.det(Q))
    moved = mesh.Mesh(
        heart.points @ Q.T + 7.0,
        heart.cells,
        heart.regions,
        node_sets=heart.node_sets,
        region_names=heart.region_names,
    )
    turned, _ = ecg.default_electrodes(moved)
    for name in ecg.ELECTRODES:
        assert turned[name] == pytest.approx(Q @ places[name] + 7.0, abs=1e-6)


BAD = [
    ("", "electrode RA, LA, LL, V1, V2, V3, V4, V5, V6 is missing"),
    ("RA,0,0\n", r"line 1: 'RA,0,0' is not `name, x_mm, y_mm, z_mm`"),
    ("name,x,y,z\nRA,0,zero,1\n", "line 2"),
    ("RA,0,nan,1\n", "line 1: .* with three finite numbers"),
    ("name,z_mm,y_mm,x_mm\nRA,0,0,1\n", "begins with 'name,z_mm,y_mm,x_mm'; wanted name,x_mm"),
    ("name,x_cm,y_cm,z_cm\nRA,0,0,1\n", "wanted name,x_mm,y_mm,z_mm"),
    ("RA,0,0,1\nRA,9,9,9\n", "line 2: RA stands there twice"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD)
def test_bad_electrode_files(tmp_path, text, sentence):
    path = tmp_path / "electrodes.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        ecg.read_electrodes(path)


def test_a_mark_of_byte_order_is_no_part_of_a_name(tmp_path):
    rows = "".join(f"{name},1,2,{k}\n" for k, name in enumerate(ecg.ELECTRODES))
    (tmp_path / "e.csv").write_text("name,x_mm,y_mm,z_mm\n" + rows, encoding="utf-8-sig")
    assert ecg.read_electrodes(tmp_path / "e.csv")["V6"].tolist() == [1.0, 2.0, 8.0]
    (tmp_path / "e.csv").write_bytes("RA,1,2,3 für\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"e\.csv: is no text in UTF-8"):
        ecg.read_electrodes(tmp_path / "e.csv")


def test_missing_file_and_electrode_in_the_heart(tmp_path):
    with pytest.raises(ValueError, match="no such electrode file"):
        ecg.read_electrodes(tmp_path / "none.csv")
    body = mesh.slab((4.0, 4.0, 4.0), 1.0)
    with pytest.raises(ValueError, match="electrode V1 lies"):
        ecg.lead_field(body, {"V1": np.array([2.0, 2.1, 2.0])}, tissue.tensor(body, 0.1, 0.1, 0.1))
