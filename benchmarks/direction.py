"""Velocity against direction on a mesh whose conductivity was tuned along its axes.

A wave from the middle of a square of split squares (TTP06 epi, isotropic, tuned to 0.6 m/s on a
strand of the same edge), read along both axes and both diagonals: relative error of each.

    python benchmarks/direction.py
"""

import jax
import numpy as np

from heartsim import ionic, mesh, tissue

MODEL = ionic.by_name("ten_tusscher_2006_epi")
WANTED = 0.6  # mm/ms
SIDE = 48  # edges
DT = 0.05  # ms
WAYS = {(1, 0): (10, 20), (0, 1): (10, 20), (1, 1): (8, 15), (1, -1): (8, 15)}
"""Direction in edges, and the two distances from the middle, in it, between which it is read."""


def errors(edge: float, lumped: float) -> list[float]:
    scheme = tissue.Scheme(DT, lumped, ionic.RushLarsenMidpoint(), tissue.Strang())
    D = tissue.tune_velocity(MODEL, WANTED, edge, scheme).D
    length = SIDE * edge
    body = mesh.sheet((length, length), edge)
    muscle = tissue.monodomain(body, tissue.tensor(body, D, D, D), MODEL, lumped=lumped)
    offset = body.points[:, :2] - length / 2
    centre = tissue.Stimulus(site=np.linalg.norm(offset, axis=1) <= max(2.0, 3 * edge))
    steps = 20 * int(0.75 * length / WANTED)
    run, _ = tissue.simulate(muscle, [centre], dt=DT, steps=steps, sample_every=20)
    time = np.asarray(tissue.activation_time(run, DT))
    found = []
    for way, distances in WAYS.items():
        a, b = (np.abs(offset - np.array(way) * k * edge).sum(axis=1).argmin() for k in distances)
        apart = np.linalg.norm(body.points[b] - body.points[a])
        found.append(apart / (time[b] - time[a]) / WANTED - 1)
    return found


def main() -> None:
    print("edge mm, lumped share: error along x, along y, along the two diagonals [%]")
    for edge in (0.25, 0.5, 1.0):
        for lumped in (0.0, 1 / 3, 0.5, 1.0):
            print(f"{edge:5.2f} {lumped:5.2f}", *(f"{100 * e:+6.1f}" for e in errors(edge, lumped)))
    print(f"{jax.devices()[0].device_kind}, float32, jax {jax.__version__}")


if __name__ == "__main__":
    main()
