"""Where the right ventricle of a stack ends: as a whole below the base plane, or in part, as at the
tricuspid valve beside which the outflow tract goes on."""

from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Bool, Float

from ._slices import Slices

VALVE = 5.0  # mm, radius of a disc that fits into what ends at a valve; ours


class RightEnd(NamedTuple):
    """How far up the right ventricle of a stack goes."""

    height: Float[np.ndarray, "rows columns"]
    """mm, at which it ends, half a slice above the last that has it; above the base plane where it
    goes on. Of slices moved back."""
    prolonged: Bool[np.ndarray, "slices rows columns"]
    """Its masks, what has ended at a valve carried on to its last slice, so that it is open."""
    opened: float
    """cm² of its outlines, from the widest slice on, over which the next slice has neither it nor
    the left ventricle, and which are open."""
    roof: float
    """cm² of the same that muscle covers."""


def right_end(slices: Slices, moved: Float[np.ndarray, "slices 2"]) -> RightEnd:
    """A part ends at a valve if from the widest slice on no slice above has the right cavity or the
    left ventricle in its columns, and a disc of 10 mm fits into it; what lies up to 5 mm beside
    such discs ends with them. On ACDC 101 and FISIOCOMP 1 and 3, both phases, no disc of 10 mm fits
    into what any slice below the base loses to a leaning wall. Other columns end as the nearest,
    and the heights are smoothed by half a disc, so that the rim slants, not steps."""
    right, body, gap = slices.masks["rv"], slices.masks["body"], slices.gap
    pixels = -np.rint(moved / slices.pixel).astype(int)
    here, heart = _rolled(right, pixels), _rolled(right | body, pixels)
    size = here.sum(axis=(1, 2))
    last, prolonged = int(np.flatnonzero(size)[-1]), here.copy()
    height, ending = np.full(here.shape[1:], slices.right_top), range(int(np.argmax(size)), last)
    for k in ending if slices.labels.open_right else ():
        part = here[k] & ~heart[k + 1 :].any(axis=0)
        part &= _discs(part, slices.pixel)
        height[part] = (k + 0.5) * gap
        prolonged[k + 1 : last + 1] |= part
    nearest = scipy.ndimage.distance_transform_edt(
        ~prolonged[last], sampling=slices.pixel, return_distances=False, return_indices=True
    )
    height = scipy.ndimage.gaussian_filter(height[tuple(nearest)], VALVE / slices.pixel)
    if slices.right_top == slices.top:  # what goes on passes the base plane, which cuts it
        height += gap * np.clip(height - slices.top + 1.0, 0.0, 1.0)
    lost = [here[k] & ~heart[k + 1] for k in ending]  # a cap over it would lie below slice k + 1
    open_ = [mask & (height < (k + 1) * gap) for k, mask in zip(ending, lost, strict=True)]
    area = float(np.prod(slices.pixel)) / 100
    opened, all_ = (float(np.sum(masks)) * area for masks in (open_, lost))
    return RightEnd(height, _rolled(prolonged, -pixels) & ~body, opened, all_ - opened)


def _rolled(masks, pixels):
    """Each slice moved by as many pixels along rows and columns."""
    return np.array([np.roll(one, by, axis=(0, 1)) for one, by in zip(masks, pixels, strict=True)])


def _discs(mask, pixel):
    """Within a radius of discs that fit into a mask, so that its corners belong to them."""
    core = scipy.ndimage.distance_transform_edt(mask, sampling=pixel) > VALVE
    if not core.any():
        return core
    return scipy.ndimage.distance_transform_edt(~core, sampling=pixel) <= 2 * VALVE
