"""The eikonal front: against straight rays, against its own equation, and its invariants."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.fem import compact
from heartsim.mesh import Mesh, cable, sheet, slab, submesh
from heartsim.tissue import (
    NEVER,
    Links,
    Sources,
    arrival,
    front,
    in_wall,
    purkinje,
    require_sources,
    slowness,
    source_times,
)
from heartsim.tissue._local import PAIRS, first_arrival, ray_weights

VELOCITY = (0.6, 0.4, 0.2)


def times_from(body, places, onsets=None, velocity=VELOCITY, size=256):
    """Arrival times of point sources on a body with one set of velocities."""
    f = front(body, size)
    M = slowness(body, *velocity)
    onsets = np.zeros(len(places)) if onsets is None else np.asarray(onsets, float)
    sources = Sources(np.asarray(places, float), onsets)
    return np.asarray(solve(f, M, sources))


@jax.jit
def solve(f, M, sources):
    return arrival(f, M, source_times(f, M, sources))


def straight(points, place, velocity=VELOCITY):
    """Exact arrival in a convex homogeneous body: the metric length of the straight ray."""
    return np.sqrt((((points - np.asarray(place)) / velocity) ** 2).sum(axis=1))


@pytest.mark.parametrize("corners", [1, 2, 3])
def test_first_arrival_is_the_least_over_the_face(x64, corners):
    rng = np.random.default_rng(corners)
    e, A = rng.normal(size=(300, corners, 3)), rng.normal(size=(300, 3, 3))
    M = A @ np.swapaxes(A, 1, 2) + 0.1 * np.eye(3)
    G = np.einsum("nai,nij,nbj->nab", e, M, e)
    T = rng.normal(size=(corners, 300))
    entries = jnp.stack([G[:, j, k] for j, k in PAIRS[corners]])
    λ = np.asarray(ray_weights(jnp.asarray(T), entries))
    value = np.asarray(first_arrival(jnp.asarray(T), entries))

    def objective(λ):
        return (λ * T).sum(axis=0) + np.sqrt(np.einsum("an,nab,bn->n", λ, G, λ))

    assert (λ >= -1e-15).all()
    assert λ.sum(axis=0) == pytest.approx(1.0, abs=1e-12)
    # the random simplices are up to 1e5 times longer than thick
    assert value == pytest.approx(objective(λ), abs=1e-9)
    for _ in range(200):  # convex: no other point of the face is earlier
        other = rng.dirichlet(np.ones(corners), size=300).T
        assert (objective(other) >= value - 1e-12).all()


@pytest.mark.long
def test_error_falls_with_the_edges_in_an_anisotropic_cube():
    """Source anywhere in the wall. A first-order method with a logarithm from the source, so that
    0.75 a halving, not 0.5, is asked for, and 1.5 ms on average at edges of 1 mm."""
    place = (6.0, 9.0, 7.5)
    mean = []
    for edge in (2.0, 1.0, 0.5):
        cube = slab((30.0, 30.0, 30.0), edge)
        error = times_from(cube, [place]) - straight(cube.points, place)
        mean.append(np.abs(error).mean())
    assert mean[1] < 1.5
    assert mean[1] / mean[0] < 0.75
    assert mean[2] / mean[1] < 0.75


@pytest.mark.parametrize(
    "body", [cable(30.0, 0.5), sheet((20.0, 12.0), 0.5)], ids=["line", "sheet"]
)
def test_lines_and_triangles_carry_fronts(body):
    middle = body.points[body.n_nodes // 3]
    error = times_from(body, [middle]) - straight(body.points, middle)
    # exact on lines (rounding); on triangles the first-order error of the cube test
    assert np.abs(error).max() < (1e-3 if body.dim == 1 else 2.0)


def test_a_plane_wave_is_exact_on_any_mesh():
    """T = g · x solves |∇T|_C = 1: given on the plane x = 0, every other node must have it to
    rounding, as the local solver is exact for plane waves."""
    body = slab((10.0, 5.0, 5.0), 0.5)
    f, M = front(body), slowness(body, *VELOCITY)
    start = np.full(len(f.points), NEVER, np.float32)
    start[f.place[np.isclose(body.points[:, 0], 0)]] = 0
    T = np.asarray(jax.jit(arrival)(f, M, start))
    exact = body.points[:, 0] / VELOCITY[0]
    assert pytest.approx(exact, abs=1e-4) == T  # float32, 17 ms


def test_times_do_not_depend_on_numbering_or_on_blocks():
    body = slab((10.0, 8.0, 6.0), 1.0)
    moved, order = compact(body)
    place = [(2.2, 3.1, 4.0)]
    here = times_from(body, place)
    assert times_from(moved, place)[: len(order)] == pytest.approx(here[order], abs=1e-3)
    # float32 stops improving below 6e-5 ms a node; ten nodes on the way
    assert times_from(body, place, size=2000) == pytest.approx(here, abs=1e-3)


def test_slower_tissue_and_fewer_sources_are_never_earlier():
    body = slab((10.0, 8.0, 6.0), 1.0)
    both = [(1.0, 1.0, 1.0), (9.0, 7.0, 5.0)]
    T = times_from(body, both)
    slack = 1e-3  # as above
    assert (times_from(body, both[:1]) >= T - slack).all()
    assert (times_from(body, both, velocity=(0.6, 0.35, 0.2)) >= T - slack).all()
    assert times_from(body, both, [3.0, 3.0]) == pytest.approx(T + 3, abs=slack)


def test_a_front_goes_around_what_does_not_conduct():
    """A wall with a gap at y > 8: behind it the way leads through the gap."""
    body = slab((20.0, 10.0, 3.0), 0.5)
    middle = body.points[body.cells].mean(axis=1)
    wall = (np.abs(middle[:, 0] - 10) < 1) & (middle[:, 1] < 8)
    body, _ = submesh(body, ~wall)
    T = times_from(body, [(4.0, 2.0, 1.5)], velocity=(0.5, 0.5, 0.5))
    far = np.abs(body.points - (16.0, 2.0, 1.5)).sum(axis=1).argmin()
    around = 2 * np.hypot(5.0, 6.0) + 2.0  # to the corner (9, 8), across, and back
    assert T[far] == pytest.approx(around / 0.5, rel=0.05)
    # a source ball stays on its side of a wall
    assert T[np.abs(body.points - (11.0, 0.0, 1.5)).sum(axis=1).argmin()] > 20


def test_what_no_front_reaches_stays_never():
    body = slab((10.0, 3.0, 3.0), 0.5)
    middle = body.points[body.cells].mean(axis=1)
    halves, _ = submesh(body, np.abs(middle[:, 0] - 5) > 1)
    T = times_from(halves, [(1.0, 1.0, 1.0)])
    assert (T[halves.points[:, 0] < 5] < NEVER / 2).all()
    assert (T[halves.points[:, 0] > 5] == NEVER).all()


def test_links_carry_a_front_both_ways_and_wait():
    """A fibre beside a cable: in at one end, along ten times faster, out near the other end."""
    body = cable(40.0, 1.0)
    network = np.array([[4.0, 5.0, 0.0], [36.0, 5.0, 0.0]])
    ends = np.array([[4, 41], [41, 4], [41, 42], [42, 41], [42, 36], [36, 42]])
    links = Links(ends, np.zeros((6, 3)), np.zeros((6, 2), int))
    delay = np.array([2.0, 7.0, 6.4, 6.4, 3.0, 1.0])
    f = front(body, links=links, network=network)
    M = slowness(body, 0.5, 0.5, 0.5)
    for first, wanted in (
        (0, (8 + 2, 8 + 2 + 6.4, 8 + 2 + 6.4 + 3)),
        (40, (8 + 1 + 6.4, 9.0, 8.0)),
    ):
        start = np.full(len(f.points), NEVER)
        start[f.place[first]] = 0.0
        T = np.asarray(arrival(f, M, start, delay))
        assert T[[41, 42, 36]] == pytest.approx(wanted, abs=1e-3)
        assert T[20] == pytest.approx(min(np.abs(20 - k) * 2 + T[k] for k in (4, 36)), abs=1e-3)


def test_a_ray_of_a_link_takes_the_time_of_its_cell():
    body = cable(10.0, 1.0)
    links = Links(np.array([[0, 9]]), np.array([[3.0, 0.0, 0.0]]), np.array([[2, 2]]))
    f = front(body, links=links)
    M = slowness(body, 0.5, 0.5, 0.5)
    start = np.full(len(f.points), NEVER)
    start[f.place[0]] = 0.0
    assert float(arrival(f, M, start, np.array([1.5]))[9]) == pytest.approx(1.5 + 6.0, abs=1e-4)


def test_a_source_off_the_wall_comes_to_its_nearest_point_and_the_heart_to_its_times():
    """One within stays where and when it is. One an edge, 1 mm, over the slab comes to its top: the
    front, which was flatter from farther off, is the same to 1 ms, of 2.5 that the way takes."""
    body = slab((10.0, 8.0, 3.0), 1.0)
    f, M = front(body), slowness(body, 0.6, 0.4, 0.4)

    def times(sources):
        return np.asarray(arrival(f, M, source_times(f, M, sources)))

    within = Sources(np.array([[5.2, 4.1, 1.3]]), np.array([2.0]))
    stays = in_wall(body, f, M, within)
    assert stays.position == pytest.approx(within.position)
    assert stays.onset == pytest.approx(within.onset)
    over = Sources(np.array([[5.0, 4.0, 4.0]]), np.array([3.0]))
    moved = in_wall(body, f, M, over)
    assert moved.position == pytest.approx(np.array([[5.0, 4.0, 3.0]]), abs=1e-6)
    off = times(moved) - times(over)
    assert abs(np.median(off)) < 1.0
    assert np.sqrt(np.mean(off**2)) < 1.0


def test_a_source_outside_the_heart_is_refused():
    f = front(slab((10.0, 8.0, 6.0), 1.0))
    require_sources(f, Sources(np.array([[5.0, 4.0, 3.3]]), np.zeros(1)))
    with pytest.raises(ValueError, match=r"source 1 at \(5.0, 4.0, 30.0\) mm lies outside"):
        require_sources(f, Sources(np.array([[5.0, 4.0, 3.3], [5.0, 4.0, 30.0]]), np.zeros(2)))


def test_rays_do_not_go_around_a_scar(x64):
    """A dead slit 1 mm wide ends 2 mm beside the source: the node behind it is reached around its
    end, as from a single node (which is late by the first edges' error, 0.8 ms)."""
    whole = slab((24.0, 24.0, 2.0), 1.0)
    middle = whole.points[whole.cells].mean(axis=1)
    inner, _ = submesh(whole, ~((abs(middle[:, 0] - 13.5) < 0.6) & (middle[:, 1] < 14.0)))
    f, place = front(inner), np.array([[12.0, 12.0, 0.0]])
    M = slowness(inner, 0.5, 0.5, 0.5)
    by_source = arrival(f, M, source_times(f, M, Sources(place, np.zeros(1))))
    start = np.full(len(f.points), NEVER)
    start[f.place[np.linalg.norm(inner.points - place, axis=1).argmin()]] = 0.0
    by_node = arrival(f, M, start)
    behind = np.linalg.norm(inner.points - [15.0, 12.0, 0.0], axis=1).argmin()
    around = 2 * (np.hypot(1.5, 2.0) + np.hypot(1.5, 2.0))  # at 0.5 mm/ms, by the slit's end
    assert float(by_source[behind]) == pytest.approx(float(by_node[behind]), abs=1.0)
    assert float(by_source[behind]) > around


def test_a_junction_at_a_fast_layer_does_not_make_the_wall_fast(x64):
    """Layer of 3 mm at 1.5 mm/ms below 6 mm at 0.4: times straight up are exact, with rays of two
    edges and without."""
    body = slab((36.0, 36.0, 9.0), 3.0)
    fast = (body.points[body.cells][..., 2] < 1e-9).any(axis=1)
    v = np.where(fast, 1.5, 0.4)
    ends = np.array([[18.0, 18.0, -1.0], [18.0, 18.0, 0.0]])
    tree = Mesh(points=ends, cells=np.array([[0, 1]]), regions=np.zeros(1, int))
    column = [np.linalg.norm(body.points - [18.0, 18.0, z], axis=1).argmin() for z in (3, 6, 9)]
    for reach in (2.0, 0.0):
        network = purkinje(body, tree, reach=reach)
        f = front(body, links=network.links, network=network.points)
        delay = network.delay(1000.0, 0.0, 0.0)
        T = arrival(f, slowness(body, v, v, v), network.root_times(f, np.zeros(1)), delay)
        wanted = [3 / 1.5, 3 / 1.5 + 3 / 0.4, 3 / 1.5 + 6 / 0.4]
        assert np.asarray(T)[column] == pytest.approx(np.array(wanted) + 1e-3, abs=0.01)
