"""Where the right ventricle of a stack ends in part, as below the tricuspid valve."""

import numpy as np
import pytest
from scipy import ndimage

from heartsim import anatomy
from heartsim.anatomy._right_end import right_end
from heartsim.anatomy._slices import Slices
from heartsim.mesh import dihedral_angles, preflight
from tests import stacks
from tests.plain_hearts import bare

NUMBERS = {"lv_cavity": 3, "lv_myocardium": 2, "rv_cavity": 1}
HALF = slice(0, int(stacks.MIDDLE[1] / stacks.SPACING[1]))
PIXEL = 1.5 * 1.5 / 100  # cm²


def ending_in_part(rows: slice):
    """Rows of the right cavity taken from its two highest slices, so that the slice below is the
    widest; what that one has in them where the next has not the left ventricle; its number."""
    values = stacks.labels()
    right, gone = values == 1, np.zeros_like(values, bool)
    last = int(np.flatnonzero(right.any(axis=(1, 2)))[-1])
    gone[last - 1 :, rows] = True
    under = right[last - 2] & gone[last] & ~np.isin(values[last - 1], [2, 3])
    values = np.where(right & gone, 0, values).astype(np.int32)
    return (
        anatomy.Image(values, stacks.SPACING, stacks.AXES, stacks.ORIGIN, "part"),
        under,
        last - 2,
    )


def test_a_part_of_the_right_ventricle_that_ends_is_open_where_a_disc_of_ten_mm_fits():
    """Half of it ends: open but for its edges, and covered if that is asked for. A strip of 6 mm
    at its side ends, as where the wall leans: covered. As it was it is widest in the last slice."""
    whole = anatomy.Image(
        stacks.labels().astype(np.int32), stacks.SPACING, stacks.AXES, stacks.ORIGIN, "whole"
    )
    half, under, _ = ending_in_part(HALF)
    first = int(np.flatnonzero((half.values == 1).any(axis=(0, 2)) | under.any(axis=1))[0])
    strip, beside, _ = ending_in_part(slice(0, first + 4))
    found = []
    for image, open_right in ((whole, True), (half, False), (strip, True), (half, True)):
        slices = Slices(image, anatomy.Labels(**NUMBERS, open_right=open_right))
        found.append(right_end(slices, np.zeros((len(image.values), 2))))
    opened, roof = zip(*((end.opened, end.roof) for end in found), strict=True)
    area = under.sum() * PIXEL
    assert area > 3.0
    assert opened[:3] == (0.0, 0.0, 0.0)
    assert roof[:3] == (0.0, pytest.approx(area), pytest.approx(beside.sum() * PIXEL))
    assert opened[3] + roof[3] == pytest.approx(area)
    assert opened[3] > 0.8 * area


def test_no_muscle_covers_a_part_of_the_right_ventricle_that_ends():
    """Half of it ends two slices below the base: no cell lies above it there, its rim does, half a
    slice above its last labels, and the other half goes on to the base. Its rim is round, so that
    shape alone does not tell that cavity from the epicardium, and says so."""
    image, under, last = ending_in_part(HALF)
    built = anatomy.build_ventricles(image, anatomy.Labels(**NUMBERS), 2.5)
    mesh, end = built.mesh, (last + 0.5) * stacks.SPACING[2]
    x = (mesh.points - stacks.ORIGIN) @ stacks.AXES
    middle = x[mesh.cells].mean(axis=1)
    deep = ndimage.distance_transform_edt(under, sampling=1.5) > 4.0
    column, row = np.rint(middle[:, :2] / 1.5).astype(int).T
    assert deep.sum() > 20
    assert not (deep[row, column] & (middle[:, 2] > end - 4.0)).any()
    rim = x[np.intersect1d(mesh.node_sets["rv_endo"], mesh.node_sets["base"])]
    ended = rim[:, 1] < stacks.MIDDLE[1] - 10.0
    np.testing.assert_allclose(rim[ended, 2], end, atol=2.5)
    goes_on = rim[:, 1] > stacks.MIDDLE[1] + 10.0
    np.testing.assert_allclose(rim[goes_on, 2], stacks.BASE, atol=2.5)
    assert min(ended.sum(), goes_on.sum()) > 10
    assert abs(built.error("rv_cavity")) < 6.0
    assert dihedral_angles(mesh.points, mesh.cells).min() > 5.0
    assert not preflight(mesh).problems
    with pytest.raises(ValueError, match=r"does not come apart .* Give node sets epi, lv_endo"):
        anatomy.find_surfaces(bare(mesh))
