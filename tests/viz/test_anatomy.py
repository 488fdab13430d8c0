"""The picture of a heart's surfaces."""

import dataclasses

import numpy as np
import pytest

from heartsim.mesh import biventricular_ellipsoid
from heartsim.viz import anatomy_png
from heartsim.viz._anatomy import SURFACES

VALVES = ("mitral", "aortic", "tricuspid", "pulmonary")
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
    found = colours_in(tmp_path / "heart.png")
    assert min(found[name] for name in ("base", "lv_endo", "rv_endo", "epi")) > 5000
    assert found["tricuspid"] < 100


def test_valves_are_seen_in_their_colours(tmp_path):
    """Quarters of the base."""
    base = HEART.node_sets["base"]
    x = HEART.points[base] - HEART.points[base].mean(axis=0)
    quarter = 2 * (x[:, 0] > 0) + (x[:, 1] > 0)
    valves = {name: base[quarter == k] for k, name in enumerate(VALVES)}
    whole = dataclasses.replace(HEART, node_sets={**HEART.node_sets, **valves})
    anatomy_png(whole, tmp_path / "valves.png")
    found = colours_in(tmp_path / "valves.png")
    assert min(found[name] for name in VALVES if name != "aortic") > 1000  # that is dark grey


def test_a_surface_that_is_not_named_is_grey(tmp_path):
    sets = {key: nodes for key, nodes in HEART.node_sets.items() if key != "lv_endo"}
    anatomy_png(dataclasses.replace(HEART, node_sets=sets), tmp_path / "heart.png")
    found = colours_in(tmp_path / "heart.png")
    assert found["lv_endo"] < 100
    assert found["epi"] > 5000


def test_a_mesh_without_surfaces_is_refused(tmp_path):
    bare = dataclasses.replace(HEART, node_sets={})
    with pytest.raises(ValueError, match=r"none of the node sets .* base, lv_endo"):
        anatomy_png(bare, tmp_path / "heart.png")
