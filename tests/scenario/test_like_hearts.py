"""Hearts of about the same size share compiled programs."""

import re

import jax
import numpy as np
import pytest

from heartsim.mesh import read_mesh, submesh, write_mesh
from heartsim.scenario import build_scene, scenario_from
from heartsim.scenario._loop import run_scene
from heartsim.scenario._read import locate


@pytest.fixture
def compiled(caplog):
    """Of a function without arguments, the names of the programs that are compiled for it."""

    def names(run):
        caplog.clear()
        with jax.log_compiles(), caplog.at_level("WARNING"):
            run()
        return set(re.findall(r"Finished XLA compilation of jit\((\w+)\)", caplog.text))

    return names


def cut(heart, lowest):
    """Without the cells at its lowest nodes."""
    gone = np.argsort(heart.points[:, 2])[:lowest]
    return submesh(heart, ~np.isin(heart.cells, gone).any(axis=1))[0]


def test_hearts_cut_at_two_heights_run_by_the_same_programs(data, tmp_path, compiled):
    """6075 and 6005 nodes; what else may differ is in tests/test_sizes.py."""
    whole = read_mesh(locate("shipped:biventricular.vtu"))
    real = []

    def run(lowest):
        write_mesh(cut(whole, lowest), tmp_path / "cut.vtu")
        changed = {
            "heart": data["heart"] | {"mesh": "cut.vtu"},
            "stimulus": [{"at": {"surface": "lv_endo"}}],
            "solver": data["solver"] | {"duration_ms": 1.0},
        }
        scene = build_scene(scenario_from(data | changed, folder=tmp_path))
        run_scene(scene, tmp_path, {})
        real.append(len(scene.nodes))

    assert {"simulate", "begin"} <= compiled(lambda: run(40))
    assert not {"simulate", "begin"} & compiled(lambda: run(110))
    assert real == [6075, 6005]
