"""Many runs of one scenario, one row of a table each."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ._batch import FAILURES, Alone, run_batch
from ._checkpoint import Unusable
from ._dask import Lost
from ._directory import Done, close, input_files, open_new, partial_of, provenance, run_scenario
from ._files import checksum, write_json, write_table, write_text
from ._read import locate, read_on_base, read_scenario, read_toml, scenario_from, to_toml
from ._rows import row
from ._schema import Scenario
from ._sweep_schema import SweepFile, combinations

Row = dict[str, Any]
"""run, the varied keys, status, and every number of the run's summary."""


class Task(NamedTuple):
    """One run of a sweep."""

    number: int  # from 1
    values: dict[str, Any]  # of the varied keys
    scenario: Scenario


Batch = list[Task]

Mapping = Callable[[Callable[[Batch], list[Row]], list[Batch]], Iterator[list[Row] | Lost]]
"""How the batches of a sweep are done: in any order, anywhere."""

ALONE = "alone"
"""Of a row on file: why a run was not computed together with others, though that was asked for."""


def read_sweep(path: str | Path) -> SweepFile:
    """The sweep of a TOML file; ValueError names what is wrong, as `read_scenario` does."""
    return read_on_base(SweepFile, path, "sweep")


def run_sweep(
    sweep: str | Path | SweepFile,
    out: str | Path,
    *,
    resume: bool = False,
    progress: Callable[[float, float], None] | None = None,
    cache: Path | None = None,
    through: Mapping = map,
    batch: int = 1,
) -> list[Row]:
    """Do every run of a sweep and write `out`; return its rows in the order of the runs.

    `out` holds sweep.toml, table.csv (and table.parquet where pyarrow is installed), summary.json,
    manifest.json, and in runs/ a run directory for each. A run that fails, for its input, a file
    that is absent or want of memory, is a row that says why, and the others go on. `resume`
    repeats no run that has its row, and goes on with one that was stopped from its last
    checkpoint, or begins it anew where that cannot be used. `through` does the runs: `map` one
    after the other here, so that they share programs; `on_dask` on a cluster. With `batch` above
    1 so many runs at a time are computed in one program where they can be (`run_batch`), without
    checkpoints; the manifest notes why a run was not. ValueError where a combination is no
    scenario, before the first run, `resume` meets another sweep, or `batch` is less than 1.
    """
    sweep = sweep if isinstance(sweep, SweepFile) else read_sweep(sweep)
    if batch < 1:
        raise ValueError(f"batch = {batch} was given; wanted the runs of one program, 1 or more.")
    tasks = sweep_tasks(sweep)
    inputs = _inputs(sweep, tasks)
    folder = open_new(Path(out), resume)
    _same_sweep(folder, to_toml(sweep), inputs)
    (folder / "runs").mkdir(exist_ok=True)
    (folder / "rows").mkdir(exist_ok=True)
    one = Run(folder.resolve(), cache, sweep.keep == "runs")
    rows = {t.number: kept for t in tasks if (kept := one.kept(t.number)) is not None}
    left = [t for t in tasks if t.number not in rows]
    for batch_done in through(one, [left[k : k + batch] for k in range(0, len(left), batch)]):
        for done in one.lost(batch_done) if isinstance(batch_done, Lost) else batch_done:
            rows[done["run"]] = done
            if progress is not None:
                progress(float(len(rows)), float(len(tasks)))
    table = [rows[t.number] for t in tasks]
    notes = [f"run {r['run']} was not batched: {r.pop(ALONE)}" for r in table if ALONE in r]
    seed = None if sweep.sample is None else sweep.sample.seed
    write_text(folder / "sweep.toml", to_toml(sweep))
    _write_table(folder, table)
    manifest = provenance(inputs, tasks[0].scenario.solver.precision, seed, notes)
    write_json(folder / "manifest.json", manifest)
    (folder / "rows.json").unlink()
    shutil.rmtree(folder / "rows")
    close(folder, Path(out))
    return table


def sweep_tasks(sweep: SweepFile) -> list[Task]:
    """Every run; ValueError names the run and the key."""
    base = locate(sweep.base)
    data, made = read_toml(base, "scenario"), []
    understood = read_scenario(base).model_dump(exclude_none=True)
    if sweep.keep == "table" and "output" in data:
        data["output"].pop("voltage_every_ms", None)  # of which no row tells
    for vary in sweep.vary:  # beside a key that has a default stand the defaults of its section
        section, _, key = vary.key.partition(".")
        if section not in data and key in understood.get(section, {}):
            data[section] = understood[section]
    for number, values in enumerate(combinations(sweep), start=1):
        own = copy.deepcopy(data)
        words = ", ".join(f"{key} = {value!r}" for key, value in values.items())
        for key, value in values.items():
            _put(own, key, value)
        name = f"{base.name} with {words} (run {number})"
        made.append(Task(number, values, scenario_from(own, name, base.resolve().parent)))
    return made


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set the value at a dotted key; ValueError where a list has no such entry."""
    at: Any = data
    *path, last = key.split(".")
    for part in path:
        if isinstance(at, list):
            if not (part.isdigit() and 1 <= int(part) <= len(at)):
                raise ValueError(
                    f"[[vary]] {key}: {part} is no entry there; give a number from 1 to {len(at)}."
                )
            at = at[int(part) - 1]
        else:
            at = at.setdefault(part, {})
        if not isinstance(at, dict | list):
            raise ValueError(f"[[vary]] {key}: {part} has no keys of its own.")
    if isinstance(at, list):
        raise ValueError(f"[[vary]] {key}: name the entry's number, and the key in it.")
    at[last] = value


class Run:
    """What does the runs of a batch, here or in another process."""

    def __init__(self, folder: Path, cache: Path | None, keep: bool):
        self.folder, self.cache, self.keep = folder, cache, keep

    def __call__(self, tasks: Batch) -> list[Row]:
        """Do them, several in one program; keep their rows on file, and return them."""
        fresh = [t for t in tasks if not self._begun(t.number)]
        ready: dict[int, Done | Alone] = {}
        if len(fresh) > 1:
            done = run_batch([t.scenario for t in fresh], self.cache)
            ready = {t.number: d for t, d in zip(fresh, done, strict=True)}
        return [self._one(task, ready.get(task.number)) for task in tasks]

    def _one(self, task: Task, ready: Done | Alone | None) -> Row:
        """Do a run that is not ready, or go on with it where it was stopped; keep its row."""
        own = self._own(task.number)
        found: Row = {"run": task.number} | task.values
        done = ready if isinstance(ready, Done) else None
        try:
            if not own.exists():  # else only its row was missing
                self._run(task, own, done)
            summary = json.loads((own / "summary.json").read_text(encoding="utf-8"))
            numbers = {k: r["value"] for k, r in summary.items() if _is_number(r["value"])}
            found |= {"status": "done"} | numbers
        except FAILURES as error:
            found |= {"status": f"failed: {error}"}
            shutil.rmtree(partial_of(own), ignore_errors=True)  # no run is done twice
        if isinstance(ready, Alone):
            found[ALONE] = ready.why
        write_json(self._place(task.number), found)
        if not self.keep:
            shutil.rmtree(own, ignore_errors=True)
        return found

    def _run(self, task: Task, own: Path, done: Done | None) -> None:
        """Do a run; anew where its checkpoint is damaged or of another version."""
        run = partial(
            run_scenario,
            task.scenario,
            own,
            resume=True,
            cache=self.cache,
            done=done,
            keep=self.keep,
        )
        try:
            run()
        except Unusable:
            shutil.rmtree(partial_of(own))
            run()

    def lost(self, batch: Lost) -> list[Row]:
        """The rows of a batch that is given up; those that were done before stay as they are."""
        return [self.kept(task.number) or self._given_up(task, batch.why) for task in batch.task]

    def _given_up(self, task: Task, why: str) -> Row:
        shutil.rmtree(partial_of(self._own(task.number)), ignore_errors=True)
        found = {"run": task.number} | task.values | {"status": f"failed: {why}"}
        write_json(self._place(task.number), found)
        return found

    def kept(self, number: int) -> Row | None:
        """The row of a run that is done already."""
        path = self._place(number)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def _begun(self, number: int) -> bool:
        own = self._own(number)
        return own.exists() or partial_of(own).exists()

    def _own(self, number: int) -> Path:
        return self.folder / "runs" / f"{number:04d}"

    def _place(self, number: int) -> Path:
        return self.folder / "rows" / f"{number:04d}.json"


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _inputs(sweep: SweepFile, tasks: list[Task]) -> dict[str, str]:
    """SHA-256 of every file that the sweep reads, each read once."""
    files: set[Path] = set()
    for task in tasks:
        with suppress(FileNotFoundError):  # the run will say so
            files.update(input_files(task.scenario))
    read = {str(path): checksum(path) for path in sorted(files)}
    return {sweep.base: checksum(locate(sweep.base))} | read


def _same_sweep(folder: Path, text: str, inputs: dict[str, str]) -> None:
    """Keep what a later --resume must find again; ValueError where it finds something else."""
    path = folder / "rows.json"
    if path.is_file():
        was = json.loads(path.read_text(encoding="utf-8"))
        files = [f for f in was["inputs"] | inputs if was["inputs"].get(f) != inputs.get(f)]
        if was["sweep"] != text or files:
            what = f"{files[0]} has changed since" if files else "the sweep file has changed since"
            raise ValueError(
                f"{folder} belongs to another sweep, as {what}; bring that back, or remove "
                f"{folder} and run without --resume."
            )
    write_json(path, {"sweep": text, "inputs": inputs})


def _write_table(folder: Path, table: list[Row]) -> None:
    """The table, and how many of its runs failed."""
    keys = list(dict.fromkeys(key for found in table for key in found))
    columns = {key: [found.get(key) for found in table] for key in keys}
    write_table(folder / "table.csv", keys, zip(*columns.values(), strict=True))
    if find_spec("pyarrow") is not None:
        _write_parquet(folder / "table.parquet", columns)
    failed = sum(found["status"] != "done" for found in table)
    summary = {
        "runs": row(len(table), "1", "runs of the sweep"),
        "failed": row(failed, "1", "runs that failed; their rows say why"),
    }
    write_json(folder / "summary.json", summary)


def _write_parquet(path: Path, columns: dict[str, list[Any]]) -> None:
    """The same table; a column whose values are not all of one type is text, as in the CSV."""
    import pyarrow
    import pyarrow.parquet

    arrays = {}
    for key, values in columns.items():
        try:
            arrays[key] = pyarrow.array(values)
        except pyarrow.ArrowException:
            arrays[key] = pyarrow.array([None if x is None else str(x) for x in values])
    pyarrow.parquet.write_table(pyarrow.table(arrays), path)
