"""Velocity against direction, on meshes whose conductivities were tuned along fibre and sheet.

TTP06 epi tuned to 0.65 m/s along and 0.4 across (`Strang`, staggered, lumped mass, dt 0.05 ms) on
projections of each mesh (`tissue.projected`), for fronts as the membrane makes them (factor 1) and
of a foot of half an edge and of an edge. Plane waves along fibre, sheet and normal, and at 45°
between two of them, where v² is the mean of both squares; the largest of those errors as
`tissue.direction_error` foretells it:

- cubes: a block of cubes, each split into six, with any frame;
- tets: a ball of tetrahedra without order (stuffed, inner nodes moved at random), the same frame.

Curved: a wave from a site of radius 1.5 mm on triangles without order, against edges of 0.125 mm;
there the factor grows from the site by 1 each 2 mm, as in a scenario. Writes direction.csv.

    python benchmarks/direction.py           # about half an hour on two cores

With an environment that holds TorchCor (`compare.py --help`), that code's waves on the tetrahedra
of 0.25 mm instead, conductivities of the Niederer slab, consistent mass, order 1, beside what
their projections foretell:

    python benchmarks/direction.py --python PEERS/bin/python
"""

import argparse
import csv
import dataclasses
import sys
import tempfile
from pathlib import Path

import jax
import numpy as np
from engines import in_its_own_process, write_case
from niederer import SIGMA
from scipy.interpolate import PchipInterpolator, RegularGridInterpolator
from scipy.spatial import Delaunay

from heartsim import ionic, mesh, tissue

MODEL = ionic.by_name("ten_tusscher_2006_epi")
ALONG, ACROSS = 0.65, 0.4  # mm/ms
DT = 0.05  # ms
SCHEME = tissue.Scheme(DT, 1.0, ionic.RushLarsenStaggered(), tissue.Strang())
TURNED = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]  # any frame
HALF = 20  # edges, half the width of a body: 14 are too few, 26 change an error by 0.4 at most
START, FROM, TO, ASIDE = -8.0, 1.0, 7.0, 2.5  # edges: where a wave begins, where it is read
RADIUS = 1.5  # mm, of the site that a curved wave leaves
SIDE = 40.0  # mm, of the sheet that it runs on
SITE = np.array([12.0, 16.0])
ASKEW = np.array([[3**0.5 / 2, -0.5, 0], [0.5, 3**0.5 / 2, 0], [0, 0, 1]])  # its fibres, by 30°
VELOCITIES = np.array([ALONG, ACROSS, ACROSS])
NAMES = ("fibre", "sheet", "normal")


def cubes(edge: float) -> mesh.Mesh:
    """A block about the origin."""
    body = mesh.slab((2 * HALF * edge,) * 3, edge)
    return dataclasses.replace(body, points=body.points - HALF * edge)


def tets(edge: float) -> mesh.Mesh:
    """A ball whose inner nodes are moved at random as far as no cell turns over."""
    body = mesh.ball(HALF * edge, edge)
    rng = np.random.default_rng(0)
    points, cells = body.points.copy(), body.cells
    inner = np.linalg.norm(points, axis=1) < (HALF - 1) * edge
    for share in (0.2, 0.1, 0.1):
        moved = points + share * edge * rng.uniform(-1, 1, points.shape) * inner[:, None]
        bad = _volumes(moved, cells) < 0.2 * np.median(_volumes(points, cells))
        moved[cells[bad].ravel()] = points[cells[bad].ravel()]
        points = moved if (_volumes(moved, cells) > 0).all() else points
    return dataclasses.replace(body, points=points)


def triangles(side: float, edge: float) -> mesh.Mesh:
    """A square of triangles without order."""
    rng = np.random.default_rng(0)
    x = np.arange(-2 * edge, side + 2 * edge, edge)
    y = np.arange(-2 * edge, side + 2 * edge, edge * 3**0.5 / 2)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    grid[:, 1::2, 0] += edge / 2
    flat = grid.reshape(-1, 2) + rng.uniform(-0.25, 0.25, (grid.size // 2, 2)) * edge
    points = np.column_stack([flat, np.zeros(len(flat))])
    cells = Delaunay(flat).simplices.astype(np.int32)
    middle = flat[cells].mean(axis=1)
    cells = cells[((middle > 0) & (middle < side)).all(axis=1)]
    used, cells = np.unique(cells, return_inverse=True)
    cells = cells.reshape(-1, 3).astype(np.int32)
    return mesh.Mesh(points=points[used], cells=cells, regions=np.ones(len(cells), np.int32))


def _volumes(points, cells):
    a, b, c, d = (points[cells[:, k]] for k in range(4))
    return np.einsum("ci,ci->c", np.cross(b - a, c - a), d - a) / 6


def framed(body: mesh.Mesh, frame) -> mesh.Mesh:
    """Fibre, sheet and normal along the columns of `frame`."""
    return dataclasses.replace(body, frames=np.repeat(frame.T[None], body.n_cells, axis=0))


def tuned(body: mesh.Mesh, factor: float) -> np.ndarray:
    """D along fibre, sheet and normal [mm²/ms]."""
    model = ionic.Thickened(MODEL, factor)
    return tissue.tune_velocities(model, VELOCITIES, tissue.projected(body), SCHEME).D


def plane(body: mesh.Mesh, muscle, edge: float, D, normal) -> float:
    """Velocity of a plane wave along `normal`, by a plane through the times at the nodes about
    the ray D n through the middle, which what happens at the boundary does not reach."""
    site, read = ends(body, edge, D, normal)
    pulse = tissue.Stimulus(site=site)
    steps = 20 * int((TO - START) * edge / ACROSS + 10)
    run, _ = tissue.simulate(muscle, [pulse], dt=DT, steps=steps, sample_every=20)
    return velocity(body, read, np.asarray(tissue.activation_time(run, DT), float)[read], normal)


def ends(body: mesh.Mesh, edge: float, D, normal):
    """The nodes where a wave along `normal` begins, and those where it is read."""
    along = body.points @ normal
    ray = D @ normal / (normal @ D @ normal)
    aside = np.linalg.norm(body.points - np.outer(along, ray), axis=1)
    read = (along > FROM * edge) & (along < TO * edge) & (aside < ASIDE * edge)
    return along <= START * edge, np.flatnonzero(read)


def velocity(body: mesh.Mesh, read, times, normal) -> float:
    """Along `normal`, by a plane through the times at the nodes read."""
    system = np.column_stack([body.points[read], np.ones(len(read))])
    slowness = np.linalg.lstsq(system, times, rcond=None)[0][:3]
    return 1 / float(slowness @ normal)


def beside_torchcor(python: str, edge: float = 0.25) -> None:
    """TorchCor's waves, and those that projections foretell [m/s]."""
    body = framed(tets(edge), TURNED)
    D = np.asarray(tissue.diffusivity(np.array(SIGMA)[[0, 1, 1]]))
    scheme = tissue.Scheme(DT, 0.0, ionic.RushLarsen(), tissue.SemiImplicit())
    how = {"name": "torchcor", "cores": [0], "device": "cpu"}
    how |= {"dt": DT, "longest": 80.0, "threshold": -40.0}
    for way, projection in zip(tissue.WAYS, tissue.projected(body).ways, strict=True):
        normal = TURNED @ way
        site, read = ends(body, edge, (TURNED * D) @ TURNED.T, normal)
        with tempfile.TemporaryDirectory() as folder:
            case = write_case(Path(folder) / "body", body, site, SIGMA)
            row = in_its_own_process(python, case | how | {"watch": read.tolist()})
        if isinstance(row, str):
            sys.exit(row)
        seen = velocity(body, read, np.array(row["times"]), normal)
        foretold = tissue.projected_velocity(MODEL, D, projection, scheme)
        print(f"{np.round(way, 2)}: TorchCor {seen:.3f}, foretold {foretold:.3f}", flush=True)


def straight(body: mesh.Mesh, edge: float, factor: float, frame) -> dict[str, float]:
    """Errors [%] along the axes of the frame, the largest at 45° between two, and that foretold."""
    body, model = framed(body, frame), ionic.Thickened(MODEL, factor)
    D = tuned(body, factor)
    muscle = tissue.monodomain(body, tissue.tensor(body, *D), model, lumped=1.0)
    whole = (frame * D) @ frame.T
    found = [plane(body, muscle, edge, whole, frame @ way) for way in tissue.WAYS]
    errors = 100 * (np.array(found) / np.sqrt(tissue.WAYS**2 @ VELOCITIES**2) - 1)
    foretold = tissue.direction_error(model, D, tissue.projected(body), SCHEME)
    at_45 = {"45": max(errors[3:], key=abs), "45_foretold": 100 * foretold}
    return dict(zip(NAMES, errors[:3], strict=True)) | at_45


def curved_times(body: mesh.Mesh, D, model, factors=None) -> np.ndarray:
    muscle = tissue.monodomain(body, tissue.tensor(body, *D), model, lumped=1.0, factor=factors)
    site = np.linalg.norm(body.points[:, :2] - SITE, axis=1) <= RADIUS
    run, _ = tissue.simulate(
        muscle, [tissue.Stimulus(site=site)], dt=DT, steps=2600, sample_every=20
    )
    return np.asarray(tissue.activation_time(run, DT), float)


def curved_truth(edge: float = 0.125):
    """Times anywhere on the sheet."""
    body = framed(mesh.sheet((SIDE, SIDE), edge), ASKEW)
    times = curved_times(body, tuned(body, 1.0), MODEL)
    axis = np.arange(round(SIDE / edge) + 1) * edge
    return RegularGridInterpolator((axis, axis), times.reshape(len(axis), -1))


def curved(edge: float, factor: float, truth) -> dict[str, float]:
    """Mean and root mean square of the errors [ms]."""
    body = framed(triangles(SIDE, edge), ASKEW)
    away = np.linalg.norm(body.points[:, :2] - SITE, axis=1)
    factors = np.minimum(factor, 1 + away / 2)
    knots = np.geomspace(1, factor, 4) if factor > 1 else np.array([1.0, 2.0])
    of_cell = np.log(factors[body.cells].mean(axis=1))
    of_knots = np.log([tuned(body, knot) for knot in knots])
    D = np.exp(PchipInterpolator(np.log(knots), of_knots)(of_cell)).T
    model = ionic.Thickened(MODEL, np.asarray(factors, np.float32))
    times = curved_times(body, D, model, factors)
    at = np.clip(body.points[:, :2], 0, SIDE)
    apart = (times - truth(at))[away > 4]
    return {"mean_ms": apart.mean(), "rms_ms": np.sqrt(np.mean(apart**2))}


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--python", help="of an environment that holds TorchCor")
    args = parser.parse_args()
    if args.python is not None:
        beside_torchcor(args.python)
        return
    rows = []
    truth = curved_truth()
    for edge in (0.25, 0.5, 1.0):
        one = tissue.thickening(MODEL, ACROSS, edge, longest=edge)
        for factor in sorted({1.0, max(1.0, one / 2), one}):
            head = {"edge_mm": edge, "factor": factor}
            for name, body, frame in (
                ("cubes", cubes(edge), TURNED),
                ("tets", tets(edge), TURNED),
            ):
                rows.append(head | {"mesh": name} | straight(body, edge, factor, frame))
                print(rows[-1], flush=True)
            rows.append(head | {"mesh": "curved"} | curved(edge, factor, truth))
            print(rows[-1], flush=True)
    keys = dict.fromkeys(key for row in rows for key in row)
    with (Path(__file__).parent / "direction.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, keys, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.3g}" if isinstance(v, float) else v for k, v in row.items()})
    print(f"{jax.devices()[0].device_kind}, float32, jax {jax.__version__}")


if __name__ == "__main__":
    main()
