"""Slices of a stack that look swapped: made-up stacks in and out of order, and real ones."""

import json

import numpy as np
import pytest

from heartsim import anatomy
from heartsim.anatomy._slices import Slices
from heartsim.anatomy._swapped import require_right, swapped_slices
from heartsim.cli import run_command
from heartsim.mesh import read_mesh
from tests import stacks

MADE = anatomy.Labels(**anatomy.NUMBERS)


def exchanged(values, k):
    """The stack with slices k and k + 1 (from 0) exchanged."""
    order = np.arange(len(values))
    order[[k, k + 1]] = k + 1, k
    return values[order]


def stack_of(values, spacing=stacks.SPACING):
    return anatomy.Image(values.astype(np.int32), spacing, stacks.AXES, stacks.ORIGIN, "stack")


def notes(values, spacing=stacks.SPACING, labels=MADE):
    image = stack_of(values, spacing)
    return tuple(swap.note for swap in swapped_slices(Slices(image, labels)))


def inner(values):
    """The first of each two neighbours that both have a left ventricle on either side, but at the
    base, the widest of these."""
    there = np.flatnonzero((values >= 2).any(axis=(1, 2)))
    return there[1:-2].tolist()


def names(told, first):
    """Whether one note names slices first and first + 1 (from 0), counted from 1."""
    return len(told) == 1 and f"slices {first + 1} and {first + 2} (counted" in told[0]


@pytest.mark.parametrize("right", [True, False])
def test_two_exchanged_slices_are_named_at_each_inner_place_and_none_in_order(right):
    values = stacks.labels()
    if not right:
        values[values == 1] = 0
    labels = MADE if right else anatomy.Labels(lv_cavity=3, lv_myocardium=2)
    assert notes(values, labels=labels) == ()
    assert len(inner(values)) == 7
    for k in inner(values):
        assert names(notes(exchanged(values, k), labels=labels), k), k


def test_they_are_named_as_the_file_counts_whichever_way_it_runs():
    values = exchanged(stacks.labels(), 5)
    (told,) = notes(values)
    assert told.startswith(anatomy.SWAPPED)
    assert "slices 6 and 7 (counted from 1)" in told
    assert "in slices 5 to 8 the left ventricle has" in told
    areas = [(values[k] >= 2).sum() * 0.0225 for k in range(4, 8)]  # cm2, pixels of 1.5 mm
    assert ", ".join(f"{area:.1f}" for area in areas) + " cm2" in told
    assert "Check the order of the slices" in told
    (told,) = notes(values[::-1])  # twelve slices: 6 and 7 are 7 and 6
    assert "slices 6 and 7 (counted from 1)" in told
    assert ", ".join(f"{area:.1f}" for area in areas[::-1]) + " cm2" in told


def test_a_slice_that_lies_aside_is_not_taken_for_a_swapped_one():
    values = stacks.labels()
    values[5] = np.roll(values[5], 6, axis=1)  # 9 mm along columns
    assert notes(values) == ()


@pytest.mark.parametrize("kind", anatomy.KINDS)
@pytest.mark.parametrize("seed", [None, 3])
def test_made_up_hearts_are_named_where_swapped_slices_differ(kind, seed):
    """All places but the two at the base, where slices about the widest are alike."""
    spacing = np.array([1.5, 1.5, 8.0])
    values = anatomy.short_axis_labels(anatomy.made_up(kind, seed), spacing).values
    assert notes(values, spacing) == ()
    places = inner(values)[:-2]
    assert len(places) >= 3
    for k in places:
        assert names(notes(exchanged(values, k), spacing), k), k


def test_the_command_warns_and_the_heart_is_built(tmp_path, capsys):
    values = stacks.labels()
    values[values == 1] = 0
    seg = stacks.write(tmp_path / "swapped.nrrd", exchanged(values, 5))
    labels = tmp_path / "left.toml"
    labels.write_text("[labels]\nlv_cavity = 3\nlv_myocardium = 2\n")
    options = ["--labels", str(labels), "--edge", "4.0", "--out", str(tmp_path / "left.vtu")]
    assert run_command(["mesh", "build", str(seg), *options, "--json"]) == 0
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith(f"warning: {anatomy.SWAPPED} swapped.nrrd: slices 6 and 7 ")
    told = [note for note in json.loads(said.out)["mesh_notes"]["value"] if note in line]
    assert told == [note for note in read_mesh(tmp_path / "left.vtu").notes if note in line]
    assert len(told) == 1


def test_a_slice_without_a_right_ventricle_is_refused_unless_it_looks_swapped():
    """Near its end, where the part beyond would pass for an island. Exchanged with the first slice
    that the right ventricle is not on, it leaves a gap which is no fault of the labels."""
    values = stacks.labels()
    values[:4][values[:4] == 1] = 0  # slices 5 to 11 have one; labels swap slices 4 and 5
    swapped = Slices(stack_of(exchanged(values, 3)), MADE)
    assert swapped.right_gap.numbers == [5]
    require_right(swapped, swapped_slices(swapped))
    lacking = values.copy()
    lacking[5][values[5] == 1] = 0
    gap = Slices(stack_of(lacking), MADE)
    with pytest.raises(
        ValueError, match=r"right ventricle is on slices 5 to 11 .* not on 6; wanted"
    ):
        require_right(gap, swapped_slices(gap))


def test_the_command_tells_a_gap_of_the_right_ventricle_from_swapped_slices(tmp_path, capsys):
    """A gap of two slices: exit code 2, one sentence and no file. The lowest slice of the right
    ventricle exchanged with the one below, which has none: a heart, with the note."""
    labels = tmp_path / "labels.toml"
    labels.write_text(stacks.LABELS)
    lacking, swapped = stacks.labels(), exchanged(stacks.labels(), 2)
    lacking[5:7][lacking[5:7] == 1] = 0

    def built(name, values):
        seg = stacks.write(tmp_path / f"{name}.nrrd", values)
        (tmp_path / name).mkdir()
        options = ["--labels", str(labels), "--out", str(tmp_path / name / "heart.vtu"), "--json"]
        return run_command(["mesh", "build", str(seg), "--edge", "2.5", *options])

    assert built("gap", lacking) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "gap.nrrd: the right ventricle is on slices 4 to 11 (counted from 1)" in line
    assert "but not on 6, 7; wanted" in line
    assert not list((tmp_path / "gap").iterdir())
    assert Slices(stack_of(swapped), MADE).right_gap.numbers == [4]
    assert built("swapped", swapped) == 0
    told = read_mesh(tmp_path / "swapped" / "heart.vtu").notes
    assert names([note for note in told if note.startswith(anatomy.SWAPPED)], 2)


@pytest.mark.data
def test_of_real_stacks_one_patient_is_named_in_both_phases(shared_data):
    """FISIOCOMP 3: its third and fourth slice from the apex."""
    place = shared_data / "segmentation"
    acdc = [place / "acdc_patient101" / f"patient101_frame{n}_gt.nii.gz" for n in ("01", "14")]
    theirs = {
        n: [place / f"fisiocomp_Paciente_{n}" / f"seg_sa_{phase}.nii.gz" for phase in ("ED", "ES")]
        for n in (1, 3)
    }
    other = anatomy.Labels(lv_cavity=1, lv_myocardium=2, rv_cavity=3)

    def told(paths, labels):
        stacks_ = [Slices(anatomy.read_labels(path), labels) for path in paths]
        assert all(stack.right_gap is None for stack in stacks_)
        return [tuple(swap.note for swap in swapped_slices(stack)) for stack in stacks_]

    assert told(acdc, MADE) == told(theirs[1], other) == [(), ()]
    for found in told(theirs[3], other):
        assert names(found, 4)
