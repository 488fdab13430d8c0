"""Planar velocity against edge length, lumped share and time step: what decides the defaults.

TTP06 epi on a strand, diffusivities of the Niederer (2011) slab along and across the fibre.
A plane wave along an axis of a regular mesh sees the strand's weights, so that errors cannot
cancel as they do in the slab's far corner.

    python benchmarks/velocity.py            # prints the tables, writes velocity.csv
"""

import argparse
import csv
from pathlib import Path

import jax
import numpy as np

from heartsim import ionic, tissue

D = {"along": 0.1334 / 1.4, "across": 0.0176 / 1.4}  # mm²/ms
EDGES = (0.2, 0.3, 0.5)  # mm
SHARES = (0.0, 0.2, 0.25, 0.3, 1 / 3, 0.4, 0.5, 1.0)
FIRST, SECOND = ionic.RushLarsen(), ionic.RushLarsenMidpoint()
STAGGERED = ionic.RushLarsenStaggered()
SCHEMES = {
    "semi-implicit, 1st order membrane": (tissue.SemiImplicit(), FIRST),
    "Godunov, 1st order membrane": (tissue.Godunov(), FIRST),
    "Strang, 1st order membrane": (tissue.Strang(), FIRST),
    "semi-implicit, midpoint": (tissue.SemiImplicit(), SECOND),
    "Strang, midpoint": (tissue.Strang(), SECOND),
    "semi-implicit, staggered": (tissue.SemiImplicit(), STAGGERED),
    "Strang, staggered": (tissue.Strang(), STAGGERED),
}
MODEL = ionic.by_name("ten_tusscher_2006_epi")


def velocity(way, edge, dt, lumped, scheme="Strang, staggered"):
    splitting, step = SCHEMES[scheme]
    return tissue.strand_velocity(
        MODEL, D[way], edge, tissue.Scheme(dt, lumped, step, splitting), threshold=0.0
    )


def limits(rows):
    """Richardson limit in the edge (h², consistent and lumped separately) at a dt that no
    longer matters; their difference is the error of the limit."""
    found = {}
    for way in D:
        ends = []
        for lumped in (0.0, 0.5, 1.0):
            v = [velocity(way, h, 0.01, lumped) for h in (0.04, 0.02)]
            rows.append(
                {"table": "limit", "way": way, "lumped": lumped, "v_0.04": v[0], "v_0.02": v[1]}
            )
            ends.append(v[1] + (v[1] - v[0]) / 3)
        found[way] = (np.mean(ends), np.ptp(ends) / 2)
        print(f"limit {way}: {found[way][0]:.4f} ± {found[way][1]:.4f} m/s (dt 0.01, 2nd order)")
    return found


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=raw).parse_args()
    rows = []
    limit = limits(rows)
    print("\nsplitting and membrane step, edge 0.1 mm, half-lumped: velocity along [m/s]")
    for scheme in SCHEMES:
        v = [velocity("along", 0.1, dt, 0.5, scheme) for dt in (0.1, 0.05, 0.025, 0.0125)]
        rows += [
            {
                "table": "scheme",
                "scheme": scheme,
                "dt_0.1": v[0],
                "dt_0.05": v[1],
                "dt_0.025": v[2],
                "dt_0.0125": v[3],
            }
        ]
        print(f"  {scheme:36}", *(f"{x:.4f}" for x in v))
    print("\nlumped share: velocity error [%] at dt 0.0125, along / across")
    for share in SHARES:
        errors = {
            (way, h): 100 * (velocity(way, h, 0.0125, share) / limit[way][0] - 1)
            for way in D
            for h in EDGES
        }
        rows += [
            {"table": "share", "lumped": share, "way": w, "edge_mm": h, "error_percent": e}
            for (w, h), e in errors.items()
        ]
        print(
            f"  {share:.3f}",
            *(f"{e:+7.1f}" for e in errors.values()),
            f"  worst {max(map(abs, errors.values())):.1f}",
        )
    keys = sorted({k for row in rows for k in row}, key=str)
    with Path(__file__).with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, keys)
        writer.writeheader()
        writer.writerows(rows)
    print(f"\n{jax.devices()[0].device_kind}, float32, jax {jax.__version__}")


if __name__ == "__main__":
    main()
