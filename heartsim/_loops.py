"""Loops that a GPU would be slow at: of few passes, and over few numbers."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax import lax
from jaxtyping import PyTree


def few_passes(
    body: Callable[[PyTree, PyTree], tuple[PyTree, Any]], carry: PyTree, xs: PyTree
) -> tuple[PyTree, Any]:
    """`lax.scan`, written out pass by pass where loops cost.

    On a GPU a pass of a loop copies the carry and waits for the host, some 15 µs each; on a
    processor it costs nothing and keeps XLA from computing one pass again for every use of it in
    the next, which a barrier does on a GPU. See docs/performance.md.
    """

    def apart(carry, x):
        return body(lax.optimization_barrier(carry), x)

    def loop(carry, xs):
        return lax.scan(body, carry, xs)

    def written_out(carry, xs):
        return lax.scan(apart, carry, xs, unroll=True)

    return lax.platform_dependent(carry, xs, cpu=loop, default=written_out)


@contextlib.contextmanager
def on_processor() -> Iterator[None]:
    """JAX computes on the processor, where it may: for a cell or a strand, a step of which takes a
    GPU ten times as long. Serves as a decorator, too."""
    try:
        processor = jax.local_devices(backend="cpu")[0]
    except RuntimeError:  # JAX_PLATFORMS names others only
        yield
        return
    with jax.default_device(processor):
        yield
