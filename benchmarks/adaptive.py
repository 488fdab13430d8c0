"""A whole beat by adaptive steps beside the same by fixed ones, in turns.

    slab    the benchmark slab at 0.5 mm, lumped mass, order 2, and conductivities as published
    heart   the shipped heart refined once, as `heartsim demo` has it, without electrodes

Both take TTP06, base steps of 0.05 ms and samples of 1 ms; compilation is apart. "Apart" is by how
much a node's activation, and its APD90, differ at most. `waves_ms` tells for how long fronts
travel: until then every step is a base step, and nothing is to be gained.

    python benchmarks/adaptive.py --one-core
    python benchmarks/adaptive.py --only slab --beat 400 --json
"""

import argparse
import tomllib
from importlib.resources import files
from pathlib import Path
from statistics import median

import jax.numpy as jnp
from niederer import slab
from speed import clocked, compiled, on_one_core, tell

from heartsim import scenario, tissue, widen_vectors

DT = 0.05  # ms
STEPPINGS = {"fixed": tissue.Fixed(), "adaptive": tissue.Adaptive()}


def of_slab(args):
    """Tissue, stimuli and detector."""
    _, muscle, stimulus = slab(0.5, "lumped", 2, 1e-3)
    return muscle, [stimulus], tissue.Detector(threshold=0.0)


def of_heart(args):
    """The same."""
    told = tomllib.loads(files("heartsim.scenario").joinpath("demo.toml").read_text())
    told["solver"] = {"dt_ms": DT, "duration_ms": args.beat}
    told["ecg"] = {"electrodes": "none"}
    scene = scenario.build_scene(scenario.scenario_from(told), args.cache)
    return scene.tissue, scene.stimuli, scene.detector


BODIES = {"slab": of_slab, "heart": of_heart}


def measured(body: str, args) -> dict:
    """CPU and wall seconds of both, medians, and how far apart their beats are."""
    muscle, stimuli, detector = BODIES[body](args)
    every = tissue.whole_steps(1.0, DT, "a sample")
    options = {"dt": DT, "steps": round(args.beat) * every, "sample_every": every}
    options["detector"] = detector
    calls = {
        name: compiled(tissue.simulate, muscle, stimuli, stepping=stepping, **options)[0]
        for name, stepping in STEPPINGS.items()
    }
    ran: dict[str, list] = {name: [] for name in calls}
    for _ in range(args.repeats):
        for name, call in calls.items():
            ran[name].append(clocked(call, muscle, stimuli, stepping=STEPPINGS[name], **options))
    events = {name: runs[0][0][0].events for name, runs in ran.items()}
    times = {name: e.activation.time(DT) for name, e in events.items()}
    durations = {name: e.duration(DT) for name, e in events.items()}
    cpu, wall = (
        {name: median(run[clock] for run in runs) for name, runs in ran.items()} for clock in (1, 2)
    )
    return {
        "body": body,
        "nodes": int(times["fixed"].size),
        "beat_ms": args.beat,
        "waves_ms": round(float(jnp.nanmax(times["fixed"])), 1),
        **{f"{name}_cpu_s": round(seconds, 3) for name, seconds in cpu.items()},
        "cpu_ratio": round(cpu["fixed"] / cpu["adaptive"], 2),
        "wall_ratio": round(wall["fixed"] / wall["adaptive"], 2),
        "activation_apart_ms": apart(times),
        "apd90_apart_ms": apart(durations),
    }


def apart(x: dict) -> float | None:
    """The greatest difference at a node; None where no node has a value, and ValueError where one
    has it by one of both alone."""
    one, other = x["fixed"], x["adaptive"]
    if (jnp.isnan(one) != jnp.isnan(other)).any():
        raise ValueError("a node fires, or recovers, by one of both steps alone; lengthen --beat.")
    most = float(jnp.nanmax(jnp.abs(one - other), initial=-1.0))
    return None if most < 0 else round(most, 4)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=BODIES, nargs="+", default=list(BODIES))
    parser.add_argument("--beat", type=float, default=800.0, help="ms")
    parser.add_argument("--cache", type=Path, help="folder of velocities tuned before")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one-core", action="store_true", help="tie the process to one core")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.one_core:
        on_one_core()
    widen_vectors()
    tell((measured(body, args) for body in args.only), args.json)


if __name__ == "__main__":
    main()
