"""`heartsim anatomy --atrium` as a user meets it."""

import json

import pytest

from heartsim.cli import run_command
from heartsim.mesh import atrial_shell, read_mesh, write_mesh


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """found.vtu: a left atrium of 2.5 mm edges with its fibres, and its picture."""
    folder = tmp_path_factory.mktemp("atrium")
    write_mesh(atrial_shell("left", 2.5), folder / "shell.vtu")
    words = f"{folder}/shell.vtu --atrium left --frame LPS --out {folder}/found.vtu"
    assert run_command(["anatomy", *words.split(), "--png", f"{folder}/found.png"]) == 0
    return folder


def test_the_picture_is_drawn(folder):
    assert (folder / "found.png").stat().st_size > 100_000


def refused(capsys, *words):
    assert run_command([str(word) for word in words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    *stages, sentence = said.err.splitlines()
    assert not [line for line in stages if line.startswith("heartsim:")]
    return sentence


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--atrium left", "nothing tells left veins from right ones"),
        ("--frame LPS", "--frame is for an atrium; say which, --atrium left"),
        ("--atrium left --fibre-endo 60", "angles are for ventricles"),
        ("--atrium left --opening lspv=1,2", "--opening lspv=1,2: NAME=X,Y,Z"),
        ("--atrium left --threshold valv=0.5", "'valv' is not known (did you mean 'valve'?)"),
        ("--atrium left --threshold valve=much", "--threshold valve=much: NAME=VALUE is wanted"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder, capsys, words, said):
    out = folder / "other.vtu"
    assert said in refused(capsys, "anatomy", folder / "shell.vtu", "--out", out, *words.split())
    assert not out.exists()


def test_openings_and_thresholds_may_be_given(folder, capsys):
    words = "--opening lspv=18,11,12 --opening rspv=-18,11,12 --opening appendage=25,0,0,3"
    words += f" --threshold valve=0.9 --json --out {folder}/given.vtu"
    shell = str(folder / "shell.vtu")
    assert run_command(["anatomy", shell, "--atrium", "left", *words.split()]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["lspv_middle_mm"]["value"][0] > 15.0
    assert rows["appendage_around_mm"]["value"] is None
    assert len(rows["unnamed_openings_mm"]["value"]) == 2
    narrow = rows["region_1_mitral_ring_mm2"]["value"]
    wide = (read_mesh(folder / "found.vtu").cell_data["bundle"] == 1).sum()
    given = (read_mesh(folder / "given.vtu").cell_data["bundle"] == 1).sum()
    assert narrow > 0
    assert given < 0.5 * wide
