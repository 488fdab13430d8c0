"""Purkinje networks: there and back at one fixed point, their derivatives, and what is refused."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bodies import jittered

from heartsim.mesh import Mesh, slab
from heartsim.tissue import NEVER, arrival, front, purkinje, slowness

V = (0.6, 0.4, 0.2)
FIBRE, OUT, BACK = 3.0, 2.0, 1.5  # mm/ms, ms, ms
solve = jax.jit(arrival)


def lines(points, cells):
    return Mesh(np.array(points, float), np.array(cells), np.zeros(len(cells), int))


BODY = slab((30.0, 10.0, 6.0), 1.0)
TREE = lines(
    [[15, 5, -20], [15, 5, -8], [4.3, 5.2, -4], [4.3, 5.2, 0], [26.0, 5.0, 0.0]],
    [[0, 1], [2, 1], [2, 3], [1, 4]],  # the second one written against its sense
)
"""Enters below the slab, forks, and ends on its lower side, at (4.3, 5.2) and at a node."""
TO_FORK, TO_A, TO_B = 12.0, np.hypot(10.7, np.hypot(0.2, 4)) + 4, np.hypot(11.0, 8.0)


@pytest.fixture(scope="module")
def joined():
    network = purkinje(BODY, TREE)
    return network, front(BODY, links=network.links, network=network.points)


def times(joined, start, out=OUT, back=BACK):
    network, f = joined
    return np.asarray(solve(f, slowness(BODY, *V), start, network.delay(FIBRE, out, back)))


def at_node(f, node):
    start = np.full(len(f.points), NEVER)
    start[f.place[node]] = 0.0
    return start


def test_a_tree_is_what_its_lines_say(joined):
    network, _ = joined
    n = BODY.n_nodes
    assert network.root.tolist() == [n]
    assert network.junction.tolist() == [n + 3, n + 4]
    assert network.length == pytest.approx([TO_FORK, TO_A - 4, 4, TO_B])
    entered = np.bincount(network.into)
    assert (entered > 20).all()  # nodes in half a ball of two mean edges
    assert np.bincount(network.back).tolist() == [4, 4]


def test_orthograde_from_the_root_to_the_muscle(joined):
    """Tree nodes exactly; muscle along straight rays, with the error of a source on the slab."""
    network, f = joined
    T = times(joined, network.root_times(f, np.array([5.0])))
    n = BODY.n_nodes
    ends = 5 + (TO_FORK + np.array([TO_A, TO_B])) / FIBRE
    assert T[network.junction] == pytest.approx(ends, abs=1e-4)  # float32, 20 ms
    rays = [
        OUT + end + np.sqrt((((BODY.points - T_end) / V) ** 2).sum(axis=1))
        for end, T_end in zip(ends, network.points[network.junction - n], strict=True)
    ]
    error = T[:n] - np.minimum(*rays)
    assert error.min() > -1e-3  # straight rays are the least
    # first order after one point at edges of 1 mm, as in test_eikonal.py
    assert error.mean() < 1.5
    near = np.minimum(*rays) < min(ends) + OUT + 1.0 / V[0]
    assert error[near].max() < 1e-3  # rays of the junction itself


def test_retrograde_from_the_muscle_to_the_root_and_back(joined):
    """A beat that begins at junction B enters the tree there, and comes out at A before the muscle
    could carry it so far."""
    network, f = joined
    node = np.abs(BODY.points - (26.0, 5.0, 0.0)).sum(axis=1).argmin()
    T = times(joined, at_node(f, node))
    a, b = network.junction
    assert T[b] == pytest.approx(BACK, abs=1e-4)
    assert T[network.root[0]] == pytest.approx(BACK + (TO_B + TO_FORK) / FIBRE, abs=1e-4)
    assert T[a] == pytest.approx(BACK + (TO_B + TO_A) / FIBRE, abs=1e-4)
    near_a = np.abs(BODY.points - (4.0, 5.0, 0.0)).sum(axis=1).argmin()
    ray = np.sqrt(np.sum((np.array([0.3, 0.2, 0]) / V) ** 2))
    assert T[near_a] == pytest.approx(T[a] + OUT + ray, abs=1e-4)
    assert 22.0 / V[0] > T[near_a]


def test_a_late_junction_does_not_fire_what_is_activated(joined):
    """With long delays the muscle alone carries the beat."""
    _, f = joined
    alone = front(BODY)
    node = np.abs(BODY.points - (26.0, 5.0, 0.0)).sum(axis=1).argmin()
    T = times(joined, at_node(f, node), out=200.0)[: BODY.n_nodes]
    muscle = np.asarray(solve(alone, slowness(BODY, *V), at_node(alone, node)))
    assert pytest.approx(muscle, abs=1e-3) == T


def test_two_trees_start_at_their_own_onsets():
    left = lines([[3, 5, -6], [3, 5, 0]], [[0, 1]])
    right = lines([[27, 5, 0], [27, 5, -9]], [[0, 1]])
    network = purkinje(BODY, left, right, roots=[0, 1])
    f = front(BODY, links=network.links, network=network.points)
    delay = network.delay(np.array([2.0, 3.0]), np.array([0.0, 4.0]), 1.0)
    T = solve(f, slowness(BODY, *V), network.root_times(f, np.array([1.0, 7.0])), delay)
    assert np.asarray(T)[network.root] == pytest.approx([1.0, 7.0])
    assert np.asarray(T)[network.junction] == pytest.approx([1 + 3, 7 + 3], abs=1e-4)
    b = np.abs(BODY.points - (27.0, 5.0, 0.0)).sum(axis=1).argmin()
    assert float(T[b]) == pytest.approx(10 + 4.0, abs=1e-4)


def test_given_ends_are_junctions_whatever_their_degree():
    middle = lines([[5, 5, 0], [15, 5, 0], [25, 5, 0], [25, 5, -90]], [[0, 1], [1, 2], [2, 3]])
    network = purkinje(BODY, middle, ends=[np.array([1, 2])])
    assert (network.junction - BODY.n_nodes).tolist() == [1, 2]


class Compiled(NamedTuple):
    """A beat through a tree in float64 as a loss of velocities and delays, compiled once; one
    junction lies on a node."""

    p: dict
    starts: dict
    loss: Callable
    both: Callable


@pytest.fixture(scope="module")
def compiled():
    with jax.enable_x64(True):
        body = jittered(slab((12.0, 8.0, 5.0), 1.0), 0.15, 1)
        ends = [[2.2, 4, 0], body.points[10]]
        network = purkinje(body, lines([[6, 4, -9], [6, 4, -4], *ends], [[0, 1], [1, 2], [1, 3]]))
        f = front(body, links=network.links, network=network.points)
        starts = {"orthograde": network.root_times(f, np.zeros(1))}
        starts["retrograde"] = jnp.asarray(at_node(f, 12))  # at (12, 0, 0), near that node
        weight = jnp.asarray(np.random.default_rng(2).normal(size=len(f.place)) / len(f.place))

        def loss(p, start, f):
            M = slowness(body, *p["muscle"])
            delay = network.delay(p["fibre"], p["out"], p["back"])
            return weight @ arrival(f, M, start, delay)

        def both(p, d, start, f):
            return jax.jvp(lambda p: loss(p, start, f), (p,), (d,))[1], jax.grad(loss)(p, start, f)

        loss, both = jax.jit(loss), jax.jit(both)
        p = {"muscle": jnp.array([0.6, 0.4, 0.2]), "fibre": jnp.array(3.0)}
        p |= {"out": jnp.array([2.0, 1.0]), "back": jnp.array(1.5)}
        return Compiled(
            p, starts, lambda p, start: loss(p, start, f), lambda p, d, s: both(p, d, s, f)
        )


@pytest.mark.parametrize("beat", ["orthograde", "retrograde"])
def test_velocity_and_delays_have_derivatives(x64, compiled, beat):
    """Central differences over a ladder of steps, and both modes."""
    p, starts, loss, both = compiled
    start, rng = starts[beat], np.random.default_rng(3)
    for _ in range(3):
        d = {k: jnp.asarray(np.array(rng.normal(size=x.shape))) for k, x in p.items()}
        slope, g = both(p, d, start)
        used = {k for k, x in g.items() if float(jnp.abs(x).max()) > 1e-4}
        assert used == set(p) - ({"back"} if beat == "orthograde" else set())
        backward = sum(float((g[k] * d[k]).sum()) for k in p)
        assert float(slope) == pytest.approx(backward, rel=1e-12)
        error = []
        for e in (1e-5, 1e-6, 1e-7):  # as in tests/gradients/test_eikonal.py
            up, down = ({k: p[k] + s * e * d[k] for k in p} for s in (1, -1))
            difference = float(loss(up, start) - loss(down, start)) / (2 * e)
            error.append(abs(difference / backward - 1))
        assert min(error) < 1e-7


def test_ties_at_zero_delay_have_finite_derivatives(x64, compiled):
    """Junction and node fire together, each the other's best way were it not for the order."""
    p, starts, _, both = compiled
    p = p | {"out": jnp.zeros(2), "back": jnp.array(0.0)}
    for start in starts.values():
        slope, g = both(p, {k: jnp.asarray(np.ones(x.shape)) for k, x in p.items()}, start)
        backward = sum(float(x.sum()) for x in g.values())
        assert float(slope) == pytest.approx(backward, rel=1e-10)
        assert float(jnp.abs(g["fibre"])) > 1e-4


def test_what_cannot_be_a_network_is_refused():
    apart = lines(
        [[3, 5, -6], [3, 5, 0], [9, 5, -6], [9, 5, 0], [9, 5, -9]], [[0, 1], [2, 3], [3, 4]]
    )
    with pytest.raises(ValueError, match="tree 0 hangs in 2 parts, and 3 of its 5 nodes do not"):
        purkinje(BODY, apart)
    far = lines([[3, 5, -20], [3, 5, 0], [9, 5, -7.5]], [[0, 1], [0, 2]])
    with pytest.raises(
        ValueError, match=r"1 of 2 junctions lie .* junction 1 at \(9.0, 5.0, -7.5\) .* 7.5 mm;"
    ):
        purkinje(BODY, far)
    with pytest.raises(ValueError, match="a mesh of lines is wanted"):
        purkinje(BODY, BODY)
    with pytest.raises(ValueError, match="no tree is given"):
        purkinje(BODY)
    network = purkinje(BODY, TREE)
    with pytest.raises(ValueError, match=r"velocity \(fibres\): 0 mm/ms, where a positive"):
        network.delay(0.0, 1.0, 1.0)
