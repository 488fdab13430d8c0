"""The picture of an atrium."""

import dataclasses

import numpy as np
import pytest

from heartsim.anatomy import BUNDLES as NUMBERS
from heartsim.anatomy import OPENINGS as NAMES
from heartsim.anatomy import describe_atrium
from heartsim.mesh import atrial_shell
from heartsim.viz import atrium_png
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
