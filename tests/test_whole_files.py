"""Files that are whole or not there, whoever writes them."""

import errno

import pytest

from heartsim._files import whole, whole_or_refused


@pytest.mark.parametrize(("writer", "error"), [(whole, OSError), (whole_or_refused, ValueError)])
def test_a_file_is_whole_or_not_there(tmp_path, writer, error):
    def fail(path):
        with writer(path) as new:
            new.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.txt").write_text("old")
    for name in ("a.txt", "b.txt"):
        with pytest.raises(error, match="No space"):
            fail(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"


def test_a_file_comes_with_its_neighbours_and_with_common_rights(tmp_path):
    (tmp_path / "plain").touch()
    with whole(tmp_path / "heart.pts") as new:
        assert new.suffix == ".pts"  # some writers go by it
        new.write_text("points")
        new.with_suffix(".elem").write_text("cells")
        assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["plain"]
    assert {p.name for p in tmp_path.iterdir()} == {"plain", "heart.pts", "heart.elem"}
    assert (tmp_path / "heart.pts").read_text(encoding="utf-8") == "points"
    rights = {p.stat().st_mode for p in tmp_path.iterdir()}
    assert len(rights) == 1


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with whole(path) as one, whole(path) as two:
        one.write_text("one")
        two.write_text("two")
    assert path.read_text(encoding="utf-8") == "one"  # the block that ended last
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_place_that_does_not_exist_is_named(tmp_path):
    with (
        pytest.raises(ValueError, match=r"away/a\.txt: cannot be written \(No such file"),
        whole_or_refused(tmp_path / "away" / "a.txt"),
    ):
        pass
