"""The runs of a sweep on a Dask cluster."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

Task = TypeVar("Task")
T = TypeVar("T")

LOCAL = "local"


class Lost(NamedTuple):
    """A task that is given up: every worker that did it was lost."""

    task: Any
    why: str


def on_dask(
    scheduler: str,
    workers: int | None = None,
    prepare: Callable[[], None] | None = None,
) -> Callable[[Callable[[Task], T], list[Task]], Iterator[T | Lost]]:
    """A `map` in any order on the cluster at `scheduler`, or, for "local", on `workers` processes
    of this machine. All must see the same folders. A task whose worker is lost is given to
    another; where that happens more often than the scheduler allows
    (`distributed.scheduler.allowed-failures`, 3 by default) it is done after all others, by
    itself, and is Lost where its workers are lost again. Every worker calls `prepare` first.
    ValueError without the package, or without a cluster there.
    """
    try:
        import distributed
    except ImportError:
        raise ValueError(
            "--scheduler needs the package distributed: pip install 'heartsim[sweep]'."
        ) from None

    def through(one: Callable[[Task], T], tasks: list[Task]) -> Iterator[T | Lost]:
        with _client(distributed, scheduler, workers) as client:
            if prepare is not None:
                client.register_worker_callbacks(prepare)
            futures = client.map(one, tasks, pure=False)
            killed: list[Task] = []
            task_of = dict(zip(futures, tasks, strict=True))
            for future in distributed.as_completed(futures):
                if isinstance(future.exception(), distributed.KilledWorker):
                    killed.append(task_of[future])
                else:
                    yield future.result()
            for task in killed:  # Dask gives up those, too, that waited where another killed
                alone = client.submit(one, task, pure=False)
                error = alone.exception()
                if isinstance(error, distributed.KilledWorker):
                    times = error.allowed_failures + 1
                    yield Lost(task, f"its worker was lost {times} times while it ran alone")
                else:
                    yield alone.result()

    return through


def _client(distributed, scheduler: str, workers: int | None):
    """The client of the cluster; ValueError where none answers."""
    if scheduler == LOCAL:
        return distributed.Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    try:
        return distributed.Client(address=scheduler)
    except OSError as error:
        raise ValueError(
            f"--scheduler {scheduler}: no Dask scheduler answers there ({error}); give the address "
            "that `dask scheduler` prints, as tcp://host:8786, or local."
        ) from None
