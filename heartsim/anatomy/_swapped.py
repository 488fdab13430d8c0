"""Slices of a stack that look swapped."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from ._slices import Slices

SWAPPED = "slices swapped?"
"""How a note of it begins."""
LESS = 0.8  # of the mismatch; ours. 1.0 and more in stacks in order, about 0.5 in swapped ones


class Swap(NamedTuple):
    """Two neighbours that look swapped."""

    numbers: tuple[int, int]
    """In the file, counted from 1."""
    note: str


def swapped_slices(slices: Slices) -> tuple[Swap, ...]:
    """Each two neighbours that look swapped.

    The mismatch D of two slices is the area that a structure has in one and not in the other,
    summed over the left ventricle, its cavity and the right cavity, the middles of the left
    ventricle laid on one another. Slices k and k + 1 from the apex look swapped where

        D(k-1, k+1) + D(k, k+2) < 0.8 (D(k-1, k) + D(k+1, k+2));               (1)

    the left is twice the right without its factor where outlines grow evenly, and half of it where
    two of these are swapped. The first and the last slice are not judged, having one neighbour;
    and nothing tells slices that are alike, as beside the widest. Of pairs that share a slice the
    one that gains the most is named.
    """
    masks, there = slices.masks, np.flatnonzero(slices.masks["body"].any(axis=(1, 2)))
    own = np.stack([masks[name][there] for name in ("body", "lv", "rv") if name in masks], axis=1)
    laid, unit = [_centred(of_slice) for of_slice in own], float(np.prod(slices.pixel)) / 100

    def mismatch(*pairs: tuple[int, int]) -> float:
        """cm² of all pairs together."""
        return unit * sum(int((laid[i] ^ laid[j]).sum()) for i, j in pairs)

    gains = {}
    for k in range(1, len(there) - 2):
        now = mismatch((k - 1, k), (k + 1, k + 2))
        exchanged = mismatch((k - 1, k + 1), (k, k + 2))
        if exchanged < LESS * now:
            gains[k] = now - exchanged, now, exchanged
    area, found = unit * own[:, 0].sum(axis=(1, 2)), []
    for k in sorted(gains, key=lambda k: -gains[k][0]):
        if all(gains[k] >= gains[near] for near in (k - 1, k + 1) if near in gains):
            four = slice(k - 1, k + 3)
            numbers = [slices.number(int(s)) for s in there[four]]
            note = _note(slices.image.name, numbers, area[four].tolist(), *gains[k][1:])
            found.append(Swap((numbers[1], numbers[2]), note))
    return tuple(found)


def require_right(slices: Slices, swaps: Iterable[Swap]) -> None:
    """ValueError where a slice between others has no right ventricle, and does not look swapped."""
    gap, known = slices.right_gap, [number for swap in swaps for number in swap.numbers]
    if gap and not set(gap.numbers) <= set(known):
        raise ValueError(gap.words)


def _centred(masks: Bool[np.ndarray, "structures rows columns"]):
    """The masks of one slice, the middle of the first that of the image."""
    middle = np.argwhere(masks[0]).mean(axis=0)
    by = np.rint(np.array(masks.shape[1:]) / 2 - middle).astype(int)
    return np.roll(masks, by.tolist(), axis=(1, 2))


def _note(name: str, numbers: list[int], area: list[float], now: float, exchanged: float) -> str:
    if numbers[0] > numbers[-1]:
        numbers, area = numbers[::-1], area[::-1]
    before, first, second, after = numbers
    areas = ", ".join(f"{a:.1f}" for a in area)
    return (
        f"{SWAPPED} {name}: slices {first} and {second} (counted from 1) lie as if in each other's "
        f"place: in slices {before} to {after} the left ventricle has {areas} cm2, and the "
        f"outlines of {first} and {second} differ by {now:.1f} cm2 from those of {before} and "
        f"{after}, exchanged by {exchanged:.1f}. Check the order of the slices in the file."
    )
