"""Indices of activation on maps made by hand, where they are known exactly."""

import dataclasses

import numpy as np
import pytest

from heartsim.mesh import slab
from heartsim.therapy import indices, region_mean


@pytest.fixture
def pair():
    """A slab of 20 mm: the left half of it is LV, the right half RV."""
    body = slab((20.0, 4.0, 4.0), 2.0)
    middle = np.asarray(body.points)[body.cells].mean(axis=1)[:, 0]
    return dataclasses.replace(body, regions=np.where(middle < 10, 1, 2).astype(np.int32))


def halves(pair):
    return pair.regions == 1, pair.regions == 2


def test_indices_of_a_linear_map_are_exact(pair):
    """T = 3 x + 5: means over the halves are those at their middles, 5 and 15 mm."""
    T = 3.0 * pair.points[:, 0] + 5.0
    found = indices(pair, T, *halves(pair))
    assert found.total_activation_ms == pytest.approx(60.0)
    assert found.lv_activation_ms == pytest.approx(30.0)
    assert found.lv_rv_delay_ms == pytest.approx(-30.0)  # the left is early here


def test_what_was_not_reached_is_left_out(pair):
    T = np.where(pair.points[:, 0] > 16, np.nan, pair.points[:, 0])
    lv, rv = halves(pair)
    assert indices(pair, T, lv, rv).total_activation_ms == pytest.approx(16.0)
    assert region_mean(pair, T, rv) == pytest.approx(13.0)  # 10 to 16 mm
    silent = indices(pair, np.full(pair.n_nodes, np.nan), lv, rv)
    assert np.isnan(silent).all()


def test_a_mean_weighs_by_volume_not_by_nodes(pair):
    """A step map: 0 on the first 2 mm of 10, then 10; linear across one cell of 2 mm."""
    T = np.where(pair.points[:, 0] > 3, 10.0, 0.0)
    lv, _ = halves(pair)
    # 0 up to 2 mm, a ramp to 4 mm, then 10: (0 + 10 + 60) / 10
    assert region_mean(pair, T, lv) == pytest.approx(7.0)
