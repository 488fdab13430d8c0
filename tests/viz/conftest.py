"""A made-up heart surface with an analytic activation, and a made-up beat on twelve leads."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from heartsim.viz import heart_views

LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


@pytest.fixture(scope="session")
def heart():
    """A half ellipsoid: points, triangles, activation in ms, and its three views."""
    points, triangles, _ = half_shell(around=48, along=30)
    x, y, z = np.eye(3)
    return SimpleNamespace(
        points=points,
        triangles=triangles,
        values=activation(points),
        views=heart_views(z, x, -y),
    )


@pytest.fixture
def ecg_file(tmp_path):
    """Writes `ecg.csv` of a made-up beat; takes the keywords of `beat`, or time and leads."""

    def write(t=None, leads=None, order=LEADS, **keywords):
        if leads is None:
            t, leads = beat(**keywords)
        return write_ecg(tmp_path / "ecg.csv", t, leads, order)

    return write


def half_shell(outer=(30.0, 28.0, 70.0), wall=10.0, around=96, along=60):
    """Closed surface of a thick half ellipsoid, open at the base (z = 0), apex at -z, mm.

    Returns points, outward triangles, and for each point whether it is endocardial.
    """
    inner = tuple(a - wall for a in outer)
    t = np.linspace(0.0, np.pi / 2.0, along + 1)[1:]  # angle from the apex
    phi = np.arange(around) * 2.0 * np.pi / around

    def cap(axes):
        ring = np.stack(
            [
                axes[0] * np.sin(t)[:, None] * np.cos(phi),
                axes[1] * np.sin(t)[:, None] * np.sin(phi),
                -axes[2] * np.cos(t)[:, None] * np.ones_like(phi),
            ],
            axis=-1,
        )
        return np.concatenate([[[0.0, 0.0, -axes[2]]], ring.reshape(-1, 3)])

    def rows(first, second):  # triangles between two rings of nodes
        a, b = first, np.roll(first, -1)
        c, d = second, np.roll(second, -1)
        return np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])

    ring = lambda k: 1 + k * around + np.arange(around)  # noqa: E731
    tip = np.stack([np.zeros(around, int), np.roll(ring(0), -1), ring(0)], 1)
    cap_faces = np.concatenate([tip] + [rows(ring(k), ring(k + 1)) for k in range(along - 1)])
    outer_points, inner_points = cap(outer), cap(inner)
    n = len(outer_points)
    rim = rows(ring(along - 1), n + ring(along - 1))
    triangles = np.concatenate([cap_faces, n + cap_faces[:, ::-1], rim])
    points = np.concatenate([outer_points, inner_points])
    return points, triangles, np.arange(2 * n) >= n


def activation(points, site=(25.0, 0.0, -30.0), velocity=0.6):
    """Time [ms] of a wave that leaves `site` [mm] in all directions at `velocity` [mm/ms]."""
    return np.linalg.norm(points - np.asarray(site), axis=1) / velocity


def beat(duration=500.0, dt=1.0, scale=1.0, cycle=None):
    """Time [ms] and a dictionary of leads [mV]: P, QRS and T waves by Gaussians; Einthoven's
    and Goldberger's laws hold."""
    t = np.arange(0.0, duration + dt / 2.0, dt)
    s = t if cycle is None else t % cycle

    def wave(p, q, r, s_, t_):
        shape = [(p, 60, 20), (q, 138, 6), (r, 150, 9), (s_, 164, 8), (t_, 340, 38)]
        return scale * sum(a * np.exp(-(((s - c) / w) ** 2)) for a, c, w in shape)

    leads = {"I": wave(0.08, -0.05, 0.7, -0.1, 0.2), "II": wave(0.14, -0.08, 1.2, -0.15, 0.3)}
    leads["III"] = leads["II"] - leads["I"]
    leads["aVR"] = -(leads["I"] + leads["II"]) / 2.0
    leads["aVL"] = leads["I"] - leads["II"] / 2.0
    leads["aVF"] = leads["II"] - leads["I"] / 2.0
    chest = [(0.2, -1.0), (0.4, -1.5), (0.7, -1.0), (1.3, -0.6), (1.4, -0.2), (1.1, -0.05)]
    for k, (r, s_) in enumerate(chest):
        leads[f"V{k + 1}"] = wave(0.06, -0.02 * k, r, s_, -0.05 if k == 0 else 0.35)
    return t, leads


def write_ecg(path, t, leads, order=LEADS):
    """The file `ecg.csv` of a run directory."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_ms", *order])
        writer.writerows(zip(t, *(leads[name] for name in order), strict=True))
    return path
