"""A dipole in a sphere of one, and of three, conductivities, against the series of spherical
harmonics: Rush and Driscoll (1969), IEEE Trans. Biomed. Eng. 16, 15-22 (page not checked); derived
below, and tested against the closed form at the centre.

RDM is |φ/|φ| - ψ/|ψ||, MAG is |φ|/|ψ|, over all nodes of the surface; eccentricity is a share of
the innermost radius. The dipole is a few cells with linear V, p = -σ_i ∇V times their volume.
"""

import itertools

import numpy as np
import pytest

from heartsim import ecg, mesh

BODIES = {  # radii in mm, conductivities in mS/mm
    "homogeneous": ([100.0], [0.2]),
    "layered": ([80.0, 90.0, 100.0], [0.6, 0.074, 0.2]),
}
COARSE, FINE = (3, 12), (4, 24)
"""How often the icosahedron's faces are split, and layers in the innermost radius."""


def icosphere(level):
    """Points of the unit sphere and triangles between them."""
    t = (1 + 5**0.5) / 2
    flat = [(a, b) for a in (-1, 1) for b in (-t, t)]
    v = np.array(
        [(0, a, b) for a, b in flat] + [(a, b, 0) for a, b in flat] + [(b, 0, a) for a, b in flat]
    )
    near = np.linalg.norm(v[:, None] - v[None], axis=2) < 2.1
    f = [
        (i, j, k)
        for i in range(12)
        for j in range(i)
        for k in range(j)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    v, f = v / np.linalg.norm(v, axis=1, keepdims=True), np.array(f)
    for _ in range(level):
        sides = np.sort(np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]]), axis=1)
        edges, number = np.unique(sides, axis=0, return_inverse=True)
        a, b, c = (len(v) + number).reshape(3, -1)
        f0, f1, f2 = f.T
        parts = [(f0, a, c), (f1, b, a), (f2, c, b), (a, b, c)]
        f = np.concatenate([np.stack(part, axis=1) for part in parts])
        middle = v[edges].mean(axis=1)
        v = np.concatenate([v, middle / np.linalg.norm(middle, axis=1, keepdims=True)])
    return v, f


def shells(name, level, layers):
    """The sphere, cut along its layers; regions 1, 2, 3 from within."""
    outer, _ = BODIES[name]
    radii = list(np.linspace(0, outer[0], layers + 1)[1:])
    for low, high in itertools.pairwise(outer):
        steps = max(2, round((high - low) * layers / outer[0]))
        radii += list(np.linspace(low, high, steps + 1)[1:])
    v, f = icosphere(level)
    f, n = np.sort(f, axis=1), len(v)
    points = np.concatenate([np.zeros((1, 3)), *[r * v for r in radii]])
    cells = [np.pad(f + 1, ((0, 0), (1, 0)))]
    for k in range(len(radii) - 1):
        (a, b, c), (u, v_, w) = (1 + k * n + f).T, (1 + (k + 1) * n + f).T
        for tet in ((a, b, c, w), (a, b, v_, w), (a, u, v_, w)):
            cells.append(np.stack(tet, axis=1))
    per_layer = [1] + [3] * (len(radii) - 1)
    regions = np.repeat(1 + np.searchsorted(outer, np.array(radii) - 1e-9), per_layer)
    cells = np.concatenate(cells)
    inverted = mesh.signed_volumes(points, cells) < 0
    cells[inverted] = cells[inverted][:, [0, 2, 1, 3]]
    regions = np.repeat(regions, len(f))
    return mesh.Mesh(points, cells.astype(np.int32), regions.astype(np.int32))


def series(height, p, points, radii, sigma):
    """φ [mV] at points of the outer surface from the dipole p [mV mS/mm · mm³] at (0, 0, height).

    In layer j: Σ_n (A_nj r^n + B_nj r^-(n+1)); B_n1 = 1 stands for the dipole's own field, the rest
    follow from continuity of φ and σ ∂φ/∂r at each interface and no current through the skin.
    Radii count in units of the outermost.
    """
    R = radii[-1]
    u, r, e = points / R, np.array(radii) / R, height / R
    x = u[:, 2]
    P_old, P, dP_old, dP = np.ones_like(x), x, np.zeros_like(x), np.ones_like(x)
    phi = np.zeros_like(x)
    for n in range(1, 200):
        M, y = np.zeros((2 * len(sigma), 2 * len(sigma))), np.zeros(2 * len(sigma))
        M[0, 1] = y[0] = 1.0
        for j, s in enumerate(r[:-1]):
            value, slope = [s**n, s ** -(n + 1)], [n * s ** (n - 1), -(n + 1) * s ** -(n + 2)]
            M[1 + 2 * j, 2 * j : 2 * j + 4] = [*value, *np.negative(value)]
            M[2 + 2 * j, 2 * j : 2 * j + 4] = [
                *np.multiply(sigma[j], slope),
                *np.multiply(-sigma[j + 1], slope),
            ]
        M[-1, -2:] = [n, -(n + 1)]
        scale = 1 / np.abs(M).max(axis=0)
        A, B = (np.linalg.solve(M * scale, y) * scale)[-2:]
        term = (A + B) * e ** (n - 1) * (n * P * p[2] + dP * (u @ p - x * p[2]))
        phi += term
        if n > 5 and np.abs(term).max() < 1e-10 * np.abs(phi).max():
            break
        P_old, P = P, ((2 * n + 1) * x * P - n * P_old) / (n + 1)
        dP_old, dP = dP, dP_old + (2 * n + 1) * P_old
    return phi / (4 * np.pi * sigma[0] * R**2)


def errors(name, body, eccentricity):
    """RDM and |MAG - 1| of the worse of a radial and a tangential dipole."""
    radii, sigma = BODIES[name]
    at = np.array([0, 0, eccentricity * radii[0]])
    middle = np.asarray(body.points)[body.cells].mean(axis=1)
    heart, _ = mesh.submesh(body, np.linalg.norm(middle - at, axis=1) < 0.09 * radii[0])
    half = np.broadcast_to(sigma[0] / 2 * np.eye(3), (heart.n_cells, 3, 3))
    V = np.asarray(heart.points)[:, [0, 2]].T
    around = {k + 1: s for k, s in enumerate(sigma)}
    nodes, phi = ecg.body_surface_map(body, around, heart, half, half, V)
    volume = mesh.signed_volumes(heart.points, heart.cells).sum()
    rdm, mag = [], []
    for direction, seen in zip(np.eye(3)[[0, 2]], phi, strict=True):
        p = -sigma[0] / 2 * volume * direction
        exact = series(at[2], p, np.asarray(body.points)[nodes], radii, sigma)
        size, true = np.linalg.norm(seen), np.linalg.norm(exact)
        rdm.append(np.linalg.norm(seen / size - exact / true))
        mag.append(abs(size / true - 1))
    print(f"{name} {body.n_nodes} nodes, {eccentricity}: RDM {max(rdm):.4f}, MAG {max(mag):.4f}")
    return max(rdm), max(mag)


def test_the_series_at_the_centre_of_one_sphere():
    """There φ = 3 p cos γ / (4π σ R²)."""
    seen = series(1e-9, np.array([0, 0, 1.0]), 100 * np.eye(3), [100.0], [0.2])
    assert seen == pytest.approx([0, 0, 3 / (4 * np.pi * 0.2 * 1e4)], abs=1e-12)


def test_layers_of_one_conductivity_are_one_sphere():
    points = 100 * np.array([[0.6, 0, 0.8], [0, 0.8, -0.6], [0, 0, 1.0]])
    p = np.array([1.0, 0.5, -2.0])
    one = series(50.0, p, points, [100.0], [0.2])
    assert series(50.0, p, points, [80.0, 90.0, 100.0], [0.2] * 3) == pytest.approx(one)


def test_a_dipole_in_three_layers_on_a_coarse_mesh():
    """2 %, the bound of the finer meshes, at the least eccentricity."""
    rdm, mag = errors("layered", shells("layered", *COARSE), 0.3)
    assert rdm < 0.02
    assert mag < 0.02


@pytest.mark.long
@pytest.mark.parametrize("name", BODIES)
def test_a_dipole_on_two_meshes(name):
    """The error falls; on the finer mesh (61,000 and 77,000 nodes) RDM is at most 0.02 and the
    magnitude within 2 % up to eccentricity 0.6. At 0.8 the dipole is nearer to a sphere's
    boundary, where it need only fall."""
    coarse, fine = shells(name, *COARSE), shells(name, *FINE)
    for eccentricity in (0.3, 0.6, 0.8):
        before, after = errors(name, coarse, eccentricity), errors(name, fine, eccentricity)
        assert after[0] < before[0]
        assert after[1] < before[1]
        if eccentricity <= 0.6:
            assert max(after) <= 0.02
