"""How the heart lies in the chest: shifts, turns, sizes, and what they do to leads."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from heartsim import ecg, mesh, tissue
from heartsim.ecg._position import APEX_TO_BASE, RIGHT_TO_LEFT, body_frame

HEART = mesh.biventricular_ellipsoid(4.2)
AXES = mesh.heart_axes(HEART)
F = body_frame(AXES)
LYING = ecg.HeartPosition(8.0, -6.0, -12.0, 20.0, 15.0, -10.0)
FRAMES = HEART.points[:, [0, 2]].T  # mm; two fields of V to see
V = 50.0 * np.tanh(FRAMES / 20.0)  # mV


def sigmas(body, *values):
    return [np.asarray(tissue.tensor(body, *s), np.float64) for s in values]


def muscle(body):
    return sigmas(body, (0.17, 0.019, 0.019), (0.62, 0.24, 0.24))


def in_chest(position):
    """R and s of the heart's motion, by another library and in the words of the docstrings."""
    long = Rotation.from_rotvec(
        np.radians(position.clockwise) * np.array(APEX_TO_BASE) / np.linalg.norm(APEX_TO_BASE)
    )
    tilt = Rotation.from_euler("x", -position.apex_forward, degrees=True)
    frontal = Rotation.from_euler("y", position.vertical, degrees=True)
    shift = np.array([position.left, position.back, position.head])
    return (frontal * tilt * long).as_matrix(), shift


def moved(body, Q, shift, about):
    """A mesh turned by Q about a point, then shifted; its fibres with it."""
    frames = None if body.frames is None else np.asarray(body.frames) @ Q.T
    points = about + (body.points - about) @ Q.T + shift
    return dataclasses.replace(body, points=points, frames=frames)


def heart_moved_by_hand():
    R, s = in_chest(LYING)
    return moved(HEART, F @ R @ F.T, F @ s, AXES.origin)


def test_no_shift_and_no_turn_change_nothing_bit_for_bit():
    usual, _ = ecg.default_electrodes(HEART)
    same, _ = ecg.default_electrodes(HEART, ecg.HeartPosition(), ecg.Chest())
    assert all(np.array_equal(usual[name], same[name]) for name in usual)
    first, second = (
        ecg.body_around(HEART, edge=12.0, **given)
        for given in ({}, {"position": ecg.HeartPosition(), "chest": ecg.Chest()})
    )
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.regions, second.regions)


def test_turns_are_what_a_clinician_calls_them():
    """Rounding: 1e-6, in float32."""

    def turned(b, **angles):
        return np.asarray(ecg.HeartPosition(**angles).turn) @ np.array(b)

    left, front, feet = (1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)
    assert turned(left, vertical=90.0) == pytest.approx(feet, abs=1e-6)
    assert turned(feet, apex_forward=90.0) == pytest.approx(front, abs=1e-6)
    right_ventricle = -np.array(RIGHT_TO_LEFT)
    to = turned(right_ventricle, clockwise=20.0) - right_ventricle
    assert to[0] > 0.05  # to the left
    assert to[1] < -0.05  # to the front
    assert turned(APEX_TO_BASE, clockwise=20.0) == pytest.approx(APEX_TO_BASE, abs=1e-6)


@pytest.mark.usefixtures("x64")
def test_a_position_is_the_heart_moved_among_electrodes_that_stay():
    """1e-9: rounding of coordinates of 1e2 mm, divided by the small differences of 1/r."""
    places, _ = ecg.default_electrodes(HEART)
    by_hand = heart_moved_by_hand()
    expected = ecg.lead_field(by_hand, places, muscle(by_hand)[0])
    around, _ = ecg.default_electrodes(HEART, LYING)
    L = np.asarray(ecg.lead_field(HEART, around, muscle(HEART)[0]))
    assert pytest.approx(np.asarray(expected), abs=1e-9 * np.abs(L).max()) == L
    usual = np.asarray(ecg.lead_field(HEART, places, muscle(HEART)[0]))
    assert np.abs(L - usual).max() > 0.1 * np.abs(L).max()


@pytest.mark.usefixtures("x64")
def test_a_position_is_the_heart_moved_in_a_torso_that_stays():
    """A torso's mesh moved the other way around the heart, and heart and torso moved together,
    see the same to the solver's tolerance (1e-12 of the source; 1e-7 of a field)."""
    torso = ecg.body_around(HEART, edge=12.0)
    places, _ = ecg.default_electrodes(HEART)

    def field(torso, places, heart):
        L = ecg.torso_field(torso, ecg.CONDUCTIVITY, places, heart, *muscle(heart))
        return np.asarray(L)

    expected = field(torso, places, heart_moved_by_hand())
    around, _ = ecg.default_electrodes(HEART, LYING)
    carried = dataclasses.replace(torso, points=ecg.moved_body(torso.points, AXES, LYING))
    close = 1e-7 * np.abs(expected).max()
    assert field(carried, around, HEART) == pytest.approx(expected, abs=close)
    Q = Rotation.random(random_state=1).as_matrix()
    go = (Q, np.array([300.0, -50.0, 20.0]), AXES.origin)
    rows = mesh.Mesh(np.array(list(places.values())), np.arange(9).reshape(-1, 3), np.ones(3, int))
    together = dict(zip(places, moved(rows, *go).points, strict=True))
    assert field(moved(torso, *go), together, moved(HEART, *go)) == pytest.approx(
        field(torso, places, HEART), abs=close
    )


def remote(position):
    """Limb electrodes in an equilateral triangle in the frontal plane, 1 km away."""
    at = {"RA": (-math.sqrt(0.75), 0.0, 0.5), "LA": (math.sqrt(0.75), 0.0, 0.5)}
    towards = np.array([at.get(name, (0.0, 0.0, -1.0)) for name in ecg.ELECTRODES])
    places = ecg.moved_body(AXES.origin + 1e6 * towards @ F.T, AXES, position)
    return dict(zip(ecg.ELECTRODES, places, strict=True))


def axis(places):
    """The axis as `measure` has it, of one frame: electrical, 0 left, 90 down."""
    one, two = (ecg.lead_matrix() @ ecg.lead_field(HEART, places, muscle(HEART)[0]) @ V[0])[:2]
    return float(np.degrees(np.arctan2((2 * two - one) / np.sqrt(3), one)))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("angle", [-40.0, 25.0])
def test_a_frontal_turn_turns_the_axis_by_its_angle(angle):
    """Seen from afar in an equilateral triangle, where Einthoven's formula is exact: 0.1° is some
    ten times what rounding leaves of differences between potentials 1 km away. Electrodes on
    the trunk see the axis turn the same way, by another angle (docs/lead-fields.md)."""
    at = ecg.HeartPosition(vertical=angle)
    turned = (axis(remote(at)) - axis(remote(None)) + 180.0) % 360.0 - 180.0
    assert turned == pytest.approx(angle, abs=0.1)
    near = [axis(ecg.default_electrodes(HEART, p)[0]) for p in (None, at)]
    assert ((near[1] - near[0] + 180.0) % 360.0 - 180.0) * angle > 0


@pytest.mark.usefixtures("x64")
def test_slopes_in_position_and_chest_agree_with_central_differences():
    """Both ways, by leads in an infinite medium. 1e-6: second order of steps of 1e-3 mm or degree,
    and rounding."""
    medium = ecg.infinite_medium(HEART, muscle(HEART)[0])
    usual = jnp.asarray(list(ecg.default_electrodes(HEART)[0].values()))

    @jax.jit
    def leads(x):
        position, chest = ecg.HeartPosition(*x[:6]), ecg.Chest(*x[6:])
        places = position.carried(chest.stretched(usual, AXES), AXES)
        return ecg.lead_matrix() @ medium.field(places) @ V.T

    x = jnp.array([8.0, -6.0, -12.0, 20.0, 15.0, -10.0, 290.0, 200.0, 560.0])
    slopes = jax.jit(jax.jacfwd(leads))(x)
    h = 1e-3 * jnp.eye(9)
    finite = np.stack([(leads(x + d) - leads(x - d)) / 2e-3 for d in h], axis=-1)
    largest = np.abs(finite).max(axis=(0, 1))
    assert (largest > 1e-4).all()  # mV per mm or degree: each is seen
    assert (np.abs(slopes - finite).max(axis=(0, 1)) < 1e-6 * largest).all()
    assert jax.jit(jax.jacrev(leads))(x) == pytest.approx(
        np.asarray(slopes), abs=1e-9 * largest.max()
    )
    given = dict(zip(ecg.ELECTRODES, usual, strict=True))
    still = ecg.HeartPosition(), ecg.Chest()
    L = ecg.lead_field(HEART, given, muscle(HEART)[0])
    here = medium.field(still[0].carried(still[1].stretched(usual, AXES), AXES))
    assert np.asarray(here) == pytest.approx(np.asarray(L), abs=1e-12 * float(jnp.abs(L).max()))


def test_an_infinite_medium_in_float32():
    """1/r of 1e-2/mm to 6e-8 of itself, over differences a tenth as large between neighbours."""
    sigma = muscle(HEART)[0]
    places, _ = ecg.default_electrodes(HEART)
    L = np.asarray(ecg.lead_field(HEART, places, sigma))
    field = ecg.infinite_medium(HEART, sigma).field(jnp.asarray(list(places.values()), float))
    assert np.asarray(field @ V[0]) == pytest.approx(L @ V[0], abs=1e-4 * np.abs(L @ V[0]).max())


def test_a_chest_has_the_size_given():
    """2 %: nodes of the skin are 20 mm apart. The electrodes lie within reach of that skin."""
    chest = ecg.Chest(320.0, 240.0, 600.0)
    at = ecg.HeartPosition(left=10.0, vertical=15.0)
    body = ecg.body_around(HEART, edge=12.0, position=at, chest=chest)
    R, _ = in_chest(at)
    extent = np.ptp((body.points - AXES.origin) @ F @ R.T, axis=0)
    assert extent == pytest.approx([320.0, 240.0, 600.0], rel=0.02)
    places, _ = ecg.default_electrodes(HEART, at, chest)
    assert ecg.skin_weights(body, places, HEART).sum(axis=1) == pytest.approx(1)


def test_places_where_no_heart_lies_are_refused_in_a_sentence():
    def refuses(sentence, position=None, chest=None):
        for door in (ecg.default_electrodes, ecg.body_around):
            with pytest.raises(ValueError, match=sentence):
                door(HEART, position=position, chest=chest)

    outside = r"does not fit into the made-up chest: \d+ of \d+ nodes lie outside its skin"
    refuses(outside + r" \(260 x 210 x 520 mm\); shift it less", ecg.HeartPosition(back=-60.0))
    refuses(outside + r" \(90 x 210 x 520 mm\)", chest=ecg.Chest(width=90.0))
    refuses("in the lungs with 5.% of its nodes, at most 50%", ecg.HeartPosition(left=48.0))
    refuses("chest: depth = -5 mm; give a positive length", chest=ecg.Chest(depth=-5.0))
    ball = mesh.ball(140.0, 30.0)
    skin = mesh.boundary_triangles(ball)
    shell = mesh.Mesh(ball.points, skin, np.ones(len(skin), np.int32))
    with pytest.raises(ValueError, match="a surface has its own size; leave out the chest"):
        ecg.body_around(HEART, shell, chest=ecg.Chest())
