"""Nanoseconds per cell and step of every built-in membrane on one core, beside its error.

    ns         CPU time of `--steps` membrane steps of `--cells` cells, from rest but for voltages
               from -90 to 40 mV: median/least/most of `--repeats`; compilation apart
    x          times RushLarsen's of the same model, of the pairs, as all take turns
    dV, APD90  error of a beat of one cell from rest by each of `--dts`, against RushLarsenMidpoint
               in float64 by `--converged`: largest |dV| farther than 5 ms from an upstroke, and
               from half the upstroke to where 90 % of it are gone; of V every 0.1 ms
    beat       CPU time of that beat of 1000 ms

Beside ten Tusscher 2006 epi stand TorchCor's membrane (float32, look-up tables) and finitewave's
kernel (float64), if `--python` has them: compare.py tells how. Where the shared data hold Myokit's
file of a model, and a C compiler finds SUNDIALS, its simulation (CVODES, float64, own tolerances,
steps and stimulus) runs the beat: ns are per step of its own, errors against itself at tight
tolerances, x is to RushLarsen's beat by the middle dt.

    python benchmarks/cells.py --python PEERS/bin/python --json cells.json --csv cells.csv
    python benchmarks/cells.py --models ten_tusscher_2006_epi,luo_rudy_1991 --quick
"""

import argparse
import csv
import json
import os
import sys
import time
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
from engines import FINITEWAVE, TORCHCOR, in_its_own_process, version

if "--run" not in sys.argv:  # which is a peer's process, in an environment of its own
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    from speed import clocked, compiled, machine, on_one_core

    from heartsim import ionic, tissue, widen_vectors
    from heartsim.ionic._import_check import compared
    from heartsim.ionic._markers import beat_markers

STEPS = ("RushLarsen", "RushLarsenMidpoint", "RushLarsenStaggered")
SPREAD = (-90.0, 40.0)  # mV
BEAT, EVERY, DURATION, STIMULUS = 1000.0, 0.1, 1.0, 40.0  # ms, ms, ms, mV/ms
SAMPLES, ON = round(BEAT / EVERY), round(DURATION / EVERY)  # of V in a beat, and in its stimulus
FULL = {"cells": 100_000, "steps": 50, "repeats": 5, "converged": 0.0025}
QUICK = {"cells": 2000, "steps": 10, "repeats": 2, "converged": 0.01, "dts": [0.05]}
COLUMNS = {
    "model": 27, "engine": 21, "ns": 8, "least_ns": 10, "most_ns": 10, "x": 8, "least_x": 9,
    "most_x": 8, "compile_s": 11, "dV_mV": 24, "APD90_error_ms": 26, "beat_ms": 20,
}  # fmt: skip
BESIDE = "ten_tusscher_2006_epi"  # the model that the peers have, too
DATA = Path(os.environ.get("HEARTSIM_DATA", Path(__file__).parents[2] / "shared" / "data"))
FILES = {  # in cellmodels/myokit of the shared data, and what chooses the layer
    "beeler_reuter_1977": "beeler-1977", "courtemanche_1998": "courtemanche-1998",
    "stewart_2009": "stewart-2009", "fabbri_2017": "fabbri-2017",
    "ten_tusscher_2004_*": "tentusscher-2004 cell.type",
    "ten_tusscher_2006_*": "tentusscher-2006 cell.type",
    "ohara_rudy_2011_*": "ohara-2011 cell.mode",
    "ohara_rudy_cipa_2017_*": "ohara-cipa-v1-2017 cell.mode",
    "tor_ord_dyncl_2020_*": "tomek-2020 cell.mode",
}  # fmt: skip


def errors(V, reference, label) -> dict:
    """How far a beat is from another."""
    t, x, two = EVERY * np.arange(SAMPLES), np.array([V, reference], float).T, [0, 1]
    half = (x[0] + x.max(axis=0)) / 2
    up = (x > half).argmax(axis=0)
    onset = EVERY * (up - (x[up, two] - half) / (x[up, two] - x[up - 1, two]))
    apd90 = beat_markers(t, x, onset, onset, x.max(axis=0))["apd90_ms"]
    largest = compared(ionic.Beat(t, x[:, 0], {}, (), np.nan), x[:, 1], {}).largest
    apart = abs(apd90[0] - apd90[1])
    return {f"dV_mV_{label}": number(largest), f"APD90_error_ms_{label}": number(apart)}


def number(x: float) -> float | None:
    """Four digits; JSON has no nan."""
    return float(f"{x:.4g}") if np.isfinite(x) else None


def spread(name: str, x) -> dict:
    ends = {name: np.median(x), f"least_{name}": np.min(x), f"most_{name}": np.max(x)}
    return {key: number(value) for key, value in ends.items()}


def torchcor(case: dict, V):
    """Takes a step of all cells each time that it is asked for one."""
    import torch
    from torchcor.ionic import TenTusscherPanfilov

    cell = TenTusscherPanfilov(cell_type="EPI", dt=case["dt"], dtype=torch.float32)
    for name, value in zip(TORCHCOR.split(), case["start"], strict=True):
        setattr(cell, f"{name}_init", value)
    cell.initialize(len(V))
    V = torch.as_tensor(V, dtype=torch.float32)
    while True:
        yield
        V = V + case["dt"] * cell.differentiate(V)


def finitewave(case: dict, V):
    """The same."""
    import finitewave

    model = finitewave.TenTusscherPanfilov2006()
    for name, value in zip(FINITEWAVE.split(), case["start"], strict=True):
        setattr(model, f"init_{name}", value)
    model.cardiac_tissue = finitewave.CardiacTissue([len(V) + 2, 3])  # a border of empty cells
    model.dt, model.dr = case["dt"], 1.0
    model.initialize()
    model.u[1:-1, 1] = V
    model.u_new = model.u  # without diffusion: the kernel adds to the voltage that it reads
    while True:
        yield
        model.run_ionic_kernel()


PEERS = {"torchcor": (torchcor, "torch"), "finitewave": (finitewave, "numba")}


def serve() -> None:
    """A peer at work: told a case it says its version, and at each line it takes the steps."""
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints
    case = json.loads(sys.stdin.readline())
    begin, beneath = PEERS[case["name"]]
    steps = begin(case, np.linspace(*SPREAD, case["cells"]))
    next(steps)
    of = ", ".join(f"{package} {version(package)}" for package in (case["name"], beneath))
    print(json.dumps({"version": of}), file=answers, flush=True)
    for _ in sys.stdin:
        cpu = time.process_time()
        for _ in range(case["steps"]):
            next(steps)
        print(json.dumps([None, time.process_time() - cpu]), file=answers, flush=True)


def ask(process: Popen, wish):
    """What a peer answers."""
    print(json.dumps(wish), file=process.stdin, flush=True)
    return json.loads(process.stdout.readline())


def peers(args, rows: dict, calls: dict, absent: list[str]) -> None:
    """Adds those that are there, and a sentence of each that is not."""
    V, state = told(BESIDE, STEPS[0], args.dt)[2]
    for name in PEERS:
        case = {key: getattr(args, key) for key in ("dt", "cells", "steps")} | {"name": name}
        case["start"] = [float(x[0]) for x in (*state, V)]
        row = in_its_own_process(args.python, case, __file__)
        if isinstance(row, str):
            absent.append(row)
            continue
        line, pipes = [args.python, __file__, "--run"], {"stdin": PIPE, "stdout": PIPE}
        process = Popen(line, **pipes, text=True, env=os.environ | {"PYTHONPATH": ""})
        ask(process, case)
        row["compile_s"] = number(ask(process, "the first steps, which compile")[1])
        rows[name] = {"cells": args.cells, "steps": args.steps} | row
        calls[name, "cells"] = partial(ask, process, "steps")


def by_myokit(name: str, rows: dict, calls: dict, absent: list[str]) -> None:
    """Adds its simulation, or a sentence why there is none."""
    family, _, layer = name.rpartition("_")
    file, *choice = (FILES.get(name) or FILES.get(f"{family}_*") or "none").split()
    path = DATA / f"cellmodels/myokit/{file}.mmt"
    if not path.is_file() or find_spec("myokit") is None:
        return absent.append(f"Myokit, or its file of {name} in the shared data, is not here.")
    import myokit

    model, protocol, _ = myokit.load(path)
    for constant in choice:
        model.set_value(constant, ("endo", "epi", "mid").index(layer))
    clock = time.perf_counter()
    try:
        simulation = myokit.Simulation(model, protocol)
    except myokit.CompilationError:
        return absent.append("Myokit: there is no C compiler that finds SUNDIALS.")
    row = {"cells": 1, "compile_s": number(time.perf_counter() - clock)}
    V = model.label("membrane_potential").qname()
    ms = {"[ms]": 1, "[s]": 1e-3}[str(model.time_unit())]

    def beat(tolerance=(), **kept):
        simulation.reset()
        simulation.set_tolerance(*tolerance)
        return simulation.run(BEAT * ms, log=[V], **kept)[V]

    tight, own = (beat(x, log_interval=EVERY * ms)[:SAMPLES] for x in ((1e-10, 1e-8), ()))
    row |= errors(own, tight, "own") | {"steps": simulation.last_number_of_steps()}
    row["version"] = f"myokit {myokit.__version__}, SUNDIALS {myokit.Sundials.version()}"
    rows["myokit"], calls["myokit", "own"] = row, partial(clocked, beat)


def run(model, step, start, dt, stimulus, stride, samples: int):
    """All cells after a series of `samples` times `stride` steps, and V of the first before each
    time."""

    def sample(carry, k):
        i_stim = jnp.where(k < ON, stimulus, jnp.zeros_like(stimulus))

        def one(_, carry):
            V, state, told, _ = step.following(model, *carry, dt, i_stim)
            return V, *step.closed(model, V, state, told, dt)

        return jax.lax.fori_loop(0, stride, one, carry), carry[0][0]

    V, state = start
    start = V, *step.ready(model, V, state, dt, samples * stride)
    return jax.lax.scan(sample, start, jnp.arange(samples))


def told(name: str, step: str, dt: float, cells: int = 1, steps: int = 0) -> tuple:
    """What `run` is given: a beat of one cell, or steps of many."""
    model, alone = ionic.by_name(name), ionic.CARDS[name].tissue == "sinus node"  # beats alone
    V, state = model.initial(cells)
    if steps:
        V = jnp.linspace(*SPREAD, cells, dtype=V.dtype)
    stride = jnp.asarray(steps or tissue.whole_steps(EVERY, dt, "--dts"))
    dt, stimulus = jnp.asarray([dt, 0.0 if steps or alone else STIMULUS], V.dtype)
    return model, getattr(ionic, step)(), (V, state), dt, stimulus, stride, 1 if steps else SAMPLES


def measured(name: str, args, absent: list[str]) -> list[dict]:
    """A row for each engine of a model."""
    jax.clear_caches()  # or a layer would find the program of another, compiled in no time
    beat, rows, calls = eqx.filter_jit(run), {}, {}
    with jax.enable_x64(True):
        reference = beat(*told(name, STEPS[1], args.converged))[1]
    for step in STEPS:
        many = told(name, step, args.dt, args.cells, args.steps)
        program, seconds = compiled(run, *many)
        program(*many)  # the first is slow
        rows[step] = {"cells": args.cells, "steps": args.steps, "compile_s": number(seconds)}
        calls[step, "cells"] = partial(clocked, program, *many)
        for dt in args.dts:
            one = told(name, step, dt)
            rows[step] |= errors(beat(*one)[1], reference, dt)
            calls[step, dt] = partial(clocked, beat, *one)
    if name == BESIDE:
        peers(args, rows, calls, absent)
    by_myokit(name, rows, calls, absent)
    times = {key: [] for key in calls}
    for _ in range(args.repeats):  # all take turns, so that a busy minute troubles all alike
        for key, call in calls.items():
            times[key].append(call()[1])
    for (engine, label), cpu in times.items():
        row = rows[engine]
        if label != "cells":
            row |= spread(f"beat_ms_{label}", np.multiply(cpu, 1000))
        if label in ("cells", "own"):
            base = times[STEPS[0], "cells" if label == "cells" else args.dt]
            row |= spread("ns", np.divide(cpu, 1e-9 * row["steps"] * row["cells"]))
            row |= spread("x", np.divide(cpu, base))
    return [{"model": name, "engine": engine} | row for engine, row in rows.items()]


def line(row: dict) -> str:
    """Of the table; figures of several dts stand together."""
    found = ("/".join(str(x) for k, x in row.items() if k.startswith(key)) for key in COLUMNS)
    return "".join(f"{x:{width}}" for x, width in zip(found, COLUMNS.values(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", help="names with commas between; all if not given")
    for name, value in FULL.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--dts", type=float, nargs="+", default=[0.01, 0.02, 0.05], help="ms")
    parser.add_argument("--x64", action="store_true", help="double precision")
    parser.add_argument("--quick", action="store_true", help=f"for a look: {QUICK}")
    parser.add_argument("--python", default=sys.executable, help="the peers' environment")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--csv", type=Path)
    if parser.parse_args().quick:
        parser.set_defaults(**QUICK)
    args = parser.parse_args()
    if len(os.sched_getaffinity(0)) > 1:
        on_one_core()
    widen_vectors()
    jax.config.update("jax_enable_x64", args.x64)
    args.dt, rows, absent = sorted(args.dts)[len(args.dts) // 2], [], []
    print(line(dict(zip(COLUMNS, COLUMNS, strict=True))), flush=True)
    names = args.models.split(",") if args.models else ionic.MODELS
    for name in {name: ionic.by_name(name) for name in names}:  # a wrong name ends it now
        rows += (more := measured(name, args, absent))
        print(*map(line, more), sep="\n", flush=True)
    about = machine() | {"cores": 1, "heartsim": version("heartsim"), "date": str(date.today())}
    print(*dict.fromkeys(absent), *(f"{k} {v}" for k, v in about.items()), sep="\n")
    if args.json:
        every = {"machine": about, "settings": {key: getattr(args, key) for key in QUICK}}
        every |= {"rows": rows, "absent": list(dict.fromkeys(absent))}
        args.json.write_text(json.dumps(every, indent=1) + "\n")
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, dict.fromkeys(k for row in rows for k in row | about))
            writer.writeheader()
            writer.writerows(row | about for row in rows)


if __name__ == "__main__":
    serve() if "--run" in sys.argv else main()
