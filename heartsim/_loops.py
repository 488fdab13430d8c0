"""What XLA is told to store, and loops and reads that would be slow without a word."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jax.experimental.xla_metadata import set_xla_metadata
from jaxtyping import Array, Int, PyTree, Shaped

KEPT = "kept"
"""The name under which a reverse sweep stores."""


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


def stored(body: Callable[[PyTree], PyTree], at: PyTree) -> PyTree:
    """body(at), of floating arrays, stored before anything reads it.

    XLA would compute it again for every reader that it makes a loop of. On a processor a call that
    is not to be written out in place keeps it from that, and copies nothing; a GPU has a barrier.
    What the body hands on as it was given, nothing may gather: see `of_stored`.
    """

    def barrier(at):
        return lax.optimization_barrier(body(at))

    return lax.platform_dependent(at, cpu=partial(_call, body), default=barrier)


def of_stored(body: Callable[[PyTree], PyTree], at: PyTree) -> PyTree:
    """body(at), of floating arrays that are stored before the body reads them: again and again, as
    gathers do.

    That is why the body goes into the call, and not `at` alone: of a call that hands on what it was
    given XLA makes no second array, but thinks of two, and writes the result of a loop that reads
    both over the one that it reads node by node, while the other is gathered.
    """

    def barrier(at):
        return body(lax.optimization_barrier(at))

    return lax.platform_dependent(at, cpu=partial(_call, body), default=barrier)


def read_first(body: Callable[[PyTree], PyTree], at: PyTree) -> PyTree:
    """body(at), after which `at` is changed node by node where it stands: on a processor a call of
    its own, without which XLA would copy what it may still have to read, on one core. A GPU takes
    it in the kernel that makes the changes, and reads nothing twice."""
    return lax.platform_dependent(at, cpu=partial(_call, body), default=body)


def _call(body: Callable[[PyTree], PyTree], at: PyTree) -> PyTree:
    @jax.jit
    def apart(at):
        with set_xla_metadata(inlineable="true"):  # else calls within would be kept apart, too
            return body(at)

    with set_xla_metadata(inlineable="false"):
        return apart(at)


def taken(x: Shaped[Array, " n"], at: Int[Array | np.ndarray, "..."]) -> Shaped[Array, "..."]:
    """x[at] for indices from 0 that lie within x: no loop spends an operation on counting negative
    ones from the end. XLA brings all others within x all the same, one by one; where it sees that
    none is negative, it takes three operations less for each."""
    return taken_in_loop(x, at & np.iinfo(at.dtype).max)


def taken_in_loop(
    x: Shaped[Array, " n"], at: Int[Array | np.ndarray, "..."]
) -> Shaped[Array, "..."]:
    """x[at], where `at` stays the same through a loop: what shows that no index is negative XLA
    would compute before the loop, which then would not see it."""
    return x.at[at].get(mode="promise_in_bounds", wrap_negative_indices=False)


def kept(x: PyTree) -> PyTree:
    """x, which a reverse sweep through a `sparing` step finds stored."""
    return jax.tree.map(lambda leaf: checkpoint_name(leaf, KEPT), x)


def sparing(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step, of which a reverse sweep stores what goes in and what is `kept`."""
    return jax.checkpoint(step, policy=jax.checkpoint_policies.save_only_these_names(KEPT))


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
