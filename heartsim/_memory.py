"""The host's memory: what a set-up frees goes back to the system."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

# parameters of mallopt(3), glibc's malloc.h
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
SMALL, USUAL = 1 << 20, 32 << 20
"""Bytes: an array that is worth a mapping of its own; where glibc's own threshold ends up, 32 MiB
on 64 bits, as it rises to the largest array that was freed."""


@contextlib.contextmanager
def freed_goes_back() -> Iterator[None]:
    """While it lasts arrays of 1 MiB and more get mappings of their own, which end with them.

    Else glibc keeps what was freed, in pieces between what is still held: building the scene of
    58 176 nodes, whose matrices take 22 MB, left the process 400 MB larger, and 190 with this.
    Afterwards the threshold is as high as glibc would have made it, so that loops do not map anew
    at each step. With another C library nothing is done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        yield
        return
    mallopt(MMAP_THRESHOLD, SMALL)
    try:
        yield
    finally:
        mallopt(MMAP_THRESHOLD, USUAL)
        mallopt(TRIM_THRESHOLD, 2 * USUAL)


@contextlib.contextmanager
def pages_go_back(collect: bool = True) -> Iterator[None]:
    """When it ends, the pages that hold nothing go back to the system.

    A compiler frees what it took in many small pieces, and glibc keeps their pages: 130 MB of the
    first program of a strand. What JAX traced refers to itself: to `collect` it first takes 0.1 s.
    Serves as a decorator, too; with another C library nothing goes back.
    """
    try:
        yield
    finally:
        if collect:
            gc.collect()
        with contextlib.suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)
