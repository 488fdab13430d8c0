"""Lead fields of a torso: exact discrete identities, gradients, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim import ecg, mesh, tissue

BLOCK = mesh.slab((40.0, 30.0, 30.0), 2.5)
INNER = mesh.Mesh(  # the block's inside is the heart, on the same cells
    BLOCK.points,
    BLOCK.cells,
    np.where(
        (np.abs(BLOCK.points[BLOCK.cells].mean(axis=1) - [20, 15, 15]) < [10, 7.5, 7.5]).all(1),
        1,
        2,
    ).astype(np.int32),
    frames=BLOCK.frames,
    region_names=(("heart", 1), ("torso", 2)),
)
HEART = mesh.keep_regions(INNER, ["heart"])
SKIN = {
    "A": np.array([0.0, 3.3, 15.1]),
    "B": np.array([40.0, 15.0, 10.0]),
    "C": np.array([20.0, 0.0, 11.0]),
    "D": np.array([18.0, 15.0, 31.0]),
}
AROUND = {"torso": 0.2, "heart": 0.4}


def tensors(body, i=(0.17, 0.019), e=(0.62, 0.24)):
    """σ_i and σ_e along and across the fibre."""
    return [np.asarray(tissue.tensor(body, s[0], s[1], s[1]), np.float64) for s in (i, e)]


def closed_wave():
    """A cube of 100 mV well inside the heart: its surface is a closed, uniform double layer."""
    return np.where(np.abs(HEART.points - [20, 15, 15]).max(axis=1) < 4.0, 100.0, 0.0)


@pytest.mark.usefixtures("x64")
def test_reciprocity():
    """Unit currents at the electrodes see what the direct solve finds there: one matrix and its
    transpose, so that only the solver's tolerance (1e-12 of the source) is between them."""
    V = np.random.default_rng(0).normal(size=(3, HEART.n_nodes))
    sigmas = tensors(HEART)
    L = np.asarray(ecg.torso_field(INNER, AROUND, SKIN, HEART, *sigmas))
    body = ecg.volume_conductor(INNER, AROUND, HEART, *sigmas)
    direct = body.potentials(V) @ ecg.skin_weights(INNER, SKIN, HEART).T
    assert pytest.approx(direct, rel=1e-6, abs=1e-6 * np.abs(direct).max()) == V @ L.T


@pytest.mark.usefixtures("x64")
def test_a_closed_uniform_wavefront_is_not_seen():
    """Where σ_i is a fixed share of σ_i + σ_e: the discrete source is then K of a function that
    vanishes at the electrodes. 1e-10 is the solver's rounding beside leads of 1e-2 mV."""
    si, _ = tensors(HEART)
    L = np.asarray(ecg.torso_field(INNER, AROUND, SKIN, HEART, si, 2 * si))
    assert L @ closed_wave() == pytest.approx(0, abs=1e-10)
    half = np.where(HEART.points[:, 0] < 20, 100.0, 0.0)
    assert np.abs(L @ half).max() > 1.0  # mV: an open front is


@pytest.mark.usefixtures("x64")
def test_a_closed_wavefront_is_seen_where_anisotropies_differ():
    """Not a fault: with unequal ratios the double layer is not uniform. It stays a small part of
    what the open front gives."""
    L = np.asarray(ecg.torso_field(INNER, AROUND, SKIN, HEART, *tensors(HEART)))
    half = np.where(HEART.points[:, 0] < 20, 100.0, 0.0)
    part = np.abs(L @ closed_wave()).max() / np.abs(L @ half).max()
    print(f"closed wavefront, unequal anisotropy: {part:.1%} of an open one")
    assert 1e-6 < part < 0.2


@pytest.mark.usefixtures("x64")
def test_uniform_voltage_is_not_seen_and_the_skin_is_the_reference():
    sigmas = tensors(HEART)
    L = np.asarray(ecg.torso_field(INNER, AROUND, SKIN, HEART, *sigmas))
    assert L.sum(axis=1) == pytest.approx(0, abs=1e-12)
    nodes, phi = ecg.body_surface_map(INNER, AROUND, HEART, *sigmas, closed_wave()[None])
    assert np.array_equal(nodes, np.unique(mesh.boundary_triangles(INNER)))
    share = ecg.volume_conductor(INNER, AROUND, HEART, *sigmas).share
    assert phi @ share[nodes] == pytest.approx(0, abs=1e-12)


@pytest.mark.usefixtures("x64")
def test_an_overlaid_heart_agrees_with_one_of_the_same_cells():
    """The heart's own mesh finer than the torso's: leads of a smooth front within 10 % (edges of
    2.5 mm in a heart of 15 mm)."""
    own = mesh.refine(HEART)
    leads = []
    for heart in (HEART, own):
        L = np.asarray(ecg.torso_field(INNER, AROUND, SKIN, heart, *tensors(heart)))
        leads.append(L @ (-85 + 100 / (1 + np.exp((heart.points[:, 0] - 19.0) / 2.0))))
    assert leads[1] == pytest.approx(leads[0], abs=0.1 * np.abs(leads[0]).max())


def test_twelve_leads_of_a_torso_obey_einthoven():
    heart = mesh.biventricular_ellipsoid(4.2)
    body = ecg.body_around(heart, edge=9.0)
    places, _ = ecg.default_electrodes(heart)
    L = ecg.torso_field(body, ecg.CONDUCTIVITY, places, heart, *tensors(heart))
    assert L.dtype == jnp.float32
    V = np.where(heart.points[:, 2] < 0, 20.0, -85.0)[None].astype(np.float32)
    leads = dict(zip(ecg.LEADS, np.asarray(ecg.twelve_leads(V @ np.asarray(L).T))[0], strict=True))
    assert leads["I"] + leads["III"] == pytest.approx(leads["II"], abs=1e-5)  # float32 sums
    assert abs(leads["II"]) > 0.1


def test_a_field_is_kept_by_its_content(tmp_path):
    sigmas = tensors(HEART)
    first = ecg.torso_field(INNER, AROUND, SKIN, HEART, *sigmas, cache=tmp_path / "fields")
    (kept,) = (tmp_path / "fields").iterdir()
    np.save(kept, 2 * np.load(kept))  # shows that the file is read
    again = ecg.torso_field(INNER, AROUND, SKIN, HEART, *sigmas, cache=tmp_path / "fields")
    assert np.array_equal(again, 2 * np.asarray(first))
    other = {**AROUND, "torso": 0.25}
    ecg.torso_field(INNER, other, SKIN, HEART, *sigmas, cache=tmp_path / "fields")
    assert len(list((tmp_path / "fields").iterdir())) == 2


@pytest.mark.usefixtures("x64")
def test_electrodes_move_on_the_skin():
    """At the given places the patches give the field itself. The derivative in place agrees with
    central differences to 1e-6, away from the edges of triangles, where it jumps: the places
    stand at least 0.3 mm from any, the steps are 1e-4 mm."""
    places = jnp.array([[0.0, 3.9, 15.7], [40.0, 14.2, 9.3], [20.7, 0.0, 11.6], [18.2, 16.4, 31.0]])
    skin = dict(zip(SKIN, places, strict=True))
    sigmas = tensors(HEART)
    patches = ecg.skin_patches(INNER, AROUND, skin, HEART, *sigmas, radius=3.0)
    L = ecg.torso_field(INNER, AROUND, skin, HEART, *sigmas)
    assert patches.field(places) == pytest.approx(np.asarray(L), abs=1e-9 * float(jnp.abs(L).max()))
    V = jnp.where(HEART.points[:, 0] < 20, 100.0, 0.0)

    def potentials(x):
        return patches.field(x) @ V

    step = jnp.asarray(np.random.default_rng(1).normal(size=places.shape))
    _, exact = jax.jvp(potentials, (places,), (step,))
    h = 1e-4
    finite = (potentials(places + h * step) - potentials(places - h * step)) / (2 * h)
    assert exact == pytest.approx(np.asarray(finite), rel=1e-6)
    across = jnp.zeros_like(places).at[0, 0].set(1.0)  # along the normal nothing changes
    assert jax.jvp(potentials, (places,), (across,))[1] == pytest.approx(0, abs=1e-12)
    reverse = jax.grad(lambda x: potentials(x).sum())(places)
    assert jnp.vdot(reverse, step) == pytest.approx(float(exact.sum()), rel=1e-10)


@pytest.mark.usefixtures("x64")
def test_weights_take_the_nearest_point_of_a_triangle():
    corners = np.array([[[0, 0, 0], [4, 0, 0], [0, 4, 0]], [[4, 0, 0], [4, 4, 0], [0, 4, 0.0]]])
    inside = ecg.electrode_weights(corners, np.array([1.0, 2.0, 5.0]))
    assert (int(inside[0]), inside[1].tolist()) == (0, [0.25, 0.25, 0.5])
    edge = ecg.electrode_weights(corners, np.array([1.0, -2.0, 1.0]))
    assert edge[1].tolist() == [0.75, 0.25, 0.0]
    corner = ecg.electrode_weights(corners, np.array([9.0, 9.0, 1.0]))
    assert (int(corner[0]), corner[1].tolist()) == (1, [0.0, 1.0, 0.0])


def refuses(sentence, torso=INNER, skin=SKIN, heart=HEART, around=AROUND):
    with pytest.raises(ValueError, match=sentence):
        ecg.torso_field(torso, around, skin, heart, *tensors(heart))


def test_bad_input_is_refused_in_a_sentence():
    refuses(
        "electrode V1 lies inside the heart, .* mm below the skin",
        skin={"V1": np.array([20.0, 15.0, 14.0])},
    )
    refuses(
        "electrode V1 lies 60.0 mm from the torso's surface",
        skin={"V1": np.array([100.0, 15.0, 15.0])},
    )
    refuses("region 'torso' .tag 2. has conductivity None", around={"toso": 0.2})
    refuses("has conductivity 0.0", around={"torso": 0.0})
    refuses(
        r"does not enclose the heart: \d+ of \d+ heart nodes lie in no torso cell",
        torso=mesh.drop_regions(INNER, ["heart"]),
    )
    skin = mesh.boundary_triangles(INNER)
    shell = mesh.Mesh(INNER.points, skin, np.ones(len(skin), np.int32))
    refuses("a mesh of triangles, a volume of tetrahedra is wanted", torso=shell)
    apart = mesh.Mesh(np.append(INNER.points, [[9.0, 9, 9]], 0), INNER.cells, INNER.regions)
    refuses("is in 2 parts that share no cell", torso=apart)
