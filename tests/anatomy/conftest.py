"""Made-up hearts with all that their shape tells, found once."""

import pytest

from heartsim import anatomy
from heartsim.mesh import lv_ellipsoid
from tests.plain_hearts import MADE, bare


@pytest.fixture(scope="session")
def found():
    return anatomy.describe_heart(bare(MADE))


@pytest.fixture(scope="session")
def left_alone():
    return anatomy.describe_heart(bare(lv_ellipsoid(3.0)))
