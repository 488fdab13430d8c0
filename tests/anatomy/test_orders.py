"""The same labels, however a file runs and numbers them."""

import itertools

import numpy as np
import pytest

from heartsim import anatomy
from heartsim.anatomy._slices import Slices
from tests import stacks

WAYS = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product((1, -1), repeat=3)
]


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd"])
def test_a_volume_lies_where_it_lay_in_all_48_orders_of_its_axes(tmp_path, ending):
    """Half of them left-handed. Thick slices are slices, whichever axis of the file they are."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (5, 6, 7)).astype(np.uint8)  # slices, rows, columns
    size = np.array(labels.shape[::-1])
    where = np.argwhere(labels > 0)
    true = stacks.ORIGIN + (where[:, ::-1] * stacks.SPACING) @ stacks.AXES.T
    for order, flips in WAYS:
        turned = labels.transpose([2 - k for k in reversed(order)])
        turned = turned[tuple(slice(None, None, flip) for flip in reversed(flips))]
        axes, origin = stacks.AXES[:, order] * flips, stacks.ORIGIN.copy()
        for k, flip in zip(order, flips, strict=True):
            if flip < 0:
                origin = origin + stacks.AXES[:, k] * (size[k] - 1) * stacks.SPACING[k]
        path = tmp_path / f"turned{ending}"
        given = stacks.SPACING[list(order)]
        stacks.write(path, np.ascontiguousarray(turned), axes, given, origin)
        image = anatomy.read_labels(path)
        assert image.thick_slices
        np.testing.assert_allclose(image.spacing, stacks.SPACING, rtol=1e-5)
        at = np.rint(image.voxels(true)).astype(int)
        np.testing.assert_allclose(image.voxels(true), at, atol=1e-3)
        np.testing.assert_array_equal(image.values[tuple(at.T)], labels[tuple(where.T)])
        assert (image.values > 0).sum() == len(where)


def test_numbers_mean_what_the_labels_say_in_all_24_orders():
    """Of cavities, muscle and infarct, as EMIDEC, ACDC and others number them differently."""
    old = stacks.labels()
    names = ("rv_cavity", "lv_myocardium", "lv_cavity", "scar")
    infarct = (old == 2) & (np.indices(old.shape)[2] * stacks.SPACING[0] < stacks.MIDDLE[0] - 5.0)
    old = np.where(infarct, 4, old)
    masks = None
    for numbers in itertools.permutations((1, 2, 3, 4)):
        values = np.array([0, *numbers])[old].astype(np.int32)
        image = anatomy.Image(values, stacks.SPACING, stacks.AXES, stacks.ORIGIN, "any")
        found = Slices(image, anatomy.Labels(**dict(zip(names, numbers, strict=True)))).masks
        masks = found if masks is None else masks
        assert found.keys() == masks.keys() >= {"lv", "body", "rv", "scar"}
        for name, mask in masks.items():
            np.testing.assert_array_equal(found[name], mask, name)
