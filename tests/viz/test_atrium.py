"""The picture of an atrium."""

import dataclasses

import numpy as np
import pytest

from heartsim.anatomy import BUNDLES as NUMBERS
from heartsim.anatomy import OPENINGS as NAMES
from heartsim.anatomy import describe_atrium
from heartsim.mesh import atrial_shell, biventricular_ellipsoid
from heartsim.viz import atrium_png
from heartsim.viz._activation import map_views
from heartsim.viz._atrial_views import atrial_views
from heartsim.viz._atrium import BUNDLES, OPENINGS
from tests.shells import thickened

SHELL = atrial_shell("right", 3.0)
RIGHT = describe_atrium(SHELL, "right", "LPS").mesh


def share(path, colour):
    """Of a picture, how much has this colour, whatever its shade."""
    from matplotlib.image import imread

    pixels = imread(path)[..., :3].reshape(-1, 3)
    hue = pixels / np.maximum(pixels.max(axis=1, keepdims=True), 1e-6)
    return float((np.abs(hue - np.array(colour) / max(colour)).max(axis=1) < 0.02).mean())


def test_every_opening_and_bundle_has_its_colour():
    assert set(OPENINGS) == {name for side in NAMES.values() for name in side}
    assert set(BUNDLES) == set(NUMBERS.values())


def test_openings_and_bundles_are_seen(tmp_path):
    """Of a wall; of a shell see tests/cli/test_atrium.py."""
    body = thickened(SHELL, 0.1 * SHELL.points, 1)
    mesh = describe_atrium(dataclasses.replace(body, node_sets={}), "right", "LPS").mesh
    atrium_png(mesh, tmp_path / "atrium.png")
    for name in ("tricuspid_valve", "svc", "coronary_sinus"):
        assert share(tmp_path / "atrium.png", OPENINGS[name][1]) > 5e-4
    for name in ("crista_terminalis", "intercaval_bundle", "right_septum"):
        assert share(tmp_path / "atrium.png", BUNDLES[NUMBERS[name]][1]) > 3e-3


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no cell data bundle or no fibres"):
        atrium_png(SHELL, tmp_path / "atrium.png")
    with pytest.raises(ValueError, match="node sets of an atrium's openings are missing"):
        atrium_png(dataclasses.replace(RIGHT, node_sets={}), tmp_path / "atrium.png")


def test_maps_of_an_atrium_are_seen_from_its_own_sides():
    """Of the made-up atria left is x; every view is right-handed; a heart with ventricles is drawn
    as before."""
    left = describe_atrium(atrial_shell("left", 3.0), "left", "LPS").mesh
    for mesh in (left, RIGHT):
        views, note = map_views(mesh)
        assert len(views) == 4
        assert "the atrium's own" in note
        for view in views:
            assert np.cross(view.right, view.up) == pytest.approx(view.towards, abs=1e-12)
            sign = {"L": 1, "R": -1}.get(view.right_name)
            assert sign is None or sign * view.right[0] > 0.5
    assert views[0].towards @ [0.75, -0.65, 0.0] > 0.9  # onto the right atrium's valve
    whole = biventricular_ellipsoid(4.2)
    both = dataclasses.replace(whole, node_sets=whole.node_sets | RIGHT.node_sets)
    assert atrial_views(both) == []
    assert [view.name for view in map_views(whole)[0]] == ["Anterior", "Posterior", "Basal"]
