"""The picture of a heart's surfaces."""

import dataclasses

import numpy as np
import pytest

from heartsim.mesh import biventricular_ellipsoid
from heartsim.viz import anatomy_png
from heartsim.viz._anatomy import SURFACES

HEART = biventricular_ellipsoid(4.0)


def colours_in(path):
    """Of each surface, how many pixels have its colour, whatever their shade."""
    from matplotlib.image import imread

    pixels = imread(path)[..., :3].reshape(-1, 3)
    hue = pixels / np.maximum(pixels.max(axis=1, keepdims=True), 1e-6)
    found = {}
    for key, (_, colour) in SURFACES.items():
        wanted = np.array(colour) / max(colour)
        found[key] = int((np.abs(hue - wanted).max(axis=1) < 0.03).sum())
    return found


def test_every_surface_is_seen_in_its_colour(tmp_path):
    anatomy_png(HEART, tmp_path / "heart.png")
    assert min(colours_in(tmp_path / "heart.png").values()) > 5000


def test_a_surface_that_is_not_named_is_grey(tmp_path):
    sets = {key: nodes for key, nodes in HEART.node_sets.items() if key != "lv_endo"}
    anatomy_png(dataclasses.replace(HEART, node_sets=sets), tmp_path / "heart.png")
    found = colours_in(tmp_path / "heart.png")
    assert found["lv_endo"] < 100
    assert found["epi"] > 5000


def test_a_mesh_without_surfaces_is_refused(tmp_path):
    bare = dataclasses.replace(HEART, node_sets={})
    with pytest.raises(ValueError, match="none of the node sets base, lv_endo"):
        anatomy_png(bare, tmp_path / "heart.png")
