"""The runs of a sweep on a Dask cluster."""

from collections.abc import Callable, Iterator
from typing import TypeVar

Task = TypeVar("Task")
T = TypeVar("T")

LOCAL = "local"


def on_dask(
    scheduler: str,
    workers: int | None = None,
    retries: int = 3,
    prepare: Callable[[], None] | None = None,
) -> Callable[[Callable[[Task], T], list[Task]], Iterator[T]]:
    """A `map` in any order on the cluster at `scheduler`, or, for "local", on `workers` processes
    of this machine. All must see the same folders. A run whose worker is lost is given to
    another, `retries` times at most. Every worker calls `prepare` first. ValueError without the
    package, or without a cluster there.
    """
    try:
        import distributed
    except ImportError:
        raise ValueError(
            "--scheduler needs the package distributed: pip install 'heartsim[sweep]'."
        ) from None

    def through(one: Callable[[Task], T], tasks: list[Task]) -> Iterator[T]:
        with distributed.Client(**_where(scheduler, workers)) as client:
            if prepare is not None:
                client.register_worker_callbacks(prepare)
            futures = client.map(one, tasks, retries=retries, pure=False)
            for _, result in distributed.as_completed(futures, with_results=True):
                yield result

    return through


def _where(scheduler: str, workers: int | None) -> dict:
    if scheduler != LOCAL:
        return {"address": scheduler}
    return {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
