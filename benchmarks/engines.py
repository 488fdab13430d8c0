"""Monodomain runs by heartsim and by its peers, each in a process of its own: what compare.py runs.

A case is a folder that `write_case` filled, with one mesh for all: `body.vtu` for heartsim and
CARP files for TorchCor; finitewave takes the nodes of a slab as its grid. All start from
heartsim's resting state; otherwise each peer keeps the settings of its own manual. The clock
starts after compilation (peers: after 1 ms), and stops when every node of `watch` has passed
`threshold` [mV], or at `longest`.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

STIMULUS = {"duration_ms": 2.0, "strength_mV_per_ms": 35.7}  # Niederer et al. (2011)
FIRST = {"splitting": "semi_implicit", "membrane": "rush_larsen"}  # as TorchCor steps
HEARTSIM = {  # what follows "heartsim": [solver] of its scenario, or a wish for velocities
    "consistent, order 1": FIRST | {"lumped_mass": 0.0},
    "lumped, order 1": FIRST | {"lumped_mass": 1.0},
    "consistent, order 2": {"lumped_mass": 0.0},
    "one third lumped, order 2": {"lumped_mass": 1 / 3},
    "tuned velocities": {},
}
# the peers' names of heartsim's state and V, in its order
TORCHCOR = "M H J Xr1 Xr2 Xs R S d F F2 FCaSS R_ Cai CaSS CaSR Nai Ki V"
FINITEWAVE = "m h j xr1 xr2 xs r s d f f2 fcass rr cai cass casr nai ki u"

BEAT = "m h j Xr1 Xr2 Xs r s d f f2 fCass R_prime Ca_i Ca_ss Ca_SR Na_i K_i V"
PARTS = ("points", "cells", "fibres", "site")  # of body.npz


class Clock:
    """Seconds of CPU and wall since it was made."""

    def __init__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def figures(self, nodes: int, steps: int) -> dict:
        """What the row says of time and memory."""
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        per = 1e9 / steps / nodes
        return {
            "nodes": nodes,
            "steps": steps,
            "cpu_s": round(cpu, 3),
            "wall_s": round(wall, 3),
            "cpu_ns": round(cpu * per, 1),
            "wall_ns": round(wall * per, 1),
            "memory_MB": peak_MB(),
        }


def peak_MB() -> int:
    """Of this process: getrusage has that of its parent, where it was more."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024)


class Crossings:
    """When each watched voltage first passes the threshold, interpolated between two steps."""

    def __init__(self, case: dict, before):
        self.case, self.before, self.times = case, before, before * float("nan")

    def look(self, k: int, now) -> bool:
        """Take note of the voltages after step k; whether all have passed."""
        level, dt = self.case["threshold"], self.case["dt"]
        fired = (self.times != self.times) & (now > level)
        over = (now - level)[fired] / (now - self.before)[fired]
        self.times[fired], self.before = (k - over) * dt, now
        return bool((self.times == self.times).all())


def by_heartsim(case: dict) -> dict:
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import numpy as np

    from heartsim import scenario, tissue, widen_vectors
    from heartsim._memory import pages_go_back

    widen_vectors()
    begun, cache = time.perf_counter(), Path(case.get("cache", f"{case['folder']}/tuned"))
    scene = scenario.build_scene(scenario.scenario_from(_scenario(case)), cache)
    setup_s = time.perf_counter() - begun
    dt, detector = case["dt"], scene.detector
    chunk = round(2.5 / dt)
    told = {"dt": dt, "steps": chunk, "sample_every": chunk, "detector": detector}
    carry = tissue.begin(scene.tissue, dt, detector)
    begun = time.perf_counter()
    advance = eqx.filter_jit(tissue.simulate)
    with pages_go_back(collect=False):  # as heartsim run compiles
        advance = advance.lower(scene.tissue, scene.stimuli, start=carry, **told).compile()
    place = np.argsort(scene.nodes)  # of the user's nodes among the solver's
    watch = jnp.asarray(place[case["watch"]])
    dry, _ = advance(scene.tissue, scene.stimuli, start=carry, **told)
    bool(jnp.isnan(dry.events.activation.time(dt)[watch]).any())  # compiles the reading, too
    compile_s, clock, times = time.perf_counter() - begun, Clock(), np.full(len(watch), np.nan)
    while np.isnan(times).any() and int(carry.k) * dt < case["longest"]:
        carry, _ = advance(scene.tissue, scene.stimuli, start=carry, **told)
        times = np.asarray(carry.events.activation.time(dt)[watch])
    return {
        "times": times.tolist(),
        **clock.figures(len(scene.nodes), int(carry.k)),
        "setup_s": round(setup_s, 2),  # matrices, and tuning where velocities are wanted
        "compile_s": round(compile_s, 2),
        "version": f"jax {jax.__version__}, {scene.tissue.M.diagonal.dtype}",
    }


def _scenario(case: dict) -> dict:
    """Linear solve to 1e-3 and fixed steps, so that all engines take as many."""
    kind = case["name"].removeprefix("heartsim ")
    along, across = case["velocity" if kind == "tuned velocities" else "sigma"]
    name = "velocity_{}_m_s" if kind == "tuned velocities" else "sigma_{}_mS_mm"
    values = {"fibre": along, "sheet": across, "normal": across}
    return {
        "heart": {"mesh": f"{case['folder']}/body.vtu", "ionic": "ten_tusscher_2006_epi"},
        "conduction": {name.format(way): value for way, value in values.items()},
        "stimulus": [{"at": {"node_set": "site"}} | STIMULUS],
        "solver": {"steps": "fixed", "dt_ms": case["dt"], "devices": 1} | HEARTSIM[kind],
        "output": {"threshold_mV": case["threshold"]},
        "ecg": {"electrodes": "none"},  # no peer has leads
    }


def by_torchcor(case: dict) -> dict:
    import torch
    import torchcor
    from torchcor.ionic import TenTusscherPanfilov
    from torchcor.simulator import Monodomain

    torchcor.set_device(case["device"], verbose=False)
    dt = case["dt"]
    cell = TenTusscherPanfilov(cell_type="EPI", dt=dt, dtype=torch.float32)
    for name, value in zip(TORCHCOR.split(), case["start"], strict=True):
        setattr(cell, f"{name}_init", value)
    body = Monodomain([cell], T=case["longest"], dt=dt, dtype=torch.float32)
    body.load_mesh(path=case["folder"], unit_conversion=1000)
    body.add_stimulus(
        f"{case['folder']}/site.vtx",
        start=0.0,
        duration=STIMULUS["duration_ms"],
        intensity=STIMULUS["strength_mV_per_ms"],
    )
    body.add_conductivity(None, il=case["sigma"][0], it=case["sigma"][1])
    body.assemble()
    u = cell.initialize(body.n_nodes)
    body.cg.initialize(x=u, linear_guess=True)
    watch, split = torch.as_tensor(case["watch"]), [0.0, 0.0]
    crossings = Crossings(case, u[watch].cpu().numpy().astype(float))
    warm, last = round(1.0 / dt), round(case["longest"] / dt)
    for k in range(1, last + 1):
        u, _, *seconds = body.step(u, k * dt, 1e-5, 1e-5, 100, verbose=True)
        if k == warm:
            clock, split = Clock(), [0.0, 0.0]
        split = [total + s for total, s in zip(split, seconds, strict=True)]
        if crossings.look(k, u[watch].cpu().numpy().astype(float)) and k > warm:
            break
    return {
        "times": crossings.times.tolist(),
        **clock.figures(body.n_nodes, k - warm),
        "membrane_share": round(split[0] / sum(split), 2),
        "version": f"torchcor {version('torchcor')}, torch {torch.__version__}, float32 "
        "(linear solve in float64), tolerance 1e-5",
    }


def by_finitewave(case: dict) -> dict:
    import finitewave
    import numpy as np

    shape = case["grid"]
    tissue = finitewave.CardiacTissue([n + 2 for n in shape])  # a border of empty cells
    tissue.fibers = np.zeros((*tissue.mesh.shape, 3))
    tissue.fibers[...] = case["fibre"]
    model = finitewave.TenTusscherPanfilov2006()
    for name, value in zip(FINITEWAVE.split(), case["start"], strict=True):
        setattr(model, f"init_{name}", value)
    model.cardiac_tissue, model.prog_bar = tissue, False
    model.dt, model.dr = case["dt"], case["dx"]
    along, across = case["sigma"]
    model.D_model = along / 1.4  # σ / (χ C_m), mm²/ms
    model.stencil = model.select_stencil(tissue)
    model.stencil.D_al, model.stencil.D_ac = 1.0, across / along
    sides = [axis for n in case["site_grid"] for axis in (1, n + 1)]  # behind the border
    box = dict(zip(("x1", "x2", "y1", "y2", "z1", "z2"), sides, strict=True))
    pulse = STIMULUS["duration_ms"] - 1.5 * case["dt"]  # the step in which this ends has it too
    stimuli, trackers = finitewave.StimSequence(), finitewave.TrackerSequence()
    strength = STIMULUS["strength_mV_per_ms"]
    stimuli.add_stim(finitewave.StimCurrentCoord(0.0, strength, pulse, **box))
    fired = finitewave.ActivationTimeTracker()
    fired.threshold = case["threshold"]
    trackers.add_tracker(fired)
    model.stim_sequence, model.tracker_sequence = stimuli, trackers
    model.t_max = 1.0
    model.run()
    clock, warm = Clock(), model.step
    at = tuple(np.transpose(case["watch_grid"]) + 1)
    while (fired.act_t[at] < 0.0).any() and model.t < case["longest"]:
        model.t_max = model.t + 1.0
        model.run(initialize=False)
    times = fired.act_t[at]
    return {
        "times": np.where(times > 0.0, times, np.nan).tolist(),
        **clock.figures(int((tissue.mesh == 1).sum()), model.step - warm),
        "version": f"finitewave {version('finitewave')}, numba {version('numba')}, float64",
    }


def by_fenicsx_beat(case: dict) -> dict:
    import basix.ufl
    import beat
    import dolfinx
    import numpy as np
    import ufl
    from mpi4py import MPI

    points, cells, fibres, site = (np.load(f"{case['folder']}/body.npz")[k] for k in PARTS)
    shape = ufl.Mesh(basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,)))
    body = dolfinx.mesh.create_mesh(MPI.COMM_SELF, cells.astype(np.int64), x=points, e=shape)
    space = dolfinx.fem.functionspace(body, ("Lagrange", 1))
    # nodes and cells have numbers of their own there
    node = np.empty(len(points), int)
    dof_of_vertex = np.empty(len(points), int)
    dof_of_vertex[body.geometry.dofmap.ravel()] = space.dofmap.list.ravel()
    node[body.geometry.input_global_indices] = dof_of_vertex
    along = dolfinx.fem.Function(dolfinx.fem.functionspace(body, ("DG", 0, (3,))))
    along.x.array[:] = fibres[body.topology.original_cell_index].ravel()
    pulsed = dolfinx.fem.Function(space)
    pulsed.x.array[node[site]] = STIMULUS["strength_mV_per_ms"]
    D = [value / 1.4 for value in case["sigma"]]  # σ / (χ C_m), mm²/ms
    dt, time_ms = case["dt"], dolfinx.fem.Constant(body, 0.0)
    on = ufl.conditional(ufl.lt(time_ms, STIMULUS["duration_ms"]), 1.0, 0.0)
    solve = {"ksp_type": "cg", "pc_type": "jacobi", "ksp_rtol": 1e-5}
    pde = beat.MonodomainModel(
        time=time_ms,
        mesh=body,
        M=D[1] * ufl.Identity(3) + (D[0] - D[1]) * ufl.outer(along, along),
        I_s=on * pulsed,
        params={"petsc_options": solve, "default_timestep": dt},
    )
    cell = _gotranx_cell(case)
    ode = beat.odesolver.DolfinODESolver(
        v_ode=dolfinx.fem.Function(space), v_pde=pde.state, num_states=len(BEAT.split()), **cell
    )
    solver = beat.MonodomainSplittingSolver(pde=pde, ode=ode)
    watch = node[case["watch"]]
    crossings = Crossings(case, pde.state.x.array[watch])
    warm, last = round(1.0 / dt), round(case["longest"] / dt)
    for k in range(1, last + 1):
        solver.step(((k - 1) * dt, k * dt))
        if k == warm:
            clock = Clock()
        if crossings.look(k, pde.state.x.array[watch]) and k > warm:
            break
    return {
        "times": crossings.times.tolist(),
        **clock.figures(len(points), k - warm),
        "version": f"fenicsx-beat {version('fenicsx-beat')}, DOLFINx {dolfinx.__version__}, numba "
        f"{version('numba')}, float64, conjugate gradients with Jacobi to 1e-5",
    }


def _gotranx_cell(case: dict) -> dict:
    """Ten Tusscher's epicardial cell as gotranx makes a program of its CellML file, which takes
    some seconds; its own stimulus is off."""
    import importlib.util

    import numba

    program = Path(case["folder"]) / "cell.py"
    tool = [str(Path(sys.executable).with_name("gotranx"))]
    told = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*tool, "cellml2ode", case["cellml"], "-o", program.with_suffix(".ode")], **told)
    made = [*tool, "ode2py", program.with_suffix(".ode"), "-o", program]
    subprocess.run([*made, "--scheme", "generalized_rush_larsen"], **told)
    spec = importlib.util.spec_from_file_location("cell", program)
    cell = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cell)
    named = dict(zip(BEAT.split(), case["start"], strict=True))
    return {
        "fun": numba.njit(cell.generalized_rush_larsen),
        "init_states": cell.init_state_values(**named),
        "parameters": cell.init_parameter_values(stim_amplitude=0.0),
        "v_index": cell.state_index("V"),
    }


PEERS = {"torchcor": by_torchcor, "finitewave": by_finitewave, "fenicsx-beat": by_fenicsx_beat}


def version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def write_case(folder: Path, body, site, sigma) -> dict:
    """One mesh, stimulated at the nodes `site`, in the files of every engine; what all are told."""
    import dataclasses

    import numpy as np

    from heartsim import ionic, mesh

    folder.mkdir()
    V, state = ionic.by_name("ten_tusscher_2006_epi").rest()
    site = np.flatnonzero(site).astype(np.int32)
    mesh.write_mesh(dataclasses.replace(body, node_sets={"site": site}), folder / "body.vtu")
    name = str(folder / folder.name)
    head = f"{body.n_nodes}"
    np.savetxt(f"{name}.pts", body.points * 1000, "%.6f", header=head, comments="")
    cells = np.column_stack([body.cells, np.zeros(body.n_cells, int)])
    head = f"{body.n_cells}"
    np.savetxt(f"{name}.elem", cells, "Tt %d %d %d %d %d", header=head, comments="")
    np.savetxt(f"{name}.lon", body.frames[:, 0], "%.6f", header="1", comments="")
    head = f"{len(site)}\nintra"
    np.savetxt(folder / "site.vtx", site, "%d", header=head, comments="")
    parts = zip(PARTS, (body.points, body.cells, body.frames[:, 0], site), strict=True)
    np.savez(folder / "body.npz", **dict(parts))
    start = [float(value) for value in (*state, V)]
    return {"folder": str(folder), "sigma": sigma, "start": start}


def in_its_own_process(python: str, case: dict, program: str = __file__) -> dict | list | str:
    """The row (or rows) of one engine, or one sentence that says why there is none."""
    done = subprocess.run(
        [python, program, "--run"],
        input=json.dumps(case),
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ""},
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    last = done.stderr.strip().splitlines()[-1:] or [f"it ended with code {done.returncode}"]
    if last[0].startswith("ModuleNotFoundError"):
        return f"{case['name']} is not in the environment of {python} ({last[0]})."
    return f"{case['name']} did not run with {python}: {last[0]}"


if __name__ == "__main__":
    case = json.load(sys.stdin)
    os.sched_setaffinity(0, case["cores"])  # before any engine is imported
    print(json.dumps({"name": case["name"], **PEERS.get(case["name"], by_heartsim)(case)}))
