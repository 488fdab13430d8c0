"""Every page does what it says: its code runs, its scenarios are read, its links lead somewhere."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from heartsim import therapy
from heartsim.anatomy import (
    Built,
    BuiltAtrium,
    FromContours,
    FromSurfaces,
    Growth,
    HalfMaximumRule,
    Image,
    VoltageRule,
    describe_atrium,
    describe_heart,
    enhancement,
    grow_purkinje,
    mapped,
)
from heartsim.ecg import MEASURES
from heartsim.ionic import Pacing
from heartsim.mesh import atrial_shell, lv_ellipsoid
from heartsim.scenario import SweepFile, fit_from, made_up_heart, mesh_rows, scenario_from
from heartsim.scenario._anatomy import heart_rows
from heartsim.scenario._atrium_build import AtriumFile, built_rows
from heartsim.scenario._cell import DEFINITIONS as CELL_DEFINITIONS
from heartsim.scenario._cell import imported_cell, restitution_of
from heartsim.scenario._cell_drugs import HEADS
from heartsim.scenario._cell_studies import (
    dynamic_study,
    population_study,
    sensitivity_study,
    settled_study,
)
from heartsim.scenario._cell_tables import READ
from heartsim.scenario._conduct import Speed
from heartsim.scenario._contours_build import ContoursFile, contour_rows
from heartsim.scenario._fit_summary import FIT_DEFINITIONS, TRUTH_DEFINITIONS
from heartsim.scenario._hand_over import HAND_OVER_DEFINITIONS
from heartsim.scenario._labels_schema import Atria, LabelsFile
from heartsim.scenario._mesh_build import build_rows
from heartsim.scenario._plan_schema import Plan
from heartsim.scenario._read import validated
from heartsim.scenario._rows import speed_rows
from heartsim.scenario._scar import scar_rows, voltage_rows
from heartsim.scenario._summary import DEFINITIONS
from heartsim.scenario._surfaces_build import SurfacesFile, surface_rows
from heartsim.scenario._tree import tree_rows
from heartsim.tissue import Projections
from tests.cells import write

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("meshes/*.md")])
OWN = {
    "cell-models.md": "ionic/test_page.py",
    "ecg-files.md": "ecg/files/test_page.py",
    "fit.md": "scenario/test_fit_file.py",
    "meshes.md": "mesh/test_page.py",
    "pictures.md": "viz/test_docs.py",
    "scenario.md": "scenario/test_read.py",
}
"""Pages whose code is run by a test of their own."""
LIMIT = 240
"""Seconds that a page may take: the longest takes about 20 alone on two cores, and a busy
machine has been seen to be six times slower."""

TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.split()
"""Files under version control; none where the source came without git."""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def named(pages, long=()):
    """Pages as parameters of a test, those of names in `long` marked so."""
    return [
        pytest.param(
            p, id=p.relative_to(ROOT).as_posix(), marks=[pytest.mark.long] * (p.name in long)
        )
        for p in pages
    ]


@pytest.mark.parametrize("name", OWN)
def test_pages_that_are_left_out_have_a_test_of_their_own(name):
    assert f'"{name}"' in (ROOT / "tests" / OWN[name]).read_text(encoding="utf-8")


LONG = {"hand-over.md", "lead-fields.md", "plan.md"}
"""What their code shows, other tests hold, too."""
WITH_CODE = [p for p in PAGES if p.name not in OWN and blocks(p, "python")]


@pytest.mark.parametrize("page", named(WITH_CODE, LONG))
def test_the_code_of_the_page_runs(page, tmp_path):
    """In a folder that holds the page's scenario and the shipped meshes: first the page's
    `heartsim` commands, then its Python, as a user would. Something is printed."""
    (tmp_path / "meshes").symlink_to(ROOT / "meshes")
    for text in blocks(page, "toml"):
        name = re.match(r"# (\S+\.toml)\n", text)
        if name is not None:
            (tmp_path / name[1]).write_text(text, encoding="utf-8")
    (tmp_path / "page.py").write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    commands = [line for text in blocks(page, "bash") for line in text.splitlines()]
    commands = [line.split() for line in commands if line.startswith("heartsim ")]
    here = Path(sys.executable).parent
    env = os.environ | {"HEARTSIM_CACHE": str(tmp_path / "cache"), "COLUMNS": "120"}
    for words in [[str(here / "heartsim"), *c[1:]] for c in commands] + [
        [sys.executable, "page.py"]
    ]:
        done = subprocess.run(
            words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=LIMIT
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip(), f"{words} printed nothing"


WITH_TOML = [p for p in PAGES if blocks(p, "toml")]


@pytest.mark.parametrize("page", named(WITH_TOML))
def test_scenarios_on_the_page_are_read(page, tmp_path):
    """Complete ones as they stand; parts are completed by a mesh and a stimulus."""
    for text in blocks(page, "toml"):
        data = tomllib.loads(text)
        if "free" in data or "truth" in data:
            fit_from(data, name=page.name)
            continue
        if "vary" in data:
            validated(SweepFile, data, page.name)
            continue
        if "labels" in data:
            validated(LabelsFile, data, page.name)
            continue
        if "atria" in data:
            validated(Atria, data["atria"], page.name)
            continue
        if "atrium" in data:
            validated(AtriumFile, data, page.name)
            continue
        if "contours" in data:
            validated(ContoursFile, data, page.name)
            continue
        if "surfaces" in data:
            validated(SurfacesFile, data, page.name)
            continue
        if "option" in data:
            validated(Plan, data, page.name)
            continue
        heart = {"mesh": "heart.vtu"} | data.get("heart", {})
        (tmp_path / "heart.vtu").touch()
        whole = {"stimulus": [{"at": {"nodes": [0]}}]} | data | {"heart": heart}
        scenario = scenario_from(whole, name=page.name, folder=tmp_path)
        for section, given in data.items():
            if isinstance(given, dict):
                assert set(given) <= set(type(getattr(scenario, section)).model_fields)


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", named(PAGES))
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = page if path == "" else page.parent / path
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link} has no such heading"


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/*.md"):
        assert page.name == "index.md" or f"({page.name})" in index


def units_of(rows):
    """By name."""
    return {name: row["unit"] for name, row in rows.items()}


def cell_units(tmp_path):
    """Of everything that `heartsim cell` tells."""
    units = {name: unit for name, (unit, _) in (CELL_DEFINITIONS | HEADS | READ).items()}
    simple, cell = "mitchell_schaeffer_2003", "luo_rudy_1991"
    short = Pacing(cycle_length=400.0, dt=0.05)
    for told in (
        imported_cell(write(tmp_path / "cell.mmt"))[2],
        dynamic_study(simple, [600.0], Pacing(dt=0.1))[1],
        settled_study(simple, Pacing())[2],
        population_study(cell, 2, short)[1],
        sensitivity_study(cell, short)[1],
        restitution_of(simple, [400.0], Pacing(600.0, dt=0.1))[1],
    ):
        units |= units_of(told)
    return units | {"control_beats": "1", "control_drift": "1"}


def heart_units():
    """Of everything that is told of a heart that is built or described."""
    mL = {"lv_cavity": 1.0}
    alone = lv_ellipsoid(6.0)
    rim = alone.points[np.intersect1d(alone.node_sets["base"], alone.node_sets["lv_endo"])]
    middle = {"mitral": rim.mean(axis=0)}
    heart = describe_heart(alone, landmarks=middle)
    built = Built(heart, mL, mL, mL, 0.0, 0.0, mL, 0.0, 0, 0)
    units = {
        re.sub(r"segment_\d+", "segment_NUMBER", name)
        .replace("left_openings", "SIDE_openings")
        .replace("mitral", "VALVE"): row["unit"]
        for name, row in heart_rows(heart).items()
    }
    units |= {
        name.replace("lv_cavity", "STRUCTURE"): row["unit"]
        for name, row in build_rows(built).items()
    }
    units |= units_of(surface_rows(FromSurfaces(heart, 1.0, 0.0, 1.0)))
    drawn = FromContours(heart, 1.0, None, 1.0, {"epi": 0.1}, 0.0, 0.0, middle)
    units |= {
        name.replace("lv_cavity", "STRUCTURE")
        .replace("lv_myocardium", "STRUCTURE")
        .replace("epi", "SURFACE")
        .replace("mitral", "VALVE"): row["unit"]
        for name, row in contour_rows(drawn).items()
    }
    grown = grow_purkinje(heart.mesh, "left", growth=Growth(generations=2))
    units |= units_of(tree_rows(heart.mesh, grown, "left", 0.85))
    found = enhancement(heart.mesh, constant_image(heart.mesh))
    units |= {
        re.sub("fwhm_(core|border)", "RULE_ZONE", name): row["unit"]
        for name, row in scar_rows(heart.mesh, found, [HalfMaximumRule()]).items()
    }
    plain, rows_made_up = mesh_rows(heart.mesh), made_up_heart("normal", None, 4.2, scar=[7])[1]
    units |= {
        name: row["unit"]
        for name, row in rows_made_up.items()
        if name not in plain and not name.startswith("region_")
    }
    voltages = mapped(heart.mesh, heart.mesh.points, np.ones(heart.mesh.n_nodes))
    units |= {
        re.sub("voltage_(core|border)", "voltage_ZONE", name): row["unit"]
        for name, row in voltage_rows(heart.mesh, voltages, VoltageRule()).items()
    }
    atrium = describe_atrium(atrial_shell("left", 3.0), "left", "LPS")
    grown_wall = BuiltAtrium(atrium, 1.0, 1.0, 1.0, 0, 0)
    return units | {
        name.replace("mitral_valve", "OPENING"): row["unit"]
        for name, row in built_rows(grown_wall).items()
        if "pv_" not in name
    }


def test_every_number_of_a_summary_is_defined_with_its_unit(tmp_path):
    """Row by row on docs/definitions.md; velocities stand there with WHERE and DIRECTION, volumes
    of a built heart with STRUCTURE, of segments with NUMBER, scar with RULE
    and ZONE."""
    fits = FIT_DEFINITIONS | TRUTH_DEFINITIONS
    page = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) ?\|", page, flags=re.MULTILINE))
    speeds = speed_rows([Speed("bulk", "fibre", 0.1, 0.0, None, 1.0, Projections((), ()))])
    known = DEFINITIONS | MEASURES | fits | HAND_OVER_DEFINITIONS | therapy.DEFINITIONS
    units = {"beat": ""} | {name: unit for name, (unit, _) in known.items()}
    units |= {
        name.replace("bulk_fibre", "WHERE_DIRECTION"): row["unit"] for name, row in speeds.items()
    }
    assert rows == units | cell_units(tmp_path) | heart_units()


def constant_image(mesh):
    """An image of one intensity around a heart."""
    size = np.ceil(np.ptp(mesh.points, axis=0) / 3.0).astype(int) + 1
    return Image(np.ones(size[::-1]), np.full(3, 3.0), np.eye(3), mesh.points.min(axis=0), "even")


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    assert "README.md" in TRACKED or not (ROOT / ".git").exists()
    private = re.compile(rf"/(root|home/\w+)/|{re.escape(str(ROOT))}/")
    for name in TRACKED:
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" in data or name == "tests/test_docs.py":
            continue
        found = private.search(data.decode("utf-8", errors="replace"))
        assert found is None, f"{name} names {found[0]}"
