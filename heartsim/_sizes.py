"""Sizes of arrays: whole vectors, with a little room for like meshes to share programs."""


def up(size: int, multiple: int) -> int:
    """The least multiple that is no less."""
    return -(-size // multiple) * multiple


def roomy(size: int, per_octave: int, longest: int | None = None) -> int:
    """`size`, or a little more: one of so many even steps from a power of two to the next, which
    are `longest` at most.

    A compiled program is made for sizes. Bodies whose sizes are rounded so share one where they
    differ by less than a step.
    """
    step = max(1, (1 << size.bit_length()) // (2 * per_octave))
    return up(size, step if longest is None else min(step, longest))
