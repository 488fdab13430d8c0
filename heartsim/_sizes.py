"""Sizes of arrays: whole vectors, with a little room for like meshes to share programs.

A compiled program is made for sizes. Bodies whose sizes are rounded to the same share it.
"""

PER_OCTAVE, MOST, BEYOND = 32, 4096, 64
"""Of sizes that count nodes: how many there are from a power of two to the next, by how much they
differ at most, and how far they lie beyond whole steps. A run pays half a step on average, 1 % of
40 000 nodes and 0.2 % of a million, and a heart within the same step saves 4 s of compiling.
Vectors of whole pages, 4 096 bytes, share sets of the cache, and would take 1 % more
(docs/performance.md)."""


def up(size: int, multiple: int) -> int:
    """The least multiple that is no less."""
    return -(-size // multiple) * multiple


def roomy(size: int, per_octave: int, most: int | None = None) -> int:
    """`size`, or a little more: one of so many even steps from a power of two to the next, none of
    them longer than `most`."""
    step = max(1, (1 << size.bit_length()) // (2 * per_octave))
    return up(size, step if most is None else min(step, most))


def nodal(nodes: int, multiple: int) -> int:
    """The length of arrays for so many nodes: a multiple, with room beyond 64 nodes."""
    if nodes > BEYOND:
        nodes = roomy(nodes - BEYOND, PER_OCTAVE, MOST) + BEYOND
    return up(nodes, multiple)
